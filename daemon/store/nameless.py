"""Whose names are not to be kept when: the times of the owner's levels, asked by whoever names flows.

Rule: what was promised for a time holds for that time, also when it was taken back afterwards.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

FOREVER_US = 1 << 62

Span = tuple[int, int]  # from, until; us


class Nameless:
    """Which devices of a site had no names when. Devices by number, as grouped when this was made."""

    def __init__(self, db: sqlite3.Connection, site_id: int, times: Mapping[tuple[int, str], Sequence[Span]]) -> None:
        self._times: dict[int, list[Span]] = {}
        for station, spans in times.items():
            row = db.execute(
                "SELECT device_id FROM station WHERE site_id = ? AND mac = ? AND address = ?", (site_id, *station)
            ).fetchone()
            if row is not None and row[0] is not None:
                self._times[row[0]] = _united([*self._times.get(row[0], ()), *spans])

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._times)

    def at(self, device: int, time_us: int) -> bool:
        """Whether a device had no names at a time."""
        spans = self._times.get(device)
        if spans is None:
            return False
        row = bisect_right(spans, (time_us, FOREVER_US)) - 1
        return row >= 0 and time_us < spans[row][1]

    @property
    def spans(self) -> list[tuple[int, int, int]]:
        """(device, from, until), us."""
        return [(device, *span) for device, spans in sorted(self._times.items()) for span in spans]


def nameless_flows(db: sqlite3.Connection, nameless: Nameless, flows: Iterable[int]) -> set[int]:
    """Those of these flows that began when one of their ends had no names."""
    if not nameless:
        return set()
    rows = db.execute(
        "SELECT f.id, f.first_us, coalesce(k.device_id, c.device_id, 0), coalesce(k.device_id, s.device_id, 0)"
        " FROM json_each(?) t CROSS JOIN flow f ON f.id = t.value CROSS JOIN capture k ON k.id = f.id >> 40"
        " CROSS JOIN endpoint c ON c.id = f.client_id CROSS JOIN endpoint s ON s.id = f.server_id",
        (json.dumps(sorted(flows)),),
    )
    return {flow for flow, first_us, *ends in rows if any(nameless.at(device, first_us) for device in ends)}


def take_names(db: sqlite3.Connection, site_id: int, nameless: Nameless) -> list[Span]:
    """Names that others lent to flows that were to have none go; the times of these flows."""
    taken: list[Span] = []
    for device, from_us, until_us in nameless.spans:
        taken += db.execute(
            "UPDATE flow SET label_id = NULL, label_source = NULL WHERE id IN (SELECT f.id FROM capture k"
            " JOIN flow f ON f.id BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
            " JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id"
            " WHERE k.site_id = ?1 AND k.last_us >= ?3 AND k.first_us < ?4 AND f.first_us >= ?3 AND f.first_us < ?4"
            " AND f.name_id IS NULL AND f.label_id IS NOT NULL AND ?2 IN (k.device_id, c.device_id, s.device_id)"
            " AND f.id NOT IN (SELECT flow_id FROM kept_label)) RETURNING first_us, last_us",
            (site_id, device, from_us, until_us),
        ).fetchall()
    return taken


def _united(spans: Iterable[Span]) -> list[Span]:
    out: list[Span] = []
    for span in sorted(spans):
        if out and span[0] <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], span[1]))
        else:
            out.append(span)
    return out
