"""Detail becomes sums: whenever that happens, and in how many steps, what moved stays what it was."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ingest.settle import settle_site
from daemon.store.database import open_database, transaction
from daemon.store.retain import Limits, detail_bytes, drop_slots, fold, kept, newest_packet, plan
from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    lookup,
    questions,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import imbalance, same
from tests.support.importing import imported
from tests.support.packets import START_US

MIDNIGHT = (START_US // DAY + 1) * DAY
FAR, OTHER = "198.51.100.9", "198.51.100.20"
# Rows of these views, with everything that may be summed; slots are cut off by `traffic_days` only.
VIEWS = {
    "traffic": "SELECT slot_us, site, device_id, peer_device_id, remote_address, domain, protocol, ip_version, service,"
    " encrypted, scope, packets_up, packets_down, bytes_up, bytes_down FROM traffic",
    "destinations": "SELECT * FROM destinations",
    "devices": "SELECT * FROM devices",
    "hours": "SELECT slot, station_id, peer_id, way_id, sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
    " FROM hour_total GROUP BY 1, 2, 3, 4",
    "days": "SELECT day, station_id, peer_id, way_id, sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"
    " FROM day_total GROUP BY 1, 2, 3, 4",
}


def said(database: Path, names: Iterable[str] = VIEWS) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(database)) as db:
        return {name: sorted(db.execute(VIEWS[name]).fetchall(), key=repr) for name in names}


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def folded(database: Path, *times: int, private: Sequence[int] = ()) -> Path:
    with closing(open_database(database)) as db:
        for time_us in times:
            with transaction(db):
                fold(db, 1, time_us, private)
    return database


def unbalanced(database: Path) -> list[str]:
    """Flows that are folded are not there to be counted."""
    return [line for line in imbalance(database) if "flows + frames" not in line]


def settled_again(database: Path) -> Path:
    with closing(open_database(database)) as db:
        db.execute("UPDATE capture SET settled = -1")
        settle_site(db, database, "home")
    return database


def days(folder: Path) -> list[Path]:
    """Two files that meet at midnight, with a flow from one to the other, answers of the day before, arp, a crowd."""
    long = talk(MIDNIGHT - 40 * SECOND, "long.example", server=FAR, port=45000, gap_us=10 * SECOND, close=False)
    before = [frame for frame in long if frame[0] < MIDNIGHT]
    after = [frame for frame in long if frame[0] >= MIDNIGHT]
    arp = [(MIDNIGHT - 9 * HOUR, p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff"))]
    arp += [(MIDNIGHT + 9 * HOUR, arp[0][1])]
    return [
        write(
            folder / "1.pcap",
            [dhcp_request(MIDNIGHT - 8 * HOUR, "laptop"), arp[0]],
            lookup(MIDNIGHT - 3 * HOUR, "early.example", OTHER, ttl=86_400),
            talk(MIDNIGHT - 2 * HOUR, "www.example.com"),
            questions(MIDNIGHT - HOUR, 120),
            talk(MIDNIGHT - HOUR, "tablet.example", client=TABLET, mac=TABLET_MAC, port=44000, gap_us=120 * SECOND),
            before,
        ),
        write(
            folder / "2.pcap",
            after,
            [arp[1]],
            talk(MIDNIGHT + HOUR, server=OTHER, port=46000),
            talk(MIDNIGHT + 20 * HOUR, "late.example", client=TABLET, mac=TABLET_MAC, port=44001),
            lookup(MIDNIGHT + 22 * HOUR, "end.example"),
        ),
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    database = imported(folder / "home.db", *days(folder))
    assert imbalance(database) == []
    return database


def copy(database: Path, folder: Path, name: str = "copy.db") -> Path:
    return Path(shutil.copy(database, folder / name))


def test_scene_has_what_it_promises(home: Path) -> None:
    named = rows(
        home, "SELECT server_name, name_source FROM flows WHERE server_address IN ('198.51.100.9', '198.51.100.20')"
    )
    assert sorted(named) == [("early.example", "dns"), ("long.example", "continued"), ("long.example", "tls")]
    assert rows(home, "SELECT max(count) FROM flows")[0][0] >= 120


@settings(max_examples=25)
@given(times=st.lists(st.integers(MIDNIGHT - 10 * HOUR, MIDNIGHT + 25 * HOUR), min_size=1, max_size=4))
def test_folding_at_any_moments_changes_no_sum(
    tmp_path_factory: pytest.TempPathFactory, home: Path, times: list[int]
) -> None:
    database = folded(copy(home, tmp_path_factory.mktemp("cut")), *times)
    assert said(database) == said(home)
    assert unbalanced(database) == []
    assert said(settled_again(database)) == said(home)


def test_everything_folded_leaves_no_detail(home: Path, tmp_path: Path) -> None:
    database = folded(copy(home, tmp_path), MIDNIGHT + 40 * DAY)
    assert said(database) == said(home)
    for table in ("flow", "flow_slice", "hello", "dns_message", "dns_record", "frame_slot", "destination_day"):
        assert rows(database, f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608  of this list
    assert rows(database, "SELECT count(*) FROM slot_total WHERE NOT frozen") == [(0,)]


def test_day_without_a_flow_is_folded_too(tmp_path: Path) -> None:
    """Frames that are no packets (ARP) on a day on which nothing else was seen are not counted twice."""
    arp = p.ethernet(p.arp(), ethertype=p.ARP, dst="ff:ff:ff:ff:ff:ff")
    quiet = write(tmp_path / "quiet.pcap", [(START_US + n * SECOND, arp) for n in range(5)])
    busy = write(tmp_path / "busy.pcap", talk(START_US + 5 * DAY, "www.example.com"))
    database = imported(tmp_path / "h.db", quiet, busy)
    before = said(database)
    assert unbalanced(folded(database, START_US + DAY, START_US + 2 * DAY)) == []
    assert said(database) == before


def test_name_and_orientation_survive_what_they_were_taken_from(tmp_path: Path) -> None:
    """The second file's part begins with a packet of the server, so that it is turned by what the first one shows."""
    long = talk(MIDNIGHT - 5 * SECOND, "long.example", server=FAR, port=45000, reply=20_000, gap_us=SECOND, close=False)
    paths = [
        write(tmp_path / "1.pcap", [frame for frame in long if frame[0] < MIDNIGHT + SECOND]),
        write(tmp_path / "2.pcap", [frame for frame in long if frame[0] >= MIDNIGHT + SECOND]),
    ]
    database = imported(tmp_path / "h.db", *paths)
    before = rows(
        database, "SELECT client_address, server_address, server_name, name_source FROM flows ORDER BY flow_id"
    )
    assert before[1] == ("192.168.1.10", FAR, "long.example", "continued")
    sums = said(database)
    folded(database, MIDNIGHT + 2 * SECOND)
    for each in (database, settled_again(database)):
        after = rows(each, "SELECT client_address, server_address, server_name, name_source FROM flows")
        assert after == before[1:]
        assert said(each) == sums
    third = write(tmp_path / "3.pcap", [(at + 200 * SECOND, frame) for at, frame in long[-2:]])
    imported(database, third)  # and goes on from there
    assert rows(database, "SELECT DISTINCT client_address, server_name FROM flows") == [
        ("192.168.1.10", "long.example")
    ]


