"""What is new, gone or different between the months of a device, as rows and in words.

Rule: rows and sentences say what `turnover` found; texts are looked up for those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from daemon.report import turnover
from daemon.report.scope import Scope
from daemon.report.table import MOST_SHOWN, SIZE, Column, Report, Row, Rows
from daemon.report.turnover import Changes
from daemon.report.turnover_kept import read_changes
from daemon.report.words import device_words, listed, month_words, party_words
from daemon.store.calendar import month_text
from daemon.store.contact_months import ContactMonths
from daemon.store.months import Known, known_devices

NEW, GONE, CHANGED, BEGINS = "new", "gone", "changed", "begins"
KINDS = {turnover.BEGINS: BEGINS, turnover.NEW: NEW, turnover.CHANGED: CHANGED, turnover.GONE: GONE}
_MOST_NAMED = 3
_MANY = 5000  # rows, of whoever wants all
_PARTY_ORDER = ("third", "platform", "unknown", "support", "first", "local")

COLUMNS = (
    Column("month", "Month"),
    Column("device_id", "Number"),
    Column("device", "Device"),
    Column("change", "Change"),
    Column("destination", "Destination"),
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("country", "Country"),
    Column("before", "Before"),
    Column("bytes", "Data", SIZE),
)


def report(scope: Scope) -> Report:
    """The same of the months that a span touches, with devices called as the owner calls them."""
    since, until = scope.months
    devices = {
        number: known._replace(name=scope.names.get(number) or known.name)
        for number, known in known_devices(scope.db).items()
    }
    newest = scope.newest_month
    return told(read_changes(scope.db, scope.site_id, scope.device_id, since, until, newest), devices, newest)


def changes_report(contacts: ContactMonths, devices: Mapping[int, Known], since: int, newest: int) -> Report:
    """The report `changes` of the months from `since` on, found in contacts."""
    return told(turnover.find(contacts, since, newest), devices, newest)


def told(changes: Changes, devices: Mapping[int, Known], newest: int) -> Report:
    """The report `changes` of news; `newest` is the month that may not be over."""
    called = {number: device_words(devices.get(number)) for number in np.unique(changes.device).tolist()}
    notes = (f"{month_words(newest)} may not be over: what has not been contacted yet is not called gone.",)
    sentences = tuple(tell(changes, called)) or ("Nothing changed between these months.",)
    rows = Rows(changes.many, lambda numbers: _rows(changes, called, numbers))
    return Report("Changes between months", COLUMNS, rows, sentences, notes, _weighty(changes))


def _weighty(changes: Changes) -> tuple[int, ...]:
    """The rows with most bytes that are shown, these first; of equals the one before."""
    octets = changes.bytes
    least = np.partition(octets, -MOST_SHOWN)[-MOST_SHOWN] if changes.many > MOST_SHOWN else 0
    heavy = np.flatnonzero(octets >= least)
    return tuple(heavy[np.argsort(-octets[heavy], kind="stable")][:MOST_SHOWN].tolist())


def _rows(changes: Changes, called: Mapping[int, str], numbers: Sequence[int]) -> Iterator[Row]:
    which = slice(numbers.start, numbers.stop) if isinstance(numbers, range) and numbers.step == 1 else list(numbers)
    if len(numbers) > _MANY:
        changes.places.learn(changes.place)
    months = {number: month_text(number) for number in np.unique(changes.month).tolist()}
    countries = [changes.country(owner) for owner in range(len(changes.owners))]
    texts = changes.places.texts(changes.place[which].tolist())
    columns = (
        getattr(changes, word)[which].tolist()
        for word in ("month", "device", "kind", "place", "party", "owner", "bytes")
    )
    for number, (month, device, kind, place, party, owner, octets) in zip(
        numbers, zip(*columns, strict=True), strict=True
    ):
        yield (
            months[month], device or None, called[device], KINDS[kind], texts[place],
            changes.owners[owner].organisation, changes.parties[party], countries[owner],
            changes.before(number) if kind == turnover.CHANGED else None, octets,
        )  # fmt: skip


def tell(changes: Changes, called: Mapping[int, str]) -> Iterator[str]:
    """One sentence for each month and device with news."""
    groups = _groups(changes)
    words = _Words(changes, [number for *_, numbers in groups for number in numbers])
    for (month, device), of in groupby(groups, itemgetter(0, 1)):
        begun, said = list[str](), list[str]()
        for _, _, kind, rank, many, numbers in of:
            party = _PARTY_ORDER[rank]
            if kind == turnover.BEGINS:
                begun.append(f"{many} {party_words(party, many)}")
            elif kind == turnover.NEW:
                said.append(f"{many} new {party_words(party, many)} ({words.whole(numbers, many)})")
            elif kind == turnover.CHANGED:
                said.append(f"different: {words.different(numbers, many)}")
            else:
                said.append(f"no longer contacted: {words.plain(numbers, many)}")
        if begun:
            said.insert(0, f"seen for the first time, with {listed(begun, len(_PARTY_ORDER))}")
        yield f"{month_words(month)}, {called[device]}: {'; '.join(said)}."


class _Words:
    """What the destinations of some pieces of news are called, in lists of the first of many."""

    def __init__(self, changes: Changes, numbers: Sequence[int]) -> None:
        places, owners = changes.place[numbers].tolist(), changes.owner[numbers].tolist()
        texts = changes.places.texts(places)
        self._changes = changes
        self._place = {number: texts[place] for number, place in zip(numbers, places, strict=True)}
        self._whose = {
            number: changes.owners[owner].organisation for number, owner in zip(numbers, owners, strict=True)
        }

    def plain(self, numbers: Sequence[int], many: int) -> str:
        """Their names."""
        return listed([self._place[number] for number in numbers], _MOST_NAMED, many)

    def whole(self, numbers: Sequence[int], many: int) -> str:
        """With whose they are."""
        named = [(self._place[number], self._whose[number]) for number in numbers]
        words = [f"{place} of {whose}" if whose and whose != place else place for place, whose in named]
        return listed(words, _MOST_NAMED, many)

    def different(self, numbers: Sequence[int], many: int) -> str:
        """With what they were."""
        words = [f"{self._place[number]} (was {self._changes.before(number)})" for number in numbers]
        return listed(words, _MOST_NAMED, many)


def _groups(changes: Changes) -> list[tuple[int, int, int, int, int, list[int]]]:
    """News of one month, device, kind and (of what came) party, in the order in which it is told.

    A party is its place in `_PARTY_ORDER`; then how many pieces, and the numbers of the first.
    """
    by_party = (changes.kind == turnover.BEGINS) | (changes.kind == turnover.NEW)
    ranks = np.array([*map(_PARTY_ORDER.index, changes.parties), 0], np.int64)
    rank = np.where(by_party, ranks[changes.party], 0)
    sizes = int(changes.device.max(initial=0)) + 1, len(KINDS), len(_PARTY_ORDER)
    keys = changes.month.astype(np.int64)
    for column, size in zip((changes.device, changes.kind, rank), sizes, strict=True):
        keys = keys * size + column
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    many = np.diff(begins, append=len(ordered)).tolist()
    columns = [column[order[begins]].tolist() for column in (changes.month, changes.device, changes.kind, rank)]
    first = order[np.minimum(begins[:, None] + np.arange(_MOST_NAMED), len(order) - 1)].tolist() if many else []
    named = [numbers[:of] for numbers, of in zip(first, many, strict=True)]
    return list(zip(*columns, many, named, strict=True))
