"""Applications over time: the bytes of their domains, as dpkt counts them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.report import applications
from daemon.report.applications import application_of
from tests.daemon.ingest.scenes import DAY
from tests.daemon.report.test_network import keyed
from tests.support.asking import asked
from tests.support.newweek import ALIKE, MIDNIGHT, SPAN, UNTIL, home, octets, told

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("applications"))


def test_bytes_by_day_and_device_are_those_of_the_servers(week: Home) -> None:
    frames = told(week[1])
    with asked(week[0], SPAN, UNTIL + DAY) as scope:
        assert applications.step_of(scope) == "day"
        report = applications.report(scope)
    found = keyed(report, "application", "time_us")
    for day in (0, 1):
        watched = [
            each for each in frames if "203.0.113.10" in (each.sender, each.receiver) and each.day == ALIKE + day
        ]
        row = found["YouTube", SPAN + day * DAY]
        assert (row["bytes"], row["packets"], row["device"]) == (octets(watched), len(watched), "adas-laptop")
    friends = octets([each for each in frames if "203.0.113.30" in (each.sender, each.receiver)])
    assert found["Facebook", SPAN]["bytes"] == friends
    assert report.sentences[0].startswith("2 known applications were used; most data went to YouTube (42.8 kB)")


def test_a_day_is_told_by_the_quarter(week: Home) -> None:
    with asked(week[0], SPAN, SPAN + DAY) as scope:
        times = {row[0] for row in applications.report(scope).rows}
    assert times == {SPAN + 12 * 3_600_000_000, SPAN + 13 * 3_600_000_000}


def test_the_owners_sets_take_the_place_of_ours(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        own = replace(scope, applications={"Everything": ("example.org", "com"), "Video": ("youtube.com",)})
        found = {row[1] for row in applications.report(own).rows}
        silent = replace(scope, applications={"Nobody": ("nowhere.example",)})
        assert applications.report(silent).rows == ()
        assert "None of the known applications" in applications.report(silent).sentences[0]
    assert found == {"Everything", "Video"}


def test_older_than_days_are_whole_months(week: Home) -> None:
    with asked(week[0], MIDNIGHT - 200 * DAY, UNTIL) as scope:
        report = applications.report(scope)
        assert applications.step_of(scope) == "month"
    assert {row[0] for row in report.rows} == {1_698_796_800_000_000}  # 1 November 2023
    assert any("whole months" in note for note in report.notes)


@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("youtube.com", "Video"),
        ("r1.youtube.com", "Video"),
        ("notyoutube.com", None),
        ("music.youtube.com", "Music"),
        ("a.music.youtube.com", "Music"),
        ("com", None),
    ],
)
def test_domains_end_at_labels_and_the_longer_one_decides(name: str, application: str | None) -> None:
    assert application_of(name, {"youtube.com": "Video", "music.youtube.com": "Music"}) == application
