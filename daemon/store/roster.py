"""The devices of a site as people meet them: what each is called, made of and seen at. Named queries, reading only."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from daemon.store.house_sums import days_or_months

MOST_HINTS = 60
_NAME_KEYS = "'hostname', 'fqdn', 'instance', 'name', 'txt.fn'"  # hints by which people know a device


class Seen(NamedTuple):
    """An address, and when something was heard of it; times in microseconds, UTC."""

    address: str
    first_us: int
    last_us: int


class Member(NamedTuple):
    """One station of a device: its key in owner's words, its addresses, the latest first, and what it calls itself."""

    key: str
    addresses: tuple[Seen, ...]
    names: tuple[str, ...]


class Resident(NamedTuple):
    """One row of the view `devices` with its stations, the one that gives the shown MAC first."""

    members: tuple[Member, ...]
    device_id: int
    site: str
    name: str | None
    name_source: str | None
    owner: str | None
    room: str | None
    mac: str | None
    mac_random: int | None  # 1 where the MAC is made up, 0 where it is the maker's
    vendor: str | None
    model: str | None
    kind: str | None
    system: str | None
    first_us: int | None
    last_us: int | None
    bytes_up: int
    bytes_down: int
    level: str = "full"  # how it is recorded, as its owner says; see daemon.store.words.LEVELS
    level_since_us: int | None = None  # when that was said; None: nobody said anything

    @property
    def addresses(self) -> list[Seen]:
        """Of all stations, the latest first."""
        return _latest(seen for member in self.members for seen in member.addresses)

    @property
    def keys(self) -> list[str]:
        """Keys of the stations."""
        return [member.key for member in self.members]

    @property
    def said_of(self) -> str:
        """The key under which the owner's words about the whole device are kept."""
        return self.members[0].key


class Reason(NamedTuple):
    """Why a device is taken for what it is."""

    about: str
    value: str
    source: str
    detail: str


class Said(NamedTuple):
    """What a device said of itself."""

    source: str
    key: str
    value: str
    first_us: int
    last_us: int


class Contact(NamedTuple):
    """One destination of a device, over all months; labels that changed are listed, the parts with most bytes first."""

    destination: str
    party: str | None
    organisation: str | None
    country: str | None
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int


_DEVICES = """
    SELECT device_id, site, name, name_source, owner, room, mac, mac_random, vendor, model, kind, system,
        first_seen_us, last_seen_us, bytes_up, bytes_down
    FROM devices WHERE site = ? ORDER BY bytes_up + bytes_down DESC, mac, device_id
"""
# The same with what they moved since a day: adding up the years of all devices would take longer than a page may.
_RECENT = """
    SELECT d.id, s.name, d.name, d.name_source, d.owner, d.room, d.mac, d.mac_random, d.vendor, d.model, d.kind, d.system,
        e.first_us, e.last_us, coalesce(m.up, 0), coalesce(m.down, 0)
    FROM device d JOIN site s ON s.id = d.site_id
    LEFT JOIN (
        SELECT device_id, min(first_us) AS first_us, max(last_us) AS last_us FROM (
            SELECT device_id, first_us, last_us FROM endpoint WHERE station_id IS NOT NULL
            UNION ALL
            SELECT device_id, first_us, last_us FROM capture WHERE station_id IS NOT NULL
        ) GROUP BY device_id
    ) e ON e.device_id = d.id
    LEFT JOIN (
        SELECT t.device_id, sum(x.up) AS up, sum(x.down) AS down FROM (
            SELECT station_id, bytes_up AS up, bytes_down AS down FROM scope_total
            WHERE day IN (SELECT value FROM json_each(?2))
            UNION ALL
            SELECT peer_id, bytes_down, bytes_up FROM scope_total
            WHERE day IN (SELECT value FROM json_each(?2)) AND peer_id
        ) x JOIN station t ON t.id = x.station_id GROUP BY t.device_id
    ) m ON m.device_id = d.id
    WHERE s.name = ?1 ORDER BY coalesce(m.up + m.down, 0) DESC, d.mac, d.id
"""
_STATIONS = """
    SELECT t.id, t.mac, t.address, t.device_id FROM station t JOIN site s ON s.id = t.site_id
    WHERE s.name = ? AND t.device_id IS NOT NULL ORDER BY t.id <> t.device_id, t.id
"""
_CALLED = """
    SELECT d.id, d.name, t.mac, t.address FROM device d JOIN station t ON t.device_id = d.id
    WHERE d.site_id = ? ORDER BY t.id <> d.id DESC, t.id DESC
"""
# By the ends that are devices' (CROSS JOIN keeps the order): a site has thousands, of which a hundred are.
_ADDRESSES = """
    SELECT e.station_id, e.address, min(e.first_us), max(e.last_us) FROM endpoint e CROSS JOIN site s ON s.id = e.site_id
    WHERE s.name = ? AND e.station_id IS NOT NULL AND e.scope < 2 AND e.first_us IS NOT NULL
    GROUP BY e.station_id, e.address
"""
_NAMES = f"""
    SELECT DISTINCT t.id, h.value FROM hint h JOIN site s ON s.id = h.site_id
    JOIN station t ON t.site_id = h.site_id AND t.mac = h.mac AND (h.mac >= 0 OR t.address = h.address)
    WHERE s.name = ? AND h.key IN ({_NAME_KEYS}) ORDER BY h.value
"""
_REASONS = "SELECT about, value, source, detail FROM device_reasons WHERE device_id = ?"
_HINTS = """
    SELECT source, key, value, min(first_seen_us), max(last_seen_us) FROM device_hints WHERE device_id = ?
    GROUP BY source, key, value ORDER BY max(last_seen_us) DESC, source, key, value LIMIT ?
"""
_EVERY_HINT = """
    SELECT device_id, source, key, value, min(first_seen_us), max(last_seen_us) AS last_us FROM device_hints
    WHERE site = :site AND device_id IS NOT NULL AND (:device IS NULL OR device_id = :device)
    GROUP BY device_id, source, key, value ORDER BY device_id, last_us DESC, source, key, value
"""
# By the stations' own rows, not through the view `destinations`: that would add up everybody's first.
_CONTACTS = """
    SELECT place, group_concat(DISTINCT party), group_concat(DISTINCT organisation), group_concat(DISTINCT country),
        sum(bytes_up), sum(bytes_down), min(first_us), max(last_us)
    FROM (
        SELECT coalesce(n.text, r.address, v.organisation, 'name not kept') AS place, v.party, v.organisation, v.country,
            sum(p.bytes_up) AS bytes_up, sum(p.bytes_down) AS bytes_down, min(p.first_us) AS first_us,
            max(p.last_us) AS last_us
        FROM (
            SELECT month, name_id, remote_id, way_id, verdict_id, sum(bytes_up) AS bytes_up, sum(bytes_down) AS bytes_down,
                min(first_us) AS first_us, max(last_us) AS last_us
            FROM destination_part WHERE station_id IN (SELECT id FROM station WHERE device_id = ?1)
            GROUP BY month, name_id, remote_id, way_id, verdict_id
        ) p JOIN way w ON w.id = p.way_id
        LEFT JOIN judgement j ON j.month = p.month AND j.device_id = ?1 AND j.site_id = w.site_id
            AND j.name_id = p.name_id AND j.remote_id = p.remote_id AND p.verdict_id = 0
        LEFT JOIN verdict v ON v.id = iif(p.verdict_id, p.verdict_id, j.verdict_id)
        LEFT JOIN name n ON n.id = p.name_id LEFT JOIN remote r ON r.id = p.remote_id
        GROUP BY 1, 2, 3, 4 ORDER BY sum(p.bytes_up + p.bytes_down) DESC
    ) GROUP BY place ORDER BY sum(bytes_up + bytes_down) DESC, place LIMIT ?2
"""


