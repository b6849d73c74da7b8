"""Companies that data goes to: what they are, where they sit, who owns them, and what else is of the same house.

Rule: one company is told whether it was met or not, with all of its house; of all companies only those that were met, and
without their sisters, who would make the table too wide to be read.
"""

from __future__ import annotations

from daemon.classify.families import Owner, Portrait
from daemon.classify.kinds import KINDS
from daemon.report.contacts import company_sums
from daemon.report.scope import Scope
from daemon.report.table import SIZE, Column, Report
from daemon.report.words import counted, listed, month_words
from daemon.store.calendar import month_number

_COLUMNS = (
    Column("organisation", "Company"),
    Column("kinds", "What it is"),
    Column("country", "Seat"),
    Column("parent", "Belongs to"),
    Column("parent_since", "Since"),
    Column("owners", "And so to"),
    Column("bytes", "Traffic", SIZE),
)
_HOUSE = (Column("sisters", "Of one house with"), Column("owns", "Owns"), Column("brands", "Also known as"))
_MOST = 8  # names in a sentence


def report(scope: Scope) -> Report:
    """One row a company, those with most data first; with `only` company that one."""
    sums = {each.key: each.bytes for each in company_sums(scope) if each.key is not None}
    asked = scope.only.get("company")
    names = list(sums) if asked is None else [asked]
    found = [(name, scope.known(name)) for name in names]
    rows = tuple(_row(portrait, sums.get(name, 0)) for name, portrait in found if portrait is not None)
    strangers = [name for name, portrait in found if portrait is None]
    notes = (f"Of {listed(strangers, _MOST)} no more is known than the name.",) if strangers else ()
    told = [portrait for _, portrait in found if portrait is not None]
    sentences = sentences_of(told[0]) if asked is not None and told else _counts(told)
    if asked is not None:
        rows = tuple((*row, *_house(one)) for row, one in zip(rows, told, strict=True))
    columns = _COLUMNS if asked is None else (*_COLUMNS, *_HOUSE)
    return Report("Companies and their families", columns, rows, tuple(sentences), notes)


def _row(one: Portrait, octets: int) -> tuple[object, ...]:
    owner = one.owners[0] if one.owners else None
    return (
        one.name, ", ".join(one.kinds), one.country, owner and owner.name, owner and owner.since,
        ", ".join(each.name for each in one.owners[1:]) or None, octets,
    )  # fmt: skip


def _house(one: Portrait) -> tuple[object, ...]:
    return tuple(", ".join(names) or None for names in (one.sisters, one.owns, one.brands))


def kind_words(kind: str) -> str:
    """What a kind of domain is, in a person's words."""
    return KINDS[kind].about if kind in KINDS else kind


def sentences_of(one: Portrait) -> list[str]:
    """Whose it is and what is of the same house; what it does stands in the table."""
    out = []
    if one.owners:
        words = [f"{each.name}{f' ({since_words(each)})' if each.since else ''}" for each in one.owners]
        out.append(f"{one.name} belongs to {', which belongs to '.join(words)}.")
    if one.once is not None:
        out.append(f"{one.name} belonged to {one.once.name} until {_month(one.once.until)}.")
    if one.sisters:
        out.append(f"Of the same house are {listed(one.sisters, _MOST)}.")
    if one.owns:
        out.append(f"{one.name} owns {listed(one.owns, _MOST)}.")
    return out or [f"{one.name} belongs to nobody else that we know, and owns nobody."]


def _counts(told: list[Portrait]) -> list[str]:
    houses = {each.owners[-1].name if each.owners else each.name for each in told}
    if not told:
        return ["Nothing went to a company that is known in this time."]
    return [
        f"{counted(len(told), 'company', 'companies')} belong to {counted(len(houses), 'house')}."
        if len(told) > 1
        else f"{told[0].name} is the only company that is known here."
    ]


def since_words(owner: Owner) -> str:
    """`since April 2018`, `from April 2018 to May 2020`; empty where nobody noted it."""
    if owner.until:
        return f"from {_month(owner.since)} to {_month(owner.until)}" if owner.since else f"until {_month(owner.until)}"
    return f"since {_month(owner.since)}" if owner.since else ""


def _month(text: str | None) -> str:
    return month_words(month_number(text)) if text else "some time"
