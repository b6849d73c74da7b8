"""The packets behind the rows of the database, out of the files that they lie in.

Rule 1: the index of blocks says what need not be read; what is read is chosen packet by packet, so that the index
        changes the time it takes and never the answer. What a file has behind the cursor is read too.
Rule 2: packets are streamed: memory holds one piece of each file that overlaps in time, whatever is asked for.
Rule 3: a file that is gone, another one than was imported, or cannot be read is named with what is missing for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from daemon.decode.columns import SPARE
from daemon.decode.cursor import DecodeError
from daemon.decode.cut import Accepts, Address, Carried, Choice, Party, Wish
from daemon.decode.cut_flows import Conversation, Flows
from daemon.decode.fine import is_finer, remainders
from daemon.decode.framing import LOOKAHEAD, Scanner, entered_scanner
from daemon.decode.links import LINK_NAMES
from daemon.decode.merge import Cut, merge
from daemon.decode.records import Records
from daemon.decode.sketch import address_mark, mac_mark
from daemon.flow.local import address_number
from daemon.flow.services import NO, frame_number, protocol_name
from daemon.ingest.hours import HoursOfDay
from daemon.ingest.source import Source, head_identity
from daemon.ingest.stretches import Stretch, stretches_of
from daemon.store import behind
from daemon.store.behind import End, Ends, Held
from daemon.store.blocks import read_blocks
from daemon.store.meant import (
    ANY_WAY,
    ANYTHING,
    NOT_OUTSIDE,
    Judgements,
    Terms,
    has_flows,
    read_flows_of,
    read_messages_about,
)

_WINDOW = 512 << 10  # bytes of a piece; a search behind damage may need LOOKAHEAD
_LARGE_HEAD = 4 << 20  # the first record lies within it, even behind large pcapng blocks
_FARTHEST_US = 1 << 53  # times are held within this, so that nanoseconds stay within 64 bits
_ETHERNET_ONLY = LINK_NAMES[1]
_PROTOCOLS = {protocol_name(number): number for number in range(256)}


@dataclass(frozen=True, slots=True)
class Question:
    """What is wanted; None: anything. Times as in `Wish`. `stations` are (MAC or -1, address where there is no MAC)."""

    site_id: int
    zone: str
    since_us: int | None = None
    until_us: int | None = None
    stations: tuple[tuple[int, str], ...] | None = None
    terms: Terms = ANYTHING
    flow_id: int | None = None
    accepts: Accepts | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A file whose packets are not in the answer, or not all."""

    path: str
    why: str
    first_us: int
    last_us: int
    packets: int


@dataclass(frozen=True, slots=True)
class Part:
    """One file that may have wanted packets: which stretches are read, and what is chosen there."""

    path: Path
    held: Held
    wish: Wish
    stretches: tuple[Stretch, ...]


@dataclass(slots=True)
class Found:
    """What will be read, ordered by time. `missing` grows while it is."""

    parts: list[Part] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    links: set[int] = field(default_factory=set)  # link types of the files
    link_names: set[str] = field(default_factory=set)
    nano: bool = False  # a file has times finer than microseconds
    files: list[Path] = field(default_factory=list)  # all that are known, also of other times

    def packets(self) -> Iterator[Cut]:
        """All packets that are wanted, by time."""
        return merge((_nanoseconds(part.held.first_us), self._read(part)) for part in self.parts)

    def _read(self, part: Part) -> Iterator[Cut]:
        try:
            yield from _cuts(part)
        except (OSError, DecodeError) as error:
            why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
            self.missing.append(_missing(part.held, f"it cannot be read to its end: {why}"))


def look_up(db: sqlite3.Connection, question: Question) -> Found:
    """Which files to read for a question, and which are missing. Raises sqlite3.Error as it comes."""
    found = Found()
    chooser = _Chooser(db, question)
    found.files = [Path(row[0]) for row in db.execute("SELECT path FROM capture")]
    for held in behind.read_held(db, question.site_id, question.since_us, question.until_us):
        if chooser.blind(held):
            why = "of a part of it only sums are kept, so which of its packets went there is not known"
            found.missing.append(_missing(held, why))
        wish = chooser.wish(held)
        if wish is None:
            continue
        stretches = chooser.stretches(held, wish)
        path, why = _file_of(held)
        if path is None:
            if stretches:
                found.missing.append(_missing(held, why))
            continue
        if stretches:
            _describe(path, held, found)
            found.parts.append(Part(path, held, wish, tuple(stretches)))
    return found


def _missing(held: Held, why: str) -> Missing:
    return Missing(held.path, why, held.first_us, held.last_us, held.packets)


