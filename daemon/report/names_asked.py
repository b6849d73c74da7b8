"""Which names are asked for most: in the whole house, and by each device.

Rule: what is asked of everybody in the house (mDNS, LLMNR) is no question to a name server and stands in `reach`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from daemon.report.resolvers import counting_notes
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, Column, Report
from daemon.store.asked import Asked, read_asked

_COLUMNS = (
    Column("domain", "Name"),
    Column("queries", "Questions", COUNT),
    Column("share", "Share", SHARE),
    Column("devices", "Devices", COUNT),
    Column("device_id", "number"),
    Column("device", "Mostly by"),
    Column("device_queries", "Its questions", COUNT),
)
_MOST = 500


def report(scope: Scope) -> Report:
    """One row a name, those asked for most first."""
    return names_report(scope, read_asked(scope.db, scope.window))


def names_report(scope: Scope, asked: Iterable[Asked]) -> Report:
    """The same of questions that were read before."""
    names: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for each in asked:
        if each.name:
            names[each.name][each.device_id] += each.queries
    totals = {name: sum(devices.values()) for name, devices in names.items()}
    whole = sum(totals.values())
    if not whole:
        return Report("Names asked for", _COLUMNS, (), ("No device asked a name server for a name in this time.",))
    rows = []
    for name in sorted(totals, key=lambda name: (-totals[name], name))[:_MOST]:
        device, number = max(names[name].items(), key=lambda item: (item[1], -item[0]))
        rows.append((name, totals[name], totals[name] / whole, len(names[name]), device, scope.called(device), number))
    first = rows[0]
    sentence = f"{whole:,} questions about {len(totals):,} names; most, {first[1]:,}, were about {first[0]}"
    sentence += f", {'all' if first[6] == first[1] else 'most'} by {first[5]}."
    notes = counting_notes(scope)
    if len(totals) > _MOST:
        notes += (f"The {_MOST} names asked for most are listed, of {len(totals):,}.",)
    return Report("Names asked for", _COLUMNS, tuple(rows), (sentence,), notes)
