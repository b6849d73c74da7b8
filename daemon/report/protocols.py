"""Which protocols are spoken: packets, bytes and mean frame length of each, most bytes first."""

from __future__ import annotations

from collections import defaultdict

from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.store.totals import read_totals

_COLUMNS = (
    Column("protocol", "Protocol"),
    Column("service", "Service"),
    Column("packets", "Packets", COUNT),
    Column("bytes", "Data", SIZE),
    Column("share", "Share of data", SHARE),
    Column("mean_length", "Mean length", SIZE),
)


def report(scope: Scope) -> Report:
    """One row a (protocol, service)."""
    packets: dict[tuple[str, str], int] = defaultdict(int)
    octets: dict[tuple[str, str], int] = defaultdict(int)
    for protocol, service, up, down, bytes_up, bytes_down in read_totals(
        scope.db, scope.window, ("protocol", "service")
    ):
        packets[protocol, service] += up + down
        octets[protocol, service] += bytes_up + bytes_down
    whole = sum(octets.values())
    rows = tuple(
        (
            protocol,
            service or None,
            packets[protocol, service],
            number,
            number / whole,
            number / packets[protocol, service],
        )
        for (protocol, service), number in sorted(octets.items(), key=lambda each: (-each[1], each[0]))
        if packets[protocol, service]
    )
    if not rows:
        return Report("Protocols", _COLUMNS, (), ("Nothing was recorded in this time.",))
    most = rows[0]
    sentence = f"{len(rows)} protocols were spoken; most of the data, {most[4]:.0%}, was {most[1] or most[0]}."
    return Report("Protocols", _COLUMNS, rows, (sentence,))
