"""Answers are the same by way of their messages and by way of their records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.identify.answers import MOST_US
from daemon.store import answers
from daemon.store.answers import Answers, is_run, sought
from daemon.store.database import open_database
from tests.daemon.ingest.scenes import lookup, write
from tests.support.importing import imported
from tests.support.packets import START_US

NAMES, ADDRESSES = ("a.example", "b.example", "c.example"), ("192.0.2.1", "192.0.2.2", "2001:db8::1")
TYPES = ("A", "AAAA", "CNAME", "HTTPS", "TXT")
SITE = 1

Message = tuple[int, bool, int | None, int, int, list[tuple[str, str, str]]]

_time = st.integers(START_US, START_US + 50)
_record = st.tuples(
    st.sampled_from(["answer", "answer", "additional"]), st.sampled_from(TYPES), st.sampled_from(NAMES + ADDRESSES)
)
_message = st.tuples(
    _time, st.booleans(), st.none() | st.integers(0, 60), st.integers(0, 2), st.sampled_from([1, 2]),
    st.lists(_record, max_size=4),
)  # fmt: skip
_asked = st.dictionaries(st.sampled_from(ADDRESSES), st.tuples(_time, _time), max_size=3)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder = tmp_path_factory.mktemp("answers")
    capture = write(folder / "day.pcap", lookup(START_US, NAMES[0], ADDRESSES[0]))
    with closing(open_database(imported(folder / "h.db", capture))) as opened:
        opened.executemany("INSERT OR IGNORE INTO name (text) VALUES (?)", [(name,) for name in NAMES])
        other = opened.execute("INSERT INTO site (name) VALUES ('other')").lastrowid
        columns = [row[1] for row in opened.execute("PRAGMA table_info(capture)")][2:]
        opened.execute(f"INSERT INTO capture SELECT 2, {other}, {', '.join(columns)} FROM capture")  # noqa: S608  of this table
        yield opened


def fill(db: sqlite3.Connection, messages: list[Message]) -> None:
    names = dict(db.execute("SELECT text, id FROM name").fetchall())
    client, resolver = db.execute("SELECT client_id, resolver_id FROM dns_message").fetchone()
    for number, (seen_us, response, holds, leads, capture, records) in enumerate(messages, 100):
        lasts_us = None if holds is None else seen_us + holds
        row = (number, capture, seen_us, client, resolver, "udp", response, names[NAMES[number % 3]], "A", None, 1)
        values = ", ".join("?" * 14)
        db.execute(f"INSERT INTO dns_message VALUES ({values})", (*row, lasts_us, leads, None))  # noqa: S608  marks only
        for place, (section, kind, value) in enumerate(records):
            record = number, place, section, names[NAMES[0]], kind, 60, value
            db.execute("INSERT INTO dns_record VALUES (?, ?, ?, ?, ?, ?, ?)", record)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(_message, max_size=12), asked=_asked, since_us=_time, until_us=_time)
def test_both_ways_lead_to_the_same(
    db: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    messages: list[Message],
    asked: dict[str, tuple[int, int]],
    since_us: int,
    until_us: int,
) -> None:
    found = []
    for between in (0, MOST_US):  # by messages, by records
        monkeypatch.setattr(answers, "_MOST_BETWEEN", between)
        db.execute("BEGIN")
        try:
            fill(db, messages)
            with sought(db, [(address, *times) for address, times in asked.items()]):
                found.append(sorted(Answers(db, SITE, since_us, until_us).addresses()))
        finally:
            db.execute("ROLLBACK")
    assert found[0] == found[1]


def test_what_lies_together_is_a_run() -> None:
    assert is_run(1, 1, 1)
    assert is_run(1000, 1999, 1000)
    assert is_run(1000, 2999, 1000)  # as many questions between them
    assert not is_run(1, 1_000_000, 2)  # a day of long ago, and one message that came late
    assert not is_run(None, None, 0)
