from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from daemon.store.export import VIEWS
from tests.appliance.conftest import Homeport
from tests.support.packets import Conversation, pcap

ROOT = Path(__file__).parents[3]
verb = import_module("appliance.cli.export")
COLUMNS = ["name", "bytes", "note"]
ROWS = [("caf\u00e9.example", 12, None), ('a,"b"\n', 0, "")]


@pytest.fixture
def database(homeport: Homeport, tmp_path: Path) -> Path:
    capture = tmp_path / "a.pcap"
    frames = [f for port in range(50) for f in Conversation(client_port=40000 + port).open().close().frames]
    capture.write_bytes(pcap(frames))
    ran = homeport("import", capture, "--db", tmp_path / "home.db")
    assert ran.code == 0, ran.err
    return tmp_path / "home.db"


def test_json_lines_keep_types_and_nulls() -> None:
    target = io.StringIO()
    verb.write_jsonl(target, COLUMNS, ROWS)
    lines = target.getvalue().split("\n")
    assert lines[0] == '{"name":"caf\u00e9.example","bytes":12,"note":null}'
    assert json.loads(lines[1]) == {"name": 'a,"b"\n', "bytes": 0, "note": ""}
    assert lines[2:] == [""]


def test_csv_has_the_columns_as_its_header() -> None:
    target = io.StringIO()
    verb.write_csv(target, COLUMNS, ROWS)
    assert list(csv.reader(io.StringIO(target.getvalue()))) == [
        COLUMNS,
        ["caf\u00e9.example", "12", ""],
        ['a,"b"\n', "0", ""],
    ]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_in_both_forms(homeport: Homeport, database: Path, view: str) -> None:
    as_csv = homeport("export", view, "--db", database, "--format", "csv")
    as_json = homeport("export", view, "--db", database, "--format", "jsonl")
    assert (as_csv.code, as_json.code, as_csv.err, as_json.err) == (0, 0, "", "")
    header, *rows = csv.reader(io.StringIO(as_csv.out))
    objects = [json.loads(line) for line in as_json.out.splitlines()]
    assert len(rows) == len(objects)
    assert all(list(found) == header for found in objects)


def test_output_file_is_whole(homeport: Homeport, database: Path, tmp_path: Path) -> None:
    target = tmp_path / "flows.csv"
    ran = homeport("export", "flows", "--db", database, "--format", "csv", "--output", target)
    assert ran == (0, "", "")
    assert target.read_text("utf-8") == homeport("export", "flows", "--db", database, "--format", "csv").out
    assert sorted(path.name for path in tmp_path.glob("*.partial")) == []


def test_output_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("before", "utf-8")

    def broken() -> Iterator[tuple[str]]:
        yield ("row",)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"), verb.whole_file(target) as file:
        verb.write_jsonl(file, ["a"], broken())
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert target.read_text("utf-8") == "before"


def test_output_into_a_folder_that_is_not_there(homeport: Homeport, database: Path, tmp_path: Path) -> None:
    ran = homeport("export", "flows", "--db", database, "--output", tmp_path / "absent" / "x")
    assert ran == (3, "", f"homeport export: {tmp_path}/absent/x cannot be written: No such file or directory\n")


def test_unknown_view_lists_the_views(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("export", "flow", "--db", tmp_path / "absent.db")
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    for view in VIEWS:
        assert view in ran.err


def test_missing_database_is_said_and_not_made(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("export", "flows", "--db", tmp_path / "absent.db")
    assert (ran.code, ran.out) == (3, "")
    assert f"no database at {tmp_path}/absent.db" in ran.err
    assert not (tmp_path / "absent.db").exists()


def test_file_that_is_no_database(homeport: Homeport, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear sir, " * 200, "utf-8")
    ran = homeport("export", "flows", "--db", other)
    assert (ran.code, ran.out) == (3, "")
    assert "letter.txt" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_reader_who_has_seen_enough(database: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "from appliance.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "export", "flows", "--db", str(database)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOMEPORT_CONFIG": os.devnull},
        cwd=ROOT,
        check=False,
    )
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, b"")
