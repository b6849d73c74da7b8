"""Where each device sends its data: one row a device and destination, most bytes first, with whose it is and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from daemon.report.met_rows import MetRows, Pair, read_met_rows
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report, Row, Rows
from daemon.report.words import counted, size_words
from daemon.store.reached import Reached

_SUMS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down", "first_us", "last_us")

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
    found = read_met_rows(scope, (*_SUMS, "way"))
    found = found.ordered(-found.columns.bytes, found.columns.device)
    rows = Rows(len(found), lambda numbers: _rows(scope, found, numbers))
    return Report("Devices and destinations", _COLUMNS, rows, (_told(scope, found),))


def named_by(each: Pair | Reached) -> str:
    """How a destination's name is known, or why there is none."""
    return NAMED.get(each.name_source, each.name_source or NAMED["-"])


def _rows(scope: Scope, found: MetRows, numbers: Sequence[int]) -> Iterator[Row]:
    at = np.array(numbers, np.int64)
    sums = zip(*(getattr(found.columns, word)[at].tolist() for word in _SUMS), strict=True)
    for pair, counts in zip(found.pairs(numbers), sums, strict=True):
        label = pair.label
        yield (
            scope.called(pair.device_id), pair.device_id, pair.place, label.party, label.organisation, label.country,
            label.purpose, *counts, named_by(pair), label.reason,
        )  # fmt: skip


def _told(scope: Scope, found: MetRows) -> str:
    """How many, and the first of them."""
    if not len(found):
        return "Nothing went to the internet in this time."
    (most,) = found.pairs([0])
    return (
        f"{counted(found.count_places(), 'destination')} of"
        f" {counted(len(np.unique(found.columns.device)), 'device')};"
        f" most, {size_words(int(found.columns.bytes[0]))}, between {scope.called(most.device_id)} and {most.place}."
    )
