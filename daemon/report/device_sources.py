"""Where each device's data comes from: one row a device and source, most received bytes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from daemon.report.met_rows import MetRows, read_met_rows
from daemon.report.scope import Scope
from daemon.report.table import COUNT, MOST_SHOWN, SHARE, SIZE, Column, ColumnRows, Report
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
    found = read_met_rows(scope, _SUMS, ("organisation", "country"))
    found = found.some(np.flatnonzero(found.columns.bytes_down))
    if not len(found):
        return Report("Devices and sources", _COLUMNS, (), ("Nothing came from the internet in this time.",))
    devices, of = np.unique(found.columns.device, return_inverse=True)
    whole = np.zeros(len(devices), np.int64)
    np.add.at(whole, of, found.columns.bytes_down)
    found = found.ordered(-whole[of], found.columns.device, -found.columns.bytes_down, mixed=True)
    received = dict(zip(devices.tolist(), whole.tolist(), strict=True))
    every = found.at(range(len(found)))
    device, octets = found.columns.device[every], found.columns.bytes_down[every]
    begins = np.flatnonzero(np.diff(device, prepend=-1))
    rank = np.arange(len(found)) - np.repeat(begins, np.diff(np.append(begins, len(found)))) + 1
    first = found.pairs(every[:1])
    sentence = (
        f"{scope.called(first.device_ids[0])} received most, {size_words(received[first.device_ids[0]])};"
        f" its first source was {first.places[0]} with {size_words(int(octets[0]))}."
    )
    rows = ColumnRows(len(found), lambda numbers: _words(scope, found, rank, received, numbers))
    weighty = tuple(np.argsort(-octets, kind="stable")[:MOST_SHOWN].tolist())
    return Report("Devices and sources", _COLUMNS, rows, (sentence,), weighty=weighty)


def _words(
    scope: Scope, found: MetRows, rank: Ints, received: Mapping[int, int], numbers: Sequence[int]
) -> list[Sequence[object]]:
    """The report's columns of these rows."""
    at = found.at(numbers)
    packets, octets = (each[at].tolist() for each in (found.columns.packets_down, found.columns.bytes_down))
    pairs = found.pairs(at)
    called = {number: scope.called(number) for number in set(pairs.device_ids)}
    return [
        [called[number] for number in pairs.device_ids], pairs.device_ids, rank[np.array(numbers)].tolist(), pairs.places,
        *pairs.said, packets, octets,
        [size / received[number] for size, number in zip(octets, pairs.device_ids, strict=True)],
    ]  # fmt: skip
