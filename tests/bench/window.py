"""How long the first packet of a quarter of an hour of a large day takes: `homeport pcap`, cold and warm.

Rule: files are thrown out of the machine's cache one by one, so that others who work on it keep theirs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from daemon.store.database import read_database

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from appliance.main import main; main()")
QUARTER_US = 900_000_000
_HEAD = 24  # bytes of a pcap file before its first packet
_BUSIEST = """
    SELECT t.slot_us, d.mac, t.domain FROM traffic t JOIN devices d USING (device_id)
    WHERE t.scope = 'internet' AND t.domain IS NOT NULL AND d.mac IS NOT NULL
    ORDER BY abs(t.slot_us - ?), t.bytes_down DESC LIMIT 1
"""


class First(NamedTuple):
    """One question; seconds to the first packet with the files not in the cache and in it, and the bytes of the answer."""

    question: str
    cold_s: float
    warm_s: float
    size: int


def measure(capture: Path, database: Path) -> list[First]:
    """Import a capture of a day, and ask for the quarter of an hour in the middle of it."""
    subprocess.run([*COMMAND, "import", str(capture), "--db", str(database)], cwd=ROOT, check=True)
    with closing(read_database(database)) as db:
        first_us, last_us = db.execute("SELECT min(first_us), max(last_us) FROM captures").fetchone()
        begin, mac, domain = db.execute(_BUSIEST, ((first_us + last_us) // 2,)).fetchone()
    span = ["--since", _text(begin), "--until", _text(begin + QUARTER_US)]
    questions = {
        "everything": span,
        "one device": [*span, "--device", mac],
        "one name": [*span, "--destination", domain],
    }
    return [_asked(name, capture, database, flags) for name, flags in questions.items()]


def _asked(name: str, capture: Path, database: Path, flags: Sequence[str]) -> First:
    for path in (capture, *database.parent.glob(f"{database.name}*")):
        _forget(path)
    cold_s, size = _first(database, flags)
    warm_s, _ = _first(database, flags)
    return First(name, cold_s, warm_s, size)


def _first(database: Path, flags: Sequence[str]) -> tuple[float, int]:
    began, first_s, size = time.monotonic(), float("nan"), 0
    argv = [*COMMAND, "pcap", "--db", str(database), *flags, "-w", "-"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        while piece := os.read(run.stdout.fileno(), 1 << 20):
            before, size = size, size + len(piece)
            if before <= _HEAD < size:
                first_s = time.monotonic() - began
    return first_s, size


def _forget(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _text(time_us: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_us // 1_000_000))


def told(found: Sequence[First], size: int) -> str:
    """A line of JSON a question."""
    return "\n".join(json.dumps({"capture": size, **each._asdict()}) for each in found)
