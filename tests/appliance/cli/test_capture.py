"""`homeport capture`: what it says before the first packet. Recordings themselves: tests/system/test_capture.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.main import COULD_NOT, DONE, WRONG_USE, run
from daemon.capture.writer import create

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "homeport.toml"
    empty.touch()
    monkeypatch.setenv("HOMEPORT_CONFIG", str(empty))


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_without_an_interface_it_names_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "--dir", str(tmp_path)]) == WRONG_USE
    assert "--interface NAME, one of " in (said := complaint(capsys))
    assert "lo" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--interface", "a/b"], "wants the name of an interface"),
        (["--interface", "lo", "--snaplen", "10"], "64 to 262144"),
        (["--interface", "lo", "--rotate-mib", "-1"], "or 0 for never"),
        (["--interface", "lo", "--filter", "a\nb"], "one line"),
    ],
)
def test_a_flag_that_cannot_be_is_wrong_use(
    flags: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["capture", "--dir", str(tmp_path), *flags]) == WRONG_USE
    assert words in complaint(capsys)


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "-i", "lo", "--dir", str(tmp_path / "none")]) == COULD_NOT
    assert "make it, or name another with --dir" in complaint(capsys)


@needs_root
def test_an_interface_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "-i", "hp-none", "--dir", str(tmp_path)]) == COULD_NOT
    assert "there is no interface hp-none; there are " in complaint(capsys)


@needs_root
def test_a_filter_that_is_no_filter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["capture", "-i", "lo", "--dir", str(tmp_path), "--filter", "tcp pork"]) == COULD_NOT
    assert "'tcp pork' is not understood" in complaint(capsys)
    assert not list(tmp_path.glob("*.pcap"))


@needs_root
def test_two_recordings_of_one_interface_do_not_share_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "2026-01-01_00.00.00_lo.pcap"
    held = create(path, locked=True)
    path.with_name(f"{path.name}.meta.jsonl").write_text(
        '{"event":"open","time_us":1,"monotonic_us":1,"boot_id":"b","synced":true,"on_disk":0}\n'
    )
    assert run(["capture", "-i", "lo", "--dir", str(tmp_path)]) == COULD_NOT
    assert "two recordings of one interface need two folders" in complaint(capsys)
    os.close(held)


@needs_root
def test_a_recording_that_is_asked_to_end_at_once_leaves_a_file_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from appliance.service import Service  # noqa: PLC0415 - the command itself imports it as late

    ready = Service.ready

    def ready_and_over(service: Service, sentence: str) -> None:
        ready(service, sentence)
        service.stopping = True

    monkeypatch.setattr(Service, "ready", ready_and_over)
    before = os.umask(0o022)
    try:
        flags = ["--trust-clock", "--filter", "udp port 40111", "--status", str(tmp_path)]
        assert run(["capture", "-i", "lo", "--dir", str(tmp_path), *flags]) == DONE
    finally:
        os.umask(before)
    err = capsys.readouterr().err
    assert "Recording lo into " in err
    assert "Recorded lo: 0 packets in 1 file, none lost." in err
    assert len(list(tmp_path.glob("*_lo.pcap"))) == 1
    assert '"state": "stopped"' in (tmp_path / "capture.json").read_text()
