"""What is different between two months: companies that came, went, grew, shrank, or became something else to the house.

Rule 1: companies are compared, not names: hosts come and go every day (`changes` tells about these, device by device).
Rule 2: a company has grown or shrunk where its data doubled or halved and a megabyte at least is between the two.
Rule 3: nothing has gone from a month that is not over.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import numpy as np

from daemon.report.contacts import NOBODY
from daemon.report.months import all_months, month_window, whom
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, Column, Report
from daemon.report.words import counted, listed, month_words, size_words
from daemon.store.columns import Ints, told
from daemon.store.whose_columns import BITS, read_met
from daemon.store.whose_days import read_owned

K = TypeVar("K", bound=Hashable)

NEW, GONE, MORE, LESS, OTHER = "new", "gone", "more", "less", "another party"
_TIMES, _LEAST = 2, 1_000_000
_MOST_NAMED = 4
_ROLES = MappingProxyType(  # what a company is to the house, for people who know no parties
    {
        "first": "maker of a device", "support": "infrastructure", "platform": "IoT platform",
        "third": "third party", "local": "in the house", "unknown": "unknown",
    }
)  # fmt: skip
_COLUMNS = (
    Column("organisation", "Company"),
    Column("change", "Change"),
    Column("party", "Kind of company"),
    Column("party_before", "Kind before"),
    Column("devices", "Devices", COUNT),
    Column("bytes_before", "Data before", SIZE),
    Column("bytes", "Data", SIZE),
)


class Change(NamedTuple):
    """One piece of news about a company; a party is None in the month in which it was not met."""

    organisation: str
    kind: str
    party: str | None
    party_before: str | None
    devices: frozenset[int]
    bytes_before: int
    bytes: int


class Month(NamedTuple):
    """What was exchanged in a month, bytes both ways."""

    companies: Mapping[tuple[str | None, str], tuple[int, frozenset[int]]]  # (company, party) -> bytes, devices
    devices: Mapping[int, Mapping[str, int]]  # device (0: none of the house) -> party -> bytes


class _Part(NamedTuple):
    party: str
    devices: frozenset[int]
    bytes: int


def report(scope: Scope) -> Report:
    """The last month of the span against its first; of a span within one month against the month before."""
    pair = compared(scope)
    if pair is None:
        return Report("Changes between two months", _COLUMNS, (), ("There are no two months to compare yet.",))
    before, after = pair
    changes = find(scope, before, after)
    rows = tuple(
        (each.organisation, each.kind, each.party, each.party_before, len(each.devices), each.bytes_before, each.bytes)
        for each in changes
    )
    return Report("Changes between two months", _COLUMNS, rows, tuple(sentences(scope, changes, before, after)))


def compared(scope: Scope) -> tuple[int, int] | None:
    """The two months that a span means; None where there is only one."""
    since, until = scope.months
    known = [month for month in all_months(scope) if month <= until]
    if len(known) < 2:
        return None
    inside = [month for month in known if month >= since]
    return (inside[0], inside[-1]) if len(inside) > 1 else (known[-2], known[-1])


def find(scope: Scope, before: int, after: int) -> list[Change]:
    """News of the later month, those of the largest companies first."""
    was, now = _parts(scope, before), _parts(scope, after)
    over = after < scope.newest_month
    found = []
    for name in was.keys() | now.keys():
        old, new = was.get(name), now.get(name)
        kind = _kind(old, new, over=over)
        if kind is not None:
            found.append(
                Change(
                    name, kind, new.party if new else None, old.party if old else None,
                    new.devices if new else old.devices if old else frozenset(), old.bytes if old else 0,
                    new.bytes if new else 0,
                )
            )  # fmt: skip
    order = (NEW, OTHER, MORE, LESS, GONE)
    return sorted(
        found, key=lambda each: (order.index(each.kind), -max(each.bytes, each.bytes_before), each.organisation)
    )


def _kind(old: _Part | None, new: _Part | None, *, over: bool) -> str | None:
    if new is None:
        return GONE if over else None
    if old is None:
        return NEW
    if old.party != new.party:
        return OTHER
    if abs(new.bytes - old.bytes) < _LEAST:
        return None
    if new.bytes >= _TIMES * old.bytes:
        return MORE
    return LESS if over and _TIMES * new.bytes <= old.bytes else None


def _parts(scope: Scope, month: int) -> dict[str, _Part]:
    """What every company is to the house in a month, within what the scope asks for."""
    parties: dict[str, dict[str, int]] = {}
    devices: dict[str, frozenset[int]] = {}
    party_asked, company_asked = scope.only.get("party"), scope.only.get("company")
    for (name, party), (octets, by) in month_of(scope, month).companies.items():
        if name is None or party_asked not in (None, party) or company_asked not in (None, name or NOBODY):
            continue
        parties.setdefault(name, {})[party] = octets
        devices[name] = devices.get(name, frozenset()) | by
    return {
        name: _Part(min(of, key=lambda party: (-of[party], party)), devices[name] - {0}, sum(of.values()))
        for name, of in parties.items()
    }


def month_of(scope: Scope, month: int) -> Month:
    """A whole month, of the house or of the device that the scope asks about; not to be changed."""
    window = month_window(scope, month, month)
    return scope.remember(("month of companies", window), lambda: _month(scope, month))


def _month(scope: Scope, month: int) -> Month:
    owned = read_owned(scope.db)
    device, number, octets = read_met(scope.db, scope.site_id, month, scope.device_id)
    kinds = [(each.organisation, each.party) for each in owned.values()]
    companies = {
        kind: (sum(of.values()), frozenset(of)) for kind, of in _by_kind(owned, kinds, device, number, octets).items()
    }
    devices: dict[int, dict[str, int]] = {}
    for party, of in _by_kind(owned, [party for _, party in kinds], device, number, octets).items():
        for each, size in of.items():
            devices.setdefault(each, {})[party] = size
    return Month(companies, devices)


def _by_kind(
    owned: Iterable[int], kinds: Sequence[K], device: Ints, number: Ints, octets: Ints
) -> dict[K, dict[int, int]]:
    """Bytes of each device by kind; `kinds` are those of the numbers `owned`. Thousands of rows, of which hundreds stay."""
    different = list(dict.fromkeys(kinds))
    place = {kind: at for at, kind in enumerate(different)}
    keys = told(number, {each: place[kind] for each, kind in zip(owned, kinds, strict=True)}, 0) << BITS | device
    found, at = np.unique(keys, return_inverse=True)
    sums = np.bincount(at, octets, len(found)).astype(np.int64)  # bytes of a month: exact up to 2**53
    out: dict[K, dict[int, int]] = {}
    for key, size in zip(found.tolist(), sums.tolist(), strict=True):
        out.setdefault(different[key >> BITS], {})[key & ((1 << BITS) - 1)] = size
    return out


def month_bytes(scope: Scope, month: int) -> int:
    """All that was exchanged in a month by those whom the scope asks for."""
    party_asked, company_asked = scope.only.get("party"), scope.only.get("company")
    return sum(
        octets
        for (name, party), (octets, _) in month_of(scope, month).companies.items()
        if party_asked in (None, party) and company_asked in (None, name or NOBODY)
    )


def sentences(scope: Scope, changes: Sequence[Change], before: int, after: int) -> list[str]:
    """The same in words."""
    out = [_whole(scope, before, after)]
    for kind, say in (
        (NEW, "{} for the first time: {}."), (GONE, "{} no longer met: {}."),
        (MORE, "{} with at least twice as much data: {}."), (LESS, "{} with half as much data or less: {}."),
        (OTHER, "{} became something else to the house: {}."),
    ):  # fmt: skip
        of = [each for each in changes if each.kind == kind]
        if of:
            out.append(say.format(counted(len(of), "company", "companies"), _list(of)))
    if len(out) == 1:
        out.append("No company came or went, and none had much more or less than before.")
    return out


def _list(changes: Sequence[Change]) -> str:
    return listed([_named(each) for each in changes], _MOST_NAMED)


def _named(each: Change) -> str:
    if each.kind == NEW:
        return f"{each.organisation} ({_ROLES[each.party or 'unknown']}, {size_words(each.bytes)})"
    if each.kind == GONE:
        return each.organisation
    if each.kind == OTHER:
        return f"{each.organisation} ({_ROLES[each.party_before or 'unknown']}, now {_ROLES[each.party or 'unknown']})"
    return f"{each.organisation} ({size_words(each.bytes_before)}, now {size_words(each.bytes)})"


def _whole(scope: Scope, before: int, after: int) -> str:
    was, now = month_bytes(scope, before), month_bytes(scope, after)
    text = f"{size_words(now)} were exchanged with {whom(scope)} in {month_words(after)}, "
    text += f"{size_words(was)} in {month_words(before)}"
    if after == scope.newest_month:
        text += f"; {month_words(after)} may not be over"
    return f"{text}."
