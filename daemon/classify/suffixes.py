"""The public suffix list that comes with tldextract: under which names anybody can register.

Rule 1: the algorithm is the list's own (https://github.com/publicsuffix/list/wiki/Format): the rule with most labels
        wins, `*` stands for one label, `!` takes a name out of a `*`, and where no rule fits the last label is the suffix.
Rule 2: the list is read as the file that it is. Importing tldextract itself costs a quarter of a second, nearly all of it
        for a web client that is never used here. A release of it that keeps its list elsewhere is asked in its own words.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_FILE = ".tld_set_snapshot"
_PRIVATE = "===BEGIN PRIVATE DOMAINS==="
_EXCEPTION = "!"


class PublicSuffixes(Protocol):
    """Answers how much of a name is public suffix."""

    def length(self, labels: Sequence[str], *, private: bool) -> int:
        """How many labels at the end are public suffix, at least one; `private` also by rules that companies made."""


@dataclass(frozen=True, slots=True)
class ListedSuffixes:
    """The list as sets of rules, `*` and `!` as the list writes them."""

    icann: frozenset[str]
    everyone: frozenset[str]  # those and the private ones

    def length(self, labels: Sequence[str], *, private: bool) -> int:
        """As `PublicSuffixes` says."""
        rules = self.everyone if private else self.icann
        best, rest = 1, ""
        for count in range(1, len(labels) + 1):
            above, rest = rest, f"{labels[-count]}.{rest}" if rest else labels[-count]
            if f"{_EXCEPTION}{rest}" in rules:
                return count - 1
            if rest in rules or (above and f"*.{above}" in rules):
                best = count
        return best


class _AskedSuffixes:
    """tldextract's own answers."""

    def __init__(self) -> None:
        from tldextract import TLDExtract  # noqa: PLC0415 - see rule 2

        self._list = TLDExtract(suffix_list_urls=(), cache_dir=None)

    def length(self, labels: Sequence[str], *, private: bool) -> int:
        suffix = self._list.extract_str(".".join(labels), include_psl_private_domains=private).suffix
        return suffix.count(".") + 1 if suffix else 1


def public_suffixes() -> PublicSuffixes:
    """The list of the tldextract that is installed."""
    found = importlib.util.find_spec("tldextract")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / _FILE
        if path.is_file():
            return read_suffixes(path.read_text(encoding="utf-8"))
    return _AskedSuffixes()


def read_suffixes(text: str) -> ListedSuffixes:
    """The rules of a public suffix list, in the form that names have on the wire (IDNA)."""
    icann, _, private = text.partition(_PRIVATE)
    public = _rules(icann)
    return ListedSuffixes(public, public | _rules(private))


def _rules(text: str) -> frozenset[str]:
    rules = [line.split(None, 1)[0] for line in text.splitlines() if line and not line.startswith("//")]
    return frozenset([rule if rule.isascii() else _wire(rule) for rule in rules])


def _wire(rule: str) -> str:
    mark = _EXCEPTION if rule.startswith(_EXCEPTION) else ""
    labels = rule.removeprefix(mark).split(".")
    return mark + ".".join(
        [label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels]
    )
