"""The days of a long stretch of time that have anything to be counted. SQL only.

A capture whose clock began in 1970 spans half a century with a handful of packets; counting anew takes its time for every
day, whether something is there or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from daemon.decode.slots import SLOT_US
from daemon.flow.facts import DAY_US

_FEW_US = 62 * DAY_US  # up to which it is as quick to look at every day
_IDS = "BETWEEN k.id << 40 AND (k.id << 40 | 0xFFFFFFFFFF)"
_THERE = "k.site_id = :site AND k.first_us <= :until_us AND k.last_us >= :since_us"
_TIMES = "BETWEEN :since_us AND :until_us"
_BUSY = f"""
    SELECT f.first_us / {DAY_US} FROM capture k JOIN flow f ON f.id {_IDS} WHERE {_THERE} AND f.first_us {_TIMES}
    UNION SELECT p.slot_us / {DAY_US} FROM capture k JOIN flow_slice p ON p.flow_id {_IDS}
        WHERE {_THERE} AND p.slot_us {_TIMES}
    UNION SELECT f.slot_us / {DAY_US} FROM capture k JOIN frame_slot f ON f.capture_id = k.id
        WHERE {_THERE} AND f.slot_us {_TIMES}
    UNION SELECT m.seen_us / {DAY_US} FROM dns_message m JOIN capture k ON k.id = m.capture_id
        WHERE m.seen_us {_TIMES} AND {_THERE}
    UNION SELECT s.slot * {SLOT_US} / {DAY_US} FROM slot_total s
        WHERE s.slot BETWEEN :since_us / {SLOT_US} AND :until_us / {SLOT_US} AND NOT s.frozen
            AND s.way_id IN (SELECT id FROM way WHERE site_id = :site)
"""


def busy_spans(db: sqlite3.Connection, site_id: int, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans (first_us, last_us) as they are, long ones by those of their days that have facts, or sums of facts."""
    out: list[tuple[int, int]] = []
    long: list[tuple[int, int]] = []
    for span in spans:
        (long if span[1] - span[0] > _FEW_US else out).append(span)
    for since_us, until_us in _joined(long):
        rows = db.execute(_BUSY, {"site": site_id, "since_us": since_us - DAY_US, "until_us": until_us + DAY_US})
        days = sorted(row[0] for row in rows)
        out += [(max(day * DAY_US, 0), (day + 1) * DAY_US - 1) for day in days]
    return out


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that overlap as one, so that no day is looked at for each of them."""
    out: list[tuple[int, int]] = []
    for since_us, until_us in sorted(spans):
        if out and since_us <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], until_us)
        else:
            out.append((since_us, until_us))
    return out
