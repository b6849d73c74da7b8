"""What devices do while people sleep: destinations, companies, countries and protocols of the hours of the night.

Rule 1: the hours are the owner's (`Scope.night`) in the home's zone; a night is counted where its slots lie in the span.
Rule 2: destinations by hour are known as far back as traffic is kept by slot; a note says where a span begins earlier.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from daemon.decode.slots import SLOT_US
from daemon.report.hours import night_slots, night_words, slots_of
from daemon.report.networks import Networks, Sighting, as_words
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report, Row, Rows
from daemon.report.ties import in_order
from daemon.report.words import counted, listed, size_words
from daemon.store.columns import Ints, read_columns
from daemon.store.night_sums import SlotSums, read_slot_sums
from daemon.store.whose import read_texts
from daemon.store.whose_days import read_owned

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("destination", "Destination"),
    Column("party", "Kind of company"),
    Column("organisation", "Company"),
    Column("country", "Country"),
    Column("asn", "Network"),
    Column("network", "Name of the network"),
    Column("protocol", "Protocol"),
    Column("service", "Service"),
    Column("packets", "Packets", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("last_slot_us", "Last quarter of an hour", TIME),
)
K = TypeVar("K", bound=Hashable)
_MOST_NAMED = 3
_WAYS = "SELECT id, protocol, service, encrypted FROM way"
_WHOSE = "SELECT id, party, organisation, country FROM verdict WHERE id IN (SELECT value FROM json_each(?))"
_BITS = 33  # of a network in a label's key: 1 more than its number
_NETWORK = (1 << _BITS) - 1
_KEY = f"(coalesce(whose_id, -id) << {_BITS}) + coalesce(asn, -1) + 1"  # of a verdict
_FEW = 2_000  # verdicts, up to which they are read one by one
_SUMS = ("packets_up", "packets_down", "bytes_up", "bytes_down")


class Label(NamedTuple):
    """Whose a destination is; None where nobody knows."""

    party: str | None
    organisation: str | None
    country: str | None
    asn: int | None  # the network that announces its address


class Way(NamedTuple):
    """How data goes."""

    protocol: str
    service: str
    encrypted: str


class Within(NamedTuple):
    """What a device exchanged with one destination at night, and whose that is."""

    device_id: int
    place: str | None
    party: str | None
    organisation: str | None
    country: str | None
    asn: int | None
    network: str | None  # what that network calls itself
    protocol: str
    service: str
    encrypted: str
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    last_slot: int


class Nights:
    """What went to the internet at night, most bytes first: numbers until somebody looks."""

    def __init__(self, scope: Scope, sums: SlotSums, labels: Sequence[Label], ways: Sequence[Way]) -> None:
        self._sums, self._labels, self._ways = sums, labels, ways
        self._db, self._networks = scope.db, Networks(scope)

    def __len__(self) -> int:
        return len(self._sums.device)

    def first(self, most: int) -> list[Within]:
        """Those with most bytes."""
        return list(self.some(range(min(most, len(self)))))

    def some(self, numbers: Sequence[int]) -> Iterator[Within]:
        """These, by number."""
        rows = SlotSums._make(column[np.array(numbers, np.int64)] for column in self._sums)
        texts = read_texts(self._db, set(rows.named.tolist()))
        columns = zip(*(column.tolist() for column in rows), strict=True)
        labels = self._told(rows)
        for device, named, way, label, *sums in columns:
            yield Within._make((device, texts.get(named), *labels[label], *self._ways[way], *sums))

    def _told(self, rows: SlotSums) -> dict[int, tuple[object, ...]]:
        """The labels of rows by number, each with what its network calls itself."""
        here = {number: self._labels[number] for number in set(rows.verdict.tolist())}
        unknown = [number for number, label in here.items() if self._networks.lacks(label.asn)]
        if unknown:
            at = np.flatnonzero(np.isin(rows.verdict, unknown) & (rows.named != 0))
            seen = (column[at].tolist() for column in (rows.verdict, rows.device, rows.named, rows.last_slot))
            self._networks.learn(Sighting(here[label].asn, *rest) for label, *rest in zip(*seen, strict=True))
        return {number: (*label, self._networks.name_of(label.asn)) for number, label in here.items()}

    def companies(self) -> dict[str, int]:
        """Bytes of each company."""
        octets = np.zeros(len(self._labels), np.int64)
        np.add.at(octets, self._sums.verdict, self._sums.bytes_up + self._sums.bytes_down)
        there = set(self._sums.verdict.tolist())
        out: dict[str, int] = {}
        for number, (label, many) in enumerate(zip(self._labels, octets.tolist(), strict=True)):
            if label.organisation and number in there:
                out[label.organisation] = out.get(label.organisation, 0) + many
        return out

    def devices(self) -> dict[int, int]:
        """Bytes of each device, those with most first."""
        numbers, at = np.unique(self._sums.device, return_inverse=True)
        octets = np.zeros(len(numbers), np.int64)
        np.add.at(octets, at, self._sums.bytes_up + self._sums.bytes_down)
        return dict(sorted(zip(numbers.tolist(), octets.tolist(), strict=True), key=lambda each: (-each[1], each[0])))

    def whole(self) -> int:
        """All bytes."""
        return int(self._sums.bytes_up.sum() + self._sums.bytes_down.sum())


def report(scope: Scope) -> Report:
    """One row a (device, destination, protocol, service) on the internet, those with most bytes first."""
    nights = at_night(scope)
    rows = Rows(len(nights), lambda numbers: _rows(scope, nights, numbers))
    return Report("Nights", _COLUMNS, rows, (told(scope, nights), *_by_whom(scope, nights)), _notes(scope))


def _rows(scope: Scope, nights: Nights, numbers: Sequence[int]) -> Iterator[Row]:
    for each in nights.some(numbers):
        yield (
            scope.called(each.device_id), each.device_id, each.place, each.party or "unknown", each.organisation,
            each.country, as_words(each.asn), each.network, each.protocol, each.service or None,
            each.packets_up + each.packets_down, each.bytes_up, each.bytes_down, each.last_slot * SLOT_US,
        )  # fmt: skip


def at_night(scope: Scope) -> Nights:
    """What went to the internet at night; the stations of a device are one."""
    sums = read_slot_sums(scope.db, scope.window, night_slots(scope))
    label_of, labels = _labels(scope.db, sums.verdict)
    way_of, ways = _ways(scope.db, sums.way)
    rows = _together(sums._replace(verdict=label_of, way=way_of))
    octets = -(rows.bytes_up + rows.bytes_down)
    order = in_order((octets,), rows.named, lambda numbers: _places(scope.db, numbers))
    return Nights(scope, SlotSums._make(column[order] for column in rows), labels, ways)


def _places(db: sqlite3.Connection, numbers: list[int]) -> dict[int, str]:
    texts = read_texts(db, numbers)
    return {number: texts.get(number, "") for number in numbers}


def _labels(db: sqlite3.Connection, verdicts: Ints) -> tuple[Ints, list[Label]]:
    """Numbers of labels in the place of verdicts: of thousands of these few differ in what is told."""
    numbers, at = np.unique(verdicts, return_inverse=True)
    key_of = np.zeros(int(numbers.max(initial=0)) + 1, np.int64)
    if len(numbers) > _FEW:
        known, keys_of = read_columns(db, ("id", _KEY), "verdict WHERE whose_id IS NOT NULL")  # an index has them all
        meant = known < len(key_of)
        key_of[known[meant]] = keys_of[meant]
    left = (json.dumps(numbers[(key_of[numbers] == 0) & (numbers != 0)].tolist()),)
    known, keys_of = read_columns(db, ("id", _KEY), "verdict WHERE id IN (SELECT value FROM json_each(?))", left)
    key_of[known] = keys_of
    keys = key_of[numbers]
    owned: dict[int, tuple[str | None, str | None, str | None]] = {0: (None, None, None)}
    owned.update({number: (each.party, each.organisation, each.country) for number, each in read_owned(db).items()})
    others = [-(key >> _BITS) for key in set(keys.tolist()) if key < 0]  # as good as never
    owned.update({-number: tuple(rest) for number, *rest in db.execute(_WHOSE, (json.dumps(others),))})
    said = {
        key: Label(*owned[key >> _BITS], (key & _NETWORK) - 1 if key & _NETWORK else None) for key in set(keys.tolist())
    }
    return _numbered(keys[at], said)


def _ways(db: sqlite3.Connection, ways: Ints) -> tuple[Ints, list[Way]]:
    return _numbered(ways, {number: Way(*rest) for number, *rest in db.execute(_WAYS)})


def _numbered(values: Ints, said: Mapping[int, K]) -> tuple[Ints, list[K]]:
    known, at = np.unique(values, return_inverse=True)
    number = {each: place for place, each in enumerate(dict.fromkeys(said[value] for value in known.tolist()))}
    return np.array([number[said[value]] for value in known.tolist()], np.int64)[at], list(number)


def _together(sums: SlotSums) -> SlotSums:
    """Rows of one device, destination, way and label as one, in order of devices."""
    order = np.lexsort((sums.way, sums.verdict, sums.named, sums.device))
    rows = SlotSums._make(column[order] for column in sums)
    keys = np.stack(rows[:4])
    begins = np.flatnonzero(
        np.concatenate((np.ones(min(len(order), 1), bool), (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    )
    if not len(begins):
        return rows
    added = {word: np.add.reduceat(getattr(rows, word), begins) for word in _SUMS}
    first = SlotSums._make(column[begins] for column in rows)
    return first._replace(**added, last_slot=np.maximum.reduceat(rows.last_slot, begins))


def told(scope: Scope, nights: Nights) -> str:
    """How much, with whom."""
    hours = night_words(scope.night)
    whole = nights.whole()
    who = "The house" if scope.device_id is None else scope.called(scope.device_id)
    if not len(nights):
        return f"{who} exchanged nothing with the internet {hours}."
    companies = nights.companies()
    most = max(companies, key=lambda name: companies[name], default=None)
    many = len(companies)
    mostly = f", mostly with {most}" if most and companies[most] * 2 > whole and many > 1 else ""
    with_whom = f" with {counted(many, 'company', 'companies')}" if many > 1 else f" with {most}" if most else ""
    return f"{who} exchanged {size_words(whole)}{with_whom} {hours}{mostly}."


def _by_whom(scope: Scope, nights: Nights) -> tuple[str, ...]:
    """Which devices of the house did, where not one of them is asked about."""
    devices = {} if scope.device_id is not None else nights.devices()
    if not devices:
        return ()
    most = [f"{scope.called(device)} ({size_words(octets)})" for device, octets in list(devices.items())[:_MOST_NAMED]]
    return (f"{counted(len(devices), 'device')} took part: most of all {listed(most, _MOST_NAMED)}.",)


def _notes(scope: Scope) -> tuple[str, ...]:
    if slots_of(scope).start * SLOT_US <= scope.span.since_us:
        return ()
    return ("Destinations by the hour are kept for some three months; what is older is not in this table.",)
