"""Batches into tables: all of a batch or nothing of it, and nobody else's capture."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.decoder import Batch, CaptureDecoder
from daemon.ingest.settle import settle_site
from daemon.ingest.source import Source
from daemon.store.captures import Arrival, add_capture, site_number
from daemon.store.database import open_database
from daemon.store.errors import Busy, DiskFull
from daemon.store.writer import FactWriter, Position
from tests.daemon.ingest.scenes import HOUR, evening, questions, write
from tests.support.compare import imbalance, same
from tests.support.importing import imported
from tests.support.packets import START_US


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write(tmp_path / "day.pcap", evening(), questions(START_US + HOUR, 150))


@pytest.fixture
def source(capture: Path) -> Iterator[Source]:
    with Source.open(capture) as opened:
        yield opened


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "h.db")) as opened:
        yield opened


def begun(db: sqlite3.Connection, tmp_path: Path, source: Source) -> tuple[FactWriter, CaptureDecoder, Batch]:
    """A writer at the start of the capture, and the one batch that the capture gives."""
    path = tmp_path / "day.pcap"
    site = site_number(db, "home")
    known = add_capture(db, Arrival(site, "head", str(path), "", None, source.size))
    reading = CaptureDecoder(source)
    (batch,) = reading.batches()
    return FactWriter(db, tmp_path / "h.db", site, known.capture_id, reading.endpoints, 0, None), reading, batch


def position(reading: CaptureDecoder, batch: Batch) -> Position:
    t = batch.totals
    counts = (t.packets, t.bytes, t.undecoded_packets, t.undecoded_bytes, t.first_us, t.last_us)
    return Position(t.cursor, reading.digest(), *counts, "ETHERNET", t.cursor, "done", None, reading.state())


def test_batch_that_fails_leaves_nothing_and_can_be_written_again(
    db: sqlite3.Connection, tmp_path: Path, capture: Path, source: Source
) -> None:
    """Numbers of names and ends that were made in a transaction are forgotten with it."""
    writer, reading, batch = begun(db, tmp_path, source)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    for room in (0, 3, 9):
        db.execute(f"PRAGMA max_page_count = {pages + room}")
        with pytest.raises(DiskFull, match="disk is full"):
            writer.commit(batch.facts, position(reading, batch), batch.undecoded)
        for table in ("flow", "name", "endpoint", "dns_message", "dns_record", "hello", "capture_digest"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608  a word of this list
        assert db.execute("SELECT cursor, packets FROM capture").fetchone() == (0, 0)
    db.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    db.execute("INSERT INTO name (text) VALUES ('somebody.else')")  # takes the number that was made before
    writer.commit(batch.facts, position(reading, batch), batch.undecoded)
    settle_site(db, tmp_path / "h.db", "home")
    assert imbalance(tmp_path / "h.db") == []
    assert same(imported(tmp_path / "clean.db", capture), tmp_path / "h.db") == []


def test_capture_that_somebody_else_reads_is_refused(db: sqlite3.Connection, tmp_path: Path, source: Source) -> None:
    writer, reading, batch = begun(db, tmp_path, source)
    other = FactWriter(db, tmp_path / "h.db", writer.site_id, writer.capture_id, reading.endpoints, 0, None)
    writer.commit(batch.facts, position(reading, batch), batch.undecoded)
    before = "\n".join(db.iterdump())
    with pytest.raises(Busy, match="Another import is reading the same capture"):
        other.commit(batch.facts, position(reading, batch), batch.undecoded)
    assert "\n".join(db.iterdump()) == before


def test_same_cursor_in_another_state_is_refused(db: sqlite3.Connection, tmp_path: Path, source: Source) -> None:
    """Two that both write only the end of a capture: the cursor does not move, the state does."""
    writer, reading, batch = begun(db, tmp_path, source)
    writer.commit(batch.facts, position(reading, batch), batch.undecoded)
    late = FactWriter(
        db, tmp_path / "h.db", writer.site_id, writer.capture_id, reading.endpoints, writer.cursor, b"an earlier state"
    )
    with pytest.raises(Busy):
        late.commit(batch.facts, position(reading, batch), batch.undecoded)
