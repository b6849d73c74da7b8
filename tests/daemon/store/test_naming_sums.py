"""How names came about in months that are over: the sums say what single destinations say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.retention import retain_all
from daemon.store import naming_sums
from daemon.store.database import open_database, transaction
from daemon.store.months import last_months, read_naming
from daemon.store.retain import Limits
from tests.daemon.store.test_gathered import as_imported, forget, join_both, retain, traffic


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = traffic(tmp_path)
    retain_all(path, Limits(detail_days=1), Knowledge())
    return path


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget])
def test_the_same_as_single_destinations_say(database: Path, change: Callable[[Path], None]) -> None:
    change(database)
    with closing(open_database(database)) as db:
        months = last_months(db, 1)
        assert naming_sums.months_there(db, months[0], months[-1], 1) == months[:1], "the newest is not over"
        devices = [None, *(number for (number,) in db.execute("SELECT id FROM device").fetchall())]
        told = {device: read_naming(db, months[0], months[-1], 1, device) for device in devices}
        assert told[None]
        with transaction(db):
            db.execute("DELETE FROM naming_month")
        for device in devices:
            assert read_naming(db, months[0], months[-1], 1, device) == told[device]


def test_what_changes_is_gone_at_once_and_made_anew(database: Path) -> None:
    with closing(open_database(database)) as db:
        (month, *_) = last_months(db, 1)
        with transaction(db):
            db.execute("UPDATE destination_month SET flows = flows + 1000 WHERE month = ?", (month,))
            assert naming_sums.months_there(db, month, month, 1) == []
            moved = read_naming(db, month, month, 1)
            naming_sums.follow(db)
            assert naming_sums.months_there(db, month, month, 1) == [month]
        assert read_naming(db, month, month, 1) == moved
        assert sum(each.flows for each in moved) > 1000
