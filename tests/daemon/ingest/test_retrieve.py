"""Packets that are found again, against what tshark picks from the same files."""

from __future__ import annotations

import gzip
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.flow.local import mac_text
from daemon.ingest import retrieve
from daemon.ingest.retrieve import Question, look_up
from daemon.store.database import read_database
from daemon.store.meant import Terms, find_destination
from tests.support.captures import START_US, enhanced, interface, option, pcap, pcap_header, pcap_record, section
from tests.support.importing import import_live, imported
from tests.support.packets import HOST_MAC, ethernet, ipv4, tcp, udp
from tests.support.taken import Taken, ends_of, packets_of, taken, tshark

DATA = Path(__file__).parents[2] / "data"
PLAIN = ("dhcp_dns_http", "tls12", "vlan", "qinq", "quic", "fragments", "mdns", "services", "chromium")

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark here to compare with")


def at_other_times(path: Path, shift_us: int, target: Path) -> Path:
    """A copy of a capture as if it had been recorded later."""
    records = [pcap_record(each.frame, each.time_us + shift_us, each.wire) for each in packets_of(path)]
    target.write_bytes(pcap_header(link=packets_of(path)[0].link) + b"".join(records))
    return target


def local_macs(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT DISTINCT mac FROM station WHERE mac >= 0 ORDER BY mac").fetchall()
    return [str(mac_text(row[0])) for row in rows]


@needs_tshark
@pytest.mark.parametrize("name", PLAIN)
def test_a_device_s_packets_are_tshark_s(tmp_path: Path, name: str) -> None:
    path = DATA / f"{name}.pcap"
    database = imported(tmp_path / "home.db", path, codes=(0, 1))
    macs = local_macs(database)
    assert macs
    truth = list(zip(packets_of(path), ends_of(path), strict=True))
    for mac in macs:
        assert taken(database, "--device", mac) == [packet for packet, ends in truth if mac in ends.macs]


@needs_tshark
@pytest.mark.parametrize("name", ["tls12", "tls12-be", "tls12-ns", "vlan", "cooked_v1", "raw_ip", "cooked"])
def test_the_packets_of_a_window_and_of_an_address_are_tshark_s(tmp_path: Path, name: str) -> None:
    path = DATA / f"{name}.pcap"
    database = imported(tmp_path / "home.db", path, codes=(0, 1))
    times = sorted(each.time_us for each in packets_of(path))
    since, until = times[len(times) // 4], times[len(times) * 3 // 4]
    flags = ("--since", iso(since), "--until", iso(until))
    truth = list(zip(packets_of(path), ends_of(path), strict=True))
    window = [(packet, ends) for packet, ends in truth if since <= packet.time_us < until]
    assert taken(database, *flags) == [packet for packet, _ in window]
    with closing(sqlite3.connect(database)) as db:
        remotes = [row[0] for row in db.execute("SELECT DISTINCT server_address FROM flows")]
    for remote in remotes:
        expected = [packet for packet, ends in window if remote in ends.addresses]
        assert taken(database, "--destination", remote, *flags) == expected


def iso(time_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).isoformat()


@needs_tshark
def test_the_packets_of_a_name_are_those_of_its_connections(tmp_path: Path) -> None:
    path = DATA / "tls13.pcap"
    database = imported(tmp_path / "home.db", path)
    for name, ports in (
        ("retry.vendor.example", "tcp.port == 8443"),
        ("six.vendor.example", "ipv6 && tcp.port == 443"),
    ):
        assert taken(database, "--destination", name) == tshark(tmp_path, ports, path)
    below = taken(database, "--destination", "vendor.example")
    assert len(below) > len(taken(database, "--destination", "api.vendor.example")) > 0


@pytest.mark.parametrize(
    "name", [*PLAIN, "tls13", "cooked", "cooked_v1", "raw_ip", "gre", "vxlan", "pppoe", "port_reuse"]
)
def test_as_many_packets_as_the_row_says(tmp_path: Path, name: str) -> None:
    """Every flow, and every name, has exactly the packets that the database counts for it."""
    database = imported(tmp_path / "home.db", DATA / f"{name}.pcap", codes=(0, 1))
    with closing(read_database(database)) as db:
        site, zone = db.execute("SELECT id, zone FROM site").fetchone()

        def count(**asked: object) -> int:
            found = look_up(db, Question(site, zone, **asked))  # type: ignore[arg-type]  # keywords of Question
            return sum(len(cut.offset) for cut in found.packets())

        for flow, packets in db.execute("SELECT flow_id, packets_up + packets_down FROM flows").fetchall():
            assert count(flow_id=flow) == packets
        for text, packets in db.execute(
            "SELECT server_name, sum(packets_up + packets_down) FROM flows WHERE server_name IS NOT NULL"
            " AND (SELECT count(DISTINCT server_name) FROM flows o WHERE o.server_name LIKE '%.' || flows.server_name) = 0"
            " GROUP BY server_name"
        ).fetchall():
            assert count(terms=Terms(meant=(find_destination(db, site, text),))) == packets


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """Three files, of which two overlap, in three containers."""
    first, second, third = (tmp_path / name for name in ("a.pcap", "b.pcap", "c.pcapng"))
    client = [ethernet(ipv4(udp(bytes([n]), 5000 + n % 7, 9999), dst="203.0.113.9")) for n in range(200)]
    first.write_bytes(pcap(client[:80], step_us=10))
    second.write_bytes(
        pcap_header(">", 0xA1B23C4D)
        + b"".join(
            pcap_record(frame, START_US + 405 + n * 10, order=">", magic=0xA1B23C4D)
            for n, frame in enumerate(client[80:140])
        )
    )
    third.write_bytes(
        section(">")
        + interface(order=">", options=option(9, b"\x09", ">"))
        + b"".join(
            enhanced(frame, (START_US + 10_000 + n * 10) * 1000 + 7, order=">") for n, frame in enumerate(client[140:])
        )
    )
    return [first, second, third]


@needs_tshark
def test_files_come_together_in_the_order_of_time(tmp_path: Path, days: list[Path]) -> None:
    database = imported(tmp_path / "home.db", *days)
    found = taken(database)
    assert len(found) == 200
    assert [each.time_us for each in found] == sorted(each.time_us for each in found)
    assert found == tshark(tmp_path, "", *days)
    assert taken(database, "--device", HOST_MAC) == found
    assert taken(database, "--filter", "port 5003") == tshark(tmp_path, "udp.port == 5003", *days)


def test_nanoseconds_are_kept(tmp_path: Path, days: list[Path]) -> None:
    database = imported(tmp_path / "home.db", *days)
    taken(database)
    data = (tmp_path / "taken.pcap").read_bytes()
    assert data[:4] == b"\x4d\x3c\xb2\xa1"
    last = packets_of(tmp_path / "taken.pcap")[-1]
    place = data.rindex(last.frame) - 16
    assert int.from_bytes(data[place + 4 : place + 8], "little") % 1000 == 7
    taken(database, "--until", iso(START_US + 400))  # of the first file alone
    assert (tmp_path / "taken.pcap").read_bytes()[:4] == b"\xd4\xc3\xb2\xa1"


def small_pieces(monkeypatch: pytest.MonkeyPatch, size: int = 512) -> None:
    monkeypatch.setattr(retrieve, "_WINDOW", size)


def test_the_result_does_not_depend_on_pieces(
    tmp_path: Path, days: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = imported(tmp_path / "home.db", *days)
    whole = taken(database)
    small_pieces(monkeypatch)
    assert taken(database) == whole


@pytest.fixture(scope="module")
def long_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a file of many blocks, in which devices speak now and then."""
    folder = tmp_path_factory.mktemp("long")
    chance = random.Random(4)
    records = []
    for n in range(12_000):
        device = chance.choice((1, 1, 1, 1, 2 + n // 3000))
        payload = bytes(1380) if n % 3 else b"x"
        frame = ethernet(
            ipv4(tcp(payload, 40_000 + device, 443), src=f"192.168.1.{device}"), src=f"02:00:00:00:01:{device:02}"
        )
        records.append(pcap_record(frame, START_US + n * 1_000_000))
    (folder / "long.pcap").write_bytes(pcap_header() + b"".join(records))
    return imported(folder / "home.db", folder / "long.pcap")


def test_there_are_several_blocks(long_day: Path) -> None:
    with closing(sqlite3.connect(long_day)) as db:
        blocks = db.execute("SELECT begin, end, packets FROM block ORDER BY begin").fetchall()
        (cursor,) = db.execute("SELECT cursor FROM capture").fetchone()
    assert len(blocks) > 2
    assert blocks[0][0] == 0
    assert blocks[-1][1] == cursor
    assert all(one[1] == other[0] for one, other in pairwise(blocks))
    assert sum(block[2] for block in blocks) == 12_000


def read_bytes_of(question: Question, database: Path) -> tuple[int, int]:
    """(packets, bytes of the stretches that are read)."""
    with closing(read_database(database)) as db:
        found = look_up(db, question)
        size = sum((end or 0) - begin for part in found.parts for begin, end, _ in part.stretches)
        return sum(len(cut.offset) for cut in found.packets()), size


def test_the_index_spares_reading(long_day: Path) -> None:
    size = long_day.with_name("long.pcap").stat().st_size
    packets, all_read = read_bytes_of(Question(1, "UTC"), long_day)
    assert (packets, all_read) == (12_000, size)
    _, window = read_bytes_of(Question(1, "UTC", START_US, START_US + 60_000_000), long_day)
    assert window < size / 2
    quiet, device = read_bytes_of(Question(1, "UTC", stations=((0x0200_0000_0105, ""),)), long_day)
    assert quiet > 100
    assert device < size / 1.5
    assert read_bytes_of(Question(1, "UTC", terms=Terms(frozenset({(4, 0x01020304)}))), long_day) == (0, 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(st.integers(-5, 12_005), st.integers(0, 12_010), st.sampled_from([None, 1, 2, 3, 5, 9]))
def test_any_window_of_any_device(long_day: Path, first: int, length: int, device: int | None) -> None:
    every = packets_of(long_day.with_name("long.pcap"))
    since, until = START_US + first * 1_000_000, START_US + (first + length) * 1_000_000 + 1
    mac = None if device is None else bytes([2, 0, 0, 0, 1, device])
    expected = [each for each in every if since <= each.time_us < until and (mac is None or each.frame[6:12] == mac)]
    with closing(read_database(long_day)) as db:
        stations = None if mac is None else ((int.from_bytes(mac, "big"), ""),)
        found = look_up(db, Question(1, "UTC", since, until, stations))
        got = [
            (time_ns // 1000, bytes(cut.buf[start : start + size]))
            for cut in found.packets()
            for time_ns, start, size in zip(
                cut.time_ns.tolist(), cut.offset.tolist(), cut.captured.tolist(), strict=True
            )
        ]
    assert got == [(each.time_us, each.frame) for each in expected]


def test_without_an_index_it_is_slower_and_the_same(tmp_path: Path, days: list[Path]) -> None:
    database = imported(tmp_path / "home.db", *days)
    with_index = taken(database, "--since", iso(START_US + 300))
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DELETE FROM block")
    assert taken(database, "--since", iso(START_US + 300)) == with_index


def test_a_growing_file_is_read_to_where_it_is(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(bytes([n]), 5000, 9999))) for n in range(50)]
    whole = pcap(frames)
    path, database = tmp_path / "live.pcap", tmp_path / "home.db"
    for cut in (700, 1500, 2200):  # in the middle of records
        path.write_bytes(whole[:cut])
        import_live(database, path, None)
    path.write_bytes(whole[:2900])
    found = taken(database)
    assert [each.frame for each in found] == frames[: len(found)]
    assert len(found) == (2900 - 24) // (len(frames[0]) + 16)
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*), sum(end - begin) = (SELECT cursor FROM capture) FROM block").fetchone() == (
            1,
            1,
        )
    path.write_bytes(whole)
    import_live(database, path, None, final=True)
    assert len(taken(database)) == 50


def test_a_torn_file_gives_what_is_whole(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(bytes([n]), 5000, 9999))) for n in range(20)]
    path = tmp_path / "torn.pcap"
    path.write_bytes(pcap(frames)[:-5])
    database = imported(tmp_path / "home.db", path, codes=(0, 1))
    assert [each.frame for each in taken(database)] == frames[:-1]


def test_behind_damage_it_goes_on(tmp_path: Path) -> None:
    frames = [ethernet(ipv4(udp(bytes([n]) * 40, 5000, 9999))) for n in range(60)]
    data = bytearray(pcap(frames))
    size = len(frames[0]) + 16
    data[24 + 30 * size : 24 + 30 * size + 16] = b"\xff" * 16
    path = tmp_path / "damaged.pcap"
    path.write_bytes(data)
    database = imported(tmp_path / "home.db", path, codes=(1,))
    with closing(sqlite3.connect(database)) as db:
        (packets,) = db.execute("SELECT packets FROM captures").fetchone()
    assert len(taken(database)) == packets == 59


def test_a_compressed_file_is_read_too(tmp_path: Path, days: list[Path]) -> None:
    database = imported(tmp_path / "home.db", *days)
    whole = taken(database)
    packed = days[0].with_name("a.pcap.gz")  # as somebody did who wanted room
    packed.write_bytes(gzip.compress(days[0].read_bytes()))
    days[0].unlink()
    assert taken(database) == whole


def test_a_deleted_file_is_named(tmp_path: Path, days: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    database = imported(tmp_path / "home.db", *days)
    days[0].unlink()
    found = taken(database, codes=(1,))
    assert len(found) == 120
    said = capsys.readouterr().err
    assert "a.pcap (80 packets, 2023-11-14 22:13 to 2023-11-14 22:13): it is not there any more" in said
    assert len(taken(database, "--since", iso(START_US + 5_000))) == 60  # nothing of that time is missing


def test_another_file_in_its_place_is_not_taken_for_it(
    tmp_path: Path, days: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    database = imported(tmp_path / "home.db", *days)
    days[0].write_bytes(pcap([ethernet(ipv4(udp(b"secret", 1, 2)))] * 80))
    found = taken(database, codes=(1,))
    assert not any(b"secret" in each.frame for each in found)
    assert "another file than the one that was imported" in capsys.readouterr().err


def test_times_of_a_file_with_a_wrong_clock_are_corrected(tmp_path: Path) -> None:
    path = tmp_path / "early.pcap"
    frames = [ethernet(ipv4(udp(bytes([n]), 5000, 9999))) for n in range(10)]
    path.write_bytes(pcap_header() + b"".join(pcap_record(frame, 1_000_000 * n) for n, frame in enumerate(frames)))
    database = imported(tmp_path / "home.db", path)
    offset = START_US
    with closing(sqlite3.connect(database)) as db, db:  # as a live import does that learns it later
        db.execute(
            "UPDATE capture SET clock_offset_us = ?1, first_us = first_us + ?1, last_us = last_us + ?1", (offset,)
        )
        db.execute("UPDATE block SET first_us = first_us + ?1, last_us = last_us + ?1", (offset,))
    found = taken(database, "--since", iso(START_US + 3_000_000), "--until", iso(START_US + 6_000_000))
    assert [(each.time_us, each.frame) for each in found] == [(START_US + n * 1_000_000, frames[n]) for n in (3, 4, 5)]


def test_several_link_types_become_pcapng(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [DATA / "tls12.pcap", DATA / "cooked_v1.pcap", DATA / "raw_ip.pcap"]
    database = imported(tmp_path / "home.db", *paths, codes=(0, 1))
    found = taken(database)
    assert sorted(found) == sorted(each for path in paths for each in packets_of(path))
    assert {each.link for each in found} == {1, 101, 113}
    assert "pcapng" in capsys.readouterr().err


def test_a_device_in_cooked_captures(tmp_path: Path) -> None:
    """What is sent to it has no MAC there: its address tells."""
    path = DATA / "cooked_v1.pcap"
    database = imported(tmp_path / "home.db", path)
    with closing(sqlite3.connect(database)) as db:
        stations = db.execute(
            "SELECT t.mac, e.address FROM station t JOIN endpoint e ON e.station_id = t.id"
            " WHERE t.mac >= 0 AND e.version = 4"
        ).fetchall()
    assert stations
    for mac, address in stations:
        octets = bytes(map(int, address.split(".")))
        found = taken(database, "--device", str(mac_text(mac)))
        assert any(each.frame[6:12] == mac.to_bytes(6, "big") for each in found)
        to_it = [each for each in packets_of(path) if each.frame[32:36] == octets]
        assert set(to_it) <= set(found)


def test_everything_of_a_folder_that_is_one_device(tmp_path: Path) -> None:
    folder = tmp_path / "by-name" / "Telly"
    folder.mkdir(parents=True)
    shutil.copy(DATA / "raw_ip.pcap", folder)
    database = imported(tmp_path / "home.db", folder, codes=(0, 1))
    assert len(taken(database, "--device", "Telly")) == len(packets_of(DATA / "raw_ip.pcap"))


def test_a_shifted_copy(tmp_path: Path) -> None:
    """Yesterday's packets and today's are told apart although all their ends are the same."""
    path = DATA / "tls13.pcap"
    later = at_other_times(path, 86_400_000_000, tmp_path / "later.pcap")
    database = imported(tmp_path / "home.db", path, later)
    today = sorted(each.time_us for each in packets_of(later))[0]
    found = taken(database, "--destination", "retry.vendor.example", "--since", iso(today))
    before: list[Taken] = taken(database, "--destination", "retry.vendor.example", "--until", iso(today))
    assert [each.frame for each in found] == [each.frame for each in before]
    assert all(each.time_us >= today for each in found)
