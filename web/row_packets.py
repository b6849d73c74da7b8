"""Where the packets are of the numbers in a report's rows: a table says by which words each report's rows are found.

Rule 1: only rows are here whose words find exactly what was counted; no words say what a night was.
Rule 2: what is nothing has no packets; nobody's and nowhere's rows are found by `-`; a row of no device of this house, or
        of a name that was forgotten, by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from daemon.report.contacts import NOBODY
from daemon.report.registry import REPORTS
from daemon.report.table import Report, Row
from web.visit import Visit

_MOVED = ("packets", "packets_up", "packets_down", "bytes", "bytes_up", "bytes_down")
_OR_NOBODY = frozenset({"company", "country", "service"})
Words = Mapping[str, str]


class _Kept(NamedTuple):
    """The columns that find a row, with the words they are, and what single numbers of it are of besides."""

    row: Words
    numbers: Mapping[str, Words]


def _of(*columns: str, **numbers: Words) -> _Kept:
    """`column` or `column=word`; numbers are those that moved, unless others are named."""
    row = {column: word or column for column, _, word in (each.partition("=") for each in columns)}
    return _Kept(row, numbers or {name: {} for name in _MOVED})


_COMPANY, _DEVICE, _MONTH = "organisation=company", "device_id=device", "month=range"
_SECRECY = {"encrypted": {"encrypted": "yes"}, "open": {"encrypted": "no"}, "uncategorised": {"encrypted": "unknown"}}
_OUTSIDE = {name: {**words, "scope": "internet"} for name, words in _SECRECY.items()}
_PARTIES = {f"{party}_bytes": {"party": party} for party in ("first", "support", "platform", "third", "unknown")}
_REPORTS: Mapping[str, _Kept] = MappingProxyType(
    {
        "companies": _of(_COMPANY),
        "company-devices": _of(_COMPANY, _DEVICE),
        "families": _of(_COMPANY),
        "destinations": _of("destination"),
        "sources": _of("destination"),
        "destination": _of(_MONTH, "destination", _DEVICE, "protocol", "ip_version", "service", "encrypted"),
        "countries": _of("country"),
        "months": _of(_MONTH, "party"),
        "changes": _of(_MONTH, _DEVICE, "destination"),
        "devices": _of(_DEVICE, **{name: {} for name in _MOVED}, **_PARTIES, local_bytes={"scope": "local"}),
        "device-destinations": _of(_DEVICE, "destination"),
        "device-sources": _of(_DEVICE, "destination"),
        "news": _of(_DEVICE, _COMPANY, "party", "country"),
        "protocols": _of("protocol", "service"),
        "encryption": _of(_DEVICE, **_OUTSIDE, open_packets=_OUTSIDE["open"]),
        "reach": _of("scope", **{name: {} for name in _MOVED}, **_SECRECY),
        "ip-versions": _of(
            _DEVICE,
            ipv4={"ip_version": "4"},
            ipv6={"ip_version": "6"},
            packets_ipv4={"ip_version": "4"},
            packets_ipv6={"ip_version": "6"},
            internet_ipv6={"ip_version": "6", "scope": "internet"},
        ),
        "resolvers": _of(_DEVICE, "resolver=destination", queries={"service": "dns"}, bytes={}),
        "names": _of("domain=asked", queries={}),
        "names-by-device": _of(_DEVICE, "domain=asked", queries={}),
        "requests": _of(_DEVICE, queries={"service": "dns"}, connections={}),
        "findings": _of(_DEVICE, "destination"),
    }
)
_NOTHING: Words = MappingProxyType({})


def packets_of(visit: Visit, name: str, report: Report) -> Callable[[Row], Words]:
    """For a row of the report of this name: the numbers' columns, and the address where their packets are."""
    if name not in _REPORTS:
        return lambda _row: _NOTHING
    kept, keys, narrowed = _REPORTS[name], report.keys, REPORTS[name].only
    asked = {word: visit.query(word) for word in narrowed}
    finders = [(keys.index(column), word) for column, word in kept.row.items() if column in keys]
    numbers = [(keys.index(column), column, more) for column, more in kept.numbers.items() if column in keys]

    def links(row: Row) -> Words:
        words: dict[str, str | None] = dict(asked)
        for at, word in finders:
            value = visit.keys.get(int(str(row[at] or 0))) if word == "device" else row[at]
            if value is None and word in _OR_NOBODY:
                value = NOBODY
            if value is None:
                return _NOTHING
            words[word] = str(value)
        return {column: visit.packets(**{**words, **more}) for at, column, more in numbers if row[at]}

    return links