def test_turned_flow_that_still_grows_stays_turned(tmp_path: Path) -> None:
    long = talk(MIDNIGHT - 5 * SECOND, "long.example", server=FAR, port=45000, reply=90_000, gap_us=SECOND, close=False)
    first = write(tmp_path / "1.pcap", [frame for frame in long if frame[0] < MIDNIGHT + SECOND])
    rest = [frame for frame in long if frame[0] >= MIDNIGHT + SECOND]
    second = write(tmp_path / "2.pcap", rest[:8])
    database = imported(tmp_path / "h.db", first, second)
    folded(database, MIDNIGHT + 2 * SECOND)
    imported(database, write(second, rest))
    whole = imported(tmp_path / "whole.db", first, second)
    wanted = rows(whole, "SELECT client_address, server_name, bytes_up, bytes_down FROM flows ORDER BY flow_id")[1:]
    assert rows(database, "SELECT client_address, server_name, bytes_up, bytes_down FROM flows") == wanted
    assert said(database, ["traffic", "hours", "days"]) == said(whole, ["traffic", "hours", "days"])


def test_answers_name_flows_that_begin_after_they_would_have_gone(tmp_path: Path) -> None:
    answer = write(tmp_path / "1.pcap", lookup(MIDNIGHT - HOUR, "far.example", FAR, ttl=86_400))
    database = imported(tmp_path / "h.db", answer)
    folded(database, MIDNIGHT)
    imported(database, write(tmp_path / "2.pcap", talk(MIDNIGHT + 20 * HOUR, server=FAR)))
    assert rows(database, "SELECT server_name, name_source FROM flows WHERE protocol = 'tcp'") == [
        ("far.example", "dns")
    ]


