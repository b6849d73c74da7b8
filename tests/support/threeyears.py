"""A simulated home of three years, for measuring the tiers: 40 devices that are nearly always busy.

A day has a million packets, 25,000 flows (6 remotes in every quarter of an hour of every device), 15,000 DNS answers, and
one device that opens a connection every second. There are 4,000 domains.

Rule 1: the last 35 days are rows of flows, handshakes, DNS and frames as an import writes them, and are settled, rolled
        and retained by the program itself.
Rule 2: what is older is what these days left in the tiers, moved back in time: the sums of the 57 days before by quarter
        of an hour, those of all three years by hour, day and month, each month with some other domains and addresses.
Rule 3: nothing is left to chance or clock: the same home every time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.classify.organisation_files import load_organisations
from daemon.decode.slots import SLOT_US
from daemon.flow.facts import DAY_US
from daemon.ingest.hunting import ALL_NIGHTS, look_at_newest
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import retain_all
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database, transaction
from daemon.store.retain import Limits

DEVICES, DOMAINS, ROUTER_MAC = 40, 4000, 0x020000000001
NEWEST = date(2026, 6, 30)
DETAIL_DAYS, SLOT_DAYS, ALL_DAYS = 35, 92, 3 * 365
REMOTES_A_SLOT, SLOTS = 6, 96
CROWD_A_SLOT = 900
ANSWERS_A_DAY, HELLOS_IN_FLOWS = 15_000, 1 / 3
LAST_DAY = (NEWEST - date(1970, 1, 1)).days
_SECOND = 1_000_000
_ADDRESSES = 3  # of a domain at a time
_POOL = 40_000  # addresses that were main ones at some time

# What a device may be; people's own lose the names of their months.
_KINDS = ("phone", "laptop", "tablet", "tv", "speaker", "camera", "bulb", "plug", "thermostat", "hub")
_HOSTNAMES = ("iphone", "thinkpad", "ipad", "roku", "sonos", "reolink", "wiz", "shelly", "tado", "hue")

# (protocol, service, port); each domain has one of them for rich devices, and one for plain things.
_SERVICES = (("tcp", "https", 443), ("udp", "quic", 443), ("udp", "ntp", 123), ("tcp", "mqtt", 8883))
_HTTPS, _QUIC, _NTP, _MQTT = range(4)
_RICH = 4  # of ten kinds: phones, laptops, tablets and TVs speak QUIC and IPv6, where a domain does; things do not
_FLOW = (
    "INSERT INTO flow (id, kind_id, client_id, server_id, client_port, server_port, name_id, name_source, end, begun, live,"
    " sliced, first_us, last_us, packets_up, packets_down, bytes_up, bytes_down, count)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_HELLO = "INSERT INTO hello VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MESSAGE = "INSERT INTO dns_message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)"
_COUNTS = "packets_up, packets_down, bytes_up, bytes_down"
_TIERS = (  # table, its time, times a day, the rest of its key
    ("slot_total", "slot", SLOTS, "station_id, peer_id, remote_id, name_id, way_id"),
    ("hour_total", "slot", SLOTS, "station_id, peer_id, way_id"),
    ("day_total", "day", 1, "station_id, peer_id, way_id"),
)
# A fifth of a device's names are others than in the month before; every address is another one.
_MONTH_BACK = """
    INSERT OR IGNORE INTO destination_month
    SELECT :month, station_id, iif(name_id AND name_id % 5 = :back % 5, 1 + (name_id + 7 * :back) % :domains, name_id),
        remote_id, way_id, 0, :base + (name_id * 13 + station_id * 29 + :back * 997) % :pool, max(main_bytes), sum(flows),
        sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down), min(first_us) - :back * 30 * 86400000000,
        max(last_us) - :back * 30 * 86400000000
    FROM destination_day GROUP BY station_id, name_id, remote_id, way_id
