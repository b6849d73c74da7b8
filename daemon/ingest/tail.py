"""The newest capture of a folder as it grows, and the file that follows it: for somebody who looks on.

Rule 1: whole records only, each once, in the order of the files; nothing is written, no privilege is needed.
Rule 2: who looks on from now gets what is recorded from now on: where a large file's next record begins is found from
        its last part, and checked by the records that follow there up to its end.
Rule 3: a file is left for a newer one of its interface when that is there and the old one was read to its end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.decode.columns import SPARE
from daemon.decode.cursor import DecodeError
from daemon.decode.fine import is_finer, remainders
from daemon.decode.framing import LOOKAHEAD, open_scanner, restore_scanner
from daemon.decode.merge import Cut
from daemon.ingest.source import Source

_WINDOW = LOOKAHEAD + (256 << 10)
_LAST_PART = 1 << 20  # bytes of a large file's end in which the next record is looked for
_HEAD = 4096
_NAME = re.compile(
    r"(?:\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d|unsynced-[^_]*)_(?P<series>.+?)(?:_\d+)?\.(?:pcap|pcapng)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a reader of the packets has to know first."""

    pcapng: bool
    links: tuple[int, ...]
    nano: bool


class _Growing:
    """One file under way."""

    def __init__(self, path: Path, *, from_start: bool) -> None:
        """Raises OSError; DecodeError where it is no capture, or not enough of it is there to tell."""
        self.path = path
        self._source = Source.open(path)
        self._buf, self._filled, self._base = bytearray(_WINDOW + SPARE), 0, 0
        try:
            head = self._source.head(_HEAD)
            self._scanner = open_scanner(head)
            self.form = self._form(head)
            if not from_start:
                self._to_the_end(head)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._source.close()

    def _form(self, head: bytes) -> Form:
        scanner = open_scanner(head)
        scanner.scan(bytearray(head), 0, len(head), 0, final=False)
        state = scanner.state()
        return Form(state["format"] == "pcapng", scanner.link_types, is_finer(state))

    def cuts(self) -> Iterator[Cut]:
        """The records that are there by now and were not given yet."""
        while True:
            view = memoryview(self._buf)[:_WINDOW]
            self._source.seek(self._base + self._filled)
            while self._filled < _WINDOW and (count := self._source.read_into(view[self._filled :])):
                self._filled += count
            before = self._scanner.state()
            records = self._scanner.scan(self._buf, 0, self._filled, self._base, final=False)
            if len(records.offset):
                finer = remainders(self._buf, records, before, self._scanner.state())
                time_ns = records.time_us * 1000 + (0 if finer is None else finer)
                yield Cut(view, records.offset, records.captured, records.wire, time_ns, records.link)
            used = records.consumed
            if not used:
                return
            self._buf[: self._filled - used] = self._buf[used : self._filled]
            self._filled -= used
            self._base += used

    def _to_the_end(self, head: bytes) -> None:
        """Passes over what is there already."""
        place = self._source.size - _LAST_PART
        if not self.form.pcapng and place > _HEAD and self._resume(head, place):
            return
        self._scanner, self._base, self._filled = open_scanner(head), 0, 0
        for _ in self.cuts():
            pass

    def _resume(self, head: bytes, place: int) -> bool:
        """Whether the records from somewhere behind `place` on stand in line up to the end; then they are passed."""
        scanner = open_scanner(head)
        scanner.scan(bytearray(head), 0, len(head), 0, final=False)
        state = scanner.state()
        state["lost"] = [place, "begun in the middle"]
        self._scanner, self._base, self._filled = restore_scanner(state), place, 0
        passed = sum(len(cut.offset) for cut in self.cuts())
        return passed > 0 and not self._scanner.state()["lost"]


class Follower:
    """The newest capture of a folder and those that follow it."""

    def __init__(self, folder: Path, interface: str | None, *, from_start: bool) -> None:
        self._folder, self._interface, self._from_start = folder, interface, from_start
        self._current: _Growing | None = None
        self._known: set[str] = set()  # names of files that are followed, were, or were there before

    @property
    def path(self) -> Path | None:
        """The file that is followed now."""
        return None if self._current is None else self._current.path

    @property
    def form(self) -> Form | None:
        """Of the file that is followed now."""
        return None if self._current is None else self._current.form

    def close(self) -> None:
        """Closes the file."""
        if self._current is not None:
            self._current.close()

    def cuts(self) -> Iterator[Cut]:
        """All packets that are there by now and were not given yet. Raises OSError as it comes."""
        if self._current is None and not self._begin():
            return
        while self._current is not None:
            yield from self._current.cuts()
            following = self._next()
            if following is None:
                return
            yield from self._current.cuts()  # what came before the newer file was begun
            self._known.add(following.path.name)
            self._current.close()
            self._current = following

    def _begin(self) -> bool:
        files = sorted(self._files(), key=lambda each: (each.stat().st_mtime_ns, each.name), reverse=True)
        for place, path in enumerate(files):
            current = _opened(path, from_start=self._from_start)
            if current is not None:
                self._current = current
                self._known.update(each.name for each in files[place:])
                return True
        return False

    def _next(self) -> _Growing | None:
        """The first of the files that came since."""
        assert self._current is not None  # noqa: S101  its caller has asked
        series = series_of(self._current.path)
        fresh = [each for each in self._files() if each.name not in self._known and series_of(each) == series]
        for path in sorted(fresh, key=lambda each: (each.stat().st_mtime_ns, each.name)):
            following = _opened(path, from_start=True)
            if following is not None:
                return following
        return None

    def _files(self) -> list[Path]:
        with os.scandir(self._folder) as entries:
            found = [Path(each.path) for each in entries if each.is_file() and not each.name.startswith(".")]
        return [each for each in found if each.suffix in {".pcap", ".pcapng", ".cap"} and self._wanted(each)]

    def _wanted(self, path: Path) -> bool:
        return self._interface is None or series_of(path) == self._interface


def series_of(path: Path) -> str:
    """The interface that the name of a capture of ours says, also while its clock was not set; "" for other names."""
    found = _NAME.fullmatch(path.name)
    return found["series"] if found else ""


def _opened(path: Path, *, from_start: bool) -> _Growing | None:
    """None where it is no capture (yet): its header is written by and by."""
    try:
        return _Growing(path, from_start=from_start)
    except (DecodeError, FileNotFoundError):
        return None
