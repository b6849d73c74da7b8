"""How much is advertising and tracking: against the packets, by company and device, and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.report import months, watching
from daemon.report.watching import read_watching, watching_words
from daemon.report.words import size_words
from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.asking import asked
from tests.support.newweek import SPAN, UNTIL, home, octets, told

ADS = "203.0.113.20"


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return home(tmp_path_factory.mktemp("watching"))


def test_the_bytes_are_those_of_the_packets(week: tuple[Path, Path]) -> None:
    frames = [each for each in told(week[1]) if ADS in (each.sender, each.receiver)]
    with asked(week[0], SPAN, UNTIL) as scope:
        found = read_watching(scope)
        assert found.bytes == octets(frames) > 0
        assert found.companies == ["Google"]
        assert [scope.called(each) for each in found.devices] == ["bobs-tablet"]
        (sentence,) = months.report(scope).sentences
        assert f"third parties, {size_words(octets(frames))} of it for advertising and tracking" in sentence
    with asked(week[0], SPAN, UNTIL, mac=TABLET_MAC) as scope:
        assert read_watching(scope).bytes == found.bytes


def test_as_a_table(week: tuple[Path, Path]) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        table = watching.report(scope)
        assert [row[1:3] for row in table.rows] == [("bobs-tablet", "Google")]
        assert table.rows[0][3:] == (read_watching(scope).bytes, 1.0)
        assert "most with Google; bobs-tablet exchanged most." in table.sentences[0]


def test_before_that_nobody_did(week: tuple[Path, Path]) -> None:
    with asked(week[0], SPAN - 3 * 86_400_000_000, SPAN) as scope:
        assert read_watching(scope).bytes == 0
        assert watching.report(scope).rows == ()


def test_words() -> None:
    assert watching_words(41_000_000) == ", 41.0 MB of it for advertising and tracking"
    assert watching_words(0) == ", none of it known to be for advertising or tracking"
