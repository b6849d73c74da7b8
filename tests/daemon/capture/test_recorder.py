"""Which packet goes into which file: days, sizes, clocks that are set; without an interface."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.capture.plan import Pace
from daemon.capture.schedule import local
from daemon.decode.sidecar import SUFFIX
from tests.support.recording import SECOND, Bench, FakeClock, batch, files_in, lines_of, records_in, times_in

BERLIN = "Europe/Berlin"


def at(text: str) -> FakeClock:
    return FakeClock(wall_us=int(datetime.fromisoformat(text).timestamp()) * SECOND)


def names(folder: Path) -> list[str]:
    return [path.name for path in files_in(folder)]


@pytest.mark.parametrize(
    ("zone", "before", "wanted"),
    [
        (BERLIN, "2026-01-05T23:59:58+01:00", "2026-01-06_00.00.00_wlan0.pcap"),
        (BERLIN, "2026-03-28T23:59:58+01:00", "2026-03-29_00.00.00_wlan0.pcap"),  # into the day of 23 hours
        (BERLIN, "2026-03-29T23:59:58+02:00", "2026-03-30_00.00.00_wlan0.pcap"),  # and out of it
        (BERLIN, "2026-10-24T23:59:58+02:00", "2026-10-25_00.00.00_wlan0.pcap"),  # into the day of 25 hours
        (BERLIN, "2026-10-25T23:59:58+01:00", "2026-10-26_00.00.00_wlan0.pcap"),
        ("Asia/Beirut", "2026-03-28T23:59:58+02:00", "2026-03-29_01.00.00_wlan0.pcap"),  # 00:00 does not exist
        ("America/Havana", "2026-10-31T23:59:58-04:00", "2026-11-01_00.00.00_wlan0.pcap"),  # 00:00 comes twice
    ],
)
@pytest.mark.parametrize("traffic", [True, False], ids=["traffic", "silence"])
def test_a_day_ends_at_midnight_with_and_without_packets(
    tmp_path: Path, zone: str, before: str, wanted: str, traffic: bool
) -> None:  # fmt: skip
    bench = Bench(tmp_path, zone=zone, clock=at(before))
    sent: list[int] = []
    for _ in range(20):
        bench.clock.pass_by(0.2)
        if traffic:
            sent.append(bench.packet())
        else:
            bench.round()
    assert names(tmp_path)[-1] == wanted
    old, new = bench.end()
    begins_us = bench.clock.wall_us - 2 * SECOND
    assert times_in(old) == [t for t in sent if t < begins_us]
    assert times_in(new) == [t for t in sent if t >= begins_us]
    assert lines_of(old)[-1].more == {"reason": "midnight"}
    assert lines_of(new)[0].more["reason"] == "midnight"


def test_no_hour_is_a_new_day_when_the_clocks_change(tmp_path: Path) -> None:
    for number, change in enumerate(("2026-03-29T01:59:58+01:00", "2026-10-25T02:59:58+02:00")):
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = Bench(folder, clock=at(change))
        bench.idle(4)
        assert len(bench.end()) == 1


def test_packets_from_before_midnight_that_come_late_go_into_the_old_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path, clock=at("2026-01-05T23:59:59+01:00"))
    midnight_us = bench.clock.wall_us + SECOND
    bench.clock.pass_by(1.3)
    bench.round([midnight_us - 1, midnight_us, midnight_us - 200_000, midnight_us + 5])
    bench.clock.pass_by(2)
    bench.round([midnight_us - 7, midnight_us + 9], drained=False)  # the kernel is behind: nothing is closed yet
    bench.clock.pass_by(2)
    bench.round([midnight_us - 3], drained=False)
    bench.idle(3)
    old, new = files_in(tmp_path)
    assert times_in(old) == [midnight_us - n for n in (1, 200_000, 7, 3)]
    assert times_in(new) == [midnight_us, midnight_us + 5, midnight_us + 9]
    closed = lines_of(old)[-1]
    assert (closed.event, closed.received, closed.written, closed.on_disk) == ("close", 4, 4, old.stat().st_size)
    bench.end()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.sampled_from([BERLIN, "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "America/Havana"]),
    st.integers(1_767_225_600, 1_798_761_600),
    st.lists(st.integers(0, 30 * 3600), min_size=1, max_size=25),
    st.integers(0, 900_000),
)
def test_every_packet_is_in_the_file_of_its_local_day_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, zone: str, start: int, pauses: list[int], late_us: int
) -> None:
    """Days of any zone, packets at any distance, each handed over up to 0.9 s after it was seen."""
    folder = tmp_path_factory.mktemp("days")
    bench = Bench(folder, zone=zone, clock=FakeClock(wall_us=start * SECOND))
    sent = []
    for pause in pauses:
        seen_us = bench.clock.pass_by(pause).wall_us
        sent.append(seen_us)
        bench.clock.pass_by(late_us / SECOND)
        bench.round([seen_us])
        bench.idle(2, every=1)
    files = bench.end()
    found = [time for file in sorted(files, key=lambda f: lines_of(f)[0].time_us) for time in times_in(file)]
    assert found == sent
    there = ZoneInfo(zone)
    for file in files:
        days = {local(time_us, there).date() for time_us in times_in(file)}
        assert len(days) <= 1
        assert not days or file.name.startswith(f"{days.pop()}")
    for earlier, later in pairwise(sorted(files, key=lambda f: lines_of(f)[0].time_us)):
        assert lines_of(earlier)[-1].event == "close"
        assert lines_of(later)[0].event == "open"


def test_a_machine_that_slept_over_midnight_names_the_file_by_when_it_woke(tmp_path: Path) -> None:
    bench = Bench(tmp_path, clock=at("2026-01-05T23:00:00+01:00"))
    bench.clock.pass_by(8.5 * 3600)
    bench.round()
    bench.end()
    assert names(tmp_path) == ["2026-01-05_23.00.00_wlan0.pcap", "2026-01-06_07.30.00_wlan0.pcap"]


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    taken = tmp_path / "2026-01-01_01.00.00_wlan0.pcap"
    taken.write_text("mine")
    (tmp_path / f"2026-01-01_01.00.00_wlan0_2.pcap{SUFFIX}").write_text("mine, too")
    Bench(tmp_path).end()
    assert taken.read_text() == "mine"
    assert names(tmp_path) == [taken.name, "2026-01-01_01.00.00_wlan0_3.pcap"]
    assert (tmp_path / f"2026-01-01_01.00.00_wlan0_2.pcap{SUFFIX}").read_text() == "mine, too"


def test_files_end_by_size(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pace=Pace(rotate=1000))
    sent = []
    for _ in range(40):
        bench.clock.pass_by(0.1)
        sent.append(bench.packet())
    files = bench.end()
    ordered = sorted(files, key=lambda file: lines_of(file)[0].monotonic_us)
    assert len(ordered) == 4
    assert [time for file in ordered for time in times_in(file)] == sent
    assert all(file.stat().st_size <= 1000 + 76 for file in ordered)
    assert [lines_of(file)[-1].more["reason"] for file in ordered] == ["size", "size", "size", "stopped"]


@pytest.mark.parametrize("seconds", [3600, -3600, 2.5, -2.5, 86_400 * 365 * 56, -86_400 * 3])
def test_a_clock_that_is_moved_begins_a_new_file(tmp_path: Path, seconds: float) -> None:
    bench = Bench(tmp_path)
    first = [bench.packet()]
    before = bench.clock.pass_by(0.1)
    bench.clock.step(seconds)
    after = bench.clock.pass_by(0.1)
    bench.round([before.wall_us, before.wall_us + 50_000, after.wall_us])  # two were stamped by the clock of before
    bench.idle(3)
    files = sorted(bench.end(), key=lambda file: lines_of(file)[0].monotonic_us)
    old, new = files
    assert times_in(old) == [*first, before.wall_us, before.wall_us + 50_000]
    assert times_in(new) == [after.wall_us]
    jump, close = lines_of(old)[-2:]
    assert (jump.event, jump.more) == ("jump", {"offset_us": round(seconds * SECOND)})
    assert (close.event, close.more) == ("close", {"reason": "jump"})
    assert lines_of(new)[0].more["reason"] == "jump"
    assert any(f"{seconds:+.1f} s" in sentence for sentence in bench.said)


def test_a_second_here_and_there_is_no_jump_until_they_sum_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(2):
        bench.clock.step(1)
        bench.idle(1)
    assert len(files_in(tmp_path)) == 1
    bench.clock.step(1)
    bench.idle(1)
    assert len(bench.end()) == 2


def test_before_the_clock_is_set_files_have_no_date_and_learn_it_later(tmp_path: Path) -> None:
    clock = FakeClock(wall_us=3 * SECOND, is_synced=False)
    bench = Bench(tmp_path, clock=clock, pace=Pace(rotate=200))
    seen = []
    for _ in range(2):
        seen.append((clock.monotonic_us, bench.packet()))
        bench.idle(2)
    assert names(tmp_path) == ["unsynced-0a1b2c3d-1_wlan0.pcap"]
    bench.packet()
    bench.idle(3)
    clock.step(1_767_225_600)
    clock.is_synced = True
    clock.pass_by(0.1)
    bench.round([clock.wall_us])
    files = bench.end()
    assert [file.name for file in files] == [
        "2026-01-01_01.00.10_wlan0.pcap",
        "unsynced-0a1b2c3d-1_wlan0.pcap",
        "unsynced-0a1b2c3d-2_wlan0.pcap",
    ]
    assert times_in(files[0]) == [clock.wall_us]
    for file in files[1:]:
        (sync,) = [line for line in lines_of(file) if line.event == "sync"]
        assert sync.more == {"offset_us": 1_767_225_600 * SECOND}
        assert sync.synced
    assert not lines_of(files[1])[0].synced
    assert times_in(files[1])[0] == seen[0][1], "the packets themselves are left as they were"


def test_a_clock_that_was_right_before_anybody_said_so_costs_a_file_and_no_packet(tmp_path: Path) -> None:
    clock = FakeClock(is_synced=False)
    bench = Bench(tmp_path, clock=clock)
    sent = [bench.packet()]
    clock.is_synced = True
    clock.pass_by(0.5)
    sent.append(bench.packet())
    dated, undated = bench.end()
    assert (times_in(undated) + times_in(dated))[0] == sent[0]
    assert sorted(times_in(undated) + times_in(dated)) == sent
    assert [line.more for line in lines_of(undated) if line.event == "sync"] == [{"offset_us": 0}]


def test_the_disk_is_asked_every_five_seconds_and_the_sidecar_says_what_it_has(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(300):
        bench.clock.pass_by(0.1)
        bench.packet()
        bench.wait_for_disk()
    (file,) = files_in(tmp_path)
    samples = [line for line in lines_of(file) if line.event == "sample"]
    assert 5 <= len(samples) <= 7
    assert bench.disk.syncs <= 7
    assert [line.on_disk for line in samples] == [24 + 76 * line.written - 76 for line in samples]
    bench.end()
    assert lines_of(file)[-1].on_disk == file.stat().st_size == 24 + 300 * 76


def test_on_a_silent_link_a_line_comes_every_ten_seconds(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.idle(60)
    (file,) = bench.end()
    assert len([line for line in lines_of(file) if line.event == "sample"]) in (6, 7)
    assert file.stat().st_size == 24


def test_losses_are_counted_with_the_file_in_which_they_happened(tmp_path: Path) -> None:
    bench = Bench(tmp_path, clock=at("2026-01-05T23:59:58+01:00"))
    bench.round(drops=(3, 1))
    bench.clock.pass_by(3)
    bench.round(drops=(4, 0))
    bench.clock.pass_by(1)
    bench.round(drops=(5, 2))
    old, new = bench.end()
    assert (lines_of(old)[-1].kernel_drops, lines_of(old)[-1].interface_drops) == (7, 1)
    assert (lines_of(new)[-1].kernel_drops, lines_of(new)[-1].interface_drops) == (5, 2)
    assert (bench.recorder.kernel_drops, bench.recorder.interface_drops) == (12, 3)


def test_a_file_that_somebody_deletes_is_followed_by_another(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.packet()
    files_in(tmp_path)[0].unlink()
    bench.idle(6)
    assert "taken away" in bench.said[0]
    sent = bench.packet()
    (file,) = bench.end()
    assert times_in(file) == [sent]


def test_an_interface_that_comes_back_as_another_kind_gets_another_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.packet()
    bench.recorder.link_lost(bench.clock.pass_by(1), "wlan0 is down")
    bench.idle(2)
    bench.recorder.link_back(bench.clock.read(), synced=True, link=113)
    bench.clock.pass_by(1)
    bench.packet()
    old, new = bench.end()
    assert [line.event for line in lines_of(old)] == ["open", "pause", "resume", "close"]
    assert lines_of(old)[1].more == {"reason": "wlan0 is down"}
    assert lines_of(new)[0].more["link"] == 113
    assert new.read_bytes()[20] == 113


def test_packets_are_shortened_and_keep_their_true_length(tmp_path: Path) -> None:
    bench = Bench(tmp_path, snaplen=64)
    now = bench.clock.read()
    bench.recorder.round(batch([5, 6], size=64), now, synced=True)
    bench.recorder.round(batch([7], size=1514), now, synced=True)
    (file,) = bench.end()
    assert [(wire, len(data)) for _, wire, data in records_in(file)] == [(64, 64), (64, 64), (1514, 64)]
    assert int.from_bytes(file.read_bytes()[16:20], "little" if file.read_bytes()[0] == 0xD4 else "big") == 64
