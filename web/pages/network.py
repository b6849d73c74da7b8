"""The network: how much moved when, by which protocols, how safely, over which version of IP, and what is missing.

Rule: a page of four (traffic, names, applications, rates) that share their address, their filters and their way about;
each is a report or several with pictures beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from daemon.decode.slots import SLOT_US
from daemon.report import encryption, gaps, ip_versions, names_asked, names_by_device, protocols, reach, resolvers
from daemon.report.contacts import NOBODY
from daemon.report.scope import Scope
from daemon.report.slots import DAY, HOUR, QUARTER, read_moved, step_of, steps_of
from daemon.report.sums import read_wide
from daemon.report.table import Report
from daemon.store.asked import read_asked
from web.charts import Line, series
from web.charts.series import Series
from web.numbers import share, size
from web.once import once
from web.routing import Page
from web.visit import Visit

_MOST_RANKED, _MOST_OPEN, _MOST_NAMES, _MOST_ROWS = 8, 6, 25, 100
_GIVEN = tuple(resolvers.WORDS[how] for how in (resolvers.ANNOUNCED, resolvers.ROUTER))
_QUARTERS_FOR_S = 3 * 86_400  # a chart of more is drawn by the hour: as much as a screen can show, and a third as slow
_STEP_S = {QUARTER: 900, HOUR: 3600, DAY: 86_400}
KINDS = ("encrypted", "open", "uncategorised")


class Ranked(NamedTuple):
    """One of three rankings of protocols: its heading, and (name, value, part of the largest, its packets' words)."""

    heading: str
    form: str
    rows: Sequence[tuple[str, float, float, Mapping[str, str]]]


class Given(NamedTuple):
    """A name server of the home, with questions by device."""

    resolver: str
    how: str
    devices: dict[int, int]
    queries: int


def show(visit: Visit) -> Response:
    """Traffic."""
    scope = visit.scope()
    wide = once(visit, scope, "wide", lambda: read_wide(scope))
    spoken, safe = protocols.report_of(scope, wide), encryption.report_of(scope, wide)
    parts, versions = reach.report_of(scope, wide), ip_versions.report_of(scope, wide)
    octets, packets = once(visit, scope, "traffic", lambda: traffic_charts(scope))
    lost = gaps.report(scope)
    kinds = {kind: sum(row[kind] for row in keyed(safe)) for kind in KINDS}
    return visit.page(
        "network.html",
        lead=_lead(spoken, kinds, versions), octets=octets, packets=packets, parts=keyed(parts), kinds=kinds,
        rankings=rankings(spoken), protocols=spoken, encryption=safe,
        open=[row for row in keyed(safe) if row["open"]][:_MOST_OPEN],
        versions=[row for row in keyed(versions) if row["ipv6"]][:_MOST_OPEN], ipv=_versions(versions),
        versions_report=versions, gaps=lost, asked=scope,
    )  # fmt: skip


def names(visit: Visit) -> Response:
    """Whom devices ask for names, and for which."""
    scope = visit.scope()
    asked = once(visit, scope, "asked", lambda: read_asked(scope.db, scope.window))
    servers = resolvers.servers_report(scope, asked)
    most = names_asked.names_report(scope, asked)
    each = names_by_device.by_device_report(scope, asked)
    by_device: dict[Any, list[Mapping[str, Any]]] = {}
    for row in keyed(each):
        by_device.setdefault(row["device_id"], []).append(row)
    rows = keyed(servers)
    return visit.page(
        "network_names.html",
        servers=rows, servers_report=servers, odd=[row for row in rows if row["how"] not in _GIVEN],
        given=given_servers(servers), given_devices=len({row["device_id"] for row in rows if row["how"] in _GIVEN}),
        most_rows=_MOST_ROWS, most=keyed(most)[:_MOST_NAMES], most_report=most, by_device=by_device, asked=scope,
    )  # fmt: skip


def given_servers(report: Report) -> list[Given]:
    """The name servers that the home gave to its devices, those asked most first."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for row in keyed(report):
        if row["how"] in _GIVEN:
            devices = found.setdefault((row["resolver"], row["how"]), {})
            devices[row["device_id"]] = devices.get(row["device_id"], 0) + (row["queries"] or 0)
    given = [Given(resolver, how, devices, sum(devices.values())) for (resolver, how), devices in found.items()]
    return sorted(given, key=lambda each: (-each.queries, each.resolver))


def traffic_charts(scope: Scope) -> tuple[Series | None, Series | None]:
    """(bytes, packets) over time, up and down."""
    step = step_of(scope)
    if step == QUARTER and scope.span.seconds > _QUARTERS_FOR_S:
        step = HOUR
    moved = read_moved(scope, step)
    places = list(steps_of(scope, step))
    found = [moved.get(at) for at, _ in places]
    start_s = places[0][0] * 86_400 if step == DAY else places[0][0] * (SLOT_US // 1_000_000)
    zone = "UTC" if step == DAY else scope.zone
    charts = []
    for up, down, label, scale in (
        ("bytes_up", "bytes_down", "Data over time", "size"),
        ("packets_up", "packets_down", "Packets over time", "count"),
    ):
        lines = [
            Line("down", "received by devices", [getattr(each, down) if each else 0 for each in found]),
            Line("up", "sent by devices", [getattr(each, up) if each else 0 for each in found]),
        ]
        charts.append(series(start_s, _STEP_S[step], lines, label, zone=zone, scale=scale))
    return charts[0], charts[1]


def rankings(report: Report) -> list[Ranked]:
    """Protocols by packets, by data, by mean length."""
    rows = keyed(report)
    out = []
    for heading, key, place, form in (
        ("By data", "bytes", "rank_bytes", "size"),
        ("By packets", "packets", "rank_packets", "count"),
        ("By mean length of a packet", "mean_length", "rank_length", "size"),
    ):
        order = sorted(rows, key=lambda row: int(row[place]))[:_MOST_RANKED]
        top = max((row[key] for row in order), default=0) or 1
        shown = [
            (protocols.called(row["protocol"], row["service"]), row[key], row[key] / top, packet_words(row))
            for row in order
        ]
        out.append(Ranked(heading, form, shown))
    return out


def packet_words(row: Mapping[str, Any]) -> dict[str, str]:
    """What the packets of a protocol's row are found by."""
    return {"protocol": row["protocol"], "service": row["service"] or NOBODY}


def keyed(report: Report) -> list[dict[str, Any]]:
    """The rows of a report by the keys of its columns."""
    return [dict(zip(report.keys, row, strict=True)) for row in report.rows]


def _versions(report: Report) -> dict[str, int]:
    return {key: sum(row[key] for row in keyed(report)) for key in ("ipv4", "ipv6")}


def _lead(spoken: Report, kinds: Mapping[str, int], versions: Report) -> str:
    rows = keyed(spoken)
    if not rows:
        return "Nothing was recorded in this time."
    whole, first = sum(row["bytes"] for row in rows), rows[0]
    most = protocols.called(first["protocol"], first["service"])
    said = f"{size(whole)} moved, most of it ({share(first['share'])}) {most}."
    outside, ipv = sum(kinds.values()), _versions(versions)
    if outside:
        said += f" {share(kinds['encrypted'] / outside)} of what went to or came from the internet was encrypted"
        said += f", {size(kinds['open'])} was not." if kinds["open"] else "."
    if ipv["ipv4"] + ipv["ipv6"]:
        users = sum(1 for row in keyed(versions) if row["device_id"] and row["internet_ipv6"])
        part = share(ipv["ipv6"] / (ipv["ipv4"] + ipv["ipv6"]))
        who = "no device reaches" if not users else "one device reaches" if users == 1 else f"{users} devices reach"
        said += f" {part} went over IPv6, with which {who} the internet."
    return said


PAGES = (
    Page("/network", show),
    Page("/network/names", names),
)
