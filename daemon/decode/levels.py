"""The list of who is recorded how: written by who knows the owner's words, read by the recorder, which knows nothing else.

Rule 1: one small JSON object in one line. What is not exactly that is no list: whoever reads keeps what it had, and never
        takes half a list for a whole one.
Rule 2: it names MACs alone: the recorder knows neither devices nor names. Those seen last come first.
Rule 3: a MAC that is not to be recorded stands in one of the two lists, never in both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

NAME = ".levels.json"  # in the folder of the captures; hidden files are no captures
MOST = 2_000  # MACs of a list: a telephone that changes its own every day for five years
MOST_BYTES = 1 << 17

_FORMAT = 1
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_GROUP = 1  # the bit of an address's first byte by which it is that of a group (IEEE 802): nobody sends from it
_FIELDS = ("format", "off", "no_names")


class LevelsError(Exception):
    """That is no list of levels; the message says why."""


class Levels(NamedTuple):
    """MACs, as the six bytes that a frame has: `off` are not recorded, of `no_names` only headers are."""

    off: tuple[bytes, ...] = ()
    no_names: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody is recorded otherwise than in full."""
        return bool(self.off or self.no_names)

    @property
    def digest(self) -> str:
        """Tells one list from another without naming anybody."""
        return hashlib.sha256(format_levels(self)).hexdigest()[:16]


def levels_of(off: Iterable[bytes], no_names: Iterable[bytes]) -> Levels:
    """Rule 3, and what cannot be listed left out: the stricter list counts, each MAC once, at most MOST of each."""
    none = [mac for mac in dict.fromkeys(off) if not mac[0] & _GROUP][:MOST]
    taken = set(none)
    bare = [mac for mac in dict.fromkeys(no_names) if mac not in taken and not mac[0] & _GROUP][:MOST]
    return Levels(tuple(none), tuple(bare))


def format_levels(levels: Levels) -> bytes:
    """The file's content."""
    off, no_names = ([mac.hex(":") for mac in macs] for macs in (levels.off, levels.no_names))
    text = json.dumps({"format": _FORMAT, "off": off, "no_names": no_names}, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def parse_levels(data: bytes) -> Levels:
    """The list of a file's content. Raises LevelsError."""
    if len(data) > MOST_BYTES:
        raise LevelsError("it is larger than a list can be")
    if not data.endswith(b"\n"):
        raise LevelsError("it has no end")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:  # ValueError: no JSON, no UTF-8, numbers of many digits
        raise LevelsError("it is not JSON") from error
    if not isinstance(said, dict) or sorted(said) != sorted(_FIELDS):
        raise LevelsError(f"it has not the fields {', '.join(_FIELDS)}")
    if said["format"] is True or said["format"] != _FORMAT:
        raise LevelsError("a Homeport of another version wrote it")
    off, no_names = (_macs(said[name]) for name in _FIELDS[1:])
    if set(off) & set(no_names):
        raise LevelsError("it says two things of one device")
    return Levels(off, no_names)


def _macs(said: object) -> tuple[bytes, ...]:
    if not isinstance(said, list) or len(said) > MOST:
        raise LevelsError(f"that is no list of at most {MOST:,} devices")
    if not all(isinstance(each, str) and _MAC.fullmatch(each) for each in said):
        raise LevelsError("it lists what is no MAC")
    macs = tuple(bytes.fromhex(each.replace(":", "")) for each in said)
    if any(mac[0] & _GROUP for mac in macs) or len(set(macs)) != len(macs):
        raise LevelsError("it lists a group of devices, or one twice")
    return macs
