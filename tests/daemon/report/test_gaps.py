"""What is missing is told with numbers, and what nobody can know is told as well."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.report import gaps
from daemon.report.recording import Unrecorded
from daemon.report.table import Report
from daemon.store.database import open_database
from daemon.store.gaps import write_drops, write_gaps
from daemon.store.words import NO_NAMES, OFF
from tests.daemon.ingest.scenes import HOUR, talk, write
from tests.support import packets as p
from tests.support.asking import asked
from tests.support.importing import imported
from tests.support.packets import START_US


def _house(folder: Path, *, junk: int = 0, cut: int = 0, codes: Iterable[int] = (0,)) -> Path:
    """A conversation; `junk` frames that nobody understands; the last `cut` bytes of the file are missing."""
    frames = talk(START_US)
    frames += [(START_US + 10_000_000 + number, b"\x01\x02\x03\x04") for number in range(junk)]
    path = write(folder / "day.pcap", frames)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])
    return imported(folder / "h.db", path, codes=codes)


def _report(database: Path) -> Report:
    with asked(database, START_US - HOUR, START_US + HOUR) as scope:
        return gaps.report(scope)


def test_nothing_is_missing(tmp_path: Path) -> None:
    report = _report(_house(tmp_path))
    assert report.rows == ()
    assert report.sentences == (f"Nothing is missing: all {len(talk(START_US))} packets were recorded and understood.",)
    assert "nobody knows what was lost" in report.notes[0]


def test_packets_that_were_not_understood(tmp_path: Path) -> None:
    report = _report(_house(tmp_path, junk=3))
    assert [(row[0], row[4], row[5]) for row in report.rows] == [("undecoded", 3, 12)]
    assert "3 packets could not be understood" in report.sentences[0]


def test_gaps_and_drops(tmp_path: Path) -> None:
    database = _house(tmp_path)
    with closing(open_database(database)) as db, db:
        write_gaps(
            db, 1, "wlan0", [(START_US - 7_200_000_000, START_US - 1_800_000_000, "not recording: it was stopped")]
        )
        write_drops(db, 1, kernel=40, interface=2)
    report = _report(database)
    assert [row[0] for row in report.rows] == ["gap", "dropped", "dropped"]
    assert [row[4] for row in report.rows] == [None, 40, 2]
    assert report.sentences[0] == "Recording had 1 gap, together 30 minutes."  # half an hour of it lies in this time
    assert report.sentences[1].startswith("42 packets came faster")
    assert all("nobody knows" not in note for note in report.notes)


def test_who_is_recorded_in_part_is_missing_too(tmp_path: Path) -> None:
    left_out = [
        Unrecorded("02:00:00:00:00:10", "adas-laptop", OFF, START_US - HOUR // 2, 1),
        Unrecorded("02:00:00:00:00:99", "a guest", NO_NAMES, START_US, None),
        Unrecorded("02:00:00:00:00:98", "said later", OFF, START_US + 2 * HOUR, None),
    ]
    with asked(_house(tmp_path), START_US - HOUR, START_US + HOUR) as scope:
        report = gaps.report(replace(scope, unrecorded=lambda: left_out))
        own = gaps.report(replace(scope, unrecorded=lambda: left_out, device_id=1))
    assert [(row[0], row[1], row[2], row[6]) for row in report.rows] == [
        ("device", "adas-laptop", START_US - HOUR // 2, "not recorded"),
        ("device", "a guest", START_US, "recorded without names"),
    ]
    assert "1 device is not recorded, 1 is recorded without names" in report.sentences[0]
    assert [row[1] for row in own.rows] == ["adas-laptop"]


def test_a_capture_that_ends_within_a_packet(tmp_path: Path) -> None:
    report = _report(_house(tmp_path, cut=5, codes=(0, 1)))
    assert report.rows[0][:2] == ("torn", "day.pcap")
    assert "1 capture ended within a packet." in report.sentences


def test_nothing_was_recorded(tmp_path: Path) -> None:
    with asked(_house(tmp_path), START_US - 10 * HOUR, START_US - 9 * HOUR) as scope:
        assert gaps.report(scope).sentences == ("Nothing was recorded in this time.",)


@pytest.mark.parametrize("name", ["<script>.pcap", "a\nb.pcap"])
def test_a_hostile_file_name_is_only_text(tmp_path: Path, name: str) -> None:
    frames = p.pcap(talk(START_US))[:-5]
    path = tmp_path / name
    path.write_bytes(frames)
    report = _report(imported(tmp_path / "h.db", path, codes=(0, 1)))
    assert report.rows[0][1] == name
