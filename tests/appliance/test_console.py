from __future__ import annotations

import re
import sys

import pytest

from appliance.console import LEFT, RIGHT, count, duration, plural, printable, size, table


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (91_234_567, "91.2 MB"), (999_600, "1 MB"), (5e15, "5e+03 TB")],
)
def test_size(octets: float, text: str) -> None:
    assert size(octets) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.7, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (350_000, "4 days"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_in_words() -> None:
    assert (count(1234567), plural(1, "packet"), plural(12345, "packet")) == ("1,234,567", "1 packet", "12,345 packets")


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert printable("caf\u00e9 \x1b[2J\n\udcff") == "caf\u00e9 \\x1b[2J\\n\\udcff"


def test_table_for_a_pipe_keeps_whole_values(capsys: pytest.CaptureFixture[str]) -> None:
    table("Devices", [("name", LEFT), ("bytes", RIGHT)], [("tv", 5), ("a" * 200, 12345), (None, "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Devices"
    assert lines[1].split() == ["name", "bytes"]
    assert lines[2].split() == ["tv", "5"]
    assert lines[3].split() == ["a" * 200, "12345"]
    assert len({len(line) for line in lines[1:4]}) == 1


def test_table_for_a_terminal_fits_and_takes_names_for_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "30")
    table("T", [("name", LEFT), ("bytes", RIGHT)], [("[red]long-name-of-a-device.example", "12.3 MB")])
    out = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, out.splitlines())) <= 30
    assert "[red]" in out
    assert "12.3 MB" in out


def test_a_table_that_no_terminal_of_that_width_can_show_becomes_blocks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    columns = [("Company", LEFT), ("Kind of company", LEFT), *((f"Bytes {each}", RIGHT) for each in range(5))]
    rows = [("Example [b] Ltd", "third", *(["123.4 MB"] * 5)), ("Other", None, *(["1 B"] * 5))]
    monkeypatch.setenv("COLUMNS", "40")
    table("Companies", columns, rows)
    narrow = re.sub("\x1b\\[[0-9;]*m", "", capsys.readouterr().out).split("\n\n")
    assert narrow[1].splitlines()[:2] == ["Example [b] Ltd", "  Kind of company  third"]
    assert "Kind of company" not in narrow[2], "what is empty is left out"
    monkeypatch.setenv("COLUMNS", "120")
    table("Companies", columns, rows)
    assert len([line for line in capsys.readouterr().out.splitlines() if "123.4 MB" in line]) == 1, "here it fits"
