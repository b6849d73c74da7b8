"""Where each device sends its data: one row a device and destination, most bytes first, with whose it is and why."""

from __future__ import annotations

from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, size_words
from daemon.store.reached import Reached, read_reached

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("destination", "Destination"),
    Column("party", "Party"),
    Column("organisation", "Company"),
    Column("country", "Country"),
    Column("purpose", "Purpose"),
    Column("flows", "Connections", COUNT),
    Column("packets_up", "Packets sent", COUNT),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("first_seen_us", "First seen", TIME),
    Column("last_seen_us", "Last seen", TIME),
    Column("name_source", "Name known from"),
    Column("reason", "Why"),
)
# How a destination got its name, in words; keys as in the view `destinations`, and why there is none.
NAMED: dict[str, str] = {
    "tls": "the device named it in clear text when it opened the encrypted connection (TLS)",
    "quic": "the device named it in clear text when it opened the encrypted connection (QUIC)",
    "http": "the device named it in an unencrypted web request",
    "dns": "the device asked for this name shortly before, and got this address",
    "house": "another device of the house asked for this name shortly before, and got this address",
    "certificate": "the server showed a certificate for this name",
    "continued": "the connection goes on from an earlier capture, where its name was seen",
    "-ech": "the connection hides the name (Encrypted Client Hello), and the device asked for none in clear text",
    "-before": "the connection is older than the capture, so its beginning, where the name is said, was not seen",
    "-": "nobody in the house asked for a name that leads to this address, and none was said",
}


def report(scope: Scope) -> Report:
    """One row a (device, destination)."""
    found = read_reached(scope.db, scope.window)
    rows = tuple(
        (
            scope.called(each.device_id), each.device_id, each.place, each.party or "unknown", each.organisation,
            each.country, each.purpose, each.flows, each.packets_up, each.packets_down, each.bytes_up, each.bytes_down,
            each.first_us, each.last_us, named_by(each), each.reason,
        )
        for each in found
    )  # fmt: skip
    return Report("Devices and destinations", _COLUMNS, rows, (told(scope, found),))


def named_by(each: Reached) -> str:
    """How its name is known, or why there is none."""
    return NAMED.get(each.name_source, each.name_source or NAMED["-"])


def told(scope: Scope, found: list[Reached]) -> str:
    """How many, and the first of them."""
    if not found:
        return "Nothing went to the internet in this time."
    most = found[0]
    return (
        f"{counted(len({each.place for each in found}), 'destination')} of"
        f" {counted(len({each.device_id for each in found}), 'device')};"
        f" most, {size_words(most.bytes)}, between {scope.called(most.device_id)} and {most.place}."
    )
