"""The pcapng file format: from block to block, packets as columns. What single blocks say is in `pcapng_blocks`.

Rule 1: a section header sets the byte order and forgets the interfaces; packets are read by their own interface's
        link type and clock.
Rule 2: blocks that are neither packets nor say how to read them are passed over: comments, names and decryption
        secrets are not Homeport's business.
Rule 3: the walk from block to block is the only loop; the fields are gathered as columns.

Not kept: where damage swallowed an interface description, later ones in that section count from a wrong number.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from daemon.decode.later import np
from daemon.decode.pcapng_blocks import (
    ENHANCED,
    INTERFACE,
    OBSOLETE,
    SECTION,
    SECTION_MAGIC,
    SIMPLE,
    SMALLEST,
    Interface,
    parse_interface,
    section_order,
    to_microseconds,
)
from daemon.decode.pcapng_columns import BAD_LENGTH, TWO_LENGTHS, Epoch, Section, Walk, packets_of
from daemon.decode.records import (
    MOST_CAPTURED,
    USUAL_CAPTURED,
    Buffer,
    Columns,
    ResumingScanner,
    no_columns,
    words_at,
)

# Blocks that are passed over: name resolution, interface statistics, journal, secrets, custom (both kinds).
_DEFINING = frozenset((SECTION, INTERFACE))
_PASSED = (4, 5, 9, 10, 0x0BAD, 0x40000BAD)
_KNOWN = (SECTION, INTERFACE, OBSOLETE, SIMPLE, ENHANCED, *_PASSED)

_MOST_BLOCK = MOST_CAPTURED  # of a block that has to be in the buffer whole
_MOST_SEARCHED = USUAL_CAPTURED + 4096  # of a block that reading may resume at
_MOST_PASSED = 16 << 20  # of a block of a known kind that is passed over
_MOST_INTERFACES = 4096

BAD_SECTION = "a section header that cannot be"
TOO_MANY = "more interfaces than a section can have"


class PcapngScanner(ResumingScanner):
    """Scans one pcapng file; see `records.Scanner`."""

    _smallest = 12

    def __init__(self, order: str) -> None:
        super().__init__()
        self._section = Section(order, [])
        self._links: dict[int, None] = {}  # in order of appearance
        self._snaplen = 0
        self._last_us = 0
        self._passing: tuple[int, int] | None = None  # bytes to the closing length of the block passed over; its length

    @property
    def link_types(self) -> tuple[int, ...]:
        """Of all interfaces described so far, in order of appearance."""
        return tuple(self._links)

    @property
    def snaplen(self) -> int:
        """The largest of the interfaces described so far; 0 where none set a limit."""
        return self._snaplen

    def state(self) -> dict[str, Any]:
        """See `records.Scanner.state`."""
        return {
            "format": "pcapng",
            "order": self._section.order,
            "interfaces": [list(interface) for interface in self._section.interfaces],
            "links": list(self._links),
            "snaplen": self._snaplen,
            "last_us": self._last_us,
            "passing": list(self._passing) if self._passing else None,
            **self._resume_state(),
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> PcapngScanner:
        """A scanner that goes on where the one that gave `state` stopped."""
        scanner = cls(state["order"])
        scanner._section.interfaces.extend(Interface(*fields) for fields in state["interfaces"])
        scanner._links = dict.fromkeys(state["links"])
        scanner._snaplen = state["snaplen"]
        scanner._last_us = state["last_us"]
        scanner._passing = (state["passing"][0], state["passing"][1]) if state["passing"] else None
        scanner._restore_resume(state)
        return scanner

    def _inside(self) -> bool:
        return self._passing is not None

    def ahead(self, buf: Buffer, end: int, base: int) -> None:
        """See `records.Scanner.ahead`: blocks are read together, when all are there."""

    def _begin(self, start: int, end: int) -> int | None:  # noqa: ARG002  pcap needs to know the end
        return start  # the file header is a block like others

    def _read(self, buf: Buffer, pos: int, end: int, reach: int) -> tuple[Columns, int, str | None]:
        problem: str | None
        if self._passing is not None:
            pos, problem = self._pass(buf, pos, end, self._section.order, self._passing)
            if problem or self._inside():
                return no_columns(), pos, problem
        walk = self._walk(buf, pos, end, pos + reach)
        columns, good, problem = packets_of(buf, walk, self._last_us) if walk.offsets else (no_columns(), 0, "")
        if problem:
            self._passing = None
            pos = walk.offsets[good]
        else:
            pos, problem = walk.pos, walk.problem
        self._take_over(walk, good)
        if len(columns.time_us):
            self._last_us = int(columns.time_us[-1])
        return columns, pos, problem

    def _take_over(self, walk: Walk, good: int) -> None:
        """The section and interfaces in force behind the first `good` blocks become the scanner's own."""
        epochs = [epoch for epoch in walk.epochs if epoch.first <= good]
        counts: dict[int, int] = {epoch.section: epoch.described for epoch in epochs}
        for section, count in counts.items():
            known = 0 if section else walk.epochs[0].described
            for interface in walk.sections[section].interfaces[known:count]:
                self._links[interface.link] = None
                self._snaplen = max(self._snaplen, interface.snaplen)
        section, count = epochs[-1].section, epochs[-1].described
        order, interfaces = walk.sections[section]
        self._section = Section(order, interfaces if count == len(interfaces) else interfaces[:count])

    def _walk(self, buf: Buffer, pos: int, end: int, stop: int) -> Walk:
        """Blocks in line that begin up to `stop`; only those that change how others are read are parsed here."""
        sections = [self._section]
        epochs = [Epoch(0, 0, len(self._section.interfaces))]
        offsets: list[int] = []
        head = struct.Struct(f"{self._section.order}II").unpack_from
        problem: str | None = ""
        last = min(end - self._smallest, stop)
        while pos <= last:
            kind, size = head(buf, pos)
            if kind in _DEFINING:
                size, problem = _define(buf, pos, end, sections, epochs, len(offsets))
                if not size:
                    break
                head = struct.Struct(f"{sections[-1].order}II").unpack_from
            elif size & 3 or not 12 <= size <= _MOST_BLOCK:
                if size & 3 or kind not in _PASSED or not 12 <= size <= _MOST_PASSED:
                    problem = BAD_LENGTH
                    break
                pos, problem = self._pass(buf, pos, end, sections[-1].order, (size - 4, size))
                if problem or self._inside():
                    break
                continue
            elif pos + size > end:
                break
            offsets.append(pos)
            pos += size
        else:
            problem = None if pos + self._smallest <= end else ""
        return Walk(offsets, sections, epochs, pos, problem)

    def _pass(self, buf: Buffer, pos: int, end: int, order: str, passing: tuple[int, int]) -> tuple[int, str]:
        """Passes over a block too large for a buffer as far as its bytes are here, and compares its closing length."""
        left, size = passing
        step = min(left, end - pos)
        pos += step
        if step < left or pos + 4 > end:
            self._passing = (left - step, size)
            return pos, ""
        self._passing = None
        if struct.unpack_from(f"{order}I", buf, pos)[0] != size:
            return pos, TWO_LENGTHS
        return pos + 4, ""

    def _plausible(self, buf: Buffer, pos: int, stop: int) -> Sequence[int]:
        kinds = words_at(buf, pos, stop, self._section.order)
        sizes = words_at(buf, pos + 4, stop + 4, self._section.order)
        likely = np.isin(kinds, _KNOWN) & (sizes & 3 == 0) & (sizes >= 12) & (sizes <= _MOST_SEARCHED)
        likely |= kinds == SECTION  # its length may be of the other byte order
        found: list[int] = (np.nonzero(likely)[0] + pos).tolist()
        return found

    def _followed(self, buf: Buffer, pos: int, end: int, *, final: bool) -> bool | None:
        order, candidate = self._section.order, pos
        for followers in range(3):
            # The byte order of a section header stands behind its length.
            if pos + 12 > end or (bytes(buf[pos : pos + 4]) == SECTION_MAGIC and pos + 16 > end):
                return None
            size, order = _block_at(buf, pos, order)
            if not size:
                return False
            if pos + size > end:
                # A file may end inside the blocks behind the damage; one whole block in line is then enough.
                if final and followers == 2:
                    break
                return None
            if struct.unpack_from(f"{order}I", buf, pos + size - 4)[0] != size:
                return False
            pos += size
            if final and pos == end:
                break
        return self._acceptable(buf, candidate)

    def _acceptable(self, buf: Buffer, pos: int) -> bool:
        """Whether the whole block at `pos` can be read after damage: a packet by its interface, and of a near time."""
        order, interfaces = self._section
        kind, size = struct.unpack_from(f"{order}II", buf, pos)
        if kind == INTERFACE:
            return len(interfaces) < _MOST_INTERFACES
        if kind not in (ENHANCED, OBSOLETE, SIMPLE):
            return True
        if kind == SIMPLE:
            return bool(interfaces)
        number, high, low, captured = struct.unpack_from(f"{order}IIII", buf, pos + 8)
        if kind == OBSOLETE:
            number = struct.unpack_from(f"{order}H", buf, pos + 8)[0]
        if number >= len(interfaces) or captured > size - 32:
            return False
        window = self._window()
        time = int(to_microseconds(np.array([high << 32 | low], np.uint64), interfaces[number])[0])
        return window is None or window[0] <= time <= window[1]


