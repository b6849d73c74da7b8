"""Bytes with the internet by device, over days, months and parts of days: those of the sums that reports read."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from daemon.report.scope import Scope, Span
from daemon.report.sums import pieces
from daemon.store.active import devices_seen, read_day_lines, read_moved
from daemon.store.database import read_database
from daemon.store.stations_seen import devices_of_stations
from daemon.store.totals import read_totals
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US
from tests.support.scoring import scope_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventy days of two devices, one of which comes later."""
    folder = tmp_path_factory.mktemp("active")
    frames = []
    for day in range(0, 70, 3):
        at = START_US + day * DAY
        frames += talk(at + SECOND, "www.example.com", port=40_000 + day)
        if day > 30:
            frames += talk(at + HOUR, "www.example.org", client=TABLET, mac=TABLET_MAC, port=42_000 + day)
    return imported(folder / "h.db", write(folder / "a.pcap", frames))


@pytest.mark.parametrize(
    ("begin", "length"),
    [(0, 71 * DAY), (2 * DAY, 65 * DAY), (40 * DAY, 5 * HOUR), (10 * DAY + HOUR, 33 * DAY), (69 * DAY, DAY)],
)
def test_they_are_those_of_the_totals(home: Path, begin: int, length: int) -> None:
    with closing(read_database(home)) as db:
        scope: Scope = scope_of(db)
        scope = scope.over(Span(START_US + begin, START_US + begin + length))
        devices = devices_of_stations(db, 1)
        moved, lines, expected, by_day = (
            Counter[int](),
            Counter[tuple[int, int]](),
            Counter[int](),
            Counter[tuple[int, int]](),
        )
        for window, tier in pieces(scope):
            for station, octets in read_moved(db, window, tier).items():
                moved[devices.get(station, 0)] += octets
            for device, *_, up, down in read_totals(db, window, ("device",), scope="internet", least=tier):
                expected[device] += up + down
        lines.update(read_day_lines(db, scope.window, scope.names))
        for device, day, *_, up, down in read_totals(db, scope.window, ("device", "day"), scope="internet"):
            by_day[device, day] += up + down
        seen = devices_seen(db, scope.window)
    assert moved == expected
    assert lines == by_day
    assert set(moved) <= seen
