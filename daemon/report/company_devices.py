"""Which device has to do with which company: one row a pair, those with most data first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from daemon.report.contacts import most, read_shares
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import counted

_COLUMNS = (
    Column("organisation", "Company"),
    Column("device_id", "Number", COUNT),
    Column("device", "Device"),
    Column("party", "Kind of company"),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of the device", SHARE),
)


def report(scope: Scope) -> Report:
    """One row a (company, device)."""
    pairs = _pairs(scope)
    of_device: dict[int, int] = {}
    for each in pairs:
        of_device[each.key[1]] = of_device.get(each.key[1], 0) + each.bytes
    names = {device: scope.called(device) for device in of_device}
    rows = tuple(
        (
            each.key[0], each.key[1] or None, names[each.key[1]], each.party, each.bytes_up, each.bytes_down,
            each.bytes / of_device[each.key[1]] if of_device[each.key[1]] else 0.0,
        )
        for each in pairs
    )  # fmt: skip
    return Report("Companies and devices", _COLUMNS, rows, (_sentence(pairs),))


class _Pair(NamedTuple):
    key: tuple[str | None, int]  # company, device
    party: str  # of most bytes
    bytes_up: int
    bytes_down: int

    @property
    def bytes(self) -> int:
        return self.bytes_up + self.bytes_down


def _pairs(scope: Scope) -> list[_Pair]:
    """Sums by company and device, most bytes first."""
    parts: dict[tuple[str | None, int], dict[str, int]] = {}
    sums: dict[tuple[str | None, int], list[int]] = {}
    for met, label in read_shares(scope):
        key, up, down = (label.organisation, met.device_id), met.bytes_up, met.bytes_down
        cell, of = sums.setdefault(key, [0, 0]), parts.setdefault(key, {})
        cell[0] += up
        cell[1] += down
        of[label.party] = of.get(label.party, 0) + up + down
    found = [
        _Pair(key, next(iter(of)) if len(of) == 1 else most(of) or "unknown", *sums[key]) for key, of in parts.items()
    ]
    return sorted(found, key=lambda each: (-each.bytes, str(each.key)))


def _sentence(pairs: Sequence[_Pair]) -> str:
    companies: dict[str, set[int]] = {}
    for each in pairs:
        if each.key[0] is not None and each.key[1]:
            companies.setdefault(each.key[0], set()).add(each.key[1])
    if not companies:
        return "No device had to do with a company that we know."
    widest = min(companies, key=lambda name: (-len(companies[name]), name))
    number = len(companies[widest])
    return (
        f"{counted(len(companies), 'company', 'companies')}; the one that most devices met is {widest}: "
        f"{counted(number, 'device')}."
    )
