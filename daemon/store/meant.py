"""Which flows somebody means: to whom they went, as they were judged in their months, and how they were carried.

Rule 1: a flow counts for whom the sums count it: seen from its station, under its name or, without one, its far end's
        address; what stays in the house, or comes from outside without having been asked for, has no name.
Rule 2: memory holds the judgements of two months and one flow at a time, whatever is asked.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daemon.store.behind import BEGINNING, END, Ends
from daemon.store.cells import INSIDE, INWARD
from daemon.store.labels import name_numbers

NOT_OUTSIDE = "inside"  # a scope: local and chatter
_MONTHS_HELD = 2  # captures are asked in the order of time, and one of a day touches two at most


@dataclass(frozen=True, slots=True)
class Meant:
    """Flows under some names, or with some verdicts; `unjudged`: and those without a verdict.

    `address`: and those to an address that have no name; `outside`: names count on the internet alone.
    """

    names: frozenset[int] = frozenset()
    verdicts: frozenset[int] = frozenset()
    unjudged: bool = False
    address: str | None = None
    outside: bool = False


class Way(NamedTuple):
    """How a flow is carried, in the words of the view `traffic`; None: in any way. A service that is '': none known.

    `port` is that of the server, whoever sends.
    """

    protocol: str | None = None
    ip_version: int | None = None
    service: str | None = None
    encrypted: str | None = None
    scope: str | None = None
    port: int | None = None


ANY_WAY = Way()


class Terms(NamedTuple):
    """What a question is about, looked up: (IP version, address) of ends, all of them; flows to somebody, a way to go.

    `asked`: names, of which the DNS messages alone are meant. `hours` of the day: the first, and that before which they end.
    """

    addresses: frozenset[tuple[int, int]] = frozenset()
    meant: tuple[Meant, ...] = ()
    way: Way = ANY_WAY
    asked: frozenset[int] | None = None
    hours: tuple[int, int] | None = None


ANYTHING = Terms()


def find_destination(db: sqlite3.Connection, site_id: int, text: str) -> Meant:
    """Flows to a name or any below it, a registrable domain, or an organisation as reports call it."""
    wanted = text.strip().rstrip(".").lower()
    names = db.execute(
        "SELECT id FROM name WHERE text = ?1 OR substr(text, -length(?1) - 1) = '.' || ?1", (wanted,)
    ).fetchall()
    verdicts = _with_verdict(db, "organisation = ?1 COLLATE NOCASE OR registrable_domain = ?1", wanted)
    return Meant(frozenset(row[0] for row in names), verdicts if _judged(db, site_id, verdicts) else frozenset())


def find_row(db: sqlite3.Connection, text: str, address: str | None) -> Meant:
    """Flows under this very name and none below it; of an address those that have no name. As tables of rows have them."""
    if address is not None:
        return Meant(address=address, outside=True)
    return Meant(find_name(db, text), outside=True)


def find_company(db: sqlite3.Connection, site_id: int, name: str | None) -> Meant:
    """Flows to a company as pages call it; None: to nobody that is known."""
    verdicts = _with_verdict(db, "organisation IS ?1", name)
    verdicts = verdicts or _with_verdict(db, "organisation = ?1 COLLATE NOCASE", name)
    if name is not None and not _judged(db, site_id, verdicts):
        return Meant()
    return Meant(verdicts=verdicts, unjudged=name is None)


def find_country(db: sqlite3.Connection, code: str | None) -> Meant:
    """Flows to computers in a country; None: in one that nobody knows."""
    return Meant(verdicts=_with_verdict(db, "country IS ?1", code), unjudged=code is None)


def find_party(db: sqlite3.Connection, party: str) -> Meant:
    """Flows of which the far end is that to their device."""
    return Meant(verdicts=_with_verdict(db, "party = ?1", party), unjudged=party == "unknown")


def find_purpose(db: sqlite3.Connection, purposes: Collection[str]) -> Meant:
    """Flows that are for one of these; for none: those of which nobody knows what for."""
    if not purposes:
        return Meant(verdicts=_with_verdict(db, "purpose IS ?1", None), unjudged=True)
    return Meant(verdicts=_with_verdict(db, "purpose IN (SELECT value FROM json_each(?1))", json.dumps(list(purposes))))


def find_network(db: sqlite3.Connection, number: int | None) -> Meant:
    """Flows to the addresses of a network (an AS), as they were judged; None: in none that is known."""
    return Meant(verdicts=_with_verdict(db, "asn IS ?1", number), unjudged=number is None)


def _with_verdict(db: sqlite3.Connection, condition: str, value: str | int | None) -> frozenset[int]:
    return frozenset(row[0] for row in db.execute(f"SELECT id FROM verdict WHERE {condition}", (value,)))


def _judged(db: sqlite3.Connection, site_id: int, verdicts: Collection[int]) -> bool:
    """Whether anything of this home was judged so."""
    if not verdicts:
        return False
    rows = db.execute("SELECT verdict_id FROM judgement WHERE site_id = ?", (site_id,))
    return any(row[0] in verdicts for row in rows)


def like_destinations(db: sqlite3.Connection, text: str) -> list[str]:
    """Organisations and registrable domains that are written nearly so."""
    rows = db.execute(
        "SELECT DISTINCT organisation FROM verdict WHERE organisation IS NOT NULL"
        " UNION SELECT DISTINCT registrable_domain FROM verdict WHERE registrable_domain IS NOT NULL"
    )
    known = {row[0].lower(): row[0] for row in rows}
    return [known[near] for near in get_close_matches(text.strip().lower(), known, n=3, cutoff=0.7)]


class Judgements:
    """Which verdict holds for whom, month by month."""

    def __init__(self, db: sqlite3.Connection, site_id: int, zone: str) -> None:
        self._db, self._site = db, site_id
        self._clock = UTC if zone == "UTC" else ZoneInfo(zone)
        self._months: dict[int, dict[tuple[int, int, str], int]] = {}

    def verdicts(self, device: int, name: int, address: str, times: Collection[int]) -> set[int | None]:
        """The verdicts in the months of these times; None for a month that has none. `name` 0: it has no name."""
        key = (device, name, "" if name else address)
        return {self._of(month).get(key) for month in {self._month(each) for each in times}}

    def _month(self, time_us: int) -> int:
        local = datetime.fromtimestamp(time_us // 1_000_000, self._clock)
        return local.year * 12 + local.month - 1

    def _of(self, month: int) -> dict[tuple[int, int, str], int]:
        if month not in self._months:
            if len(self._months) == _MONTHS_HELD:
                del self._months[min(self._months)]
            rows = self._db.execute(
                "SELECT j.device_id, j.name_id, coalesce(r.address, ''), j.verdict_id FROM judgement j"
                " LEFT JOIN remote r ON r.id = j.remote_id WHERE j.month = ? AND j.site_id = ?",
                (month, self._site),
            )
            self._months[month] = {row[:3]: row[3] for row in rows}
        return self._months[month]


_SCOPE = f"CASE WHEN f.chatter THEN 'chatter' WHEN {INSIDE} THEN 'local' ELSE 'internet' END"
_FLOWS = f"""
    SELECT f.protocol, f.ip_version, c.address, f.client_port, s.address, f.server_port, f.count > 1, f.first_us,
        f.last_us, c.station_id, s.station_id, coalesce(k.device_id, c.device_id, s.device_id, 0),
        iif({INWARD}, 0, coalesce(f.name_id, 0)), iif({INWARD}, c.address, s.address), {_SCOPE} AS ranges
    FROM flow_oriented f JOIN capture k ON k.id = f.id >> 40
    JOIN endpoint c ON c.id = f.client_id JOIN endpoint s ON s.id = f.server_id
    WHERE f.id BETWEEN :capture << 40 AND (:capture << 40 | 0xFFFFFFFFFF) AND f.last_us >= :since AND f.first_us < :until
        AND (:protocol IS NULL OR f.protocol = :protocol) AND (:ip_version IS NULL OR f.ip_version = :ip_version)
        AND (:service IS NULL OR coalesce(f.service, '') = :service)
        AND (:encrypted IS NULL OR f.encrypted = :encrypted) AND (:port IS NULL OR f.server_port = :port)
        AND (:scope IS NULL OR ranges = :scope OR :scope = '{NOT_OUTSIDE}' AND ranges <> 'internet')
