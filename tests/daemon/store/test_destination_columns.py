"""A part as columns says what its rows say, and has none as soon as these change."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.retention import retain_all
from daemon.report.scope import Scope, Span
from daemon.store import destination_columns
from daemon.store.columns import unpack
from daemon.store.database import open_database, read_database, transaction
from daemon.store.retain import Limits
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US

_ALL = "SELECT * FROM destination_day_column UNION ALL SELECT * FROM destination_month_column"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    files = []
    for day in (0, 1, 2, 40, 41):
        frames = []
        for number in range(4):
            at, far = START_US + day * DAY + number * SECOND, f"203.0.113.{number + 1}"
            frames += talk(at, f"host{number % 3}.example", server=far, port=40000 + 10 * day + number)
            frames += talk(at + 9 * SECOND, client=TABLET, mac=TABLET_MAC, server=far, port=50000 + day)
        files.append(write(tmp_path / f"{day}.pcap", frames))
    return imported(tmp_path / "h.db", *files)


def parts(path: Path) -> set[int]:
    with closing(read_database(path)) as db:
        return {day for (day,) in db.execute("SELECT day FROM destination_day_column")}


def test_all_parts_but_the_one_at_hand_have_columns_that_say_what_rows_say(database: Path) -> None:
    retain_all(database, Limits(detail_days=10), Knowledge())
    with closing(read_database(database)) as db:
        every = destination_columns._there(db, {"first_month": 0, "last_month": 1 << 30})
        held = {(month, day): packed for month, day, packed in db.execute(_ALL)}
        assert set(held) == every - {max(every)}
        assert {day for _, day in held} >= {0}
        ways = destination_columns.read_ways(db)
        for (month, day), packed in held.items():
            made = destination_columns._made(db, month, day, ways)
            assert [column.tolist() for column in unpack(packed)] == [column.tolist() for column in made]
            assert len(made.named)


def test_what_changes_has_none_at_once_and_is_read_from_its_rows(database: Path) -> None:
    first = min(parts(database))
    with closing(open_database(database)) as db:
        with transaction(db):
            db.execute("UPDATE destination_day SET bytes_up = bytes_up + 7 WHERE day = ?", (first,))
        assert first not in parts(database)
        scope = Scope(db, 1, "home", "UTC", Span(START_US, START_US + 3600 * SECOND), START_US + 41 * DAY)
        (part,) = destination_columns.read_parts(db, scope.window, destination_columns.read_ways(db))
        wanted = db.execute("SELECT sum(bytes_up) FROM destination_day WHERE day = ?", (first,)).fetchone()[0]
        assert int(part.columns.bytes_up.sum()) == wanted


def test_an_import_into_the_same_days_makes_them_anew(database: Path, tmp_path: Path) -> None:
    before = parts(database)
    more = talk(START_US + 300 * SECOND, "host1.example", server="203.0.113.9", port=41111)
    imported(database, write(tmp_path / "more.pcap", more))
    assert parts(database) == before
    with closing(read_database(database)) as db:
        scope = Scope(db, 1, "home", "UTC", Span(START_US, START_US + 3600 * SECOND), START_US + 41 * DAY)
        (part,) = destination_columns.read_parts(db, scope.window, destination_columns.read_ways(db))
        assert int(part.columns.flows.sum()) == 9
