"""What the table knows of a company apart from its domains: what it does, where it sits, who owns it and what it owns.

Rule: as owned today; of a company that was sold the owner of once is told with the month in which that ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from daemon.classify.organisations import Organisation, OrganisationTable
from daemon.classify.words import squashed, words


class Owner(NamedTuple):
    """Who owns, or owned, a company; months are `YYYY-MM`."""

    name: str
    since: str | None  # None: always, or nobody noted it
    until: str | None = None  # the first month in which it was no longer so


@dataclass(frozen=True, slots=True)
class Portrait:
    """One company. Lists of names are in alphabetical order."""

    name: str
    kinds: tuple[str, ...]  # of `daemon.classify.kinds`, that of most of its domains first
    country: str | None  # of its seat, ISO 3166-1 alpha-2
    owners: tuple[Owner, ...]  # its owner, the owner's owner, and so on
    once: Owner | None  # who owned it before it was sold
    sisters: tuple[str, ...]  # companies of the same owner
    owns: tuple[str, ...]  # companies that are its own
    brands: tuple[str, ...]  # other names it goes by, and brands of others that it makes devices for


@dataclass(frozen=True)  # without slots: the index is made once, when it is first asked for
class Families:
    """Portraits out of a table."""

    table: OrganisationTable

    @cached_property
    def _owned(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for each in self.table.organisations.values():
            if each.parent is not None and each.parent_until is None:
                found.setdefault(each.parent, []).append(each.name)
        return {owner: tuple(sorted(names, key=str.casefold)) for owner, names in found.items()}

    def portrait(self, name: str) -> Portrait | None:
        """What is known of the company of exactly this name, or of one whose other name it is; None for one unknown."""
        one = self.table.by_name(name) or self.table.names.get(squashed(words(name)))
        if one is None:
            return None
        chain = self.table.family(one)
        owners = tuple(Owner(owner.name, child.parent_since) for child, owner in pairwise(chain))
        sold = one.parent is not None and one.parent_until is not None
        return Portrait(
            one.name,
            _kinds(one),
            one.country,
            owners,
            Owner(one.parent or "", one.parent_since, one.parent_until) if sold else None,
            tuple(each for each in self._owned.get(owners[0].name, ()) if each != one.name) if owners else (),
            self._owned.get(one.name, ()),
            _brands(one),
        )


def _kinds(one: Organisation) -> tuple[str, ...]:
    kinds = [kind for kind, _ in one.domains]
    most = sorted(dict.fromkeys(kinds), key=lambda kind: (kind != one.main_kind(), -kinds.count(kind)))
    return tuple(most) or (one.main_kind(),)


def _brands(one: Organisation) -> tuple[str, ...]:
    """Other names, each once however it is spelt, the shortest spelling of each."""
    said: dict[str, str] = {}
    for alias in sorted(_telling(one), key=len):
        plain = squashed(words(alias))
        if not any(plain.startswith(known) for known in said):
            said[plain] = alias
    return tuple(sorted(said.values(), key=str.casefold))


def _telling(one: Organisation) -> Iterable[str]:
    """Those that say more than the name: not `Ring LLC` of Ring."""
    own = squashed(words(one.name))
    return (alias for alias in (*one.aliases, *one.makes_for) if not squashed(words(alias)).startswith(own))
