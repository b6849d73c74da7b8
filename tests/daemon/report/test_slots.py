"""Steps are those of the house's own clock: in each of them is what was recorded, in whatever zone."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from daemon.decode.slots import SLOT_US
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.report import slots
from daemon.report.scope import Scope, Span
from daemon.store.calendar import Calendar
from daemon.store.database import read_database
from tests.daemon.store.test_gathered import traffic

_DAY_US = 86_400_000_000


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_what_was_recorded_is_in_the_hours_of_the_zone(tmp_path: Path, zone: str) -> None:
    database, owner = traffic(tmp_path), tmp_path / "owner.db"
    relabel_site(database, owner, "home", Knowledge(owner=owner, zone=zone))
    with closing(read_database(database)) as db:
        (newest,) = db.execute("SELECT max(last_us) FROM capture").fetchone()
        for days, step in ((3, slots.QUARTER), (30, slots.HOUR), (90, slots.DAY)):
            scope = Scope(db, 1, "home", zone, Span(newest - days * _DAY_US, newest + 1), newest)
            assert slots.step_of(scope) == step
            report = slots.report(scope)
            packets = sum(int(str(row[1])) + int(str(row[2])) for row in report.rows)
            assert packets > 0
            assert report.sentences[0].startswith(f"{packets:,} packets")


def test_an_hour_follows_the_other_where_the_clock_changes_by_half_of_one(tmp_path: Path) -> None:
    begin, end = (Calendar("Australia/Lord_Howe").midnight(date(2023, 9, 30) + timedelta(days=day)) for day in (0, 3))
    with closing(read_database(traffic(tmp_path))) as db:
        span = Span(begin * SLOT_US, end * SLOT_US)
        scope = Scope(db, 1, "home", "Australia/Lord_Howe", span, span.until_us)
        steps = [slot for slot, _ in slots.steps_of(scope, slots.HOUR)]
    places = Calendar("Australia/Lord_Howe").place(range(begin, end))
    assert steps == sorted({place.hour for place in places})
