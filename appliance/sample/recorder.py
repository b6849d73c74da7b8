"""What a recorder notes beside its captures: when it began and ended, what it received, what it lost.

Rules:
1. One JSON object a line, as docs/capture.md describes it; written without the product's own code, so that reading the
   sample home also tries the reader.
2. The box is switched on twice: at the beginning, and after the power cut. A power cut leaves no last words.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from appliance.sample import almanac
from appliance.sample.chance import chance

_SUFFIX = ".meta.jsonl"
_SECOND = 1_000_000
_POWER_ON = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # before any day of the home


def write_notes(capture: Path, begin: dt.datetime, end: dt.datetime, packets: int) -> None:
    """Write the sidecar of a finished capture that recorded `packets` from `begin` to `end`."""
    size = capture.stat().st_size
    lines = [_line("open", begin, 24, 0, 0, reason="midnight", interface="wlan0", link=1, snaplen=262_144, filter="")]
    lost = 0
    if begin <= almanac.LOST.begin < end:
        half = size // 2
        lines.append(_line("sample", almanac.LOST.begin, half, packets // 2, 0))
        lost = almanac.LOST_PACKETS
        lines.append(_line("sample", almanac.LOST.end, half + 4096, packets // 2 + 40, lost))
    if end == almanac.DARK.begin:
        lines.append(_line("sample", end, size, packets, lost))
    else:
        lines.append(_line("close", end, size, packets, lost, reason="midnight"))
    capture.with_name(capture.name + _SUFFIX).write_text("".join(lines), "ascii")


def _line(event: str, when: dt.datetime, on_disk: int, packets: int, lost: int, **more: str | int) -> str:
    again = when >= almanac.DARK.end
    since = almanac.DARK.end - dt.timedelta(seconds=40) if again else _POWER_ON
    said = {
        "event": event,
        "time_us": int(when.timestamp()) * _SECOND,
        "monotonic_us": int((when - since).total_seconds()) * _SECOND,
        "boot_id": chance("boot", again).randbytes(16).hex(),
        "synced": True,
        "on_disk": on_disk,
        "received": packets + lost,
        "written": packets,
        "kernel_drops": lost,
        "interface_drops": 0,
    }
    return json.dumps(said | more, separators=(",", ":")) + "\n"
