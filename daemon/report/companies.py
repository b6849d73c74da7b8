"""Who gets data: companies, what they are to the devices, and how much went to each of them.

Rule: a company is what a verdict calls the organisation; what belongs to nobody that we know is one row without a name.
"""

from __future__ import annotations

from collections.abc import Sequence

from daemon.report.contacts import Tally, companies_before, company_sums
from daemon.report.destinations import count_devices
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import counted, listed, share_words, size_words

_COLUMNS = (
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("new", "New"),
    Column("devices", "Devices", COUNT),
    Column("countries", "Countries"),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share", SHARE),
)
_LONGEST_COMPARED = 62 * 86_400  # seconds: of what is older only months are kept, and these cannot be told apart


def report(scope: Scope) -> Report:
    """One row a company, those with most data first."""
    sums = company_sums(scope)
    fresh = new_companies(scope, sums)
    whole = sum(each.bytes for each in sums)
    rows = tuple(
        (
            each.key, each.party, None if fresh is None else "yes" if each.key in fresh else "no", count_devices(each),
            " ".join(sorted(country for country in each.countries if country)) or None, each.bytes_up, each.bytes_down,
            each.bytes / whole if whole else 0.0,
        )
        for each in sums
    )  # fmt: skip
    return Report("Companies", _COLUMNS, rows, tuple(sentences(sums, fresh)))


def new_companies(scope: Scope, sums: Sequence[Tally[str | None]]) -> set[str] | None:
    """Those that no device met in the time before, of the same length; None where that time was not seen."""
    if scope.span.seconds > _LONGEST_COMPARED:
        return None
    before = companies_before(scope)
    return {each.key for each in sums if each.key is not None and each.key not in before} if before else None


def sentences(sums: Sequence[Tally[str | None]], fresh: set[str] | None) -> list[str]:
    """How many companies, how many of them new, who got most, and what went to advertising and the like."""
    known = [each for each in sums if each.key is not None]
    whole = sum(each.bytes for each in sums)
    if not whole:
        return ["Nothing went to the internet in this time."]
    devices = {device for each in sums for device in each.devices if device}
    first = f"{counted(len(known), 'company', 'companies')} exchanged data with {counted(len(devices), 'device')}"
    if fresh is not None:
        first += f", {len(fresh) or 'none'} of them new"
    out = [f"{first}."]
    if known:
        out.append(f"Most of it, {share_words(known[0].bytes / whole)}, went to or came from {known[0].key}.")
    third = sum(each.parties.get("third", 0) for each in sums)
    if third:
        most = [str(each.key) for each in sorted(known, key=lambda each: -each.parties.get("third", 0))[:2]]
        out.append(
            f"{size_words(third)} were exchanged with third parties (content, advertising, tracking and others), most with "
            f"{listed(most, 2)}."
        )
    unknown = sum(each.bytes for each in sums if each.key is None)
    if unknown:
        out.append(f"Of {share_words(unknown / whole)} of the data nobody knows whose it is.")
    return out