def test_late_import_of_an_old_capture_adds_exactly_its_own(home: Path, tmp_path: Path) -> None:
    database = folded(copy(home, tmp_path), MIDNIGHT + 2 * DAY)
    old = write(
        tmp_path / "old.pcap",
        talk(MIDNIGHT - 2 * HOUR, "www.example.com", port=47000),
        talk(MIDNIGHT - 5 * HOUR, "old.example", port=47001),
    )
    alone = imported(tmp_path / "alone.db", old)
    whole = imported(copy(home, tmp_path, "whole.db"), old)
    imported(database, old)
    assert unbalanced(database) == []
    for late in (database, folded(database, MIDNIGHT)):
        assert said(late, ["traffic", "hours", "days", "devices"]) == said(
            whole, ["traffic", "hours", "days", "devices"]
        )
        sums = "SELECT domain, sum(flows), sum(bytes_up), sum(bytes_down) FROM destinations GROUP BY domain ORDER BY 1"
        assert rows(late, sums) == rows(whole, sums)
    assert rows(alone, "SELECT sum(bytes_up) FROM destinations WHERE domain = 'old.example'") == rows(
        database, "SELECT sum(bytes_up) FROM destinations WHERE domain = 'old.example'"
    )


def test_closed_capture_that_grew_adds_nothing(home: Path, tmp_path: Path) -> None:
    frames = talk(START_US, "www.example.com")
    path = write(tmp_path / "day.pcap", frames)
    database = folded(imported(tmp_path / "h.db", path), START_US + 40 * DAY)
    before = said(database)
    write(path, frames, talk(START_US + HOUR, "more.example", port=41000))
    imported(database, path, codes=(1,))
    assert said(database) == before
    imported(database, write(tmp_path / "short.pcap", frames[:5]), codes=(0, 1))  # a shorter copy is still recognised
    assert said(database) == before