def read_sites(db: sqlite3.Connection) -> dict[str, str]:
    """The sites of the database, and the time zone of each."""
    return dict(db.execute("SELECT name, zone FROM site ORDER BY name"))


def read_called(db: sqlite3.Connection, site_id: int) -> list[tuple[int, str | None, str]]:
    """(device, its name, the key of its first station): what is needed to call a device by, and no more."""
    first = {
        device: (name, station_key(mac, address)) for device, name, mac, address in db.execute(_CALLED, (site_id,))
    }
    return [(device, name, key) for device, (name, key) in first.items()]


def read_residents(db: sqlite3.Connection, site: str, since_day: int | None = None) -> list[Resident]:
    """The site's devices, those with most traffic first; `since_day` (days since the epoch): what they moved since then."""
    addresses: dict[int, list[Seen]] = defaultdict(list)
    for station, *seen in db.execute(_ADDRESSES, (site,)):
        addresses[station].append(Seen(*seen))
    names: dict[int, list[str]] = defaultdict(list)
    for station, name in db.execute(_NAMES, (site,)):
        names[station].append(name)
    members: dict[int, list[Member]] = defaultdict(list)
    for station, mac, address, device in db.execute(_STATIONS, (site,)):
        member = Member(station_key(mac, address), tuple(_latest(addresses[station])), tuple(names[station]))
        members[device].append(member)
    if since_day is None:
        return [Resident(tuple(members[row[0]]), *row) for row in db.execute(_DEVICES, (site,))]
    newest = db.execute("SELECT max(day) FROM scope_total").fetchone()[0]
    days = [] if newest is None else days_or_months((since_day, newest))
    rows = db.execute(_RECENT, (site, json.dumps(days)))
    return [Resident(tuple(members[row[0]]), *(*row[:6], _mac(row[6]), *row[7:])) for row in rows]


def read_reasons(db: sqlite3.Connection, device_id: int) -> list[Reason]:
    """The evidence behind what is shown of a device, the deciding first."""
    return [Reason(*row) for row in db.execute(_REASONS, (device_id,))]


def read_hints(db: sqlite3.Connection, device_id: int) -> tuple[list[Said], bool]:
    """What a device said of itself, the latest first, at most MOST_HINTS; and whether there is more."""
    rows = [Said(*row) for row in db.execute(_HINTS, (device_id, MOST_HINTS + 1))]
    return rows[:MOST_HINTS], len(rows) > MOST_HINTS


def read_every_hint(db: sqlite3.Connection, site: str, device_id: int | None) -> list[tuple[int, Said]]:
    """(device, what it said of itself) of a site's devices or of one, the latest of each first."""
    rows = db.execute(_EVERY_HINT, {"site": site, "device": device_id})
    return [(device, Said(*said)) for device, *said in rows]


def read_contacts(db: sqlite3.Connection, device_id: int, most: int) -> list[Contact]:
    """Where a device sent and received most; bytes as the device sees them."""
    return [Contact(*row) for row in db.execute(_CONTACTS, (device_id, most))]


def station_key(mac: int, address: str) -> str:
    """How owner's words name a station."""
    return mac.to_bytes(6, "big").hex(":") if mac >= 0 else address


def _mac(number: int) -> str | None:
    return station_key(number, "") if number >= 0 else None


def _latest(seen: Iterable[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda each: (-each.last_us, each.address))
