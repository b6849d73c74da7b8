"""What left the house, what stayed in it, and what was only discovery and control: three sums that are never mixed.

Rule 1: local is what both ends of stand in the house by its real prefixes (announced, configured or private), not by the
        look of an address.
Rule 2: chatter (DHCP, ARP, mDNS, SSDP, neighbour discovery, ...) is set apart first: it says who is there and not what is
        done.
"""

from __future__ import annotations

from collections import defaultdict

from daemon.flow.services import NO, UNKNOWN, YES
from daemon.report.scope import Scope
from daemon.report.sums import NOTHING, Sum, Sums, added, narrowed, read_wide
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import share_words

_COLUMNS = (
    Column("scope", "Where"),
    Column("packets", "Packets", COUNT),
    Column("bytes", "Data", SIZE),
    Column("share", "Share of data", SHARE),
    Column("encrypted", "Encrypted", SIZE),
    Column("open", "Not encrypted", SIZE),
    Column("uncategorised", "Uncategorised", SIZE),
)
ORDER = ("internet", "local", "chatter")
WORDS = {"internet": "to and from the internet", "local": "within the home", "chatter": "discovery and control"}


def report(scope: Scope) -> Report:
    """Three rows at most: internet, local, chatter."""
    return report_of(scope, read_wide(scope))


def report_of(scope: Scope, wide: Sums) -> Report:
    """The same of sums that were read before."""
    del scope
    parts: dict[str, dict[str, Sum]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    for (where, encrypted), total in narrowed(wide, ("scope", "encrypted")).items():
        parts[str(where)][str(encrypted)] = total
    sums = {where: added(parts[where].values()) for where in ORDER if where in parts}
    whole = sum(each.bytes for each in sums.values())
    rows = tuple(
        (where, total.packets, total.bytes, total.bytes / whole, *(parts[where][kind].bytes for kind in (YES, NO, UNKNOWN)))
        for where, total in sums.items()
    )  # fmt: skip
    if not rows:
        return Report("In and out of the house", _COLUMNS, (), ("Nothing was recorded in this time.",))
    said = "; ".join(f"{share_words(total.bytes / whole)} was {WORDS[where]}" for where, total in sums.items())
    return Report("In and out of the house", _COLUMNS, rows, (f"Of all data {said}.",))
