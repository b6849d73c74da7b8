"""Which device has to do with which company: one row a pair, those with most data first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from daemon.report.contacts import share_columns
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report, Row, Rows
from daemon.report.ties import in_order
from daemon.report.words import counted
from daemon.store.columns import Ints, told

_COLUMNS = (
    Column("organisation", "Company"),
    Column("device_id", "Number", COUNT),
    Column("device", "Device"),
    Column("party", "Kind of company"),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of the device", SHARE),
)


class _Pairs(NamedTuple):
    """A row each company and device, most bytes first."""

    companies: Sequence[str | None]
    parties: Sequence[str]
    company: Ints  # of `companies`
    device: Ints
    party: Ints  # of `parties`: that of most bytes
    bytes_up: Ints
    bytes_down: Ints
    whole: Ints  # of the device, both ways


def report(scope: Scope) -> Report:
    """One row a (company, device)."""
    pairs = _pairs(scope)
    rows = Rows(len(pairs.device), lambda numbers: _rows(scope, pairs, numbers))
    return Report("Companies and devices", _COLUMNS, rows, (_sentence(pairs),))


def _rows(scope: Scope, pairs: _Pairs, numbers: Sequence[int]) -> Iterator[Row]:
    at = np.array(numbers, np.int64)
    for company, device, party, up, down, whole in zip(*(column[at].tolist() for column in pairs[2:]), strict=True):
        yield (
            pairs.companies[company], device or None, scope.called(device), pairs.parties[party], up, down,
            (up + down) / whole if whole else 0.0,
        )  # fmt: skip


def _pairs(scope: Scope) -> _Pairs:
    """Sums by company and device, most bytes first."""
    owned, number, device, up, down = share_columns(scope)
    companies = sorted({label.organisation for label in owned.values()}, key=str)
    parties = sorted({label.party for label in owned.values()})
    places = {word: place for place, word in enumerate(companies)}, {word: place for place, word in enumerate(parties)}
    company = told(number, {each: places[0][label.organisation] for each, label in owned.items()}, 0)
    party = told(number, {each: places[1][label.party] for each, label in owned.items()}, 0)
    width = int(device.max(initial=0)) + 1
    keys, at = np.unique(company * width + device, return_inverse=True)
    sent, received = (_sums(at, column, len(keys)) for column in (up, down))
    company, device = np.divmod(keys, width)
    of_device = _sums(device, sent + received, width)
    octets = np.zeros((len(keys), len(parties)), np.int64)
    np.add.at(octets, (at, party), up + down)
    there = np.zeros(octets.shape, bool)  # what moved nothing at all has a party too
    there[at, party] = True
    most = np.argmax(np.where(there, octets, -1), axis=1)

    def words(numbers: list[int]) -> dict[int, str]:
        return {each: str((companies[each // width], each % width)) for each in numbers}

    order = in_order((-(sent + received),), keys, words)
    columns = (company, device, most, sent, received, of_device[device])
    return _Pairs(companies, parties, *(column[order] for column in columns))


def _sums(place: Ints, column: Ints, many: int) -> Ints:
    out = np.zeros(many, np.int64)
    np.add.at(out, place, column)
    return out


def _sentence(pairs: _Pairs) -> str:
    known = np.array([company is not None for company in pairs.companies], bool)
    many = np.bincount(pairs.company[known[pairs.company] & (pairs.device != 0)], minlength=len(pairs.companies))
    if not many.any():
        return "No device had to do with a company that we know."
    widest = int(many.argmax())  # of equals the first by its name
    return (
        f"{counted(int(np.count_nonzero(many)), 'company', 'companies')}; the one that most devices met is"
        f" {pairs.companies[widest]}: {counted(int(many[widest]), 'device')}."
    )