"""

Ints = npt.NDArray[np.int64]


class _Kinds(NamedTuple):
    """Numbers of rows of flow_kind."""

    internet: dict[tuple[int, int], int]  # (service, IP version)
    dns: int
    mdns: int


def build(path: Path) -> Path:
    """Make the database; a few minutes, 1 GB."""
    with closing(open_database(path)) as db:
        db.execute("PRAGMA synchronous = OFF")  # it is made anew if the machine stops
        db.execute("PRAGMA cache_size = -262144")
        with transaction(db):
            home = _Home(db)
            for day in range(LAST_DAY - DETAIL_DAYS + 1, LAST_DAY + 1):
                home.day(day)
        settle_site(db, path, "home", knowledge=Knowledge(zone="Europe/Berlin"))
        with transaction(db):
            _move_back(db)
    relabel_site(path, None, "home")
    retain_all(path, Limits(), Knowledge())
    with closing(open_database(path)) as db:
        look_at_newest(db, 1, Knowledge(), ALL_NIGHTS)  # as many nights later
    return path


class _Home:
    """Writes days of facts."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._chance = np.random.default_rng(3)
        db.execute("INSERT INTO site (id, name) VALUES (1, 'home')")
        self._write_names()
        self._write_ends()
        self._kinds = self._write_kinds()
        own = self._chance.permutation(DOMAINS)
        # Each has a hundred domains of its own and a hundred out of 400 that many have; the first are met most.
        self._domains = np.stack(
            [
                np.concatenate([own[100 * d : 100 * d + 100], self._chance.choice(400, 100, replace=False)])
                for d in range(DEVICES)
            ]
        )
        weights = 1 / (np.arange(200) + 5.0)
        self._weights = weights / weights.sum()
        self._messages = 0

    def _write_names(self) -> None:
        suffixes = sorted({suffix for suffix in _suffixes() if "*" not in suffix})
        chosen = [suffixes[n * len(suffixes) // 300] for n in range(300)]
        bases = [*chosen, *(f"maker{n}.example" for n in range(100))]
        self._names = [f"host{n // len(bases)}.{bases[n % len(bases)]}" for n in range(DOMAINS)]
        self._db.executemany("INSERT INTO name (id, text) VALUES (?, ?)", enumerate(self._names, 1))

    def _write_ends(self) -> None:
        """Endpoints: the router 1, devices 2 to 41, the multicast group 42, addresses of domains from 100 on."""
        rows: list[tuple[Any, ...]] = [(1, ROUTER_MAC, 4, "192.168.1.1", 1, 1)]
        rows += [(2 + d, _mac(d), 4, f"192.168.1.{20 + d}", 1, 1) for d in range(DEVICES)]
        rows += [(42, 0x01005E0000FB, 4, "224.0.0.251", 2, 0)]
        rows += [(100 + n, ROUTER_MAC, 6 if _six(n) else 4, _address(n), 0, 1) for n in range(DOMAINS * _ADDRESSES)]
        first, last = (LAST_DAY - DETAIL_DAYS + 1) * DAY_US, (LAST_DAY + 1) * DAY_US - 1
        self._db.executemany(
            "INSERT INTO endpoint (id, site_id, mac, version, address, scope, first_us, last_us, sent)"
            " VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)",
            [(*row[:5], first, last, row[5]) for row in rows],
        )
        self._db.executemany(
            "INSERT INTO hint VALUES (1, ?, ?, 'dhcp', 'hostname', ?, ?, ?)",
            [(_mac(d), f"192.168.1.{20 + d}", f"{_HOSTNAMES[d % 10]}-{d}", first, last) for d in range(DEVICES)],
        )

    def _write_kinds(self) -> _Kinds:
        rows: list[tuple[Any, ...]] = []
        internet = {}
        for number, (protocol, service, _) in enumerate(_SERVICES):
            for version in (4, 6):
                rows.append((protocol, version, service, "no" if service == "ntp" else "yes", 0, None))
                internet[number, version] = len(rows)
        rows += [("udp", 4, "dns", "no", 0, None), ("udp", 4, "mdns", "no", 1, None)]
        self._db.executemany("INSERT INTO flow_kind VALUES (NULL, ?, ?, ?, ?, ?, ?)", rows)
        return _Kinds(internet, len(rows) - 1, len(rows))

    def day(self, day: int) -> None:
        """A capture of one day."""
        db, capture = self._db, day - (LAST_DAY - DETAIL_DAYS)
        begin = day * DAY_US
        flows = list(self._internet(capture, begin))
        count = len(flows)
        extra = [*self._local(begin), *self._crowd(capture, begin)]
        base = capture << 40
        db.executemany(_FLOW, [(base + n, *flow) for n, flow in enumerate((flow for flow, _ in flows), 1)])
        db.executemany(_FLOW, [(base + n, *flow) for n, flow in enumerate(extra, count + 1)])
        self._write_slices(base, [flow for flow, _ in flows])
        self._write_hellos(base, flows)
        self._write_dns(capture, flows)
        frames = [
            (capture, begin + slot * SLOT_US, _mac(d), 0xFFFFFFFFFFFF, "arp", 2, 84)
            for slot in range(SLOTS)
            for d in range(DEVICES)
        ]
        db.executemany("INSERT INTO frame_slot VALUES (?, ?, ?, ?, ?, ?, ?)", frames)
        self._write_capture(capture, begin)

    def _internet(self, capture: int, begin: int) -> Iterator[tuple[tuple[Any, ...], int]]:
        """(columns of a flow, its domain), six for each device and slot."""
        chance = self._chance
        most = np.log(self._weights)
        shape = (SLOTS, DEVICES, REMOTES_A_SLOT)
        # The six of a slot differ: the largest of weighted keys (Efraimidis and Spirakis).
        keys = most - np.log(-np.log(chance.random((SLOTS, DEVICES, 200))))
        picked = np.argpartition(-keys, REMOTES_A_SLOT, axis=2)[:, :, :REMOTES_A_SLOT]
        packets = (1 + chance.lognormal(2.9, 1.0, shape)).astype(np.int64)
        at = (chance.random(shape) * (SLOT_US - 2 * _SECOND)).astype(np.int64) + _SECOND
        length = (chance.exponential(60.0, shape) * _SECOND).astype(np.int64)
        large = chance.integers(60, 1400, shape)
        hello = chance.random(shape) < HELLOS_IN_FLOWS
        for slot, d, n in np.ndindex(shape):
            domain = int(self._domains[d, picked[slot, d, n]])
            rich = d % len(_KINDS) < _RICH
            address = domain * _ADDRESSES + (2 if rich and domain % 4 == 3 else (capture + d) % 2)
            version = 6 if _six(address) else 4
            first = begin + slot * SLOT_US + int(at[slot, d, n])
            last = min(first + int(length[slot, d, n]), begin + DAY_US - 1)
            up, down = int(packets[slot, d, n]), int(packets[slot, d, n] * 1.3) + 1
            kind = _service(domain, rich=rich)
            source = "quic" if kind == _QUIC else "tls"
            own = kind != _NTP and bool(hello[slot, d, n])
            yield (
                (
                    self._kinds.internet[kind, version], 2 + d, 100 + address, 32768 + (n * 4096 + slot * 41 + d) % 28000,
                    _SERVICES[kind][2], 1 + domain if own else None, source if own else None,
                    "idle", 1, 0, int(first // SLOT_US != last // SLOT_US), first, last, up, down,
                    up * 120, down * int(large[slot, d, n]), 1,
                ),
                domain,
            )  # fmt: skip

    def _local(self, begin: int) -> Iterator[tuple[Any, ...]]:
        for slot in range(SLOTS):
            first = begin + slot * SLOT_US + 5 * _SECOND
            for d in range(DEVICES):
                if (slot + d) % 2 == 0:
                    yield self._plain(self._kinds.dns, d, 1, 53, first, 8, 8, 1)
                if slot % 4 == 0:
                    yield self._plain(self._kinds.mdns, d, 42, 5353, first, 3, 0, 1)

    def _crowd(self, capture: int, begin: int) -> Iterator[tuple[Any, ...]]:
        """The last device asks one server every second; the newest day comes as it is captured, connection by connection."""
        single = capture == DETAIL_DAYS
        kind = self._kinds.internet[3, 4]
        for slot in range(SLOTS):
            first = begin + slot * SLOT_US
            if single:
                for n in range(CROWD_A_SLOT):
                    yield self._plain(kind, DEVICES - 1, 100, 8883, first + n * _SECOND, 5, 5, 1)
            else:
                yield self._plain(kind, DEVICES - 1, 100, 8883, first, 5 * CROWD_A_SLOT, 5 * CROWD_A_SLOT, CROWD_A_SLOT)

    def _plain(
        self, kind: int, d: int, end: int, port: int, first: int, up: int, down: int, count: int
    ) -> tuple[Any, ...]:
        client_port = None if count > 1 else 40000 + d
        last = first + 400_000 + (count - 1) * _SECOND
        return (
            kind, 2 + d, end, client_port, port, None, None, "fin", 1, 0, 0, first, last, up, down, up * 90, down * 110,
            count,
        )  # fmt: skip

    def _write_slices(self, base: int, flows: list[tuple[Any, ...]]) -> None:
        """A flow over several slots moved a share in each."""
        rows = []
        for number, flow in enumerate(flows, 1):
            if not flow[10]:
                continue
            slots = range(flow[11] // SLOT_US, flow[12] // SLOT_US + 1)
            counts = flow[13:17]
            for place, slot in enumerate(slots):
                shares = [c // len(slots) + (c % len(slots) if place == 0 else 0) for c in counts]
                rows.append((base + number, slot * SLOT_US, *shares))
        self._db.executemany("INSERT INTO flow_slice VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _write_hellos(self, base: int, flows: list[tuple[tuple[Any, ...], int]]) -> None:
        self._db.executemany(
            _HELLO,
            [
                (base + n, 0, f[11] + 30_000, f[1], f[3], f[2], f[4], "tls", f[5], "h2", "TLS 1.3", "TLS 1.3",
                 "TLS_AES_128_GCM_SHA256", None, f"t13d1516h2_8daaf6152771_{n % 997:012x}", None, None, None)
                for n, (f, _) in enumerate(flows, 1) if f[5] is not None
            ],
        )  # fmt: skip

    def _write_dns(self, capture: int, flows: list[tuple[tuple[Any, ...], int]]) -> None:
        """A question and its answer two seconds before every flow that has no name of its own."""
        messages: list[tuple[Any, ...]] = []
        records: list[tuple[Any, ...]] = []
        for flow, domain in flows:
            if flow[5] is not None or len(messages) >= 2 * ANSWERS_A_DAY:
                continue
            at, kind = flow[11] - 2 * _SECOND, "AAAA" if _six(flow[2] - 100) else "A"
            self._messages += 2
            alias = domain // 10 * 10
            for response in (0, 1):
                number = self._messages - 1 + response
                messages.append(
                    (number, capture, at + response * 20_000, flow[1], 1, "udp", response, 1 + domain, kind,
                     "NOERROR" if response else None, 2 * response, at + 300 * _SECOND if response else None,
                     1 + alias if response else None)
                )  # fmt: skip
            records.append((self._messages, 0, "answer", 1 + domain, "CNAME", 300, self._names[alias]))
            records.append((self._messages, 1, "answer", 1 + alias, kind, 60, _address(flow[2] - 100)))
        self._db.executemany(_MESSAGE, messages)
        self._db.executemany("INSERT INTO dns_record VALUES (?, ?, ?, ?, ?, ?, ?)", records)

    def _write_capture(self, capture: int, begin: int) -> None:
        db = self._db
        ids = (capture << 40, capture << 40 | 0xFFFFFFFFFF)
        packets, size = db.execute(
            "SELECT sum(packets_up + packets_down), sum(bytes_up + bytes_down) FROM flow WHERE id BETWEEN ? AND ?", ids
        ).fetchone()
        frames, octets = db.execute(
            "SELECT sum(packets), sum(bytes) FROM frame_slot WHERE capture_id = ?", (capture,)
        ).fetchone()
        cursor = size + octets
        db.execute(
            "INSERT INTO capture (id, site_id, series, path, head, digest, link_types, size, cursor, packets, bytes,"
            " undecoded_packets, undecoded_bytes, first_us, last_us, status, state) VALUES"
            " (?, 1, 'wlan0', ?, ?, ?, 'ETHERNET', ?, ?, ?, ?, 0, 0, ?, ?, 'done', x'00')",
            (
                capture, f"/captures/{capture:04}.pcap", f"{capture:064x}", f"{capture:064x}", cursor, cursor,
                packets + frames, size + octets, begin, begin + DAY_US - 1,
            ),
        )  # fmt: skip


def _suffixes() -> Iterator[str]:
    for organisation in load_organisations(()).organisations.values():
        yield from (suffix for _, suffix in organisation.domains)


def _service(domain: int, *, rich: bool) -> int:
    number = domain % 20
    if number == 19:
        return _NTP
    if number >= 13:
        return _QUIC if rich else _MQTT if number >= 17 else _HTTPS
    return _HTTPS


def _mac(device: int) -> int:
    return 0x020000000100 + device


def _six(address: int) -> bool:
    """The third address of every fourth domain is one of IPv6."""
    return address // _ADDRESSES % 4 == 3 and address % _ADDRESSES == 2


def _address(number: int) -> str:
    if _six(number):
        return f"2a00:{number >> 12:x}:{number & 0xFFF:x}::1"
    return f"{60 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.10"


def _move_back(db: sqlite3.Connection) -> None:
    """What the last days left in the tiers, again and again for the time before; the oldest first, as time goes."""
    for table, place, times, key in _TIERS:
        db.execute(f"CREATE TEMP TABLE last AS SELECT * FROM {table}")  # noqa: S608  of _TIERS, likewise below
        db.execute(f"DELETE FROM {table}")  # noqa: S608
        days = SLOT_DAYS if table == "slot_total" else ALL_DAYS
        for back in range((days - 1) // DETAIL_DAYS * DETAIL_DAYS, 0, -DETAIL_DAYS):
            first = LAST_DAY - min(DETAIL_DAYS, days - back) + 1
            db.execute(
                f"INSERT INTO {table} SELECT {place} - ?1, {key}, 1, {_COUNTS} FROM temp.last"  # noqa: S608
                f" WHERE {place} >= ?2 AND {place} < ?3",
                (back * times, first * times, (LAST_DAY + 1) * times),
            )
        db.execute(f"INSERT INTO {table} SELECT * FROM temp.last")  # noqa: S608
        db.execute("DROP TABLE temp.last")
    addresses = [(f"{100 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.7",) for n in range(_POOL)]
    db.executemany("INSERT INTO remote (address) VALUES (?)", addresses)
    base = db.execute("SELECT max(id) FROM remote").fetchone()[0] - _POOL + 1
    newest = NEWEST.year * 12 + NEWEST.month - 1
    for back in range(35, 1, -1):
        db.execute(_MONTH_BACK, {"month": newest - back, "back": back, "domains": DOMAINS, "pool": _POOL, "base": base})
    db.execute("CREATE TEMP TABLE last AS SELECT name_id, target_id, max(last_us) FROM alias GROUP BY 1, 2")
    for back in range(35, 1, -1):
        db.execute("INSERT INTO alias SELECT 1, ?, * FROM temp.last", (newest - back,))
    db.execute("DROP TABLE temp.last")
