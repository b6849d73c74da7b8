"""The bulk of a busy day: how many packets each conversation gets, when, in which direction and how long.

Rules: whole columns at a time; a body never leaves its slice.
"""

from __future__ import annotations

import numpy as np

from appliance.sample.columns import HEADERS, PLAIN, QUIC_SHORT, TCP, TLS_RECORD, WIREGUARD, Ends, Ints
from appliance.sample.wire import ACK, PSH

# How the bodies share the bulk: TLS, QUIC, tunnels; and what lasts all day.
SHARES = {TLS_RECORD: 0.62, QUIC_SHORT: 0.24, WIREGUARD: 0.06}
_UP = {TLS_RECORD: 0.33, QUIC_SHORT: 0.22, WIREGUARD: 0.4}
Body = tuple[int, int, float, int]  # conversation, start in microseconds, weight, mark


def spread(bodies: list[Body], total: int, end_us: int, ends: Ends, luck: np.random.Generator) -> Ints:
    """`total` packets shared among `bodies` by weight, as rows: bursts with pauses, no longer than the slice."""
    if not bodies or total <= 0:
        return np.empty((0, 8), np.int64)
    weights = np.array([body[2] for body in bodies])
    counts = (weights / weights.sum() * total).astype(np.int64)
    counts[0] += total - counts.sum()
    owner = np.repeat(np.array([body[0] for body in bodies]), counts)
    mark = np.repeat(np.array([body[3] for body in bodies]), counts)
    start = np.repeat(np.array([body[1] for body in bodies]), counts)
    pace = np.repeat(luck.choice(np.array([200.0, 900.0, 4_000.0, 20_000.0]), len(bodies)), counts)
    gaps = luck.exponential(1.0, total) * pace + 2
    pauses = luck.random(total) < 0.01
    gaps[pauses] += luck.exponential(3e6, int(pauses.sum()))
    run = np.cumsum(gaps)
    before = np.concatenate(([0.0], run))[np.cumsum(counts) - counts]
    spans = run[np.cumsum(counts) - 1] - before
    longest = np.maximum(1.0, end_us - 1_000_000 - np.array([body[1] for body in bodies]))
    factor = np.minimum(1.0, longest / np.maximum(spans, 1.0))
    rows = np.zeros((total, 8), np.int64)
    rows[:, 0] = start + ((run - np.repeat(before, counts)) * np.repeat(factor, counts)).astype(np.int64)
    rows[:, 1], rows[:, 5] = owner, -1
    _fill(rows, mark, np.array(ends.kinds)[owner], luck)
    return rows


def _fill(rows: Ints, mark: Ints, kinds: Ints, luck: np.random.Generator) -> None:
    """Direction, length, flags, mark and displacement of body packets."""
    total = len(rows)
    secure = mark == TLS_RECORD
    up = luck.random(total) < np.choose(mark, [0.0, _UP[TLS_RECORD], _UP[QUIC_SHORT], _UP[WIREGUARD]])
    full = 1514 - HEADERS[np.where(kinds[:, 1] == 6, 4, 0) + np.where(kinds[:, 0] == TCP, 1 + kinds[:, 2], 0)]
    full = np.where(mark == QUIC_SHORT, 1250, np.where(mark == WIREGUARD, 1408, full))
    some = luck.integers(48, 1200, total)
    size = np.where(luck.random(total) < 0.87, full, some)
    small_ = np.where(secure & (luck.random(total) < 0.85), 0, luck.integers(32, 90, total))
    size = np.where(up, np.where(luck.random(total) < 0.93, small_, some), size)
    size = np.where(mark == WIREGUARD, np.maximum(size // 16 * 16, 32), size)
    pushed = (size > 0) & (size < full)
    rows[:, 2], rows[:, 3] = up, size
    rows[:, 4] = np.where(secure, ACK | np.where(pushed, PSH, 0), 0)
    late = secure & (size > 0) & (luck.random(total) < 0.002)
    rows[:, 6] = np.where(late, 3_000, 0)
    rows[:, 7] = np.where(secure & (size <= 5), PLAIN, mark)
