from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.status import Status, StatusError, path_of, read_status, write_status

SAID = Status("capture", 12, 1_000_000, 9_000_000, "capturing", "Records wlan0.", {"packets": 42, "file": "a.pcap"})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_status(SAID, tmp_path)
    assert read_status("capture", tmp_path) == SAID
    assert [path.name for path in tmp_path.iterdir()] == ["capture.json"]


def test_the_fields_are_those_of_everybody(tmp_path: Path) -> None:
    write_status(SAID, tmp_path)
    said = json.loads(path_of("capture", tmp_path).read_text("utf-8"))
    assert said == {
        "packets": 42,
        "file": "a.pcap",
        "pid": 12,
        "since_us": 1_000_000,
        "now_us": 9_000_000,
        "state": "capturing",
        "sentence": "Records wlan0.",
    }


def test_a_number_cannot_take_the_place_of_a_field(tmp_path: Path) -> None:
    write_status(Status("capture", 12, 0, 0, "capturing", "", {"pid": 99}), tmp_path)
    read = read_status("capture", tmp_path)
    assert read is not None
    assert read.pid == 12


def test_a_service_that_never_ran_has_none(tmp_path: Path) -> None:
    assert read_status("capture", tmp_path) is None
    assert read_status("capture", tmp_path / "missing") is None


def test_a_failed_write_leaves_the_last_one_and_no_rest(tmp_path: Path) -> None:
    write_status(SAID, tmp_path)
    place = path_of("ingest", tmp_path)
    place.mkdir()  # a rename onto a folder fails
    with pytest.raises(OSError, match="ingest"):
        write_status(Status("ingest", 12, 0, 0, "x", "", {}), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["capture.json", "ingest.json"]
    assert read_status("capture", tmp_path) == SAID


def test_silence_and_farewell() -> None:
    assert SAID.running(SAID.now_us + 29_000_000)
    assert not SAID.running(SAID.now_us + 31_000_000)
    assert SAID.silent_for(SAID.now_us - 3_600_000_000) == 0  # the clock was set back
    assert not Status("capture", 1, 0, 0, "stopped", "", {}).running(0)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "pid is missing"),
        (b'{"pid": true}', "pid is missing or is not a number"),
        (b'{"pid": 1, "since_us": 1, "now_us": 1, "state": 1, "sentence": ""}', "state is missing or is not text"),
        (b" " * 70_000, "larger than a status can be"),
    ],
)
def test_what_is_no_status_is_refused(content: bytes, complaint: str, tmp_path: Path) -> None:
    path_of("ingest", tmp_path).write_bytes(content)
    with pytest.raises(StatusError, match=complaint):
        read_status("ingest", tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.binary(max_size=200) | st.dictionaries(st.text(max_size=9), st.integers()).map(lambda d: json.dumps(d).encode())
)
def test_any_content_is_a_status_or_an_error(tmp_path: Path, content: bytes) -> None:
    path_of("x", tmp_path).write_bytes(content)
    with pytest.raises(StatusError):
        read_status("x", tmp_path)
