"""What the captures of one device and one month say: names asked for and told, hellos, and whom packets went to.

Rule 1: public views only, and read only: nothing here depends on how facts are stored.
Rule 2: one query is one pass over a view for all parts together, in order of parts, so that the caller holds one part at
        a time however many devices and months there are.
Rule 3: a part is a set of captures. A capture may be in several; it belongs to them whole, whatever its packet times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from daemon.store.database import read_database
from daemon.store.errors import explained

EARLY_US = 60_000_000  # a flow first seen so soon after its capture began may be older than the capture


class Filed(NamedTuple):
    """A capture as part of something; of its facts those of one device, or all where there is None."""

    capture_id: int
    part: int
    device_id: int | None = None


class Asked(NamedTuple):
    """Questions for a name and answers to them, by record type."""

    part: int
    name: str
    type: str
    questions: int
    responses: int
    first_us: int
    last_us: int


class Told(NamedTuple):
    """A record of answer sections: an address, an alias (CNAME) or address hints (HTTPS, SVCB)."""

    part: int
    query_name: str
    name: str
    type: str
    value: str
    times: int
    last_us: int


class Greeting(NamedTuple):
    """Hellos of one kind to one server. `name` None: none was sent; `hidden`: with an encrypted hello or name inside."""

    part: int
    name: str | None
    source: str
    server_address: str
    hidden: bool
    times: int
    first_us: int
    last_us: int


class Talk(NamedTuple):
    """Conversations between two addresses under one name. `early`: may have begun before their capture."""

    part: int
    client_address: str
    server_address: str
    name: str | None
    name_source: str | None
    private_names: bool  # DNS over TLS, HTTPS or QUIC
    early: bool
    times: int
    bytes: int
    first_us: int
    last_us: int


class DeviceRow(NamedTuple):
    """A device as the view `devices` has it."""

    name: str | None
    name_source: str | None
    mac: str | None
    vendor: str | None
    model: str | None
    kind: str | None


# CROSS JOIN keeps the order: SQLite would otherwise read the whole view once for each capture.
_OF_PART = "CROSS JOIN filed p ON p.capture_id = v.capture_id AND (p.device_id IS NULL OR p.device_id = v.device_id)"
_BY_WIRE = "v.transport IN ('udp', 'tcp')"  # multicast names stay in the house

_QUERIES = {
    "asked": f"""
        SELECT part, name, type, sum(question), sum(NOT question), min(seen_us), max(seen_us) FROM (
            SELECT p.part, v.name, v.type, 1 AS question, v.seen_us FROM dns_queries v {_OF_PART} WHERE {_BY_WIRE}
            UNION ALL
            SELECT p.part, v.name, v.type, 0, v.seen_us FROM dns_responses v {_OF_PART} WHERE {_BY_WIRE}
        ) GROUP BY part, name, type ORDER BY part, name, type
    """,
    "told": f"""
        SELECT p.part, v.query_name, v.name, v.type, v.value, count(*), max(v.seen_us) FROM dns_answers v {_OF_PART}
        WHERE {_BY_WIRE} AND v.section = 'answer' AND v.type IN ('A', 'AAAA', 'CNAME', 'HTTPS', 'SVCB')
        GROUP BY p.part, v.query_name, v.name, v.type, v.value ORDER BY p.part, v.query_name, v.name, v.type, v.value
    """,
    "greetings": f"""
        SELECT p.part, iif(v.cover, NULL, v.name) AS true_name, v.source, v.server_address, v.ech IS NOT NULL, count(*),
            min(v.seen_us), max(v.seen_us)
        FROM hellos v {_OF_PART}
        GROUP BY p.part, true_name, v.source, v.server_address, v.ech IS NOT NULL
        ORDER BY p.part, true_name, v.source, v.server_address, v.ech IS NOT NULL
    """,
    "talks": f"""
        SELECT p.part, v.client_address, v.server_address, v.server_name, v.name_source,
            coalesce(v.service IN ('dot', 'doh', 'doq'), 0) AS private_names, v.first_seen_us < p.early_us AS early,
            sum(v.count), sum(v.bytes_up + v.bytes_down), min(v.first_seen_us), max(v.last_seen_us)
        FROM flows v {_OF_PART} WHERE v.peer_device_id IS NULL
        GROUP BY p.part, v.client_address, v.server_address, v.server_name, v.name_source, private_names, early
        ORDER BY p.part, v.client_address, v.server_address, v.server_name, v.name_source, private_names, early
    """,
    "busy": f"""
        SELECT p.part, v.device_id, v.client_address, v.server_address, sum(v.bytes_up + v.bytes_down)
        FROM flows v {_OF_PART} WHERE v.peer_device_id IS NULL AND v.device_id IS NOT NULL
        GROUP BY p.part, v.device_id, v.client_address, v.server_address
        ORDER BY p.part, v.device_id, v.client_address, v.server_address
    """,
}


class Reader:
    """Queries on one database, which stays open until `close`. Raises StoreError, as every method does."""

    def __init__(self, database: Path) -> None:
        self._path = database
        self._db = read_database(database)
        with explained(database):
            self._db.execute(
                "PRAGMA query_only = 0"
            )  # for a table of our own, in memory; the file is open for reading only
            self._db.execute(
                "CREATE TEMP TABLE filed (capture_id INTEGER, part INTEGER, device_id INTEGER, early_us INTEGER,"
                " PRIMARY KEY (capture_id, part)) WITHOUT ROWID"
            )

    def close(self) -> None:
        """No more questions."""
        self._db.close()

    def choose(self, filed: Iterable[Filed]) -> None:
        """The captures that the queries below are about, in place of those chosen before."""
        with explained(self._path):
            self._db.execute("DELETE FROM filed")
            self._db.executemany(
                "INSERT OR IGNORE INTO filed SELECT ?1, ?2, ?3, first_us + ?4 FROM captures WHERE capture_id = ?1",
                [(*each, EARLY_US) for each in filed],
            )
            self._db.commit()

    def asked(self) -> Iterator[Asked]:
        """DNS questions and responses, over UDP and TCP; by part, name and type."""
        return map(Asked._make, self._run("asked"))

    def told(self) -> Iterator[Told]:
        """What answers said; by part and name asked for."""
        return map(Told._make, self._run("told"))

    def greetings(self) -> Iterator[Greeting]:
        """Names in handshakes and requests; by part."""
        for row in self._run("greetings"):
            yield Greeting._make((*row[:4], bool(row[4]), *row[5:]))

    def talks(self) -> Iterator[Talk]:
        """Conversations with ends that are no device at home; by part."""
        for row in self._run("talks"):
            yield Talk._make((*row[:5], bool(row[5]), bool(row[6]), *row[7:]))

    def busy(self) -> Iterator[tuple[int, int, str, str, int]]:
        """(part, device, client address, server address, bytes), by part and device; not with peers at home."""
        return self._run("busy")

    def local_prefixes(self, site: str) -> list[str]:
        """Networks that are at home, in CIDR form."""
        return [row[0] for row in self._all("SELECT DISTINCT prefix FROM local_networks WHERE site = ?", (site,))]

    def home_addresses(self, site: str) -> frozenset[str]:
        """Addresses that devices at home had."""
        rows = self._all("SELECT DISTINCT address FROM device_addresses WHERE site = ?", (site,))
        return frozenset(row[0] for row in rows)

    def device(self, device_id: int) -> DeviceRow | None:
        """One device, if it is still there."""
        rows = self._all(
            "SELECT name, name_source, mac, vendor, model, kind FROM devices WHERE device_id = ?", (device_id,)
        )
        return DeviceRow(*rows[0]) if rows else None

    def _run(self, query: str) -> Iterator[Any]:
        with explained(self._path), closing(self._db.execute(_QUERIES[query])) as rows:
            yield from rows

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with explained(self._path):
            return self._db.execute(query, values).fetchall()
