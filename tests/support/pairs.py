"""How well destinations are judged, measured on pairs of a device's vendor and a domain that somebody labelled.

Rule 1: a vendor's hosts below one registered name count once per party, or a name with many hosts would be the whole sum.
Rule 2: of those hosts the most frequent answer counts; the first one's organisation.
Rule 3: an organisation is right where it shares a word with the label, legal forms left out: `Ring (Amazon)` is Amazon.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from daemon.classify.names import Names
from daemon.classify.pairs import host_of
from daemon.classify.vocabulary import FIRST, PLATFORM, SUPPORT, THIRD, Destination, DeviceProfile, Verdict
from daemon.classify.words import without_legal, words

PARTIES = (FIRST, SUPPORT, THIRD, PLATFORM)

Judge = Callable[[DeviceProfile, Destination], Verdict]


class Labelled(NamedTuple):
    """One row: what somebody knows of a pair."""

    vendor: str
    device: str
    domain: str
    party: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Score:
    """The result of one lot: counts of (label, answer), and how often the organisation was right."""

    answers: Counter[tuple[str, str]]
    organisations: int  # right ones
    wrong: tuple[str, ...]  # sentences for whoever mends it

    @property
    def pairs(self) -> int:
        """How many distinct pairs were scored."""
        return self.answers.total()

    @property
    def accuracy(self) -> float:
        """The share of pairs whose party is right."""
        return sum(count for (label, said), count in self.answers.items() if label == said) / self.pairs

    @property
    def macro_f1(self) -> float:
        """The mean of the parties' F1, so that rare ones count as much as frequent ones."""
        found = [self._f1(party) for party in PARTIES if any(label == party for label, _ in self.answers)]
        return sum(found) / len(found)

    @property
    def organisation(self) -> float:
        """The share of pairs whose organisation is right."""
        return self.organisations / self.pairs

    def _f1(self, party: str) -> float:
        right = self.answers[party, party]
        labelled = sum(count for (label, _), count in self.answers.items() if label == party)
        said = sum(count for (_, answer), count in self.answers.items() if answer == party)
        return 2 * right / (labelled + said)

    def __str__(self) -> str:
        head = f"{'label':10}" + "".join(f"{party:>10}" for party in (*PARTIES, "other"))
        lines = [head]
        for label in PARTIES:
            row = [self.answers[label, party] for party in PARTIES]
            rest = sum(count for (told, _), count in self.answers.items() if told == label) - sum(row)
            lines.append(f"{label:10}" + "".join(f"{count:10}" for count in (*row, rest)))
        told = f"accuracy {self.accuracy:.3f}  macro-F1 {self.macro_f1:.3f}  organisation {self.organisation:.3f}"
        return "\n".join([*lines, f"{told}  pairs {self.pairs}", *self.wrong])


def read_pairs(path: Path) -> list[Labelled]:
    """The rows of a lot."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [Labelled(*row) for row in rows]


def score(pairs: Iterable[Labelled], judge: Judge) -> Score:
    """Judges every row, and counts."""
    names = Names()
    said: dict[tuple[str, str, str], list[tuple[Labelled, Verdict]]] = defaultdict(list)
    for pair in pairs:
        host = host_of(pair.domain)
        verdict = judge(DeviceProfile(pair.vendor or None, pair.device or None), Destination(host))
        registered = names.parse(host).registrable or host
        said[pair.vendor, registered, pair.party].append((pair, verdict))
    answers: Counter[tuple[str, str]] = Counter()
    organisations, wrong = 0, []
    for (_, _, party), judged in said.items():
        answer = Counter(verdict.party for _, verdict in judged).most_common(1)[0][0]
        pair, verdict = judged[0]
        called = verdict.called or verdict.organisation or ""
        known = _same(pair.organisation, called)
        answers[party, answer] += 1
        organisations += known
        if answer != party or not known:
            wrong.append(f"{pair.vendor}: {pair.domain} is {party} of {pair.organisation}, said {answer} of {called}")
    return Score(answers, organisations, tuple(wrong))


def _same(one: str, other: str) -> bool:
    return not set(without_legal(words(one))).isdisjoint(without_legal(words(other)))
