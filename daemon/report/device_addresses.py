"""Who had which address when: IPv4, global and link-local IPv6 of every device, as the house used them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from daemon.report.scope import Scope
from daemon.report.table import COUNT, TIME, Column, Report
from daemon.report.words import counted
from daemon.store.roster import read_residents

_UNIQUE = ip_network("fc00::/7")  # RFC 4193
_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("owner", "Owner"),
    Column("station", "MAC or address"),
    Column("address", "Address"),
    Column("version", "Kind of address"),
    Column("first_seen_us", "First seen", TIME),
    Column("last_seen_us", "Last seen", TIME),
)


def report(scope: Scope) -> Report:
    """One row a (device, address), for all of the time, the latest first."""
    residents = [each for each in read_residents(scope.db, scope.site, 0) if scope.device_id in (None, each.device_id)]
    rows = tuple(
        (
            scope.called(each.device_id), each.device_id, each.owner, member.key, seen.address, _kind(seen.address),
            seen.first_us, seen.last_us,
        )
        for each in residents for member in each.members for seen in member.addresses
    )  # fmt: skip
    with_six = sum(any(":" in seen.address for seen in each.addresses) for each in residents)
    sentence = (
        f"{counted(len(residents), 'device')} had {counted(len(rows), 'address', 'addresses')}; {with_six} use IPv6."
    )
    return Report("Addresses of devices", _COLUMNS, rows, (sentence,))


def _kind(text: str) -> str:
    address = ip_address(text)
    if address.version == 4:
        return "IPv4"
    return (
        "IPv6, link-local" if address.is_link_local else "IPv6, of the house" if address in _UNIQUE else "IPv6, global"
    )
