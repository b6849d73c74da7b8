"""How much of what went to the internet has a name, by what it was named, and why the rest has none.

Rule 1: what has no name is shown with its bytes, never left out.
Rule 2: of several reasons the one that was seen on the packets comes first: a hello that hides its name, a flow whose
        beginning was not captured; then a device that asks an encrypted resolver; else no question for it was seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import month_words
from daemon.store.address_days import count_addresses
from daemon.store.calendar import Calendar, month_text
from daemon.store.months import Naming, read_naming

NAMED = {
    "tls": "the TLS handshake itself",
    "quic": "the QUIC handshake itself",
    "http": "the HTTP request itself",
    "dns": "the device's own DNS answer",
    "house": "a DNS answer to another device of the house",
    "certificate": "the server's certificate",
    "continued": "the same flow in an earlier file",
}
UNNAMED = {
    "ech": "the handshake hides its name (encrypted hello)",
    "before": "the flow began before the capture did",
    "resolver": "the device asks an encrypted resolver (DoH, DoT, DoQ)",
    "unknown": "no DNS answer for the address was seen",
}
COLUMNS = (
    Column("month", "Month"),
    Column("named", "Named"),
    Column("how", "How, or why not"),
    Column("detail", "In words"),
    Column("destinations", "Destinations", COUNT),
    Column("flows", "Connections", COUNT),
    Column("bytes", "Data", SIZE),
    Column("share", "Share of data", SHARE),
)


def cause(naming: Naming) -> tuple[bool, str]:
    """(has a name, by what or why not)."""
    if not naming.name_source.startswith("-"):
        return True, naming.name_source
    seen = naming.name_source[1:]
    return False, seen or ("resolver" if naming.hides else "unknown")


def report(scope: Scope) -> Report:
    """The same of the months that a span touches."""
    key = ("coverage", scope.months, scope.site_id, scope.device_id)
    return scope.remember(key, lambda: _report(scope))


def _report(scope: Scope) -> Report:
    since, until = scope.months
    namings = read_naming(scope.db, since, until, scope.site_id, scope.device_id)
    last = max((naming.month for naming in namings), default=until)  # of all months it would take too long
    slots = Calendar(scope.zone).month(last)
    addresses = {last: count_addresses(scope.db, *slots, scope.site_id, scope.device_id)}
    return coverage_report(namings, addresses)


def coverage_report(namings: Sequence[Naming], addresses: Mapping[int, tuple[int, int]]) -> Report:
    """The report `coverage`; `addresses` are (named, unnamed) by month, as far as they are known."""
    sums: dict[tuple[int, bool, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    months: dict[int, int] = defaultdict(int)
    for naming in namings:
        cell = sums[naming.month, *cause(naming)]
        for place, value in enumerate((naming.destinations, naming.flows, naming.bytes)):
            cell[place] += value
        months[naming.month] += naming.bytes
    rows = tuple(
        (
            month_text(month), "yes" if named else "no", how, (NAMED if named else UNNAMED).get(how, how), *cell,
            cell[2] / months[month] if months[month] else 0.0,
        )
        for (month, named, how), cell in sorted(sums.items(), key=lambda item: (item[0][0], not item[0][1], -item[1][2]))
    )  # fmt: skip
    sentences = tuple(_sentence(month, months[month], sums, addresses.get(month)) for month in sorted(months))
    notes = ("Addresses are counted for the last month, if its traffic is still kept by quarter of an hour.",)
    return Report("Names: what is known and what is not", COLUMNS, rows, sentences, notes)


def _sentence(
    month: int, total: int, sums: Mapping[tuple[int, bool, str], Sequence[int]], addresses: tuple[int, int] | None
) -> str:
    unnamed = {how: cell[2] for (at, named, how), cell in sums.items() if at == month and not named}
    share = 1 - sum(unnamed.values()) / total if total else 1.0
    much = "more than 99.9 %" if 0.9995 <= share < 1 else f"{share * 100:.1f} %"
    text = f"{month_words(month)}: {much} of the traffic to the internet has a name"
    if addresses and sum(addresses):
        text += f", and {addresses[0] / sum(addresses) * 100:.1f} % of {sum(addresses):,} addresses"
    if any(unnamed.values()):
        why = max(unnamed, key=lambda how: (unnamed[how], how))
        text += f"; most of the rest has none because {UNNAMED[why]}"
    return f"{text}."
