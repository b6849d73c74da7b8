"""Which names each device asks for most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from daemon.report.resolvers import counting_notes
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, Column, Report
from daemon.store.asked import Asked, read_asked, read_names, rootless
from daemon.store.columns import Ints

_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("domain", "Name"),
    Column("queries", "Questions", COUNT),
    Column("share", "Share of its questions", SHARE),
)
_MOST_OF_ALL, _MOST_OF_ONE = 10, 500


def report(scope: Scope) -> Report:
    """One row a (device, name): those that it asks for most, of one device alone many more."""
    return by_device_report(scope, read_asked(scope.db, scope.window))


def by_device_report(scope: Scope, asked: Asked) -> Report:
    """The same of questions that were read before."""
    most = _MOST_OF_ALL if scope.device_id is None else _MOST_OF_ONE
    devices: dict[int, list[tuple[int, int]]] = {}
    many: dict[int, int] = {}
    totals: dict[int, int] = {}
    for device, names, queries in _sums(rootless(scope.db, asked)):
        first = queries >= np.sort(queries)[-most:][0]  # of names asked for as often all, as their texts decide
        devices[device] = list(zip(names[first].tolist(), queries[first].tolist(), strict=True))
        many[device], totals[device] = len(names), int(queries.sum())
    if not devices:
        return Report("Names by device", _COLUMNS, (), ("No device asked a name server for a name in this time.",))
    texts = read_names(scope.db, {name for of in devices.values() for name, _ in of})
    order = sorted(devices, key=lambda device: (-totals[device], device))
    rows = tuple(
        (device, scope.called(device), texts[name], number, number / totals[device])
        for device in order
        for name, number in sorted(devices[device], key=lambda item: (-item[1], texts[item[0]]))[:most]
    )
    first_of = order[0]
    sentence = f"{scope.called(first_of)} asks most: {totals[first_of]:,} questions about {many[first_of]:,} names."
    return Report("Names by device", _COLUMNS, rows, (sentence,), counting_notes(scope, asked))


def _sums(asked: Asked) -> Iterator[tuple[int, Ints, Ints]]:
    """(device, names, questions about each) of every device."""
    for device in np.unique(asked.device).tolist():
        of_device = asked.device == device
        names, of = np.unique(asked.name[of_device], return_inverse=True)
        yield device, names, np.bincount(of, asked.queries[of_device], len(names)).astype(np.int64)
