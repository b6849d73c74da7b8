"""Which names are asked for most: in the whole house, and by each device.

Rule: what is asked of everybody in the house (mDNS, LLMNR) is no question to a name server and stands in `reach`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from daemon.report.resolvers import counting_notes
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, Column, Report
from daemon.store.asked import Asked, read_asked, read_names, rootless

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


def names_report(scope: Scope, asked: Asked) -> Report:
    """The same of questions that were read before."""
    about = rootless(scope.db, asked)
    names, of = np.unique(about.name, return_inverse=True)
    totals = np.bincount(of, about.queries, len(names)).astype(np.int64)
    whole = int(totals.sum())
    if not whole:
        return Report("Names asked for", _COLUMNS, (), ("No device asked a name server for a name in this time.",))
    first = totals >= np.sort(totals)[-_MOST:][0]  # of names asked for as often all, as their texts decide
    devices: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    these = first[of]
    for name, device, number in zip(
        *(each[these].tolist() for each in (about.name, about.device, about.queries)), strict=True
    ):
        devices[name][device] += number
    texts = read_names(scope.db, devices)
    numbers = {name: sum(by.values()) for name, by in devices.items()}
    rows = []
    for name in sorted(devices, key=lambda each: (-numbers[each], texts[each]))[:_MOST]:
        device, number = max(devices[name].items(), key=lambda item: (item[1], -item[0]))
        rows.append(
            (
                texts[name],
                numbers[name],
                numbers[name] / whole,
                len(devices[name]),
                device,
                scope.called(device),
                number,
            )
        )
    return _told(scope, asked, rows, whole, len(names))


def _told(scope: Scope, asked: Asked, rows: Sequence[tuple[Any, ...]], whole: int, many: int) -> Report:
    first = rows[0]
    sentence = f"{whole:,} questions about {many:,} names; most, {first[1]:,}, were about {first[0]}"
    sentence += f", {'all' if first[6] == first[1] else 'most'} by {first[5]}."
    notes = counting_notes(scope, asked)
    if many > _MOST:
        notes += (f"The {_MOST} names asked for most are listed, of {many:,}.",)
    return Report("Names asked for", _COLUMNS, tuple(rows), (sentence,), notes)