def test_order_of_folding_does_not_show(home: Path, tmp_path: Path) -> None:
    once = folded(copy(home, tmp_path, "once.db"), MIDNIGHT + 2 * DAY)
    twice = folded(copy(home, tmp_path, "twice.db"), MIDNIGHT - HOUR, MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert same(once, twice) == []


def test_another_time_zone_counts_anew_what_is_not_folded(home: Path, tmp_path: Path) -> None:
    from daemon.ingest.knowledge import Knowledge  # noqa: PLC0415  only here

    database = copy(home, tmp_path)
    sums = "SELECT sum(bytes_up), sum(bytes_down), sum(packets_up) FROM {}"
    tables = ("traffic", "hour_total", "day_total", "destinations")
    before = {table: rows(database, sums.format(table)) for table in tables}
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu", "UTC"):
        with closing(open_database(database)) as db:
            settle_site(db, database, "home", (), Knowledge(zone=zone))
        assert {table: rows(database, sums.format(table)) for table in tables} == before, zone
    assert said(database, ["traffic", "hours", "days", "destinations"]) == said(
        home, ["traffic", "hours", "days", "destinations"]
    )


# --- what is past its time


def test_ages_count_from_the_newest_packet(home: Path) -> None:
    with closing(open_database(home)) as db:
        newest = newest_packet(db, 1)
        assert newest is not None
        made = plan(db, 1, Limits(detail_days=1, traffic_days=2))
        assert made is not None
        assert (made.newest_us, made.before_us) == (newest, MIDNIGHT - DAY)
        assert made.oldest_slot == (newest - 2 * DAY) // 900_000_000
        assert made.steps == (MIDNIGHT - DAY,)
        assert plan(db, 99, Limits()) is None


def test_every_day_is_a_step_of_its_own(home: Path) -> None:
    with closing(open_database(home)) as db:
        made = plan(db, 1, Limits(detail_days=1), surplus=0.01)
        assert made is not None
        assert made.steps == (MIDNIGHT,)


@pytest.mark.parametrize(("surplus", "before"), [(0.0, 0), (0.001, 1), (0.5, 2), (1.0, 4)])
def test_room_is_made_from_the_oldest_day_on_and_today_stays(tmp_path: Path, surplus: float, before: int) -> None:
    """Five days of as many flows each: a share of them goes, whole days at a time."""
    paths = [
        write(tmp_path / f"{n}.pcap", talk(MIDNIGHT + n * DAY, "www.example.com", port=40000 + n)) for n in range(5)
    ]
    with closing(open_database(imported(tmp_path / "h.db", *paths))) as db:
        made = plan(db, 1, Limits(), surplus)
        assert made is not None
        assert max(made.before_us, MIDNIGHT) == MIDNIGHT + (before + (surplus == 0.5)) * DAY


def test_detail_is_measured_in_bytes_on_the_disk(home: Path, tmp_path: Path) -> None:
    database = copy(home, tmp_path)
    with closing(open_database(database)) as db:
        before = detail_bytes(db)
        with transaction(db):
            fold(db, 1, MIDNIGHT + 40 * DAY)
        assert 0 < detail_bytes(db) < before


def test_old_slots_go_and_hours_stay(home: Path, tmp_path: Path) -> None:
    database = folded(copy(home, tmp_path), MIDNIGHT + 2 * DAY)
    with closing(open_database(database)) as db, transaction(db):
        gone = drop_slots(db, 1, MIDNIGHT // 900_000_000)
        left = kept(db, 1)
    assert gone > 0
    assert left.slots_since_us is not None
    assert left.slots_since_us >= MIDNIGHT
    assert left.days_since == MIDNIGHT // DAY - 1
    assert said(database, ["hours", "days", "devices", "destinations"]) == said(
        home, ["hours", "days", "devices", "destinations"]
    )


def test_slots_whose_flows_are_there_stay(home: Path, tmp_path: Path) -> None:
    database = copy(home, tmp_path)
    with closing(open_database(database)) as db, transaction(db):
        assert drop_slots(db, 1, 1 << 40) == 0
    assert said(database) == said(home)


def frames_of(count: int) -> list[Frame]:
    return [frame for n in range(count) for frame in talk(START_US + n * HOUR, f"n{n}.example", port=40000 + n)]


def test_sites_are_folded_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", frames_of(3))
    database = imported(tmp_path / "h.db", path)
    imported(database, path, site="cottage")
    folded(database, START_US + 40 * DAY)
    assert rows(database, "SELECT site, count(*) FROM flows GROUP BY site") == [("cottage", 3)]
    assert rows(database, "SELECT DISTINCT sum(bytes_up) FROM traffic GROUP BY site") == rows(
        imported(tmp_path / "one.db", path), "SELECT sum(bytes_up) FROM traffic"
    )
