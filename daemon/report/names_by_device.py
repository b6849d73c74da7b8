"""Which names each device asks for most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from daemon.report.resolvers import counting_notes
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, Column, Report
from daemon.store.asked import Asked, read_asked

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


def by_device_report(scope: Scope, asked: Iterable[Asked]) -> Report:
    """The same of questions that were read before."""
    devices: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in asked:
        if each.name:
            devices[each.device_id][each.name] += each.queries
    totals = {device: sum(names.values()) for device, names in devices.items()}
    order = sorted(devices, key=lambda device: (-totals[device], device))
    most = _MOST_OF_ALL if scope.device_id is None else _MOST_OF_ONE
    rows = tuple(
        (device, scope.called(device), name, number, number / totals[device])
        for device in order
        for name, number in sorted(devices[device].items(), key=lambda item: (-item[1], item[0]))[:most]
    )
    if not rows:
        return Report("Names by device", _COLUMNS, (), ("No device asked a name server for a name in this time.",))
    first = order[0]
    sentence = f"{scope.called(first)} asks most: {totals[first]:,} questions about {len(devices[first]):,} names."
    return Report("Names by device", _COLUMNS, rows, (sentence,), counting_notes(scope))
