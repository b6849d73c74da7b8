"""The tiers stay small: three years of forty busy devices (tests/support/threeyears.py). Times are `make bench`'s."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench.threeyears import ALL_MIB, FOR_GOOD_MIB, everything, for_good, sizes, table, timings
from tests.support.compare import imbalance
from tests.support.threeyears import ALL_DAYS, DEVICES, DOMAINS, SLOT_DAYS, build


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("years") / "three.db")


@pytest.mark.drill
def test_three_years_fit(database: Path) -> None:
    held = sizes(database)
    assert for_good(held) < FOR_GOOD_MIB, table(held, {})
    assert everything(held) < ALL_MIB, table(held, {})


@pytest.mark.drill
def test_home_is_what_it_says(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM devices WHERE bytes_up > 0").fetchone()[0] >= DEVICES
        days = db.execute("SELECT count(DISTINCT day) FROM day_total").fetchone()[0]
        assert ALL_DAYS <= days <= ALL_DAYS + 2
        slots = db.execute("SELECT count(DISTINCT slot) FROM slot_total").fetchone()[0]
        assert (SLOT_DAYS - 1) * 96 <= slots <= (SLOT_DAYS + 1) * 96
        flows, packets, answers = db.execute(
            "SELECT (SELECT count(*) FROM flow WHERE id >> 40 = 7),"
            " (SELECT packets FROM capture WHERE id = 7),"
            " (SELECT count(*) FROM dns_message WHERE capture_id = 7 AND response)"
        ).fetchone()
        assert flows == pytest.approx(25_000, rel=0.1)
        assert packets > 900_000
        assert answers == pytest.approx(15_000, rel=0.1)
        assert db.execute("SELECT count(DISTINCT name_id) FROM destination_month").fetchone()[0] > 0.9 * DOMAINS
        assert db.execute("SELECT max(count) FROM flows").fetchone() == (900,)
        assert db.execute("SELECT count(*) FROM judgement").fetchone()[0] > 100_000


@pytest.mark.drill
def test_every_question_is_answered(database: Path) -> None:
    assert all(seconds >= 0 for seconds in timings(database).values())
    assert [line for line in imbalance(database) if "integrity" in line] == []