def _define(
    buf: Buffer, pos: int, end: int, sections: list[Section], epochs: list[Epoch], blocks: int
) -> tuple[int, str]:
    """Puts the section or interface that the block at `pos` describes into force, as the walk's block number `blocks`.

    Its length, or 0 and what is wrong with it ("" where bytes are missing).
    """
    order, interfaces = sections[-1]
    kind, size = struct.unpack_from(f"{order}II", buf, pos)
    if kind == SECTION:
        if pos + 16 > end:
            return 0, ""
        found = section_order(bytes(buf[pos : pos + 16]))
        if found is None:
            return 0, BAD_SECTION
        order = found
        size = struct.unpack_from(f"{order}I", buf, pos + 4)[0]
    if size & 3 or not SMALLEST[kind] <= size <= _MOST_BLOCK:
        return 0, BAD_LENGTH
    if pos + size > end:
        return 0, ""
    if struct.unpack_from(f"{order}I", buf, pos + size - 4)[0] != size:
        return 0, TWO_LENGTHS
    if kind == SECTION:
        sections.append(Section(order, []))
    elif len(interfaces) < _MOST_INTERFACES:
        interfaces.append(parse_interface(bytes(buf[pos : pos + size]), order))
    else:
        return 0, TOO_MANY
    epochs.append(Epoch(blocks, len(sections) - 1, len(sections[-1].interfaces)))
    return size, ""


def _block_at(buf: Buffer, pos: int, order: str) -> tuple[int, str]:
    """(length, byte order) of the block of a known kind at `pos`; length 0 where none can be. Its head is there."""
    kind, size = struct.unpack_from(f"{order}II", buf, pos)
    if kind == SECTION:
        found = section_order(bytes(buf[pos : pos + 16]))
        if found is None:
            return 0, order
        order = found
        size = struct.unpack_from(f"{order}I", buf, pos + 4)[0]
    known = kind in SMALLEST or kind in _PASSED
    if not known or size & 3 or not SMALLEST.get(kind, 12) <= size <= _MOST_SEARCHED:
        return 0, order
    return size, order