def _file_of(held: Held) -> tuple[Path | None, str]:
    """Where the capture's bytes lie, else why they do not."""
    plain = Path(held.path)
    for path in (plain, plain.with_name(f"{plain.name}.gz")):
        try:
            with Source.open(path) as source:
                if (head_identity(source.head()) or head_identity(source.head(_LARGE_HEAD))) == held.head:
                    return path, ""
        except FileNotFoundError:
            continue
        except (OSError, DecodeError) as error:
            return None, (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        return None, "another file than the one that was imported lies there"
    return None, "it was deleted" if held.status == "deleted" else "it is not there any more"


def _describe(path: Path, held: Held, found: Found) -> None:
    with Source.open(path) as source:
        scanner = entered_scanner(source.head(), None)
        head = bytearray(source.head())
        scanner.scan(head, 0, len(head), 0, final=False)
    found.links.update(scanner.link_types)
    found.link_names.update(held.link_types.split(","))  # also those that the file describes later
    found.nano = found.nano or is_finer(scanner.state())


class _Chooser:
    """What a question means for one capture."""

    def __init__(self, db: sqlite3.Connection, question: Question) -> None:
        self._db, self._question = db, question
        keys, terms = question.stations, question.terms
        self._stations = None if keys is None else behind.read_station_ids(db, question.site_id, keys)
        self._ends = [end for station in self._stations or [] for end in behind.read_ends(db, station)]
        self._macs = frozenset(mac for mac, _ in keys or () if mac >= 0)
        self._party = None if keys is None else Party(self._macs, tuple(map(_address, self._ends)))
        self._row = None
        if question.flow_id is not None:
            self._row = behind.read_flow_row(db, question.site_id, question.flow_id)
        self._judgements = Judgements(db, question.site_id, question.zone)
        self._by_flow = bool(terms.meant) or any(part is not None for part in terms.way[2:])
        self._carried = _carried(terms)
        self._hours = None if terms.hours is None else HoursOfDay(terms.hours, question.zone)

    def _whole(self, held: Held) -> bool:
        """Whether all of the capture counts as one of the stations."""
        return held.station_id is not None and held.station_id in (self._stations or [])

    def blind(self, held: Held) -> bool:
        """Whether flows that were wanted may be gone."""
        return held.closed and held.cursor > 0 and (self._by_flow or self._question.terms.asked is not None)

    def wish(self, held: Held) -> Wish | None:
        """What to choose of the capture; None where there is nothing."""
        question = self._question
        if self._stations == [] or not self._timely(held):
            return None
        flows, carried = self._flows(held), self._carried
        nothing = not flows if flows is not None else carried is not None and self._never(held)
        messages = self._messages(held)
        if (nothing and (carried is None or carried.frames == frozenset())) or (messages is not None and not messages):
            return None
        return Wish(
            question.since_us,
            question.until_us,
            None if self._whole(held) else self._party,
            question.terms.addresses,
            flows,
            messages,
            question.accepts,
            carried,
            None if self._hours is None else self._hours.mark,
        )

    def _timely(self, held: Held) -> bool:
        """Whether any of the capture may lie in the hours that are wanted."""
        return self._hours is None or held.status == "live" or self._hours.any(held.first_us, held.last_us)

    def stretches(self, held: Held, wish: Wish) -> list[Stretch]:
        """What to read of a capture."""
        return stretches_of(read_blocks(self._db, held.capture_id), held, wish, self._marks(held), self._hours)

    def _never(self, held: Held) -> bool:
        """Whether no packet with IP of the capture can be carried as is wanted; what is not read yet may be."""
        way = self._question.terms.way
        return held.status != "live" and not held.closed and not has_flows(self._db, held.capture_id, way)

    def _messages(self, held: Held) -> Flows | None:
        """The DNS messages that are wanted; None where the question is not about any."""
        names, question = self._question.terms.asked, self._question
        if names is None:
            return None
        since = held.first_us if question.since_us is None else max(held.first_us, question.since_us)
        until = held.last_us + 1 if question.until_us is None else min(held.last_us + 1, question.until_us)
        return Flows.of(map(_conversation, read_messages_about(self._db, held.capture_id, (since, until), names)))

    def _flows(self, held: Held) -> Flows | None:
        """The flows that are wanted; None where the question is not about flows."""
        if self._row is not None:
            return Flows.of(map(_conversation, self._row.get(held.capture_id, [])))
        if not self._by_flow:
            return None
        span = self._question.since_us, self._question.until_us
        stations = None if self._whole(held) else self._stations
        terms = self._question.terms
        ends = read_flows_of(self._db, held.capture_id, span, terms.way, terms.meant, self._judgements, stations)
        return Flows.of(map(_conversation, ends))

    def _marks(self, held: Held) -> list[list[int]]:
        """Of each of these lists one mark at least is in a block with wanted packets."""
        wanted = []
        if self._party is not None and not self._whole(held):
            by_mac = [mac_mark(mac) for mac in self._macs]
            only = held.link_types == _ETHERNET_ONLY
            wanted.append(by_mac + ([] if only else [address_mark(each.number) for each in self._party.addresses]))
        return wanted + [[address_mark(number)] for _, number in self._question.terms.addresses]


def _carried(terms: Terms) -> Carried | None:
    """What packets have to be, besides belonging to flows that are wanted; None: anything."""
    way = terms.way
    if way == ANY_WAY:
        return None
    number = None if way.protocol is None else frame_number(way.protocol)
    outside = terms.meant or terms.addresses or terms.asked or way.ip_version or way.port is not None
    so = (
        way.service in {None, ""} and way.encrypted in {None, NO} and way.scope in {None, "chatter", NOT_OUTSIDE}
    )  # as `traffic` has it
    frames: frozenset[int] | None = frozenset()
    if so and not outside:
        frames = None if way.protocol is None else frozenset(() if number is None else (number,))
    return Carried(
        None if way.ip_version is None else frozenset((way.ip_version,)),
        None if way.protocol is None else frozenset((_PROTOCOLS.get(way.protocol, -1),)),
        frames,
    )


def _address(end: End) -> Address:
    return Address(*address_number(end.address), (end.first_us, end.last_us))


def _conversation(ends: Ends) -> Conversation:
    client, server = address_number(ends.client), address_number(ends.server)
    any_port = None if ends.several and ends.client_port is None else -1
    return Conversation(
        client[0],
        _PROTOCOLS.get(ends.protocol, -1),
        client[1],
        any_port if ends.client_port is None else ends.client_port,
        server[1],
        -1 if ends.server_port is None else ends.server_port,
        (ends.first_us, ends.last_us),
    )


def _cuts(part: Part) -> Iterator[Cut]:
    """Wanted packets of one file, stretch by stretch."""
    with Source.open(part.path) as source:
        head = source.head()
        reading = _Reading(source, Choice(part.wish), part.held)
        for begin, end, state in part.stretches:
            yield from reading.stretch(entered_scanner(head, state), begin, end)


class _Reading:
    """One file, piece by piece."""

    def __init__(self, source: Source, choice: Choice, held: Held) -> None:
        self._source, self._choice, self._offset_us = source, choice, held.offset_us
        self._whole = held.status != "live"  # nothing will be added to it

    def stretch(self, scanner: Scanner, begin: int, end: int | None) -> Iterator[Cut]:
        """Wanted packets that begin before `end`. More is read: what damage hides is decided by what follows."""
        base, filled = begin, 0
        buf = bytearray(_WINDOW + SPARE)
        self._source.seek(base)
        while True:
            view = memoryview(buf)[: len(buf) - SPARE]
            while filled < len(view) and (count := self._source.read_into(view[filled:])):
                filled += count
            ended = filled < len(view)
            before = scanner.state()
            records = scanner.scan(buf, 0, filled, base, ended and self._whole)
            used = records.consumed
            yield from self._chosen(buf, _before(records, None if end is None else end - base), before, scanner)
            done = end is not None and base + used >= end
            if done or (ended and (used in {0, filled} or not self._whole or not len(records.offset))):
                return
            if not used:  # the record at hand, or the search behind damage, needs more
                if len(buf) > LOOKAHEAD:
                    raise DecodeError(f"nothing can be read at byte {base}")
                buf = buf[:filled] + bytes(LOOKAHEAD + 2 * SPARE - filled)
                continue
            buf[: filled - used] = buf[used:filled]
            filled -= used
            base += used

    def _chosen(self, buf: bytearray, records: Records, before: dict[str, Any], scanner: Scanner) -> Iterator[Cut]:
        if not len(records.offset):
            return
        finer = remainders(buf, records, before, scanner.state())
        if self._offset_us:
            records = records._replace(time_us=records.time_us + self._offset_us)
        rows = np.flatnonzero(self._choice.mark(buf, records))
        if not len(rows):
            return
        time_ns = np.clip(records.time_us[rows], -_FARTHEST_US, _FARTHEST_US) * 1000
        if finer is not None:
            time_ns += finer[rows]
        columns = (records.offset[rows], records.captured[rows], records.wire[rows], time_ns, records.link[rows])
        yield Cut(memoryview(buf), *columns)


def _before(records: Records, end: int | None) -> Records:
    """The records whose frames begin before `end`."""
    if end is None or not len(records.offset) or records.offset[-1] < end:
        return records
    stop = int(np.searchsorted(records.offset, end))
    return records._replace(
        offset=records.offset[:stop],
        captured=records.captured[:stop],
        wire=records.wire[:stop],
        time_us=records.time_us[:stop],
        link=records.link[:stop],
    )


def _nanoseconds(time_us: int) -> int:
    return max(-_FARTHEST_US, min(time_us, _FARTHEST_US)) * 1000
