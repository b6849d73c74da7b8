"""Days that end, recorded and then read: at an ordinary midnight and where the clocks change, busy and silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.ingest.live import Assignment, Live
from tests.daemon.ingest.scenes import SECOND, Frame, lookup, talk, write
from tests.support.compare import imbalance, views
from tests.support.following import StillWorld
from tests.support.forgetting import rows
from tests.support.importing import imported
from tests.support.recording import Bench, FakeClock, batch_of_frames, times_in

BERLIN = "Europe/Berlin"
DAYS = ["2026-01-06", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"]  # of which two have 23 and 25 hours
BORDERLESS = ("dns_queries", "dns_responses", "dns_answers", "hellos", "devices", "device_addresses")


def midnight_of(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()) * SECOND


def over(midnight_us: int) -> list[Frame]:
    """A conversation that runs over midnight, one that stands still then, and names on both sides."""
    frames = [*lookup(midnight_us - 20 * SECOND, "before.example", "203.0.113.7")]
    frames += talk(midnight_us - 15 * SECOND, "before.example", port=40001, server="203.0.113.7", gap_us=3 * SECOND)
    frames += talk(midnight_us - 12 * SECOND, "still.example", port=40002, reply=900, gap_us=4 * SECOND, close=False)
    frames += lookup(midnight_us, "exactly.example", "198.51.100.8")
    frames += lookup(midnight_us - 1, "one-before.example", port=40054)
    return sorted([*frames, *lookup(midnight_us + 15 * SECOND, "after.example", "198.51.100.9")])


def record(folder: Path, frames: list[Frame], begin_us: int, seconds: int) -> list[Path]:
    """The files of a recording that sees these frames, each handed over up to half a second late."""
    folder.mkdir()
    bench = Bench(folder, zone=BERLIN, clock=FakeClock(wall_us=begin_us))
    for _ in range(seconds * 2):
        bench.clock.pass_by(0.5)
        now = bench.clock.wall_us
        due = [frame for frame in frames if now - SECOND // 2 <= frame[0] < now]
        bench.recorder.round(batch_of_frames(due), bench.clock.read(), synced=True)
        bench.wait_for_disk()
    return bench.end()


def follow(folder: Path, database: Path) -> Path:
    world = StillWorld([lambda: None])
    Live(Assignment(folder, database), world, world.hear).run(once=True)
    return database


@pytest.mark.parametrize("day", DAYS)
def test_a_day_that_ends_under_traffic_divides_files_and_nothing_else(tmp_path: Path, day: str) -> None:
    midnight_us = midnight_of(day)
    frames = over(midnight_us)
    old, new = record(tmp_path / "in", frames, midnight_us - 30 * SECOND, 75)
    assert new.name == f"{day}_00.00.00_wlan0.pcap"
    assert times_in(old)[-1] < midnight_us <= times_in(new)[0]
    assert times_in(old) + times_in(new) == [time_us for time_us, _ in frames]
    database = follow(tmp_path / "in", tmp_path / "h.db")
    assert imbalance(database) == []
    assert rows(database, "SELECT series, status, first_us, last_us FROM captures ORDER BY first_us") == [
        ("wlan0", "done", times_in(old)[0], times_in(old)[-1]), ("wlan0", "done", times_in(new)[0], times_in(new)[-1]),
    ]  # fmt: skip
    assert rows(database, "SELECT * FROM capture_gaps") == []
    traffic = (
        "SELECT slot_us, remote_address, protocol, service, sum(packets_up), sum(packets_down), sum(bytes_up),"
        " sum(bytes_down) FROM traffic GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    without = {view: {"capture_id"} for view in BORDERLESS}
    whole = views(imported(tmp_path / "whole.db", write(tmp_path / "one" / new.name, frames)), without)
    found = views(database, without)
    assert {view: found[view] for view in BORDERLESS} == {view: whole[view] for view in BORDERLESS}
    assert rows(database, traffic) == rows(tmp_path / "whole.db", traffic)
    going_on = "SELECT server_name, name_source, first_seen_us >= ? FROM flows WHERE client_port = 40001 ORDER BY 3"
    assert rows(database, going_on.replace("?", str(midnight_us))) == [
        ("before.example", "tls", 0), ("before.example", "continued", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("day", DAYS)
def test_a_day_that_ends_in_silence(tmp_path: Path, day: str) -> None:
    midnight_us = midnight_of(day)
    old, new = record(tmp_path / "in", [], midnight_us - 5 * SECOND, 10)
    assert [old.stat().st_size, new.stat().st_size] == [24, 24]
    database = follow(tmp_path / "in", tmp_path / "h.db")
    assert rows(database, "SELECT * FROM captures") == []
    assert rows(database, "SELECT * FROM capture_gaps") == [], "nothing came, and somebody listened"


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_whole_day_on_which_the_clocks_change_is_one_file(tmp_path: Path, day: str, hours: int) -> None:
    begin = midnight_of(day)
    frames = [frame for hour in range(hours) for frame in lookup(begin + hour * 3600 * SECOND, f"h{hour}.example")]
    folder = tmp_path / "in"
    folder.mkdir()
    bench = Bench(folder, zone=BERLIN, clock=FakeClock(wall_us=begin))
    for frame in frames:
        bench.round()
        bench.clock.pass_by((frame[0] - bench.clock.wall_us) / SECOND + 0.01)
        bench.recorder.round(batch_of_frames([frame]), bench.clock.read(), synced=True)
    bench.clock.pass_by(3600)
    bench.idle(3)
    files = bench.end()
    following = (datetime.fromisoformat(day) + timedelta(days=1)).date()
    assert [file.name for file in files] == [f"{day}_00.00.00_wlan0.pcap", f"{following}_00.00.00_wlan0.pcap"]
    database = follow(folder, tmp_path / "h.db")
    assert rows(database, "SELECT packets FROM captures") == [(len(frames),)]
    assert imbalance(database) == []
