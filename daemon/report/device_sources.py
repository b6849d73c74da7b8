"""Where each device's data comes from: one row a device and source, most received bytes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from daemon.report.met_rows import MetRows, read_met_rows
from daemon.report.scope import Scope
from daemon.report.table import COUNT, MOST_SHOWN, SHARE, SIZE, Column, Report, Row, Rows
from daemon.report.words import size_words
from daemon.store.columns import Ints

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("rank", "Rank", COUNT),
    Column("destination", "Source"),
    Column("organisation", "Company"),
    Column("country", "Country"),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of what the device received", SHARE),
)
_SUMS = ("packets_down", "bytes_down")


def report(scope: Scope) -> Report:
    """One row a (device, source), device by device, those that received most first."""
    found = read_met_rows(scope, _SUMS)
    found = found.some(np.flatnonzero(found.columns.bytes_down))
    if not len(found):
        return Report("Devices and sources", _COLUMNS, (), ("Nothing came from the internet in this time.",))
    devices, of = np.unique(found.columns.device, return_inverse=True)
    whole = np.zeros(len(devices), np.int64)
    np.add.at(whole, of, found.columns.bytes_down)
    found = found.ordered(-whole[of], found.columns.device, -found.columns.bytes_down, mixed=True)
    received = dict(zip(devices.tolist(), whole.tolist(), strict=True))
    begins = np.flatnonzero(np.diff(found.columns.device, prepend=-1))
    rank = np.arange(len(found)) - np.repeat(begins, np.diff(np.append(begins, len(found)))) + 1
    (first,) = found.pairs([0])
    sentence = (
        f"{scope.called(first.device_id)} received most, {size_words(received[first.device_id])};"
        f" its first source was {first.place} with {size_words(int(found.columns.bytes_down[0]))}."
    )
    rows = Rows(len(found), lambda numbers: _rows(scope, found, rank, received, numbers))
    weighty = tuple(np.argsort(-found.columns.bytes_down, kind="stable")[:MOST_SHOWN].tolist())
    return Report("Devices and sources", _COLUMNS, rows, (sentence,), weighty=weighty)


def _rows(
    scope: Scope, found: MetRows, rank: Ints, received: Mapping[int, int], numbers: Sequence[int]
) -> Iterator[Row]:
    at = np.array(numbers, np.int64)
    sums = (each[at].tolist() for each in (rank, found.columns.packets_down, found.columns.bytes_down))
    for pair, (place, packets, octets) in zip(found.pairs(numbers), zip(*sums, strict=True), strict=True):
        yield (
            scope.called(pair.device_id), pair.device_id, place, pair.place, pair.label.organisation, pair.label.country,
            packets, octets, octets / received[pair.device_id],
        )  # fmt: skip
