"""The order of thousands of rows that are known by number: texts are looked up only where all else is equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from daemon.store.columns import Ints, distinct

_Say = Callable[[list[int]], Mapping[int, Any]]


class Order:
    """Rows by `keys` (the first one first, small ones first), then by what `sort_keys` says of their numbers.

    It is asked about those that stand at places that somebody asks for.
    """

    def __init__(self, keys: Sequence[Ints], number: Ints, sort_keys: _Say) -> None:
        self._number, self._sort_keys = number, sort_keys
        self._order = np.lexsort([*reversed(keys)])
        table = np.stack([key[self._order] for key in keys])
        begins = (table[:, 1:] != table[:, :-1]).any(axis=0)
        self._run = np.concatenate(([0], np.cumsum(begins)))[: len(number)]
        self._alike = np.bincount(self._run)[self._run] > 1  # and not settled

    def rows(self, places: Ints) -> Ints:
        """The numbers of the rows at these places."""
        runs = distinct(self._run[places[self._alike[places]]])
        if len(runs):
            self._settle(self._alike & np.isin(self._run, runs))
        return self._order[places]

    def _settle(self, alike: npt.NDArray[np.bool_]) -> None:
        tied = self._order[alike]
        numbers, at = np.unique(self._number[tied], return_inverse=True)
        said = self._sort_keys(numbers.tolist())
        place = {number: rank for rank, number in enumerate(sorted(numbers.tolist(), key=said.__getitem__))}
        rank = np.array([place[each] for each in numbers.tolist()], np.int64)[at]
        self._order[alike] = tied[np.lexsort((rank, self._run[alike]))]
        self._alike[alike] = False


def in_order(keys: Sequence[Ints], number: Ints, sort_keys: _Say) -> Ints:
    """All rows of such an order."""
    return Order(keys, number, sort_keys).rows(np.arange(len(number)))
