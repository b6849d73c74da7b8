"""Two lists of domains, side by side."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

ONLY_A, ONLY_B, BOTH = "only in A", "only in B", "both"
_COLUMN, _CATEGORY = "Domain", "Category"


class NotAListError(Exception):
    """The text is no list of domains; the message says what it is."""


class Line(NamedTuple):
    """One domain; categories are empty where the list has none."""

    domain: str
    where: str
    category_a: str
    category_b: str


@dataclass(frozen=True, slots=True)
class DomainList:
    """Domains with the category each has in its list: several joined by `; `, "" where the list has none."""

    domains: Mapping[str, str]


def read_list(text: str) -> DomainList:
    """A list in any form that this pipeline writes, told by its content: CSV with a `Domain` column, JSON, lines.

    Raises NotAListError.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith(("[", "{")):
        return DomainList(dict.fromkeys(_from_json(text), ""))
    first = text.lstrip().split("\n", 1)[0]
    if _COLUMN in [cell.strip() for cell in first.split(",")]:
        return DomainList(_from_csv(text.lstrip()))
    lines = [line.strip() for line in text.splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    odd = next((name for name in names if len(name) > 1100 or not name.isprintable() or " " in name), None)
    if odd is not None:
        raise NotAListError(f"it has a line that is no domain: {odd[:60]!r}")
    return DomainList(dict.fromkeys(map(_plain, names), ""))


def _from_json(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAListError(f"it begins like JSON and is not: {error}") from error
    names = list(found) if isinstance(found, (list, dict)) else []
    if not all(isinstance(name, str) for name in names):
        raise NotAListError("its JSON holds something else than domains")
    return [_plain(name) for name in names]


def _from_csv(text: str) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    try:
        for row in csv.DictReader(io.StringIO(text), strict=True):
            name = _plain(row.get(_COLUMN) or "")
            if name:
                found.setdefault(name, set()).add((row.get(_CATEGORY) or "").strip())
    except csv.Error as error:
        raise NotAListError(f"it begins like CSV and is not: {error}") from error
    return {name: "; ".join(sorted(categories - {""})) for name, categories in found.items()}


def _plain(name: str) -> str:
    return name.strip().lower().rstrip(".")


def compare(a: DomainList, b: DomainList) -> list[Line]:
    """Every domain of either list, in order of name."""
    return [
        Line(name, _where(name, a, b), a.domains.get(name, ""), b.domains.get(name, ""))
        for name in sorted({*a.domains, *b.domains})
    ]


def _where(name: str, a: DomainList, b: DomainList) -> str:
    if name in a.domains:
        return BOTH if name in b.domains else ONLY_A
    return ONLY_B


def as_csv(lines: Iterable[Line]) -> str:
    """`Domain,In,Category A,Category B`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("Domain", "In", "Category A", "Category B"))
    writer.writerows(lines)
    return out.getvalue()