"""


def read_flows_of(
    db: sqlite3.Connection,
    capture_id: int,
    span: tuple[int | None, int | None],
    way: Way,
    meant: Collection[Meant],
    judgements: Judgements,
    stations: Collection[int] | None,
) -> Iterator[Ends]:
    """A capture's flows of a time that went that way, of which all of `meant` holds, of these stations.

    A station that the whole capture counts as is to be left to the caller, with `stations` None.
    """
    asked = {
        "capture": capture_id,
        "since": BEGINNING if span[0] is None else span[0],
        "until": END if span[1] is None else span[1],
        **way._asdict(),
    }
    for row in db.execute(_FLOWS, asked):
        client, server, device, name, address, scope = row[9:]
        if stations is not None and client not in stations and server not in stations:
            continue
        if meant and not _fits(meant, judgements, (device, name, address, scope), row[7:9]):
            continue
        yield Ends._make((*row[:6], bool(row[6]), *row[7:9]))


def _fits(
    meant: Collection[Meant], judgements: Judgements, end: tuple[int, int, str, str], times: tuple[int, int]
) -> bool:
    device, name, address, scope = end
    verdicts: set[int | None] | None = None
    for each in meant:
        if name in each.names and (scope == "internet" or not each.outside):
            continue
        if each.address is not None and not name and address == each.address and scope == "internet":
            continue
        if scope != "internet" or not (each.verdicts or each.unjudged):
            return False
        if verdicts is None:
            verdicts = judgements.verdicts(device, name, address, times)
        if not any(each.unjudged if verdict is None else verdict in each.verdicts for verdict in verdicts):
            return False
    return True


_PORTS = {"udp": ("udp", 53), "tcp": ("tcp", 53), "mdns": ("udp", 5353), "llmnr": ("udp", 5355)}  # of transports
_MESSAGES = """
    SELECT m.transport, c.version, c.address, s.address, m.seen_us
    FROM dns_message m JOIN endpoint c ON c.id = m.client_id JOIN endpoint s ON s.id = m.resolver_id
    WHERE m.seen_us >= ? AND m.seen_us < ? AND m.capture_id = ? AND m.name_id IN (SELECT value FROM json_each(?))
