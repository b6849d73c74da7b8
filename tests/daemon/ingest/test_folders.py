"""Captures filed under a device's name: which end is it, and what if none stands out?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest.capture_file import folder_device, series_of
from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, evening, lookup, talk, write
from tests.support import packets as p
from tests.support.compare import imbalance, same
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, ROUTER_MAC, START_US


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def scene(laptop: int, tablet: int) -> list[Frame]:
    """Two devices that fetch so many bytes, and a router that is seen to be one."""
    frames = talk(START_US, port=41000, reply=laptop)
    frames += talk(START_US + SECOND, client=TABLET, mac=TABLET_MAC, port=41001, reply=tablet)
    frames += lookup(START_US + 2 * SECOND, "x.example", "192.0.2.1")
    for number, source in enumerate(("198.51.100.1", "198.51.100.2")):
        packet = p.ipv4(p.udp(b"x" * 900, 443, 50000), source, "192.168.1.10")
        frames.append((START_US + 3 * SECOND + number, p.ethernet(packet, src=ROUTER_MAC, dst=HOST_MAC)))
    return frames


DEVICES = "SELECT name, name_source, mac FROM devices ORDER BY mac"


@pytest.mark.parametrize("how", ["flag", "folder"])
def test_busiest_local_end_gets_the_name(tmp_path: Path, how: str) -> None:
    folder = tmp_path / ("by-name/camera/2024" if how == "folder" else "captures")
    path = write(folder / "day.pcap", scene(9000, 90_000))
    database = tmp_path / "h.db"
    if how == "flag":
        imported(database, path, device="camera")
    else:
        imported(database, path)
    assert rows(database, DEVICES) == [(None, None, HOST_MAC), ("camera", "folder", TABLET_MAC)]
    owners = "SELECT client_address, mac FROM flows JOIN devices USING (device_id) WHERE protocol = 'tcp' ORDER BY 1"
    assert rows(database, owners) == [("192.168.1.10", HOST_MAC), (TABLET, TABLET_MAC)]  # the others stay themselves
    assert imbalance(database) == []


def test_folder_name_comes_before_what_the_device_says(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", scene(90_000, 900), [dhcp_request(START_US + 5 * SECOND, "android-123")])
    assert rows(imported(tmp_path / "h.db", path, device="phone"), DEVICES)[0] == ("phone", "folder", HOST_MAC)


@pytest.mark.parametrize(("tablet", "clear"), [(60_000, True), (83_000, False), (110_000, False), (150_000, True)])
def test_second_within_twenty_percent_makes_the_folder_the_device(tmp_path: Path, tablet: int, clear: bool) -> None:
    path = write(tmp_path / "day.pcap", scene(100_000, tablet))
    database = imported(tmp_path / "h.db", path, device="twins")
    named = rows(database, "SELECT mac FROM devices WHERE name = 'twins'")
    assert named == ([(HOST_MAC if tablet < 100_000 else TABLET_MAC,)] if clear else [(None,)])
    if not clear:
        owners = "SELECT DISTINCT name FROM flows LEFT JOIN devices USING (device_id)"
        assert rows(database, owners) == [("twins",)]
        assert rows(database, "SELECT DISTINCT device FROM destinations") == [("twins",)]
    assert imbalance(database) == []


def test_without_macs_the_folder_is_the_device(tmp_path: Path) -> None:
    frames = [(time_us, frame[14:]) for time_us, frame in scene(90_000, 900)]
    path = tmp_path / "raw.pcap"
    path.write_bytes(p.pcap(frames, link=101))
    database = imported(tmp_path / "h.db", path, device="probe")
    assert rows(database, "SELECT mac FROM devices WHERE name = 'probe'") == [(None,)]
    assert rows(database, "SELECT DISTINCT name FROM traffic LEFT JOIN devices USING (device_id)") == [("probe",)]
    assert imbalance(database) == []


def test_all_files_of_a_folder_decide_together(tmp_path: Path) -> None:
    """Each order of files, one import each: the laptop leads in the first, the tablet over all."""
    folder = tmp_path / "by-name" / "camera"
    paths = [
        write(folder / "1.pcap", scene(50_000, 10_000)),
        write(folder / "2.pcap", [(at + 100 * SECOND, frame) for at, frame in scene(10_000, 10_000)]),
        write(folder / "3.pcap", [(at + 200 * SECOND, frame) for at, frame in scene(1_000, 90_000)]),
        write(tmp_path / "by-name" / "other" / "4.pcap", [(at + 300 * SECOND, frame) for at, frame in evening()]),
    ]
    together = imported(tmp_path / "together.db", *paths)
    assert rows(together, "SELECT mac FROM devices WHERE name = 'camera'") == [(TABLET_MAC,)]
    for order in permutations(range(3)):
        database = tmp_path / f"{order}.db"
        for place in (*order[:2], 3, order[2]):
            imported(database, paths[place])
        assert same(together, database) == [], order


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_copy_outside_of_the_folder(tmp_path: Path, order: tuple[int, int]) -> None:
    """The first copy by name says where the capture belongs; nothing is left of the other folder's device."""
    paths = [
        write(tmp_path / "a" / "day.pcap", scene(9000, 9000)),
        write(tmp_path / "by-name/tv/day.pcap", scene(9000, 9000)),
    ]
    for place in order:
        imported(tmp_path / "h.db", paths[place])
    assert rows(tmp_path / "h.db", "SELECT count(*) FROM devices WHERE name = 'tv'") == [(0,)]
    assert same(imported(tmp_path / "plain.db", paths[0]), tmp_path / "h.db") == []


@pytest.mark.parametrize(
    ("path", "device"),
    [
        ("/data/by-name/tv/2024/day.pcap", "tv"),
        ("/data/by-name/day.pcap", None),
        ("/data/tv/day.pcap", None),
        ("/by-name/a/by-name/b/day.pcap", "b"),
    ],
)
def test_folder_device(path: str, device: str | None) -> None:
    assert folder_device(Path(path)) == device


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("2026-03-14_00.00.00_wlan0.pcap", "wlan0"),
        ("2026-03-14_00.00.00_wlan0.pcap.gz", "wlan0"),
        ("2026-03-14_00.00.00_wlan0_2.pcapng", "wlan0"),
        ("2026-03-14T00-00-00_eth0.cap", "eth0"),
        ("wlan0.pcap", ""),
        ("holiday.pcap", ""),
    ],
)
def test_series_of_a_file_name(name: str, series: str) -> None:
    assert series_of(Path(name)) == series
