"""What is wrong with captures, folders or a command line: said, and never the end of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport
from tests.appliance.longitudinal.lab import at, capture, example, month, tables, visit
from tests.daemon.ingest.scenes import HOUR


def test_broken_files_are_set_aside_and_said(tmp_path: Path, homeport: Homeport) -> None:
    good = capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", example(at(2025, 7, 14, 10)))
    folder = good.parent
    (folder / "2025-07-15_10.00.00_lab.pcap").write_bytes(b"no capture at all")
    august = capture(tmp_path, "sonos-one", "2025-08-15_10.00.00", example(at(2025, 8, 15, 10)))
    august.write_bytes(august.read_bytes()[:-7])
    (folder / "2025-09-15_10.00.00_lab.pcap").write_bytes(b"")
    (folder / "holiday.pcap").write_bytes(good.read_bytes())
    (folder / "notes.txt").write_text("not looked at")
    out = tmp_path / "out"
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", out)
    assert ran.code == 1
    for name in ("2025-07-15_10.00.00_lab.pcap", "2025-09-15_10.00.00_lab.pcap", "holiday.pcap", august.name):
        assert name in ran.out
    assert "notes.txt" not in ran.out
    assert len(tables(out, "sonos-one", "Jul_2025")) == 4
    assert len(tables(out, "sonos-one", "Aug_2025")) == 4  # what stood before the tear
    assert not month(out, "sonos-one", "Sep_2025").exists()


def test_nothing_readable_is_an_error(tmp_path: Path, homeport: Homeport) -> None:
    capture(tmp_path, "tv", "2025-07-14_10.00.00").write_bytes(b"rubbish")
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", tmp_path / "out")
    assert ran.code == 3
    assert "2025-07-14_10.00.00_lab.pcap" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--root", "nowhere", "--out", "out"], 3, "by-name"),
        (["--root", ".", "--out", "out", "--device", "toaster"], 3, "sonos-one"),
        (["--root", ".", "--out", "out", "--years", "1999"], 3, "no captures of 1999"),
        (["--root", ".", "--out", "out", "--years", "99"], 2, "no year"),
        (["--root", ".", "--out", "out", "--organisations", "missing.csv"], 3, "missing.csv"),
        (["--root", "."], 2, "--out"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, homeport: Homeport, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    capture(tmp_path, "sonos-one", "2025-07-14_10.00.00", visit(at(2025, 7, 14), "one.sonos.com", "198.51.100.1"))
    monkeypatch.chdir(tmp_path)
    ran = homeport("longitudinal", "run", *arguments)
    assert (ran.code, said in ran.err) == (code, True), ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "out" / "analysis_longitudinal").exists()


def test_hostile_names_stay_in_their_folder(tmp_path: Path, homeport: Homeport) -> None:
    start = at(2025, 7, 14, 10)
    odd = 'sonos\x1b[31m, "one"'
    capture(tmp_path, odd, "2025-07-14_10.00.00", visit(start, "one.sonos.com", "198.51.100.1"))
    broken = capture(tmp_path, odd, "2025-07-15_10.00.00", visit(start + HOUR, "two.sonos.com", "198.51.100.1"))
    os.rename(broken, broken.with_name("2025-07-15_10.00.00_a\nb.pcap"))  # noqa: PTH104 - says what happens
    ran = homeport("longitudinal", "run", "--root", tmp_path, "--out", tmp_path / "out")
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert [row[1] for row in tables(tmp_path / "out", odd, "Jul_2025")] == ["one.sonos.com"]
