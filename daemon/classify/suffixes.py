"""The public suffix list that comes with tldextract: under which names anybody can register.

Rule 1: the algorithm is the list's own (https://github.com/publicsuffix/list/wiki/Format): the rule with most labels
        wins, `*` stands for one label, `!` takes a name out of a `*`, and where no rule fits the last label is the suffix.
Rule 2: the list is read as the file that it is. Importing tldextract itself costs a quarter of a second, nearly all of it
        for a web client that is never used here. A release of it that keeps its list elsewhere is asked in its own words.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

_FILE = ".tld_set_snapshot"
_PRIVATE = "===BEGIN PRIVATE DOMAINS==="
_EXCEPTION = "!"
_FOREIGN = "xn--"  # how a label with other letters than ASCII begins on the wire (IDNA)


class PublicSuffixes(Protocol):
    """Answers how much of a name is public suffix."""

    def lengths(self, labels: Sequence[str]) -> tuple[int, int]:
        """How many labels at the end are public suffix, at least one: by the registries' rules, and by those of companies
        as well."""


class _Rules(NamedTuple):
    """Rules by their sort, each without its mark."""

    plain: frozenset[str]
    stars: frozenset[str]
    exceptions: frozenset[str]

    def length(self, labels: Sequence[str]) -> int:
        best, rest = 1, ""
        for count in range(1, len(labels) + 1):
            above, rest = rest, f"{labels[-count]}.{rest}" if rest else labels[-count]
            if rest in self.exceptions:
                return count - 1
            if rest in self.plain or above in self.stars:
                best = count
        return best


class ListedSuffixes:
    """The list as it writes its rules, of registries and of companies.

    Those with other letters than ASCII are written as on the wire when a name first has such a label: that takes as long as
    reading all the others, and few homes meet one.
    """

    def __init__(self, icann: frozenset[str], private: frozenset[str]) -> None:
        self._listed = icann, private
        self._plain = _both(icann, private)

    def lengths(self, labels: Sequence[str]) -> tuple[int, int]:
        """As `PublicSuffixes` says."""
        foreign = f".{_FOREIGN}" in f".{'.'.join(labels)}"
        icann, everyone = self._on_the_wire if foreign else self._plain
        return icann.length(labels), everyone.length(labels)

    @property
    def everyone(self) -> frozenset[str]:
        """All rules, in the form that names have on the wire (IDNA)."""
        return self._on_the_wire[1].plain

    @cached_property
    def _on_the_wire(self) -> tuple[_Rules, _Rules]:
        icann, private = (frozenset(map(_wire, part)) for part in self._listed)
        return _both(icann, private)


class _AskedSuffixes:
    """tldextract's own answers."""

    def __init__(self) -> None:
        from tldextract import TLDExtract  # noqa: PLC0415 - see rule 2

        self._list = TLDExtract(suffix_list_urls=(), cache_dir=None)

    def lengths(self, labels: Sequence[str]) -> tuple[int, int]:
        name = ".".join(labels)
        public, every = (
            self._list.extract_str(name, include_psl_private_domains=private).suffix for private in (False, True)
        )
        return public.count(".") + 1, every.count(".") + 1  # no suffix: the last label is one


def public_suffixes() -> PublicSuffixes:
    """The list of the tldextract that is installed."""
    found = importlib.util.find_spec("tldextract")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / _FILE
        if path.is_file():
            return read_suffixes(path.read_text(encoding="utf-8"))
    return _AskedSuffixes()


def read_suffixes(text: str) -> ListedSuffixes:
    """The rules of a public suffix list."""
    icann, _, private = text.partition(_PRIVATE)
    return ListedSuffixes(_rules(icann), _rules(private))


def _rules(text: str) -> frozenset[str]:
    rules = [line for line in text.splitlines() if line and not line.startswith("//")]
    if len("\n".join(rules).split()) != len(rules):  # what stands behind a rule is no part of it
        rules = [words[0] for words in map(str.split, rules) if words]
    return frozenset(rules)


def _both(icann: frozenset[str], private: frozenset[str]) -> tuple[_Rules, _Rules]:
    """The rules of registries, and all of them."""
    public, companies = _sorted(icann), _sorted(private)
    return public, _Rules(*(one | other for one, other in zip(public, companies, strict=True)))


def _sorted(rules: frozenset[str]) -> _Rules:
    marked = [rule for rule in rules if rule[0] in "*!"]
    stars = frozenset([rule[2:] for rule in marked if rule.startswith("*.")])
    return _Rules(rules, stars, frozenset([rule[1:] for rule in marked if rule.startswith(_EXCEPTION)]))


def _wire(rule: str) -> str:
    if rule.isascii():
        return rule
    mark = _EXCEPTION if rule.startswith(_EXCEPTION) else ""
    labels = rule.removeprefix(mark).split(".")
    return mark + ".".join(
        [label if label.isascii() else f"{_FOREIGN}{label.encode('punycode').decode()}" for label in labels]
    )
