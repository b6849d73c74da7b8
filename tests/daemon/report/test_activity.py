"""When devices are busy, and at night: as dpkt sees the hours of the capture."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.report import activity, night
from daemon.report.activity import Rhythm
from daemon.report.hours import is_night, local_hours, local_slots, night_slots
from tests.daemon.ingest.scenes import DAY, HOUR, TABLET_MAC
from tests.support.asking import asked
from tests.support.counted import Packet, outside, packets, received, sent
from tests.support.threedays import LAPTOP_MAC, MIDNIGHT, UNTIL, home

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("activity"))


def _hours(frames: list[Packet], mac: str) -> set[int]:
    return {each.time_us // HOUR for each in frames if each.source == mac and outside(each)}


def test_hours_are_those_of_the_capture(three_days: Home) -> None:
    frames = packets(three_days[1])
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        found = {scope.called(number): each for number, each in activity.rhythms(scope).items()}
    assert found["bobs-tablet"].busy == len(_hours(frames, TABLET_MAC)) == 21
    assert found["adas-laptop"].busy == len(_hours(frames, LAPTOP_MAC)) == 3
    assert (found["bobs-tablet"].busy_nights, found["adas-laptop"].busy_nights) == (18, 0)
    assert found["bobs-tablet"].hours == 72
    assert found["adas-laptop"].hours == 61, "from the hour in which it was heard first"
    assert found["bobs-tablet"].busiest == 0
    assert found["bobs-tablet"].silence == 9, "from after five to three"


def test_words_follow_the_hours() -> None:
    def lived(**others: int) -> Rhythm:
        given = {"hours": 100, "heard": 100, "busy": 0, "nights": 30, "busy_nights": 0, "silence": 0} | others
        return Rhythm(busiest=3, **given)

    assert lived(busy=95).pattern == "always on"
    assert lived(busy=60).pattern == "on most of the time"
    assert lived(busy=10, heard=20).pattern == "on demand"
    assert lived(busy=1).pattern == "there, but silent"
    assert lived(hours=5, heard=5, busy=5).pattern == "too early to tell"
    assert "always on: it talked to the internet in 95 of 100 hours" in activity.told("TV", lived(busy=95))
    assert "around 03:00" in activity.told("TV", lived(busy=10, heard=20))


def test_night_has_the_bytes_of_its_hours(three_days: Home) -> None:
    def at_night(each: Packet) -> bool:
        return outside(each) and (each.hour >= 22 or each.hour < 6)

    frames = packets(three_days[1])
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        report = night.report(scope)
        rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
    assert {row["device"] for row in rows} == {"bobs-tablet"}, "the laptop sleeps"
    assert sum(int(str(row["bytes_up"])) for row in rows) == sent(frames, TABLET_MAC, at_night)
    assert sum(int(str(row["bytes_down"])) for row in rows) == received(frames, TABLET_MAC, at_night)
    assert {row["destination"] for row in rows} == {"sync.example.net"}
    assert {row["service"] for row in rows} == {"https"}


def test_hours_of_the_night_can_be_others(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL, night=(12, 13)) as scope:
        assert {row[0] for row in night.report(scope).rows} == {"adas-laptop"}
        assert re.fullmatch(
            r"1 device took part: most of all adas-laptop \([0-9.]+ k?B\)\.", night.report(scope).sentences[1]
        ), "which device is what people ask first"
    with asked(three_days[0], MIDNIGHT, UNTIL, mac=LAPTOP_MAC) as scope:
        assert night.report(scope).sentences == (
            "adas-laptop exchanged nothing with the internet between 22:00 and 06:00.",
        )


def test_night_is_told_by_the_clock_of_the_house() -> None:
    assert [hour for hour in range(24) if is_night(hour, (22, 6))] == [0, 1, 2, 3, 4, 5, 22, 23]
    assert [hour for hour in range(24) if is_night(hour, (1, 4))] == [1, 2, 3]
    # 26 October 2025 in Berlin: three o'clock comes twice.
    first = 1_761_429_600 // 900
    hours = local_hours(range(first, first + 20), "Europe/Berlin")
    assert hours.tolist() == [0] * 4 + [1] * 4 + [2] * 8 + [3] * 4


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"])
def test_slots_by_the_clock_of_the_house_are_those_of_the_calendar(zone: str) -> None:
    first = 1_727_740_800 // 900  # October 2024 to May 2025: the clock changes twice, in Lord Howe by half an hour
    slots = range(first, first + 240 * 96)
    at = [datetime.fromtimestamp(slot * 900, ZoneInfo(zone)) for slot in slots]
    wanted = [(each.date() - date(1970, 1, 1)).days * 96 + each.hour * 4 + each.minute // 15 for each in at]
    assert local_slots(slots, zone).tolist() == wanted


def test_nights_of_a_span_only(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT + 5 * HOUR, MIDNIGHT + DAY) as scope:
        assert len(night_slots(scope)) == 4 + 8, "from five to six, and from ten to midnight"
