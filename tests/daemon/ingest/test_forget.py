"""Forgetting a device: what a fresh import of the rewritten captures knows is what the database knows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest import forget as forgetting
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.forget import Request, undivided
from daemon.store import forget as store
from daemon.store import replacements
from daemon.store.database import open_database
from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    SECOND,
    TABLET,
    TABLET_MAC,
    evening,
    questions,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import imbalance, same, views
from tests.support.forgetting import (
    PRIVATE,
    TABLET_STATION,
    at_rest,
    folded,
    forget,
    laptop,
    no_trace,
    rows,
    tablet,
    unbalanced,
)
from tests.support.importing import import_live, imported
from tests.support.packets import HOST_MAC, START_US


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


def test_destination_of_a_month_of_sums_goes_whole_if_some_of_it_has_to(tmp_path: Path) -> None:
    """What was used on both sides of the day cannot be divided; what was used before it alone stays."""
    once = talk(START_US + HOUR, "once.example", client=TABLET, mac=TABLET_MAC, server="203.0.113.99", port=44000)
    paths = [
        write(tmp_path / f"{day}.pcap", tablet(START_US + day * DAY, 42000 + day), once if day == 0 else [])
        for day in range(4)
    ]
    database = imported(tmp_path / "h.db", *paths)
    folded(database, START_US + 3 * DAY)
    wish = Request("home", (TABLET_STATION,), (START_US // DAY + 1) * DAY)
    told = undivided(database, wish)
    done = forget(database, since_us=wish.since_us)
    assert (done.left, done.whole) == ([], told)
    assert [month for month, _ in told] == ["2023-11"]
    assert unbalanced(database) == []
    assert [row for row in rows(database, "SELECT DISTINCT domain FROM destinations") if row[0]] == [("once.example",)]
    assert rows(database, "SELECT max(last_seen_us) FROM destinations") < [(wish.since_us,)]
    assert undivided(database, wish) == ()
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
        waiting.extend(row[0] for row in replacements.read_replacements(db))
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


def test_capture_that_waits_for_its_clock_is_said(tmp_path: Path) -> None:
    database = imported(
        tmp_path / "h.db", write(tmp_path / "day.pcap", laptop(START_US), tablet(START_US + 5 * SECOND))
    )
    waiting = write(tmp_path / "waiting.pcap", tablet(START_US + DAY))
    with closing(open_database(database)) as db:
        import_file(db, database, Task(waiting, "home", clock_offset_us=None))
    assert [(Path(what).name, why.split(";")[0]) for what, why in forget(database).left] == [
        ("waiting.pcap", "it was begun before the clock was set, and waits to be read")
    ]
