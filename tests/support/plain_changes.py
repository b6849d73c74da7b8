"""What is new, gone and different between months, told the plain way: dictionaries of rows, to compare columns with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from daemon.classify.vocabulary import UNKNOWN
from daemon.store.contact_months import NOWHERE, ContactMonths, Owner, Places, order_of

_SURE = ("high", "medium")


class Met(NamedTuple):
    """What one device had to do with one destination in one month."""

    month: int
    device: int
    destination: str | None
    owner: Owner
    bytes: int


def in_columns(contacts: Iterable[Met]) -> ContactMonths:
    """The same as columns."""
    rows, places = list(contacts), Places()
    owners = sorted({Owner(UNKNOWN, None, None, None), *(each.owner for each in rows)}, key=order_of)
    numbers = [
        (
            each.month, each.device, NOWHERE if each.destination is None else places.number(each.destination),
            owners.index(each.owner), each.bytes,
        )
        for each in rows
    ]  # fmt: skip
    month, device, place, owner, octets = np.array(numbers, np.int64).reshape(-1, 5).T
    return ContactMonths(month, device, place, owner, octets, places, owners)


Role = tuple[str, str]
Told = tuple[int, int, str, str, str, str | None, str | None, str | None, int]


def plain_changes(contacts: Iterable[Met], since: int, newest: int) -> list[Told]:
    """(month, device, kind, destination, party, organisation, country, what it was, bytes) of every piece of news."""
    sums: dict[tuple[int, int, str, Owner], int] = defaultdict(int)
    for each in contacts:
        place = each.destination or each.owner.organisation or "destinations that are not named any more"
        sums[each.device, each.month, place, each.owner] += each.bytes
    devices: dict[int, dict[int, dict[Role, tuple[Owner, int]]]] = defaultdict(lambda: defaultdict(dict))
    order = sorted(sums.items(), key=lambda item: (-item[1], order_of(item[0][3])))
    for (device, month, place, owner), octets in order:  # those with most bytes first: they say whose it is
        met = devices[device][month]
        role = place, owner.party
        met[role] = (met[role][0], met[role][1] + octets) if role in met else (owner, octets)
    out: list[Told] = []
    for device, months in devices.items():
        before: dict[Role, tuple[Owner, int]] | None = None
        for month in sorted(months):
            if month >= since:
                out += [(month, device, *rest) for rest in _news(before, months[month], gone=month < newest)]
            before = months[month]
    return sorted(out, key=lambda told: told[:2])


def _news(
    before: dict[Role, tuple[Owner, int]] | None, now: dict[Role, tuple[Owner, int]], *, gone: bool
) -> list[tuple[str, str, str, str | None, str | None, str | None, int]]:
    if before is None:
        return [_told("begins", role, met, None) for role, met in _by_size(now)]
    went = {role[0]: role[1] for role, _ in reversed(_by_size(before)) if role not in now}
    out = []
    for role, met in _by_size(now):
        if role not in before:
            was = went.pop(role[0], None)
            out.append(_told("changed" if was else "new", role, met, f"party {was}" if was else None))
    for role, met in _by_size(now):
        if role in before and (different := _different(before[role][0], met[0])):
            out.append(_told("changed", role, met, different))
    if gone:
        left = [(role, met) for role, met in _by_size(before) if role not in now and went.get(role[0]) == role[1]]
        out += [_told("gone", role, met, None) for role, met in left]
    return out


def _different(was: Owner, now: Owner) -> str:
    pairs = (("organisation", was.organisation, now.organisation), ("country", _sure(was), _sure(now)))
    return "; ".join(f"{what} {old}" for what, old, new in pairs if old and new and old != new)


def _sure(owner: Owner) -> str | None:
    return owner.country if owner.confidence in _SURE else None


def _told(
    kind: str, role: Role, met: tuple[Owner, int], before: str | None
) -> tuple[str, str, str, str | None, str | None, str | None, int]:
    return kind, *role, met[0].organisation, _sure(met[0]), before, met[1]


def _by_size(met: dict[Role, tuple[Owner, int]]) -> list[tuple[Role, tuple[Owner, int]]]:
    return sorted(met.items(), key=lambda item: (-item[1][1], item[0]))
