"""Labels: whatever was imported when, in the end they are those of one import of everything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest.settle import settle_site
from daemon.store.database import open_database
from tests.daemon.ingest.houses import any_order
from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    ROUTER,
    SECOND,
    TABLET,
    TABLET_MAC,
    at_borders,
    dhcp_request,
    evening,
    lookup,
    questions,
    router_advertisement,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import imbalance, same
from tests.support.importing import imported
from tests.support.packets import SERVER, START_US

FAR = "198.51.100.9"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def test_long_capture_keeps_names_that_a_late_one_says_nothing_about(tmp_path: Path) -> None:
    month = write(
        tmp_path / "month.pcap",
        lookup(START_US, "early.example", FAR),
        talk(START_US + SECOND, server=FAR),
        lookup(START_US + 30 * DAY, "late.example"),
    )
    later = write(tmp_path / "later.pcap", lookup(START_US + 29 * DAY, "late.example", "198.51.100.10"))
    database = any_order(tmp_path, month, later)
    assert rows(database, "SELECT server_name FROM flows WHERE protocol = 'tcp'") == [("early.example",)]


def test_answer_in_another_file_names_flows_before_and_behind_its_end(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "answer.pcap", lookup(START_US, "far.example", FAR, ttl=86_400)),
        write(tmp_path / "flow.pcap", talk(START_US + 5 * HOUR, server=FAR)),
        write(tmp_path / "expired.pcap", talk(START_US + 2 * DAY, server=FAR, port=41000)),
    ]
    database = any_order(tmp_path, *paths)
    named = rows(database, "SELECT server_name, name_source FROM flows WHERE protocol = 'tcp' ORDER BY first_seen_us")
    assert named == [("far.example", "dns"), (None, None)]


def test_network_that_is_configured_later(tmp_path: Path) -> None:
    """A server that turns out to be in the house loses the name that an answer gave it."""
    path = write(tmp_path / "day.pcap", lookup(START_US, "nas.example", FAR), talk(START_US + SECOND, server=FAR))
    at_once = imported(tmp_path / "once.db", path, network="198.51.100.0/24")
    later = imported(tmp_path / "later.db", path)
    assert rows(later, "SELECT server_name FROM flows WHERE protocol = 'tcp'") == [("nas.example",)]
    imported(later, path, network="198.51.100.0/24")
    assert same(at_once, later) == []
    assert rows(later, "SELECT scope FROM traffic WHERE protocol = 'tcp'") == [("local",)]


def test_frames_from_before_a_device_had_an_address_are_its_own(tmp_path: Path) -> None:
    arp = [(START_US, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))]
    database = any_order(
        tmp_path, write(tmp_path / "a.pcap", arp), write(tmp_path / "b.pcap", talk(START_US + 2 * DAY))
    )
    assert rows(database, "SELECT count(*) FROM traffic WHERE protocol = 'arp' AND device_id IS NOT NULL") == [(1,)]


def test_copy_whose_name_tells_another_series(tmp_path: Path) -> None:
    """The first copy by name decides about the series; flows continued by the other name are let go."""
    whole = talk(START_US, gap_us=2 * SECOND, close=False)
    for name in ("b/2026-01-01_00.00.00_wlan0.pcap", "a/2026-01-01_00.00.00_eth0.pcap"):
        write(tmp_path / name, whole[:5])
    second = write(tmp_path / "c/2026-01-02_00.00.00_wlan0.pcap", whole[5:])
    paths = [tmp_path / "a/2026-01-01_00.00.00_eth0.pcap", tmp_path / "b/2026-01-01_00.00.00_wlan0.pcap", second]
    database = any_order(tmp_path, *paths)
    assert rows(database, "SELECT DISTINCT series FROM captures ORDER BY 1") == [("eth0",), ("wlan0",)]


def test_names_said_at_the_same_instant(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{name}.pcap", evening(), [dhcp_request(START_US + HOUR, name)])
        for name in ("laptop-b", "laptop-a", "laptop-c")
    ]
    database = any_order(tmp_path, *paths)
    assert rows(database, "SELECT name_source FROM devices WHERE name LIKE 'laptop-%'") == [("dhcp",)]


def test_answers_given_at_the_same_instant(tmp_path: Path) -> None:
    """Two names for one address in the same microsecond: which of them is taken does not depend on the order."""
    paths = [
        write(tmp_path / f"{name}.pcap", lookup(START_US, f"{name}.example", FAR, client=client, mac=mac))
        for name, client, mac in (("b", TABLET, TABLET_MAC), ("a", "192.168.1.12", "02:00:00:00:00:12"))
    ]
    any_order(tmp_path, *paths, write(tmp_path / "flow.pcap", talk(START_US + SECOND, server=FAR)))


def test_flows_with_and_without_ports_that_are_cut_at_the_same_instant(tmp_path: Path) -> None:
    """A ping and a datagram between the same hosts in the same microsecond."""
    frames = [
        (START_US, p.udp_frame(b"x", dst=SERVER)),
        (START_US, p.ethernet(p.ipv4(p.icmp(payload=b"ping"), dst=SERVER, proto=1))),
    ]
    database = imported(
        tmp_path / "h.db", write(tmp_path / "one.pcap", frames), write(tmp_path / "two.pcap", frames * 2)
    )
    assert imbalance(database) == []


def test_prefix_that_went_and_came_back_is_not_local_in_between(tmp_path: Path) -> None:
    """One file or many, one commit or many: the days between two announcements stay what they were."""
    frames = [
        router_advertisement(START_US, "2001:db8:1::", valid=600),
        *talk(START_US + 5 * DAY, client="2001:db8:1::77", server="2001:db8:9::9", mac="02:00:00:00:00:77"),
        router_advertisement(START_US + 10 * DAY, "2001:db8:1::", valid=600),
    ]
    path = tmp_path / "days.pcap"
    stepped = tmp_path / "stepped.db"
    for border in at_borders(frames)[1:]:
        path.write_bytes(p.pcap(frames)[:border])
        imported(stepped, path)
    assert same(imported(tmp_path / "once.db", path), stepped) == []
    assert rows(stepped, "SELECT mac FROM devices WHERE mac LIKE '%:77'") == []


# --- crowds (DESIGN.md, tiers)


def test_crowd_becomes_one_row(tmp_path: Path) -> None:
    frames = [*questions(START_US, 150), *lookup(START_US + HOUR, "end.example")]
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", frames))
    crowd = rows(
        database,
        "SELECT client_address, client_port, server_address, server_port, count, packets_up, packets_down, bytes_up,"
        " bytes_down, first_seen_us, last_seen_us FROM flows WHERE count > 1",
    )
    sizes = [sum(len(frame) for _, frame in frames[side:300:2]) for side in (0, 1)]
    span = (START_US, START_US + 149 * 100_000 + 20_000)
    assert crowd == [("192.168.1.10", None, ROUTER, 53, 150, 150, 150, *sizes, *span)]
    assert rows(database, "SELECT count(*) FROM flows") == [(2,)]
    assert imbalance(database) == []


def test_hundred_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", questions(START_US, 100), lookup(START_US + HOUR, "end.example"))
    assert rows(imported(tmp_path / "h.db", path), "SELECT count(*), max(count) FROM flows") == [(101, 1)]


def test_crowds_are_told_apart(tmp_path: Path) -> None:
    """Other slot, other client, other port, longer: not alike."""
    long = [frame for n in range(101) for frame in talk(START_US + n * SECOND, port=30000 + n, reply=30_000)]
    path = write(
        tmp_path / "day.pcap",
        questions(START_US, 101),
        questions(START_US + HOUR, 90),
        questions(START_US, 80, client=TABLET, mac=TABLET_MAC),
        long,
        lookup(START_US + 2 * HOUR, "end.example"),
    )
    database = imported(tmp_path / "h.db", path)
    assert rows(database, "SELECT count FROM flows WHERE count > 1") == [(101,)]
    assert rows(database, "SELECT count(*) FROM flows") == [(1 + 90 + 80 + 101 + 1,)]


@pytest.mark.parametrize("cuts", [[220], [180, 250], [299, 301], [301], [10, 150, 260, 302]], ids=str)
def test_crowd_that_grew(tmp_path: Path, cuts: list[int]) -> None:
    frames = [*questions(START_US, 150), *lookup(START_US + HOUR, "end.example")]
    frames += [*questions(START_US + HOUR + SECOND, 120), *lookup(START_US + 2 * HOUR, "end.example")]
    once = imported(tmp_path / "once.db", write(tmp_path / "day.pcap", frames))
    assert sorted(rows(once, "SELECT count FROM flows WHERE count > 1")) == [
        (121,),
        (150,),
    ]  # the last of the first hour is alike
    borders = at_borders(frames)
    for cut in (*cuts, len(frames)):
        (tmp_path / "day.pcap").write_bytes(p.pcap(frames)[: borders[cut]])
        grown = imported(tmp_path / "grown.db", tmp_path / "day.pcap")
        assert imbalance(grown) == []
    assert same(once, grown) == []


def test_settling_again_changes_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "day.pcap", evening(), questions(START_US + HOUR, 150), lookup(START_US + DAY, "end.example")
    )
    once, again = imported(tmp_path / "once.db", path), imported(tmp_path / "again.db", path)
    with closing(open_database(again)) as db:
        for _ in range(2):
            db.execute("UPDATE capture SET settled = -1")
            settle_site(db, again, "home")
    assert same(once, again) == []
