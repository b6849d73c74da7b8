"""The `.meta.jsonl` beside a capture file that Homeport records: what the recorder knows and a packet does not say.

Rule 1: one JSON object a line, appended and never rewritten. A line that a power cut tore, or that nobody can read, is
        passed over; whatever stands before and behind it counts.
Rule 2: `on_disk` never says more than the disk holds: it is the length of the capture file that fdatasync confirmed. A
        live file may be read up to the last of them; after `close` the file does not grow any more.
Rule 3: `received`, `written`, `kernel_drops` and `interface_drops` count since the file's `open`, so that the last
        line has the sums of its file.
Rule 4: `time_us` is the wall clock as it was then, right or wrong; `monotonic_us` is the clock nobody sets (it counts
        while the machine sleeps). Both are of one instant: within one `boot_id` any two lines tell how far the wall
        clock was moved between them.

Events and their own fields:

| event | when | fields |
|---|---|---|
| `open` | the file was made | reason, interface, link, snaplen, filter, version |
| `sample` | after each fdatasync, and every 10 s where nothing came | |
| `jump` | the wall clock was moved by more than 2 s; the file ends | offset_us |
| `pause` | from here on packets were received and not written | reason |
| `resume` | they are written again | lost (packets), from_us (when the pause began, by the wall clock) |
| `sync` | the clock was set; offset_us has to be added to every packet time of the file | offset_us |
| `levels` | from here on so many MACs are not recorded, or not by name, as their owner wishes | off, no_names |
| `close` | the file is complete | reason |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

SUFFIX = ".meta.jsonl"  # behind the whole name of the capture file
EVENTS = ("open", "sample", "jump", "pause", "resume", "sync", "levels", "close")

Value = str | int | bool | None

_LONGEST = 8192  # bytes of a line; ours have some 300, and a filter as long as a command line may be
_MOST = 1 << 63


@dataclass(frozen=True, slots=True)
class SidecarLine:
    """One event; times in microseconds, `on_disk` in bytes, the counters in packets since the file's `open`."""

    event: str
    time_us: int
    monotonic_us: int
    boot_id: str
    synced: bool
    on_disk: int
    received: int = 0
    written: int = 0
    kernel_drops: int = 0
    interface_drops: int = 0
    more: Mapping[str, Value] = field(default_factory=dict)  # what the event says besides


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stood in a piece of a sidecar."""

    lines: tuple[SidecarLine, ...]
    consumed: int  # bytes up to the end of the last whole line: where to read on
    skipped: int  # whole lines that are not ours or were torn


_COMMON = tuple(f.name for f in fields(SidecarLine) if f.name != "more")
_NUMBERS = ("time_us", "monotonic_us", "on_disk", "received", "written", "kernel_drops", "interface_drops")


def format_line(line: SidecarLine) -> bytes:
    """The line as it is appended, with its newline. ValueError for an unknown event or a field that is named twice."""
    if line.event not in EVENTS:
        raise ValueError(f"{line.event!r} is no event of a sidecar")
    twice = sorted(set(line.more) & set(_COMMON))
    if twice:
        raise ValueError(f"every line has {twice[0]} already")
    said = {name: getattr(line, name) for name in _COMMON} | dict(line.more)
    text = json.dumps(said, separators=(",", ":"))  # ASCII, with every control character escaped: one line
    return text.encode("ascii") + b"\n"


def parse_lines(data: bytes) -> Parsed:
    """All whole lines of a piece that begins at the start of a line. Never raises."""
    end = data.rfind(b"\n") + 1
    found = []
    skipped = 0
    for raw in data[:end].split(b"\n")[:-1]:
        line = _parse(raw)
        if line is not None:
            found.append(line)
        elif raw.strip():
            skipped += 1
    return Parsed(tuple(found), end, skipped)


def _parse(raw: bytes) -> SidecarLine | None:
    if len(raw) > _LONGEST:
        return None
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):  # ValueError: JSONDecodeError, UnicodeDecodeError, numbers of many digits
        return None
    if not isinstance(said, dict) or said.get("event") not in EVENTS or not isinstance(said.get("boot_id"), str):
        return None
    numbers = {name: said.get(name, 0) for name in _NUMBERS}
    if not all(_is_count(number) for number in numbers.values()) or not isinstance(said.get("synced"), bool):
        return None
    if "time_us" not in said or "on_disk" not in said or numbers["on_disk"] < 0:
        return None
    more = {
        name: value
        for name, value in said.items()
        if name not in _COMMON and (value is None or isinstance(value, (str, bool)) or _is_count(value))
    }
    return SidecarLine(event=said["event"], boot_id=said["boot_id"], synced=said["synced"], **numbers, more=more)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_MOST <= value < _MOST
