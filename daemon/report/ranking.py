"""Names and addresses, ranked: whose each is, how much, how many devices; thousands of them in a twentieth of a second.

Rule 1: what is said of a destination is what is said of most of its bytes; of what has as many the first by its text.
Rule 2: everything is in columns until somebody looks at a row: `tally` makes that of one destination.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from daemon.report.contacts import Contact, Tally, narrowing, owned_labels
from daemon.report.scope import Scope
from daemon.store.columns import Ints
from daemon.store.gathered import Gathered, gather
from daemon.store.whose import Label, met_of, read_labels, whose_of

_TOLD = ("flows", "bytes_up", "bytes_down", "first_us", "last_us")  # what contacts say besides whose they are


@dataclass(frozen=True, slots=True)
class Ranking:
    """Destinations in order of their numbers, a column each. `contacts` of the destination `n` begin at `begins[n]`."""

    named: Ints
    flows: Ints
    bytes_up: Ints
    bytes_down: Ints
    first_us: Ints
    last_us: Ints
    devices: Ints  # how many
    third: Ints  # bytes with advertising and the like
    party: list[str]
    company: list[str | None]
    country: list[str | None]
    contacts: Gathered
    begins: Ints
    labels: Mapping[int, Label]

    def __len__(self) -> int:
        return len(self.named)

    @property
    def bytes(self) -> Ints:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    def tally(self, number: int) -> Tally[int]:
        """One destination with all that is known of it but packets."""
        out = Tally(int(self.named[number]))
        begin, *end = self.begins[number : number + 2].tolist()
        for met in met_of(self.contacts.rows(slice(begin, end[0] if end else None))):
            out.add(Contact(met, self.labels[met.verdict_id]))
        return out


ORDERS: Mapping[str, Callable[[Ranking], Sequence[Ints]]] = MappingProxyType(
    {
        "data": lambda found: (found.bytes,),
        "sent": lambda found: (found.bytes_up,),
        "received": lambda found: (found.bytes_down,),
        "devices": lambda found: (found.devices, found.bytes),
        "third": lambda found: (found.third, found.bytes),
        "first": lambda found: (found.first_us,),
        "last": lambda found: (found.last_us,),
    }
)  # what has most, or came last, is first


def ranked(scope: Scope) -> Ranking:
    """The destinations of the scope's time, of the party, the country and the company that it asks for."""
    key = ("ranking", scope.window, tuple(sorted(scope.only.items())))
    return scope.remember(key, lambda: _ranked(scope))


def in_order(found: Ranking, *, inward: bool, by: str = "") -> Ints:
    """The numbers of all destinations, those first to which most was sent or, `inward`, from which most came.

    `by`: a word of ORDERS, which comes before that.
    """
    way = found.bytes_down if inward else found.bytes_up
    first = ORDERS[by](found) if by else ()
    return np.lexsort((found.named, -found.bytes, -way, *(-key for key in reversed(first))))


def _ranked(scope: Scope) -> Ranking:
    rows, labels = _labelled(scope, gather(scope.db, scope.window, only=_TOLD))
    wanted = narrowing(labels, scope.only)
    if wanted is not None:
        rows = rows.rows(np.isin(rows.verdict, np.array(sorted(wanted), np.int64)))
    rows = rows.rows(np.argsort(rows.named, kind="stable"))
    begins = np.flatnonzero(np.diff(rows.named, prepend=rows.named[:1] - 1))
    if not len(begins):
        none = begins
        return Ranking(none, none, none, none, none, none, none, none, [], [], [], rows, begins, labels)
    group = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(rows.named))))
    octets, of, many = rows.bytes, _Words(rows.verdict, labels), len(begins)
    parties, party = of.texts("party")
    third = np.where(np.array([text == "third" for text in parties])[party], octets, 0)
    flows, up, down, others = (
        np.add.reduceat(each, begins) for each in (rows.flows, rows.bytes_up, rows.bytes_down, third)
    )
    return Ranking(
        rows.named[begins], flows, up, down, np.minimum.reduceat(rows.first_us, begins),
        np.maximum.reduceat(rows.last_us, begins), _count(rows, begins), others,
        [text or "unknown" for text in _most(group, octets, parties, party, many)],
        _most(group, octets, *of.texts("organisation"), many),
        _most(group, octets, *of.texts("country"), many, known=True), rows, begins, labels,
    )  # fmt: skip


def _labelled(scope: Scope, rows: Gathered) -> tuple[Gathered, dict[int, Label]]:
    """Rows with the number of a label in the place of the verdict: of thousands of verdicts few differ in what is told."""
    verdicts, at = np.unique(rows.verdict, return_inverse=True)
    found, others = whose_of(scope.db, verdicts), {}
    owned = owned_labels(scope)
    for verdict in verdicts[found <= 0].tolist():  # as good as never: they are numbered at once
        others[-verdict] = read_labels(scope.db, {verdict})[verdict]
    found = np.where(found > 0, found, -verdicts)
    numbers, place = np.unique(found, return_inverse=True)
    labels = {number: owned[each] if each > 0 else others[each] for number, each in enumerate(numbers.tolist())}
    return rows._replace(verdict=place[at]), labels


class _Words:
    """What labels say, as numbers of texts in order: rows of thousands are compared by numbers."""

    def __init__(self, number: Ints, labels: Mapping[int, Label]) -> None:
        self._number, self._labels = number, [labels[each] for each in range(len(labels))]

    def texts(self, word: str) -> tuple[Sequence[str | None], Ints]:
        """All texts of a word of labels, in order, and of each row the number of its own."""
        said = [getattr(label, word) for label in self._labels]
        known = sorted(set(said), key=str)
        number = {text: at for at, text in enumerate(known)}
        return known, np.array([number[text] for text in said], np.int64)[self._number]


def _most(
    group: Ints, octets: Ints, texts: Sequence[str | None], of: Ints, many: int, *, known: bool = False
) -> list[str | None]:
    """The text of most bytes in each group; `known`: of those that there are, if any. Rows are in order of groups."""
    if known:
        there: npt.NDArray[np.bool_] = np.array([text is not None for text in texts])[of]
        group, octets, of = group[there], octets[there], of[there]
    code = np.full(many, len(texts), np.int64)
    np.minimum.at(code, group, of)
    mixed = np.zeros(many, bool)
    mixed[group[of != code[group]]] = True  # of few: all devices see the same company behind most destinations
    some = mixed[group]
    pairs, at = np.unique(group[some] * len(texts) + of[some], return_inverse=True)
    sums = np.bincount(at, weights=octets[some]).astype(np.int64)
    groups, codes = np.divmod(pairs, len(texts))
    order = np.lexsort((codes, -sums, groups))
    first = order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
    code[groups[first]] = codes[first]
    said: list[str | None] = [*texts, None]
    return [said[number] for number in code.tolist()]


def _count(rows: Gathered, begins: Ints) -> Ints:
    """How many devices of the house each group has. A device has one row of a destination, several of what keeps no name."""
    counts = np.add.reduceat((rows.device != 0).astype(np.int64), begins)
    nameless = np.flatnonzero(rows.named[begins] == 0)
    if len(nameless):
        counts[nameless[0]] = np.count_nonzero(np.unique(rows.device[rows.named == 0]))
    return counts