"""


def read_messages_about(
    db: sqlite3.Connection, capture_id: int, span: tuple[int, int], names: Collection[int]
) -> Iterator[Ends]:
    """DNS questions for names of a capture in a time, and the answers: each as a flow of one moment, from any port."""
    for transport, version, client, resolver, seen_us in db.execute(
        _MESSAGES, (*span, capture_id, json.dumps(list(names)))
    ):
        protocol, port = _PORTS[transport]
        yield Ends(protocol, version, client, None, resolver, port, several=True, first_us=seen_us, last_us=seen_us)


def find_name(db: sqlite3.Connection, text: str) -> frozenset[int]:
    """The number of a name, as it is written; empty where nobody ever said it."""
    return frozenset(name_numbers(db, [text.strip().rstrip(".").lower()]))


def has_flows(db: sqlite3.Connection, capture_id: int, way: Way) -> bool:
    """Whether a capture has any flow of a protocol and a version of IP."""
    row = db.execute(
        "SELECT 1 FROM flow WHERE id BETWEEN ?1 << 40 AND (?1 << 40 | 0xFFFFFFFFFF) AND kind_id IN (SELECT id"
        " FROM flow_kind WHERE (?2 IS NULL OR protocol = ?2) AND (?3 IS NULL OR ip_version = ?3)) LIMIT 1",
        (capture_id, way.protocol, way.ip_version),
    ).fetchone()
    return row is not None
