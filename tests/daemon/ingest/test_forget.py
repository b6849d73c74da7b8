"""Forgetting a device: what a fresh import of the rewritten captures knows is what the database knows."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest import forget as forgetting
from daemon.ingest.forget import Forgotten, Request, forget_device
from daemon.ingest.knowledge import Knowledge
from daemon.store import forget as store
from daemon.store.database import open_database, transaction
from daemon.store.retain import fold
from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    ROUTER,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    evening,
    lookup,
    questions,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import imbalance, same, views
from tests.support.importing import import_live, imported
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC, SERVER, START_US

TABLET_STATION = (p.mac_int(TABLET_MAC), "")
PRIVATE = "secret.example"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def tablet(at: int, port: int = 42000) -> list[Frame]:
    """What the tablet does: says its name, asks, talks; what others say about it to all."""
    offer = p.ethernet(p.arp(ROUTER, TABLET, ROUTER_MAC, 1), src=ROUTER_MAC, dst="ff:ff:ff:ff:ff:ff", ethertype=p.ARP)
    known = offer[:32] + p.mac_bytes(TABLET_MAC) + offer[38:]  # the router knows whom it asks for
    frames = [dhcp_request(at, "bobs-tablet", TABLET_MAC), (at + 500, known)]
    frames += lookup(at + SECOND, PRIVATE, "203.0.113.66", client=TABLET, mac=TABLET_MAC)
    return frames + talk(at + 2 * SECOND, PRIVATE, client=TABLET, mac=TABLET_MAC, server="203.0.113.66", port=port)


def laptop(at: int, port: int = 40000) -> list[Frame]:
    """What another one does, with two servers, so that the router is seen to be one."""
    frames = [*lookup(at, "www.example.com", SERVER), *talk(at + SECOND, "www.example.com", port=port)]
    return frames + talk(at + 2 * SECOND, "other.example", server="198.51.100.7", port=port + 500)


def forget(database: Path, *, since_us: int | None = None, pcaps: bool = True) -> Forgotten:
    return forget_device(database, Request("home", (TABLET_STATION,), since_us, pcaps), Knowledge())


def folded(database: Path, before_us: int) -> None:
    with closing(open_database(database)) as db, transaction(db):
        fold(db, 1, before_us)


def unbalanced(database: Path) -> list[str]:
    """Where `traffic` does not count every packet; flows that are folded are not there to be counted."""
    return [line for line in imbalance(database) if "flows + frames" not in line]


def no_trace(*files: Path) -> None:
    for path in files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        for trace in (b"bobs-tablet", b"secret", p.mac_bytes(TABLET_MAC), b"02:00:00:00:00:11"):
            assert trace not in content, (path, trace)


def at_rest(database: Path) -> Path:
    """The database file with all that is written to it."""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    return database


Format = Callable[[Sequence[Frame]], bytes]
FORMATS: dict[str, Format] = {
    "day.pcap": p.pcap,
    "day.pcap.gz": lambda frames: gzip.compress(p.pcap(frames)),
    "day-ns.pcap": lambda frames: p.pcap(frames, nanosecond=True, big_endian=True),
    "day.pcapng": p.pcapng,
    "day-be.pcapng.gz": lambda frames: gzip.compress(p.pcapng(frames, big_endian=True)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_database_and_captures_agree_afterwards(tmp_path: Path, name: str) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 40001)])
    path = tmp_path / name
    path.write_bytes(FORMATS[name](frames))
    path.chmod(0o640)
    database = imported(tmp_path / "h.db", path)
    done = forget(database)
    assert (done.left, done.files) == ([], 1)
    assert done.frames == done.packets == len(tablet(START_US))
    assert path.stat().st_mode & 0o777 == 0o640
    no_trace(path, at_rest(database))
    assert sorted(tmp_path.glob(".*")) == []
    assert imbalance(database) == []
    assert same(imported(tmp_path / "fresh.db", path), database, {"device_addresses": {"first_seen_us"}}) == []
    before = views(database)
    imported(database, path)
    assert views(database) == before


def test_capture_of_nobody_else_is_gone_and_its_file_empty(tmp_path: Path) -> None:
    path, other = write(tmp_path / "tablet.pcap", tablet(START_US)), write(tmp_path / "b.pcap", laptop(START_US + HOUR))
    database = imported(tmp_path / "h.db", path, other)
    assert forget(database).left == []
    assert path.read_bytes() == p.pcap([])
    assert rows(database, "SELECT count(*) FROM captures") == [(1,)]
    assert imbalance(database) == []
    imported(database, path)
    assert same(imported(tmp_path / "fresh.db", other), database) == []


def test_file_without_the_device_is_not_touched(tmp_path: Path) -> None:
    path, other = (
        write(tmp_path / "tablet.pcap", tablet(START_US)),
        write(tmp_path / "b.pcap", evening(START_US + DAY)[:9]),
    )
    before = other.stat().st_ino
    assert forget(imported(tmp_path / "h.db", path, other)).files == 1
    assert other.stat().st_ino == before


def test_forgotten_file_that_grows_goes_on(tmp_path: Path) -> None:
    whole = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND)])
    path = write(tmp_path / "day.pcap", whole)
    database = imported(tmp_path / "h.db", path)
    forget(database)
    with path.open("ab") as file:
        file.write(p.pcap(laptop(START_US + HOUR, 40001))[24:])
    imported(database, path)
    assert imbalance(database) == []
    assert rows(database, "SELECT count(*) FROM captures") == [(1,)]
    assert same(imported(tmp_path / "fresh.db", path), database) == []


def test_since_a_day_keeps_what_was_before(tmp_path: Path) -> None:
    midnight = (START_US // DAY + 1) * DAY
    frames = [*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(midnight + HOUR, 40001)]
    path = write(tmp_path / "days.pcap", frames, tablet(midnight + 2 * HOUR, 43000))
    early = write(tmp_path / "early" / "days.pcap", frames)
    database = imported(tmp_path / "h.db", path)
    assert forget(database, since_us=midnight).left == []
    assert imbalance(database) == []
    late = {"device_hints": {"last_seen_us"}, "device_addresses": {"last_seen_us"}}  # known to be before midnight
    assert same(imported(tmp_path / "fresh.db", early), database, late) == []


def test_flow_over_midnight_is_cut(tmp_path: Path) -> None:
    midnight = (START_US // DAY + 1) * DAY
    frames = talk(midnight - 3000, PRIVATE, client=TABLET, mac=TABLET_MAC, server="203.0.113.66")
    path = write(tmp_path / "night.pcap", frames, laptop(START_US))
    database = imported(tmp_path / "h.db", path)
    for pcaps in (False, True):
        assert forget(database, since_us=midnight, pcaps=pcaps).left == []
        assert imbalance(database) == []
        late = "SELECT count(*) FROM traffic WHERE slot_us >= ? AND bytes_up".replace("?", str(midnight))
        assert rows(database, late) == [(0,)]
        assert rows(database, "SELECT max(last_seen_us) FROM devices") < [(midnight,)]
        assert rows(database, "SELECT packets_up + packets_down FROM flows WHERE client_address = '192.168.1.11'") == [
            (3,)
        ]


def test_sums_of_what_is_folded_go_too(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{day}.pcap", laptop(at, 40000 + day), tablet(at + 5 * SECOND, 42000 + day))
        for day in range(3)
        for at in [START_US + day * DAY]
    ]
    database = imported(tmp_path / "h.db", *paths)
    folded(database, START_US + 2 * DAY)
    done = forget(database)
    assert (done.left, done.files) == ([], 3)
    assert done.sums > 0
    assert unbalanced(database) == []
    no_trace(at_rest(database), *paths)
    fresh = imported(tmp_path / "fresh.db", *paths)
    for view in ("devices", "hours"):
        query = {
            "devices": "SELECT mac, bytes_up, bytes_down FROM devices ORDER BY mac",
            "hours": "SELECT slot, sum(bytes_up), sum(bytes_down) FROM hour_total t JOIN way w ON w.id = t.way_id"
            " WHERE w.protocol <> 'arp' GROUP BY slot ORDER BY slot",
        }[view]
        assert rows(fresh, query) == rows(database, query), view
    before = views(database)
    assert imported(database, *paths)
    assert views(database) == before


def test_month_of_sums_cannot_be_divided_and_that_is_said(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{day}.pcap", tablet(START_US + day * DAY, 42000 + day)) for day in range(4)]
    database = imported(tmp_path / "h.db", *paths)
    folded(database, START_US + 3 * DAY)
    done = forget(database, since_us=(START_US // DAY + 1) * DAY)
    assert [what for what, _ in done.left] == ["2023-11"]
    assert unbalanced(database) == []
    days = "SELECT count(DISTINCT day) FROM day_total t JOIN station s ON s.id = t.station_id WHERE s.mac = ?"
    assert rows(database, days.replace("?", str(TABLET_STATION[0]))) == [(1,)]


def test_captures_may_keep_the_packets(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", laptop(START_US), tablet(START_US + 5 * SECOND))
    content = path.read_bytes()
    database = imported(tmp_path / "h.db", path)
    done = forget(database, pcaps=False)
    assert (done.left, done.files, done.untouched) == ([], 0, 1)
    assert path.read_bytes() == content
    assert imbalance(database) == []
    no_trace(at_rest(database))
    imported(database, path)  # it is known, so that nothing comes back
    no_trace(at_rest(database))
    path.write_bytes(
        p.pcap(sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 41000)]))
    )
    imported(database, path, codes=(1,))  # closed, which is said
    no_trace(at_rest(database))


def test_file_that_is_not_there_or_another_is_said(tmp_path: Path) -> None:
    gone = write(tmp_path / "gone.pcap", laptop(START_US), tablet(START_US + 5 * SECOND))
    other = write(tmp_path / "other.pcap", laptop(START_US + DAY), tablet(START_US + DAY + 5 * SECOND))
    database = imported(tmp_path / "h.db", gone, other)
    gone.unlink()
    swapped = write(other, laptop(START_US + DAY), tablet(START_US + DAY + 6 * SECOND)).read_bytes()
    done = forget(database)
    assert [(Path(what).name, why.split(";")[0]) for what, why in done.left] == [
        ("gone.pcap", "the file is not there any more"),
        ("other.pcap", "another file than the one that was imported lies there"),
    ]
    assert other.read_bytes() == swapped
    assert imbalance(database) == []
    no_trace(at_rest(database))


def test_file_that_is_being_written_is_left_and_said(tmp_path: Path) -> None:
    done_file = write(tmp_path / "done.pcap", laptop(START_US), tablet(START_US + 5 * SECOND))
    live = write(tmp_path / "live.pcap", laptop(START_US + DAY), tablet(START_US + DAY + 5 * SECOND))
    database = imported(tmp_path / "h.db", done_file)
    import_live(database, live, None)
    content = live.read_bytes()
    done = forget(database)
    assert [Path(what).name for what, _ in done.left] == ["live.pcap"]
    assert live.read_bytes() == content
    assert imbalance(database) == []
    assert rows(database, "SELECT count(*) FROM devices WHERE mac = '02:00:00:00:00:11'") == [(1,)]
    imported(database, live)
    assert forget(database).left == []
    no_trace(at_rest(database), done_file, live)


def test_pcapng_with_damage_is_not_rewritten(tmp_path: Path) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 41000)])
    content = bytearray(p.pcapng(frames))
    at = content.index(b"bobs-tablet")
    content[at + 200 : at + 240] = bytes(40)
    path = tmp_path / "bad.pcapng"
    path.write_bytes(content)
    database = imported(tmp_path / "h.db", path, codes=(0, 1))
    if rows(database, "SELECT status FROM captures") != [("corrupt",)]:
        pytest.skip("the damage fell into a frame")
    (left,) = forget(database).left
    assert "cannot be rewritten (parts of this pcapng file cannot be read" in left[1]
    assert path.read_bytes() == bytes(content)
    assert imbalance(database) == []
    no_trace(at_rest(database))


def test_damaged_parts_of_a_pcap_are_not_copied(tmp_path: Path) -> None:
    frames = sorted([*laptop(START_US), *tablet(START_US + 5 * SECOND), *laptop(START_US + HOUR, 41000)])
    content = bytearray(p.pcap(frames))
    at = content.index(b"bobs-tablet")
    start = content.rindex(p.mac_bytes(TABLET_MAC) + b"\x08\0", 0, at) - 6 - 16
    content[start : start + 16] = b"\xff" * 16
    path = tmp_path / "bad.pcap"
    path.write_bytes(content)
    database = imported(tmp_path / "h.db", path, codes=(1,))
    done = forget(database)
    assert done.left == []
    assert done.skipped > 0
    assert imbalance(database) == []
    no_trace(path, at_rest(database))


def test_device_without_mac_is_told_by_its_address(tmp_path: Path) -> None:
    scene = [*laptop(START_US), *tablet(START_US + 5 * SECOND)[2:]]
    frames = [(at, frame[14:]) for at, frame in scene]
    path = tmp_path / "raw.pcap"
    path.write_bytes(p.pcap(frames, link=101))
    database = imported(tmp_path / "h.db", path)
    done = forget_device(database, Request("home", ((-1, TABLET),)), Knowledge())
    assert done.left == []
    assert rows(database, "SELECT address FROM device_addresses ORDER BY 1") == [(ROUTER,), (HOST,)]
    assert b"secret" not in path.read_bytes()
    assert imbalance(database) == []


def test_gateways_and_others_stay_what_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", evening(), questions(START_US + HOUR, 150), tablet(START_US + 2 * HOUR))
    database = imported(tmp_path / "h.db", path)
    forget(database)
    assert rows(database, "SELECT mac FROM devices") == [(HOST_MAC,)]
    assert imbalance(database) == []


@pytest.mark.parametrize("place", ["_replace", "forget_ends", "judge_anew", "prune"])
def test_interrupted_anywhere_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    paths = [
        write(tmp_path / f"{day}.pcap", laptop(at, 40000 + day), tablet(at + 5 * SECOND, 42000 + day))
        for day in range(2)
        for at in [START_US + day * DAY]
    ]
    database = imported(tmp_path / "h.db", *paths)

    class PowerCut(BaseException):
        pass

    def cut(*_arguments: object, **_more: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        holder: Any = {"_replace": forgetting._Forgetting, "forget_ends": store}.get(place, forgetting)
        patch.setattr(holder, place, cut)
        with pytest.raises(PowerCut):
            forget(database)
    assert imbalance(database) == []
    assert forget(database).left == []
    assert imbalance(database) == []
    no_trace(at_rest(database), *paths)
    assert sorted(tmp_path.glob(".*")) == []
    fresh = imported(tmp_path / "fresh.db", *paths)
    assert same(fresh, database, {"device_addresses": {"first_seen_us"}}) == []


def test_import_completes_what_was_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "day.pcap", laptop(START_US), tablet(START_US + 5 * SECOND))
    database = imported(tmp_path / "h.db", path)
    waiting: list[int] = []

    def interrupted(db: sqlite3.Connection, _database: Path) -> list[Path]:
        waiting.extend(row[0] for row in store.read_replacements(db))
        if waiting:
            raise KeyboardInterrupt
        return []

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "complete_replacements", interrupted)
        with pytest.raises(KeyboardInterrupt):
            forget(database)
    assert len(waiting) == 1
    assert b"bobs-tablet" in path.read_bytes()
    imported(database, path)
    no_trace(path)
    assert imbalance(database) == []
    assert rows(database, "SELECT count(*) FROM captures") == [(1,)]
