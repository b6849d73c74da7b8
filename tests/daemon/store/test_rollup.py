"""Sums by slot, hour, day and destination: of what stations, over which ways, and made anew without a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.decode.slots import SLOT_US
from daemon.store.database import open_database, transaction
from daemon.store.rollup import clear, roll, site_calendar
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, lookup, talk, write
from tests.support import packets as p
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC, START_US

MIDNIGHT = (START_US // DAY + 1) * DAY
TIERS = ("slot_total", "hour_total", "day_total", "destination_day")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    tablet = {"client": TABLET, "mac": TABLET_MAC}
    return imported(
        folder / "h.db",
        write(
            folder / "day.pcap",
            talk(START_US, "www.example.com", port=40000),
            talk(START_US + 100 * SECOND, server="198.51.100.7", port=40001),
            talk(
                MIDNIGHT - 900 * SECOND,
                "long.example",
                server="198.51.100.8",
                port=40002,
                gap_us=300 * SECOND,
                close=False,
            ),
            talk(START_US + 10 * SECOND, "www.example.com", port=41000, **tablet),  # type: ignore[arg-type]  # of text
            p.Conversation(TABLET, HOST, 42000, 8080, TABLET_MAC, HOST_MAC, START_US + HOUR).open().close().frames,
            [(START_US + 2 * HOUR, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))],
            lookup(START_US + 3 * HOUR, "end.example"),
        ),
    )


@pytest.fixture
def db(home: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    copy = tmp_path / "copy.db"
    copy.write_bytes(home.read_bytes())
    with closing(open_database(copy)) as connection:
        yield connection


def contents(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TIERS}  # noqa: S608  of TIERS


def test_every_tier_has_every_byte(db: sqlite3.Connection) -> None:
    whole = db.execute("SELECT sum(packets), sum(bytes) FROM captures").fetchone()
    for table in ("slot_total", "hour_total", "day_total"):
        sums = f"SELECT sum(packets_up + packets_down), sum(bytes_up + bytes_down) FROM {table}"  # noqa: S608  of these
        assert db.execute(sums).fetchone() == whole, table
    internet = db.execute("SELECT sum(bytes_up), sum(bytes_down) FROM traffic WHERE scope = 'internet'").fetchone()
    assert db.execute("SELECT sum(bytes_up), sum(bytes_down) FROM destination_day").fetchone() == internet


def test_flow_over_midnight_counts_on_both_days_once_as_a_flow(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "SELECT d.day, d.flows, d.packets_up + d.packets_down, d.first_us, d.last_us FROM destination_day d"
        " JOIN name n ON n.id = d.name_id WHERE n.text = 'long.example' ORDER BY d.day"
    ).fetchall()
    assert [(day, flows) for day, flows, *_ in rows] == [(MIDNIGHT // DAY - 1, 1), (MIDNIGHT // DAY, 0)]
    assert rows[0][4] < MIDNIGHT <= rows[1][3]
    assert sum(row[2] for row in rows) == len(talk(0, "long.example", close=False))


def test_address_with_most_bytes_speaks_for_a_name(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.pcap",
        talk(START_US, "two.example", server="203.0.113.9", reply=500, port=40000),
        talk(START_US + SECOND, "two.example", server="203.0.113.8", reply=9000, port=40001),
        talk(START_US + 2 * SECOND, "two.example", server="203.0.113.7", reply=500, port=40002),
    )
    with closing(open_database(imported(tmp_path / "h.db", path))) as db:
        query = "SELECT r.address, d.flows FROM destination_day d JOIN remote r ON r.id = d.main_id"
        assert db.execute(query).fetchall() == [("203.0.113.8", 3)]


def test_between_two_devices_the_client_is_the_station(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "SELECT s.mac, p.mac FROM slot_total t JOIN station s ON s.id = t.station_id JOIN station p ON p.id = t.peer_id"
    ).fetchall()
    assert (p.mac_int(TABLET_MAC), p.mac_int(HOST_MAC)) in rows


def test_frames_are_no_flows(db: sqlite3.Connection) -> None:
    arp = db.execute(
        "SELECT t.packets_up, t.remote_id, t.name_id FROM slot_total t JOIN way w ON w.id = t.way_id WHERE protocol = 'arp'"
    )
    assert arp.fetchall() == [(1, 0, 0)]


def test_rolling_again_changes_nothing(db: sqlite3.Connection) -> None:
    before = contents(db)
    for spans in ([(START_US, START_US)], [(START_US - 40 * DAY, MIDNIGHT + 40 * DAY)], []):
        with transaction(db):
            roll(db, 1, spans)
        assert contents(db) == before


def test_rolling_says_which_months_it_touched(db: sqlite3.Connection) -> None:
    with transaction(db):
        assert roll(db, 1, [(START_US, START_US), (START_US + 40 * DAY, START_US + 40 * DAY)]) == {
            2023 * 12 + 10,
            2023 * 12 + 11,
        }


def test_clearing_leaves_frozen_rows_and_other_days(db: sqlite3.Connection) -> None:
    db.execute("UPDATE slot_total SET frozen = 1 WHERE way_id = (SELECT way_id FROM slot_total ORDER BY slot LIMIT 1)")
    with transaction(db):
        clear(db, 1, [(START_US, START_US)])
    assert {
        row[0] for row in db.execute("SELECT DISTINCT frozen FROM slot_total WHERE slot < ?", (MIDNIGHT // SLOT_US,))
    } == {1}
    assert db.execute("SELECT count(*) FROM day_total WHERE day >= ?", (MIDNIGHT // DAY,)).fetchone()[0] > 0
    assert db.execute("SELECT count(*) FROM day_total WHERE day < ?", (MIDNIGHT // DAY,)).fetchone()[0] == 0


def test_reason_why_there_is_no_name_is_kept(db: sqlite3.Connection) -> None:
    sources = db.execute(
        "SELECT DISTINCT name_source FROM way WHERE scope = 'internet' AND name_source <> ''"
    ).fetchall()
    assert {row[0] for row in sources} >= {"tls", "-"}


def test_alias_is_what_the_chain_led_to(db: sqlite3.Connection) -> None:
    assert db.execute("SELECT count(*) FROM alias").fetchone() == (0,)
    assert site_calendar(db, 1).place([START_US // SLOT_US])[0].month == 2023 * 12 + 10


def test_end_behind_a_gateway_is_no_station(tmp_path: Path) -> None:
    """What comes in from the internet counts for the device inside, up and down as the device sees them."""
    frames = []
    for n, server in enumerate(("198.51.100.1", "198.51.100.2")):
        packet = p.ipv4(p.udp(b"x" * 100, 50000, 9999), server, HOST)
        frames.append((START_US + n, p.ethernet(packet, src=ROUTER_MAC, dst=HOST_MAC)))
    with closing(open_database(imported(tmp_path / "h.db", write(tmp_path / "in.pcap", frames)))) as db:
        rows = db.execute(
            "SELECT s.mac, t.packets_up, t.packets_down FROM slot_total t JOIN station s ON s.id = t.station_id"
        )
        assert rows.fetchall() == [(p.mac_int(HOST_MAC), 0, 1)] * 2
