"""Contacts and verdicts -> the monthly table of parties, the SLDs in it, and the platforms and clouds a device needs.

Rule 1: nothing is judged here: verdicts are put in columns.
Rule 2: the SLD is the first label of the registrable domain and the TLD all that follows it, whatever stands in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from daemon.classify.vocabulary import FIRST, LOCAL, PLATFORM, SUPPORT, THIRD, UNKNOWN, Verdict
from daemon.report.longitudinal.months import Month
from daemon.report.longitudinal.vocabulary import Contact

HEADER = ("Month-Year", "Domain", "SLD", "TLD", "Category", "Organization", "Query Type")
CATEGORIES: Mapping[str, str] = {
    FIRST: "First-party",
    SUPPORT: "Support-party",
    THIRD: "Third-party",
    PLATFORM: "Platform-party",
    LOCAL: "Local",
    UNKNOWN: "Unknown",
}
_CARRIERS: Mapping[str, str] = {"cloud": "cloud", "content delivery": "cdn"}  # purpose -> word for the dependency


class PartyRow(NamedTuple):
    """One line of a month's table, in the order of HEADER."""

    month_year: str
    domain: str
    sld: str
    tld: str
    category: str
    organisation: str
    query_type: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A name in a month, with its verdict and what to call its organisation ("" where nobody knows)."""

    month: Month
    domain: str
    contact: Contact
    verdict: Verdict
    organisation: str


def split_name(domain: str, registrable: str | None) -> tuple[str, str]:
    """(SLD, TLD) of a name: `conn.ws.sonos.com` under `sonos.com` is ("sonos", "com").

    A name without a registrable domain, because it is of the house, is cut before its last label.
    """
    if registrable is not None:
        sld, _, tld = registrable.partition(".")
        return sld, tld
    front, _, last = domain.rpartition(".")
    return (front.rpartition(".")[2], last) if front else (last, "")


def party_rows(judged: Iterable[Judged]) -> Iterator[PartyRow]:
    """A row for every (domain, query type), in the order of the input and of the types."""
    for each in judged:
        sld, tld = split_name(each.domain, each.verdict.registrable_domain)
        category = CATEGORIES[each.verdict.party]
        for query_type in each.contact.query_types:
            yield PartyRow(each.month.dashed, each.domain, sld, tld, category, each.organisation, query_type)


def sld_table(judged: Iterable[Judged]) -> dict[str, dict[str, object]]:
    """SLD -> its registrable domains, how many names below them in how many months, categories and organisations."""
    found: dict[str, dict[str, set[str]]] = {}
    for each in judged:
        sld, tld = split_name(each.domain, each.verdict.registrable_domain)
        entry = found.setdefault(sld, {key: set() for key in ("registered", "names", "months", "categories", "who")})
        entry["registered"].add(f"{sld}.{tld}" if tld else sld)
        entry["names"].add(each.domain)
        entry["months"].add(each.month.text)
        entry["categories"].add(CATEGORIES[each.verdict.party])
        entry["who"].add(each.organisation)
    return {
        sld: {
            "registrable_domains": sorted(entry["registered"]),
            "domains": len(entry["names"]),
            "months": sorted(entry["months"]),
            "categories": sorted(entry["categories"]),
            "organisations": sorted(entry["who"] - {""}),
        }
        for sld, entry in sorted(found.items())
    }


def platforms(judged: Iterable[Judged], is_certain: Callable[[Judged], bool]) -> list[dict[str, object]]:
    """The platforms, clouds and delivery networks that a device relies on, with the names that show it.

    `confidence` is `high` where a name is the platform's own (`is_certain`), `medium` where it is concluded from
    something else, such as the alias behind the name. Platforms come first, then those with most evidence.
    """
    found: dict[tuple[str, str], dict[str, list[Judged]]] = {}
    for each in judged:
        kind = _dependency(each.verdict)
        if kind:
            found.setdefault((kind, each.organisation or "unknown"), {}).setdefault(each.domain, []).append(each)
    entries: list[dict[str, object]] = [
        {
            "platform": name,
            "kind": kind,
            "confidence": "high" if any(is_certain(each) for group in names.values() for each in group) else "medium",
            "months": sorted({each.month.text for group in names.values() for each in group}),
            "evidence": [_evidence(domain, group) for domain, group in sorted(names.items())],
        }
        for (kind, name), names in sorted(
            found.items(), key=lambda item: (item[0][0] != "platform", -len(item[1]), item[0])
        )
    ]
    return entries


def _dependency(verdict: Verdict) -> str | None:
    if verdict.party == PLATFORM:
        return "platform"
    return _CARRIERS.get(verdict.purpose or "") if verdict.party == SUPPORT else None


def _evidence(domain: str, group: list[Judged]) -> dict[str, object]:
    last = max(group, key=lambda each: each.month)
    return {
        "domain": domain,
        "months": sorted({each.month.text for each in group}),
        "count": sum(each.contact.count for each in group),
        "rule_id": last.verdict.rule_id,
        "reason": last.verdict.reason,
    }
