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
_PRIVATE = b"===BEGIN PRIVATE DOMAINS==="
_COMMENT = ord("/")  # two of them, and no rule has one
_BLANKS = (b" ", b"\t", b"\v", b"\f")
_EXCEPTION = "!"
_FOREIGN = "xn--"  # how a label with other letters than ASCII begins on the wire (IDNA)


class PublicSuffixes(Protocol):
    """Answers how much of a name is public suffix."""

    def lengths(self, labels: Sequence[str]) -> tuple[int, int]:
        """How many labels at the end are public suffix, at least one: by the registries' rules, and by those of companies
        as well."""


class _Rules(NamedTuple):
    """Rules of registries or of companies, by their sort."""

    plain: frozenset[str]  # with the marked ones, which are no name's end
    stars: frozenset[str]  # those with a mark, without it
    exceptions: frozenset[str]


class ListedSuffixes:
    """The list as it writes its rules, of registries and of companies.

    Those with other letters than ASCII are written as on the wire when a name first has such a label: that takes as long as
    reading all the others, and few homes meet one.
    """

    def __init__(self, icann: _Rules, private: _Rules) -> None:
        self._listed = icann, private

    def lengths(self, labels: Sequence[str]) -> tuple[int, int]:
        """As `PublicSuffixes` says."""
        foreign = _FOREIGN in (text := ".".join(labels)) and f".{_FOREIGN}" in f".{text}"
        icann, private = self._on_the_wire if foreign else self._listed
        plain, stars, exceptions = icann
        plain_too, stars_too, exceptions_too = private
        public = every = 1
        taken_out, rest = 0, ""
        for count, label in enumerate(reversed(labels), 1):
            above, rest = rest, f"{label}.{rest}" if rest else label
            if rest in exceptions:
                return count - 1, taken_out or count - 1
            if rest in exceptions_too:
                taken_out = taken_out or count - 1
            if rest in plain or above in stars:
                public = every = count
            elif rest in plain_too or above in stars_too:
                every = count
        return public, taken_out or every

    @property
    def everyone(self) -> frozenset[str]:
        """All rules, in the form that names have on the wire (IDNA)."""
        icann, private = self._on_the_wire
        return icann.plain | private.plain

    @cached_property
    def _on_the_wire(self) -> tuple[_Rules, _Rules]:
        icann, private = (_sorted("\n".join(map(_wire, part.plain))) for part in self._listed)
        return icann, private


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
            return read_suffixes(path.read_bytes())
    return _AskedSuffixes()


def read_suffixes(listed: bytes) -> ListedSuffixes:
    """The rules of a public suffix list."""
    icann, _, private = listed.partition(_PRIVATE)
    return ListedSuffixes(_rules(icann), _rules(private))


def _rules(listed: bytes) -> _Rules:
    rules = [line for line in listed.splitlines() if line and line[0] != _COMMENT]
    plain = b"\n".join(rules)
    if any(blank in plain for blank in _BLANKS):  # what stands behind a rule is no part of it
        plain = b"\n".join([words[0] for words in map(bytes.split, rules) if words])
    return _sorted(plain.decode("latin-1"))  # a character a byte: quicker than UTF-8


def _sorted(rules: str) -> _Rules:
    """Of rules a line each; those with a mark are few, and found as text."""
    stars, exceptions = (
        frozenset([part.partition("\n")[0] for part in f"\n{rules}".split(f"\n{mark}")[1:]])
        for mark in ("*.", _EXCEPTION)
    )
    return _Rules(frozenset(rules.split("\n")), stars, exceptions)


def _wire(rule: str) -> str:
    if rule.isascii():
        return rule
    mark = _EXCEPTION if rule.startswith(_EXCEPTION) else ""
    labels = rule.encode("latin-1").decode().removeprefix(mark).split(".")
    return mark + ".".join(
        [label if label.isascii() else f"{_FOREIGN}{label.encode('punycode').decode()}" for label in labels]
    )
