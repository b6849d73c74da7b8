"""Which device has to do with which company: one row a pair, those with most data first."""

from __future__ import annotations

from daemon.report.contacts import Contact, Tally, read_shares, tally
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import counted

_COLUMNS = (
    Column("organisation", "Company"),
    Column("device_id", "Number", COUNT),
    Column("device", "Device"),
    Column("party", "Kind of company"),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of the device", SHARE),
)


def report(scope: Scope) -> Report:
    """One row a (company, device)."""
    pairs = tally(read_shares(scope), by_pair)
    of_device: dict[int, int] = {}
    for each in pairs:
        of_device[each.key[1]] = of_device.get(each.key[1], 0) + each.bytes
    rows = tuple(
        (
            each.key[0], each.key[1] or None, scope.called(each.key[1]), each.party, each.bytes_up, each.bytes_down,
            each.bytes / of_device[each.key[1]] if of_device[each.key[1]] else 0.0,
        )
        for each in pairs
    )  # fmt: skip
    return Report("Companies and devices", _COLUMNS, rows, (_sentence(pairs),))


def by_pair(contact: Contact) -> tuple[str | None, int]:
    """The key for sums by company and device."""
    return contact.label.organisation, contact.met.device_id


def _sentence(pairs: list[Tally[tuple[str | None, int]]]) -> str:
    companies: dict[str, set[int]] = {}
    for each in pairs:
        if each.key[0] is not None and each.key[1]:
            companies.setdefault(each.key[0], set()).add(each.key[1])
    if not companies:
        return "No device had to do with a company that we know."
    widest = min(companies, key=lambda name: (-len(companies[name]), name))
    number = len(companies[widest])
    return (
        f"{counted(len(companies), 'company', 'companies')}; the one that most devices met is {widest}: "
        f"{counted(number, 'device')}."
    )
