"""A capture with a packet of 1970 costs what its packets cost, and is counted as any other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from daemon.flow.facts import DAY_US
from daemon.store.busy_days import busy_spans
from daemon.store.database import open_database
from tests.daemon.ingest.houses import rows
from tests.daemon.ingest.scenes import SECOND, lookup, talk, write
from tests.support.compare import imbalance
from tests.support.importing import imported
from tests.support.packets import START_US


def test_half_a_century_has_the_days_of_its_packets(tmp_path: Path) -> None:
    path = write(
        tmp_path / "old.pcap",
        talk(5 * SECOND, "dawn.example"),
        lookup(START_US, "www.example.com", "198.51.100.9"),
        talk(START_US + SECOND, "www.example.com", port=40001),
    )
    database = imported(tmp_path / "h.db", path)
    assert imbalance(database) == []
    assert rows(database, "SELECT month, domain FROM destinations WHERE domain IS NOT NULL ORDER BY 1") == [
        ("1970-01", "dawn.example"),
        ("2023-11", "www.example.com"),
    ]
    today = START_US // DAY_US
    with closing(open_database(database)) as db:
        found = busy_spans(db, 1, [(0, START_US + DAY_US)])
        assert [since // DAY_US for since, _ in found] == [0, today]
        assert busy_spans(db, 1, [(START_US, START_US + 9 * DAY_US)]) == [(START_US, START_US + 9 * DAY_US)]
        assert busy_spans(db, 2, [(0, START_US)]) == []
        db.execute("DELETE FROM flow")  # what was counted and is there no more is to be counted anew, too
        db.execute("DELETE FROM dns_message")
        assert [since // DAY_US for since, _ in busy_spans(db, 1, [(0, START_US + DAY_US)])] == [0, today]


def test_long_spans_that_overlap_have_each_day_once(tmp_path: Path) -> None:
    path = write(tmp_path / "old.pcap", talk(5 * SECOND, "dawn.example"), talk(START_US, "www.example.com", port=40001))
    with closing(open_database(imported(tmp_path / "h.db", path))) as db:
        later = START_US + 400 * DAY_US
        whole = [(0, START_US), (DAY_US, START_US + DAY_US), (later, later + 100 * DAY_US)]
        short = [(START_US, START_US + SECOND)]
        found = busy_spans(db, 1, [*whole, *short])
        assert found[0] == short[0]
        assert [since // DAY_US for since, _ in found[1:]] == [0, START_US // DAY_US]
