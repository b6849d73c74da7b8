"""Sums by party, company and country say what destinations and judgements say, whatever happens to these."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import retain_all
from daemon.report.scope import Scope, Span
from daemon.store.database import open_database, read_database
from daemon.store.owner import join, open_owner
from daemon.store.retain import Limits
from daemon.store.whose_days import read_whose
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.support.importing import homeport, imported
from tests.support.packets import HOST_MAC, START_US

PLACES = ("api.sonos.com", "graph.facebook.com", "time.google.com", "unheard-of.example")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two devices, four places, three days of two months, a file each."""
    files = []
    for day in (0, 1, 40):
        frames = []
        for number, name in enumerate(PLACES):
            at, far = START_US + day * DAY + number * SECOND, f"203.0.113.{number + 1}"
            frames += talk(at, name, server=far, port=40000 + 10 * day + number)
            frames += talk(at + 9 * SECOND, name, client=TABLET, mac=TABLET_MAC, server=far, port=50000 + day)
        frames += talk(START_US + day * DAY + 60 * SECOND, server="198.51.100.9", port=40999)
        files.append(write(tmp_path / f"{day}.pcap", frames))
    return imported(tmp_path / "h.db", *files)


def scope(db: sqlite3.Connection, first: float = 0, last: float = 60) -> Scope:
    return Scope(
        db, 1, "home", "UTC", Span(START_US + int(first * DAY), START_US + int(last * DAY)), START_US + 40 * DAY
    )


def by_view(db: sqlite3.Connection) -> Counter[tuple[object, ...]]:
    """What the public view says, added up."""
    sums: Counter[tuple[object, ...]] = Counter()
    query = (
        "SELECT month, coalesce(device_id, 0), party, organisation, country, flows, bytes_up + bytes_down"
        " FROM destinations"
    )
    for *key, flows, octets in db.execute(query):
        sums[*key, "flows"] += flows
        sums[*key, "bytes"] += octets
    return sums


def by_days(db: sqlite3.Connection) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    for month, device, party, organisation, country, flows, _, _, up, down in read_whose(
        db, scope(db).window, ("month", "device", "party", "organisation", "country")
    ):
        key = f"{month // 12:04}-{month % 12 + 1:02}", device, party, organisation, country
        sums[*key, "flows"] += flows
        sums[*key, "bytes"] += up + down
    return sums


def check(database: Path) -> None:
    with closing(read_database(database)) as db:
        assert by_days(db) == by_view(db)
        assert db.execute("SELECT count(*) FROM whose_stale").fetchone() == (0,)
        months = db.execute(
            "SELECT month, station_id, site_id, whose_id, flows, bytes_up FROM whose_month ORDER BY 1, 2, 3, 4"
        )
        days = db.execute(
            "SELECT month, station_id, site_id, whose_id, sum(flows), sum(bytes_up) FROM whose_day GROUP BY 1, 2, 3, 4"
        )
        assert months.fetchall() == days.fetchall()


def test_an_import_is_added_up(database: Path) -> None:
    check(database)
    with closing(read_database(database)) as db:
        parties = {party for (party, *_) in read_whose(db, scope(db).window, ("party",))}
    assert {"third", "support"} <= parties


def test_another_import_into_the_same_days_is_added(database: Path, tmp_path: Path) -> None:
    more = talk(START_US + 300 * SECOND, "api.sonos.com", server="203.0.113.1", port=41111)
    imported(database, write(tmp_path / "more.pcap", more))
    check(database)


def test_single_days_and_the_time_they_touch(database: Path) -> None:
    with closing(read_database(database)) as db:
        one = sum(row[-1] for row in read_whose(db, scope(db, 0, 0.01).window, ("party",)))
        all_of_it = read_whose(db, scope(db).window, ("day",))
    days = {row[0]: row[-1] for row in all_of_it}
    assert len(days) == 3
    assert (
        one == days[(datetime.fromtimestamp(START_US / 1e6, UTC).date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days]
    )


def test_of_one_device_only_its_own(database: Path) -> None:
    with closing(read_database(database)) as db:
        (number,) = db.execute("SELECT device_id FROM devices WHERE mac = ?", (TABLET_MAC,)).fetchone()
        rows = read_whose(db, scope(db).of(number).window, ("device", "organisation"))
        wanted = db.execute("SELECT sum(bytes_down) FROM destinations WHERE device_id = ?", (number,)).fetchone()[0]
    assert {row[0] for row in rows} == {number}
    assert sum(row[-1] for row in rows) == wanted


def _join(database: Path) -> None:
    with closing(open_owner(database.with_name("owner.db"))) as owner:
        join(owner, "home", [(HOST_MAC, TABLET_MAC)], "test", START_US)
    relabel_site(database, database.with_name("owner.db"), "home", Knowledge(owner=database.with_name("owner.db")))


def _judge_otherwise(database: Path) -> None:
    organisations = database.with_name("mine.toml")
    organisations.write_text(
        '[[organisation]]\nname = "Mine"\n[organisation.domains]\nadvertising = ["unheard-of.example"]\n'
    )
    knowledge = Knowledge(owner=database.with_name("owner.db"), organisations=(organisations,))
    assert relabel_site(database, database.with_name("owner.db"), "home", knowledge).changes


def _retain(database: Path) -> None:
    retain_all(database, Limits(detail_days=10), Knowledge())
    with closing(open_database(database)) as db:
        assert db.execute("SELECT count(*) FROM destination_month").fetchone()[0] > 0


def _forget(database: Path) -> None:
    assert homeport("forget", TABLET_MAC, "--db", database, "--yes") in (0, 1)


@pytest.mark.parametrize("change", [_join, _judge_otherwise, _retain, _forget])
def test_they_follow_every_change(database: Path, change: Callable[[Path], None]) -> None:
    with closing(read_database(database)) as db:
        before = by_days(db)
    change(database)
    check(database)
    with closing(read_database(database)) as db:
        assert change is _retain or by_days(db) != before
