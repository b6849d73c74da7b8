"""What was judged to be advertising and tracking, against the public view: days, months whose days are gone, one of them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database, read_database
from daemon.store.watching import read_watched
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.daemon.store.test_gathered import as_imported, join_both
from tests.daemon.store.test_whose_days import scope
from tests.support.importing import imported
from tests.support.packets import START_US

PLACES = (
    "api.sonos.com",
    "ads.doubleclick.net",
    "www.google-analytics.com",
    "www.google.com",
    "acr.unheard-of.example",
)
PURPOSES = frozenset({"advertising", "analytics", "recognition"})


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two devices, advertisers and others, on three days of two months."""
    files = []
    for day in (0, 1, 40):
        frames = []
        for number, name in enumerate(PLACES):
            at, far = START_US + day * DAY + number * SECOND, f"203.0.113.{number + 1}"
            frames += talk(at, name, server=far, port=40000 + 10 * day + number)
            frames += talk(at + 9 * SECOND, name, client=TABLET, mac=TABLET_MAC, server=far, port=50000 + 10 * day)
        files.append(write(tmp_path / f"{day}.pcap", sorted(frames)))
    return imported(tmp_path / "h.db", *files)


def _by_view(db: sqlite3.Connection, months: str, device: int | None) -> Counter[tuple[int, str | None]]:
    sums: Counter[tuple[int, str | None]] = Counter()
    query = (
        "SELECT coalesce(device_id, 0), organisation, bytes_up + bytes_down FROM destinations WHERE party = 'third'"
        " AND purpose IN ('advertising', 'analytics', 'recognition') AND month GLOB ?"
    )
    for number, organisation, octets in db.execute(query, (months,)):
        if device in (None, number):
            sums[number, organisation] += octets
    return sums


@pytest.mark.parametrize("change", [as_imported, join_both])
def test_the_same_as_the_view_says(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(read_database(database)) as db:
        devices = [None, *(number for (number,) in db.execute("SELECT id FROM device ORDER BY id"))]
        for first, last, months in ((0, 60, "*"), (30, 60, "2023-12"), (0, 10, "2023-11"), (45, 60, "none")):
            for device in devices:
                rows = read_watched(db, scope(db, first, last).of(device).window, "third", PURPOSES)
                told = {(row.device_id, row.organisation): row.bytes for row in rows}
                assert told == _by_view(db, months, device), (first, device)
                assert [row.bytes for row in rows] == sorted((row.bytes for row in rows), reverse=True)
        assert _by_view(db, "*", None), "somebody advertises"


def test_single_days_are_told_apart(database: Path) -> None:
    with closing(read_database(database)) as db:
        days = [
            sum(row.bytes for row in read_watched(db, scope(db, day, day + 0.01).window, "third", PURPOSES))
            for day in (0, 1, 2)
        ]
        assert days[0] == days[1] > 0 == days[2]


def test_nobody_advertises_in_an_empty_home(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "empty.db")) as db:
        assert read_watched(db, scope(db).window, "third", PURPOSES) == []
