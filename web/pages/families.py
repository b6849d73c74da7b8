"""What a company's page says of the company itself: what it is, where it sits, whose it is, what else is of its house.

Rule: the tables know best; what they do not know is told from the verdicts of this home, which name an owner beside a
company.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon.classify.families import Portrait
from daemon.report.contacts import NOBODY
from daemon.report.families import kind_words, since_words
from daemon.store.whose import Label, read_called
from daemon.store.whose_days import read_owned
from web.pages.destinations import company_link
from web.visit import Visit

_MOST = 12  # companies of one house; the report has all

Linked = tuple[str, str, str]  # name, address of its page, what is to be said beside it


@dataclass(frozen=True, slots=True)
class Family:
    """For the page; what is not known is empty."""

    kinds: Sequence[str] = ()
    seat: str | None = None  # code of a country
    owners: Sequence[Linked] = ()
    once: Linked | None = None
    sisters: Sequence[Linked] = ()
    owns: Sequence[Linked] = ()
    more: int = 0  # sisters and companies of its own that are not listed
    brands: Sequence[str] = ()


def family_of(visit: Visit, name: str, portrait: Portrait | None, labels: Iterable[Label]) -> Family:
    """The family of a company, by the tables, else by what verdicts say of it."""
    if portrait is None:
        parent = parent_of(name, labels)
        return Family(
            owners=[_linked(visit, parent)] if parent else (),
            sisters=[_linked(visit, each) for each in _siblings(visit, name, parent)],
        )
    met = {each.organisation for each in read_owned(visit.db).values()}
    sisters, owns = (
        sorted(names, key=lambda each: (each not in met, each.casefold()))
        for names in (portrait.sisters, portrait.owns)
    )
    once = portrait.once
    return Family(
        [kind_words(kind) for kind in portrait.kinds],
        portrait.country,
        [_linked(visit, each.name, since_words(each)) for each in portrait.owners],
        None if once is None else _linked(visit, once.name, since_words(once)),
        [_linked(visit, each) for each in sisters[:_MOST]],
        [_linked(visit, each) for each in owns[:_MOST]],
        max(0, len(sisters) - _MOST) + max(0, len(owns) - _MOST),
        portrait.brands[:_MOST],
    )


def _linked(visit: Visit, name: str, beside: str = "") -> Linked:
    return name, company_link(visit, name), beside


def parent_of(name: str, labels: Iterable[Label]) -> str | None:
    """Who owns a company, as its verdicts say: `Ring (Amazon)` is Amazon's."""
    return _owner(name, dict.fromkeys(label.called for label in labels if label.called))


def _owner(name: str, called: Iterable[str]) -> str | None:
    for words in called:
        before, bracket, owners = words.removesuffix(")").rpartition("(")
        for owner in owners.split(", ") if bracket and words.endswith(")") else ():
            if owner and owner != before.strip() and owner not in name:
                return owner
    return None


def _siblings(visit: Visit, name: str, parent: str | None) -> list[str]:
    """Other companies that were ever met and belong to the same owner, or to this one."""
    met = {each.organisation for each in read_owned(visit.db).values()} - {None, name}
    called = read_called(visit.db, [each for each in met if each])
    family = {parent, name} - {None, NOBODY}
    return sorted(other for other, words in called.items() if _owner(other, words) in family)[:_MOST]
