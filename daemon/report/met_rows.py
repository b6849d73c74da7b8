"""What devices had to do with destinations, a row each pair, in columns; texts are looked up for the rows that are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from functools import cached_property
from typing import NamedTuple

import numpy as np

from daemon.report.scope import Scope
from daemon.report.ties import Order
from daemon.store.columns import Ints, distinct
from daemon.store.gathered import Gathered, gather
from daemon.store.whose import read_said, read_texts

NOT_KEPT = "name not kept"
_OWNER = "organisation"
_VERDICTS = 1 << 40  # above it numbers of verdicts, of what keeps neither name nor address


class Pairs(NamedTuple):
    """Destinations of devices in words, a list each."""

    device_ids: list[int]
    places: list[str]
    name_sources: list[str]  # how each got its name; `-`, `-ech`, `-before`: why it has none
    said: list[list[str | None]]  # of whose it is, a list each word that was asked for


class MetRows:
    """The pairs of a scope: numbers in `columns`, words by `pairs`. Whoever wants all has each text looked up once.

    What is `ordered` has its columns as they were: `at` tells which of their rows stands where.
    """

    def __init__(self, scope: Scope, columns: Gathered, words: Sequence[str]) -> None:
        """`words` of `Label`, that are texts: what `pairs` says of whose a destination is."""
        self._db = scope.db
        self._texts: dict[int, str] = {}
        self._said: dict[str, dict[int, str | None]] = {word: {} for word in (_OWNER, *words)}
        self._wanted = words
        self.order: Order | None = None
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns.device)

    def some(self, which: Ints) -> MetRows:
        """These rows, in this order."""
        out = copy(self)
        out.columns, out.order = self.columns.rows(which), None
        return out

    def at(self, places: Sequence[int]) -> Ints:
        """The rows of the columns that stand at these places."""
        wanted = np.array(places, np.int64)
        return wanted if self.order is None else self.order.rows(wanted)

    def pairs(self, at: Ints) -> Pairs:
        """What these rows of the columns are about."""
        rows = self.columns
        devices, named, verdicts, ways = (
            column[at].tolist() for column in (rows.device, rows.named, rows.verdict, rows.way)
        )
        texts, owners = self._read_texts(named), self._read_owners(verdicts)
        places = [texts.get(number) or owners[of] or NOT_KEPT for number, of in zip(named, verdicts, strict=True)]
        said = [[self._said[word][verdict] for verdict in verdicts] for word in self._wanted]
        return Pairs(devices, places, [self._sources[way] for way in ways], said)

    @cached_property
    def _sources(self) -> dict[int, str]:
        return {0: "", **dict(self._db.execute("SELECT id, name_source FROM way"))}

    def _read_texts(self, named: Iterable[int]) -> dict[int, str]:
        self._texts.update(read_texts(self._db, set(named).difference(self._texts)))
        return self._texts

    def _read_owners(self, verdicts: Iterable[int]) -> dict[int, str | None]:
        """The companies of verdicts, of which all that is wanted is known afterwards."""
        missing = set(verdicts).difference(self._said[_OWNER])
        for word, texts in read_said(self._db, missing, tuple(self._said)).items():
            self._said[word].update(texts)
        return self._said[_OWNER]

    def ordered(self, *keys: Ints, mixed: bool = False) -> MetRows:
        """By `keys`, small ones first; of equals by text: addresses before names, unless `mixed`."""
        nameless = self.columns.named == 0
        number = np.where(nameless, _VERDICTS + self.columns.verdict, self.columns.named)
        out = copy(self)
        out.order = Order(keys, number, self._words if mixed else self._addresses_first)
        return out

    def _addresses_first(self, numbers: list[int]) -> dict[int, tuple[bool, str]]:
        return {number: (0 < number < _VERDICTS, text) for number, text in self._words(numbers).items()}

    def _words(self, numbers: list[int]) -> dict[int, str]:
        texts = self._read_texts(number for number in numbers if number < _VERDICTS)
        owners = self._read_owners(number - _VERDICTS for number in numbers if number >= _VERDICTS)
        return {
            number: texts.get(number, "") if number < _VERDICTS else owners[number - _VERDICTS] or NOT_KEPT
            for number in numbers
        }

    def count_places(self) -> int:
        """How many different ones there are."""
        verdicts = distinct(self.columns.verdict[self.columns.named == 0]).tolist()
        owners = self._read_owners(verdicts)
        nameless = {owners[verdict] for verdict in verdicts}
        return int(np.count_nonzero(distinct(self.columns.named))) + len(nameless)


def read_met_rows(scope: Scope, only: Collection[str], words: Sequence[str]) -> MetRows:
    """All pairs of the scope's time and device, with these columns (`gather`); without `way` no source of a name is told."""
    return MetRows(scope, gather(scope.db, scope.window, only=only), words)
