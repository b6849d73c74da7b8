from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO

import pytest

from appliance.journal import INFO, WARNING, field_names, journal


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[IO[str]]:
    with (tmp_path / "stderr").open("w") as file:
        yield file


def announced(stream: IO[str]) -> dict[str, str]:
    there = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}


def without_systemd_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "systemd.journal", None)


def with_systemd_python(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """The module in the form in which systemd-python has it; what was sent."""
    sent: list[tuple[str, dict[str, str]]] = []
    module = ModuleType("systemd.journal")
    module.send = lambda message, **fields: sent.append((message, fields))  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "systemd", ModuleType("systemd"))
    monkeypatch.setitem(sys.modules, "systemd.journal", module)
    return sent


def test_at_a_terminal_it_is_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    journal("homeport-capture", {})(WARNING, "The disk is nearly full.", {"free": 5})
    assert capsys.readouterr().err == "The disk is nearly full.\n"


def test_the_journal_gets_fields(stream: IO[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sent = with_systemd_python(monkeypatch)
    journal("homeport-capture", announced(stream), stream)(INFO, "Opened a.pcap.", {"file": "a.pcap", "packets": 3})
    assert sent == [
        (
            "Opened a.pcap.",
            {
                "PRIORITY": "6",
                "SYSLOG_IDENTIFIER": "homeport-capture",
                "HOMEPORT_FILE": "a.pcap",
                "HOMEPORT_PACKETS": "3",
            },
        )
    ]


def test_without_systemd_python_the_priority_stands_in_front(
    stream: IO[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_systemd_python(monkeypatch)
    journal("homeport-capture", announced(stream), stream)(WARNING, "Lost\n<0>7 packets.", {"packets": 7})
    assert capsys.readouterr().err == "<4>Lost\\n<0>7 packets.\n"


def test_another_standard_error_than_the_announced_is_not_the_journal(
    stream: IO[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = with_systemd_python(monkeypatch)
    with (tmp_path / "elsewhere").open("w") as redirected:  # `homeport capture 2> elsewhere` under a unit
        journal("homeport-capture", announced(stream), redirected)(INFO, "x", {})
    assert sent == []


def test_field_names_are_ones_that_the_journal_takes() -> None:
    fields = {"kernel_drops": 1, "größe": 2, "a-b": 3, "nothing": None}
    assert field_names(fields) == {"HOMEPORT_KERNEL_DROPS": "1", "HOMEPORT_GR__E": "2", "HOMEPORT_A_B": "3"}
