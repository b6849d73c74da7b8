"""Where each device sends its data: one row a device and destination, most bytes first, with whose it is and why."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.report.met_rows import MetRows, read_met_rows
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, ColumnRows, Report
from daemon.report.words import counted, size_words
from daemon.store.columns import distinct

_SUMS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down", "first_us", "last_us")
_SAID = ("party", "organisation", "country", "purpose", "reason")  # of verdicts

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("destination", "Destination"),
    Column("party", "Kind of company"),
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
    found = read_met_rows(scope, (*_SUMS, "way"), _SAID)
    found = found.ordered(-found.columns.bytes, found.columns.device)
    rows = ColumnRows(len(found), lambda numbers: _words(scope, found, numbers))
    return Report("Devices and destinations", _COLUMNS, rows, (_told(scope, found),))


def named_by(name_source: str) -> str:
    """How a destination's name is known, or why there is none."""
    return NAMED.get(name_source, name_source or NAMED["-"])


def _words(scope: Scope, found: MetRows, numbers: Sequence[int]) -> list[Sequence[object]]:
    """The report's columns of these rows."""
    at = found.at(numbers)
    sums = (getattr(found.columns, word)[at].tolist() for word in _SUMS)
    pairs = found.pairs(at)
    called = {number: scope.called(number) for number in set(pairs.device_ids)}
    sources = {source: named_by(source) for source in set(pairs.name_sources)}
    *said, reasons = pairs.said
    return [
        [called[number] for number in pairs.device_ids], pairs.device_ids, pairs.places, *said, *sums,
        [sources[source] for source in pairs.name_sources], reasons,
    ]  # fmt: skip


def _told(scope: Scope, found: MetRows) -> str:
    """How many, and the first of them."""
    if not len(found):
        return "Nothing went to the internet in this time."
    first = found.at([0])
    most = found.pairs(first)
    return (
        f"{counted(found.count_places(), 'destination')} of"
        f" {counted(len(distinct(found.columns.device)), 'device')};"
        f" most, {size_words(int(found.columns.bytes[first[0]]))}, between {scope.called(most.device_ids[0])} and"
        f" {most.places[0]}."
    )
