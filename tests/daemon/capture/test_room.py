"""A recording on a disk with less room than is to stay free: it pauses, or keeps the first bytes of each packet."""

from __future__ import annotations

from pathlib import Path

from daemon.capture.plan import Pace
from daemon.capture.status import standing
from tests.support.recording import Bench, FaultyDisk, files_in, lines_of, records_in, times_in

MIB = 1 << 20
FLOOR = 16 * MIB
PAUSING = Pace(retry_us=1_000_000, room=MIB, floor=FLOOR)
CUTTING = Pace(retry_us=1_000_000, room=MIB, floor=FLOOR, low_snaplen=40)


def bench_with(folder: Path, pace: Pace, free: int) -> Bench:
    return Bench(folder, disk=FaultyDisk(room=free), pace=pace)


def paused(bench: Bench) -> bool:
    return bench.recorder.pause is not None


def seconds(bench: Bench, number: float) -> list[int]:
    """A packet each fifth of a second; their times."""
    sent = []
    for _ in range(round(number * 5)):
        bench.clock.pass_by(0.2)
        sent.append(bench.packet())
    return sent


def test_below_the_floor_it_pauses_and_goes_on_when_there_is_clearly_more(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, PAUSING, 2 * FLOOR)
    before = seconds(bench, 3)
    bench.disk.room = bench.disk.used + FLOOR - 1  # somebody's photos
    seconds(bench, 3)
    assert bench.said == [
        f"paused: less than 16 MiB are free: {tmp_path}; recording goes on by itself when that is over"
    ]
    bench.disk.room = bench.disk.used + FLOOR + 1
    seconds(bench, 3)
    assert paused(bench), "hardly more than the floor"
    bench.disk.room = bench.disk.used + FLOOR + FLOOR // 16
    seconds(bench, 2)
    after = seconds(bench, 3)
    assert not paused(bench)
    (file,) = bench.end()
    times = times_in(file)
    assert set(before[:-5]) | set(after) <= set(times)
    pause, resume = (line for line in lines_of(file) if line.event in ("pause", "resume"))
    assert pause.more["reason"] == "less than 16 MiB are free"
    last = lines_of(file)[-1]
    assert last.received == last.written + int(resume.more["lost"] or 0)


def test_it_pauses_again_though_it_has_just_gone_on(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, PAUSING, FLOOR - 1)
    seconds(bench, 2)
    bench.disk.room = 2 * FLOOR
    seconds(bench, 1.4)
    assert not paused(bench)
    bench.disk.room = FLOOR - 1
    seconds(bench, 2)
    assert paused(bench)
    bench.end()


def test_below_the_floor_packets_are_cut_and_their_true_length_stays(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, CUTTING, 2 * FLOOR)
    sent = seconds(bench, 4)
    bench.disk.room = bench.disk.used + FLOOR - 1
    sent += seconds(bench, 4)
    now = standing(bench.recorder, "wlan0", bench.clock.read(), synced=True)
    assert (now.state, now.numbers["snaplen"]) == ("capturing", 40)
    assert "only 40 bytes" in now.sentence
    bench.disk.room = 4 * FLOOR
    sent += seconds(bench, 4)
    files = sorted(bench.end(), key=lambda file: lines_of(file)[0].time_us)
    assert [lines_of(file)[0].more["snaplen"] for file in files] == [262_144, 40, 262_144]
    assert [lines_of(file)[0].more["reason"] for file in files] == ["start", "room", "room"]
    assert [time for file in files for time in times_in(file)] == sent, "none is lost"
    lengths = [{(wire, len(data)) for _, wire, data in records_in(file)} for file in files]
    assert lengths == [{(60, 60)}, {(60, 40)}, {(60, 60)}]
    assert [sentence.split(":")[0] for sentence in bench.said] == ["less than 16 MiB are free", "there is room again"]


def test_a_disk_that_is_full_before_anybody_looked_cuts_afterwards(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, CUTTING, 2 * FLOOR)
    seconds(bench, 2)
    bench.disk.room = bench.disk.used + 100
    seconds(bench, 2)
    assert paused(bench)
    bench.disk.room = bench.disk.used + 2 * MIB  # room to go on, and less than the floor
    seconds(bench, 4)
    assert not paused(bench)
    assert lines_of(files_in(tmp_path)[-1])[0].more["snaplen"] == 40
    bench.end()


def test_without_a_floor_nobody_looks(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, Pace(retry_us=1_000_000, room=1000), 5000)
    sent = seconds(bench, 2)
    (file,) = bench.end()
    assert times_in(file) == sent
