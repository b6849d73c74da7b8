"""Rates: questions and connections a minute, as dpkt counts them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from daemon.report import requests
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET_MAC, talk, write
from tests.daemon.report.test_network import keyed
from tests.support.asking import asked
from tests.support.importing import imported
from tests.support.newweek import BURST, BURST_AT, SPAN, UNTIL, home, told

Home = tuple[Path, Path]
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("requests"))


def test_questions_a_minute(week: Home) -> None:
    asks = Counter(each.time_us // MINUTE for each in told(week[1]) if each.question and each.source == TABLET_MAC)
    with asked(week[0], SPAN, SPAN + DAY) as scope:
        rates = requests.find_rates(scope)
        tablet = next(device for device in rates if scope.called(device) == "bobs-tablet")
        row = keyed(requests.report(scope), "device")["bobs-tablet"]
    queries = enumerate(rates[tablet].queries.tolist(), rates[tablet].first)
    assert {minute: number for minute, number in queries if number} == asks
    assert (row["queries"], row["most"], row["most_us"]) == (asks.total(), BURST, BURST_AT)
    assert row["queries_per_hour"] == f"{asks.total() / 24:.1f}"


def test_connections_are_those_that_were_opened(week: Home) -> None:
    frames = told(week[1])
    opened = {
        (each.source, each.sender, each.ports) for each in frames
        if each.protocol == "tcp" and each.day == 8 and each.ports[0] >= 40_000
    }  # fmt: skip
    with asked(week[0], SPAN, SPAN + DAY) as scope:
        found = keyed(requests.report(scope), "device")
    assert sum(row["connections"] for row in found.values()) == len(opened)
    assert found["bobs-tablet"]["connections"] == len({each for each in opened if each[0] == TABLET_MAC})


def test_like_short_connections_are_spread_over_their_time(tmp_path: Path) -> None:
    calls = [
        frame for number in range(300) for frame in talk(SPAN + number * 2 * SECOND, port=20_000 + number, reply=60)
    ]
    database = imported(tmp_path / "h.db", write(tmp_path / "calls.pcap", calls))
    with asked(database, SPAN, SPAN + HOUR) as scope:
        rates = next(iter(requests.find_rates(scope).values()))
    assert rates.connections.sum() == pytest.approx(300)
    assert rates.connections.max() <= 40  # 30 begin in each of ten minutes
    assert (rates.connections > 0).sum() >= 10


def test_only_the_last_day_of_a_long_time_is_told(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        report = requests.report(scope)
        assert requests.last_day(scope).span.seconds == 86_400
    assert any("last day of the time asked for" in note for note in report.notes)


def test_a_time_of_which_no_detail_is_kept(week: Home) -> None:
    with asked(week[0], SPAN - 400 * DAY, SPAN - 390 * DAY) as scope:
        report = requests.report(scope)
    assert report.rows == ()
    assert "as far as it is kept in detail" in report.sentences[0]
    assert any("only sums are left" in note for note in report.notes)
