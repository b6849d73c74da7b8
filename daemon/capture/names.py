"""What capture files are called.

Rule 1: `YYYY-MM-DD_HH.MM.SS_<interface>.pcap` in local time: names sort by time, hold no colon (which FAT and Windows
        refuse) and are made to the second. A name that is taken gets `_2`, `_3`, ...
Rule 2: while nobody has set the clock: `unsynced-<boot id>-<n>_<interface>.pcap`, the first eight digits of the boot id.
        A file keeps its name for life.
Rule 3: what the kernel allows in the name of an interface and a file name does not bear is written `-`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo

from daemon.capture.schedule import local

SUFFIX = ".pcap"

_UNUSUAL = re.compile(r"[^A-Za-z0-9.@_-]")
_BOOT_DIGITS = 8


def plain(interface: str) -> str:
    """An interface's name as part of a file name."""
    return _UNUSUAL.sub("-", interface) or "-"


def dated(time_us: int, zone: tzinfo, interface: str) -> Iterator[str]:
    """Names for a file that begins now, the wished one first."""
    stem = f"{local(time_us, zone):%Y-%m-%d_%H.%M.%S}_{plain(interface)}"
    yield stem + SUFFIX
    number = 2
    while True:
        yield f"{stem}_{number}{SUFFIX}"
        number += 1


def undated(boot_id: str, interface: str) -> Iterator[str]:
    """Names for a file that begins before the clock was set."""
    number = 1
    while True:
        yield f"{_unsynced(boot_id)}{number}_{plain(interface)}{SUFFIX}"
        number += 1


def is_undated(name: str, boot_id: str, interface: str) -> bool:
    """Whether a file is of this boot and interface and began before the clock was set."""
    stem = re.escape(_unsynced(boot_id))
    return re.fullmatch(rf"{stem}\d+_{re.escape(plain(interface))}{re.escape(SUFFIX)}", name) is not None


def is_of(name: str, interface: str) -> bool:
    """Whether a file's name says that this interface was recorded in it."""
    when = r"(\d{4}-\d\d-\d\d_\d\d\.\d\d\.\d\d|unsynced-[0-9a-zA-Z]+-\d+)"
    return re.fullmatch(rf"{when}_{re.escape(plain(interface))}(_\d+)?{re.escape(SUFFIX)}", name) is not None


def _unsynced(boot_id: str) -> str:
    return f"unsynced-{re.sub('[^0-9a-zA-Z]', '', boot_id)[:_BOOT_DIGITS]}-"
