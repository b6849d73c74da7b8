"""The order of thousands of rows that are known by number: texts are looked up only where all else is equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from daemon.store.columns import Ints


def in_order(keys: Sequence[Ints], number: Ints, sort_keys: Callable[[list[int]], Mapping[int, Any]]) -> Ints:
    """Rows by `keys` (the first one first, small ones first), then by what `sort_keys` says of their numbers."""
    order = np.lexsort([*reversed(keys)])
    if not len(order):
        return order
    table = np.stack([key[order] for key in keys])
    run = np.concatenate(([0], np.cumsum((table[:, 1:] != table[:, :-1]).any(axis=0))))
    alike = np.bincount(run)[run] > 1
    tied = order[alike]
    numbers, at = np.unique(number[tied], return_inverse=True)
    said = sort_keys(numbers.tolist())
    place = {number: rank for rank, number in enumerate(sorted(numbers.tolist(), key=said.__getitem__))}
    rank = np.array([place[each] for each in numbers.tolist()], np.int64)[at]
    order[alike] = tied[np.lexsort((rank, run[alike]))]
    return order
