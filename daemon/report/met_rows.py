"""What devices had to do with destinations, a row each pair, in columns; texts are looked up for the rows that are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from daemon.report.scope import Scope
from daemon.report.ties import in_order
from daemon.store.columns import Ints
from daemon.store.gathered import Gathered, gather
from daemon.store.whose import Label, read_labels, read_texts

NOT_KEPT = "name not kept"
_VERDICTS = 1 << 40  # above it numbers of verdicts, of what keeps neither name nor address


class Pair(NamedTuple):
    """One destination of one device, in words."""

    device_id: int
    place: str
    name_source: str  # how it got its name; `-`, `-ech`, `-before`: why it has none
    label: Label


class MetRows:
    """The pairs of a scope: numbers in `columns`, words by `pairs`."""

    def __init__(self, scope: Scope, columns: Gathered) -> None:
        self._db = scope.db
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns.device)

    def some(self, which: Ints) -> MetRows:
        """These rows, in this order."""
        out = object.__new__(MetRows)
        out._db, out.columns = self._db, self.columns.rows(which)
        return out

    def pairs(self, numbers: Sequence[int]) -> Iterator[Pair]:
        """What these rows are about."""
        at = np.array(numbers, np.int64)
        rows = self.columns.rows(at)
        texts = read_texts(self._db, set(rows.named.tolist()))
        labels = read_labels(self._db, set(rows.verdict.tolist()))
        sources = {0: "", **dict(self._db.execute("SELECT id, name_source FROM way"))}
        told = (column.tolist() for column in (rows.device, rows.named, rows.verdict, rows.way))
        for device, named, verdict, way in zip(*told, strict=True):
            label = labels[verdict]
            yield Pair(device, texts.get(named) or label.organisation or NOT_KEPT, sources[way], label)

    def ordered(self, *keys: Ints, mixed: bool = False) -> MetRows:
        """By `keys`, small ones first; of equals by text: addresses before names, unless `mixed`."""
        nameless = self.columns.named == 0
        number = np.where(nameless, _VERDICTS + self.columns.verdict, self.columns.named)
        return self.some(in_order(keys, number, self._words if mixed else self._addresses_first))

    def _addresses_first(self, numbers: list[int]) -> dict[int, tuple[bool, str]]:
        return {number: (0 < number < _VERDICTS, text) for number, text in self._words(numbers).items()}

    def _words(self, numbers: list[int]) -> dict[int, str]:
        texts = read_texts(self._db, [number for number in numbers if number < _VERDICTS])
        labels = read_labels(self._db, {number - _VERDICTS for number in numbers if number >= _VERDICTS})
        owners = {number + _VERDICTS: label.organisation or NOT_KEPT for number, label in labels.items()}
        return {number: texts.get(number) or owners[number] for number in numbers}

    def count_places(self) -> int:
        """How many different ones there are."""
        named = np.unique(self.columns.named)
        verdicts = set(self.columns.verdict[self.columns.named == 0].tolist())
        others = {label.organisation for number, label in read_labels(self._db, verdicts).items() if number in verdicts}
        return int(np.count_nonzero(named)) + len(others)


def read_met_rows(scope: Scope, only: Collection[str]) -> MetRows:
    """All pairs of the scope's time and device, with these columns (`gather`); without `way` no source of a name is told."""
    return MetRows(scope, gather(scope.db, scope.window, only=only))
