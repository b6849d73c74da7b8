"""What is looked up, on a root of the test's own and with the real kernel's files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.doctor.facts import UNITS, Machine
from appliance.doctor.look import Setup, ask_program, look_at_machine
from appliance.doctor.look_at_records import look_at_records
from appliance.status import Status, write_status
from daemon.decode.sidecar import SUFFIX, SidecarLine, format_line
from tests.support.importing import imported

RECORDED = Path(__file__).parents[2] / "data" / "tls13.pcap"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder with two interfaces and systemd."""
    for name, flags, carrier in (("lo", "0x9", "1"), ("wlan0", "0x1003", "1"), ("eth0", "0x1002", None)):
        folder = tmp_path / "sys/class/net" / name
        folder.mkdir(parents=True)
        (folder / "flags").write_text(flags + "\n")
        if carrier:
            (folder / "carrier").write_text(carrier + "\n")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text("Name:\tx\nCapEff:\t0000000000002000\n")
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    (tmp_path / "run/homeport").mkdir()
    return tmp_path


def systemctl(command: Sequence[str]) -> str:
    assert command[:2] == ["systemctl", "show"]
    if command[-1] == UNITS[0]:
        return "Result=watchdog\nNRestarts=3\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
    return "LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nResult=success\n"


def look(root: Path, *, interface: str = "wlan0", named: bool = False) -> Machine:
    setup = Setup(interface, named, root / "captures", "UTC")
    return look_at_machine(setup, lambda: True, root, systemctl, lambda: 1_790_000_000.0)


def test_interfaces(root: Path) -> None:
    machine = look(root)
    assert (machine.interface.exists, machine.interface.up, machine.interface.carrier) == (True, True, True)
    eth0 = look(root, interface="eth0").interface
    assert (eth0.exists, eth0.up, eth0.carrier) == (True, False, None)
    missing = look(root, interface="wlan9").interface
    assert (missing.exists, missing.others) == (False, ("eth0", "wlan0"))
    assert not look(root, interface="").interface.exists


def test_capability(root: Path) -> None:
    assert look(root).net_raw
    (root / "proc/self/status").write_text("CapEff:\t0000000000000000\n")
    assert not look(root).net_raw


def test_units(root: Path) -> None:
    machine = look(root)
    assert machine.appliance
    first = machine.units[0]
    assert (first.load, first.active, first.enabled, first.restarts, first.result) == (
        "loaded", "active", "enabled", 3, "watchdog",
    )  # fmt: skip
    assert {unit.load for unit in machine.units[1:]} == {"not-found"}


def test_without_systemd_and_status_it_is_no_appliance_unless_an_interface_was_named(root: Path) -> None:
    (root / "run/systemd/system").rmdir()
    assert not look(root).appliance
    assert look(root, named=True).appliance


def test_what_the_services_say(root: Path) -> None:
    write_status(Status("capture", 1, 0, 5, "capturing", "Records.", {}), root / "run/homeport")
    (root / "run/homeport/ingest.json").write_text("{")
    machine = look(root)
    assert machine.capture.status is not None
    assert machine.capture.status.sentence == "Records."
    assert (machine.ingest.status, "not JSON" in machine.ingest.error) == (None, True)


def test_disk(root: Path) -> None:
    assert not look(root).disk.exists
    (root / "captures").mkdir()
    (root / "captures/a.pcap").write_bytes(b"x" * 1000)
    (root / "captures/a.pcap.meta.jsonl").write_bytes(b"x" * 10)
    held = look(root).disk
    assert (held.exists, held.captures) == (True, 1010)
    assert 0 < held.free <= held.total


def test_budget_floor_and_ballast(root: Path) -> None:
    (root / "captures").mkdir()
    (root / "ballast").write_bytes(b"x" * 5000)
    total = look(root).disk.total
    setup = Setup("wlan0", False, root / "captures", "UTC", 7, 1 << 60, root / "ballast", 1 << 60)  # noqa: FBT003  in the order of its fields
    held = look_at_machine(setup, lambda: True, root, systemctl, lambda: 1_790_000_000.0).disk
    assert (held.budget, held.floor, held.ballast, held.ballast_wanted) == (7, total // 10, 5000, total // 20)
    assert look(root).disk.ballast_wanted is None


def test_a_program_that_is_missing_fails_or_does_not_end_says_nothing() -> None:
    assert ask_program(["homeport-no-such-program"]) == ""
    assert ask_program(["false"]) == ""
    assert ask_program(["echo", "x"]) == "x\n"


def line(event: str = "sample", on_disk: int = 0, **more: str) -> bytes:
    return format_line(SidecarLine(event, 1_790_000_000_000_000, 1, "boot", synced=True, on_disk=on_disk, more=more))


def test_records(tmp_path: Path) -> None:
    folder, database = tmp_path / "captures", tmp_path / "homeport.db"
    folder.mkdir()
    known, live = folder / "known.pcap", folder / "2026-09-21_00.00.00_wlan0.pcap"
    known.write_bytes(RECORDED.read_bytes())
    imported(database, known)
    live.write_bytes(b"x" * 5000)
    (folder / (live.name + SUFFIX)).write_bytes(line("open") + line("pause", 4096, reason="disk full") + b'{"torn')
    records = look_at_records(database, tmp_path / "owner.db", folder, tmp_path / "data", 90)
    held = records.database
    assert (held.exists, held.error, held.damage, held.checked, held.broken) == (True, "", (), True, ())
    assert held.packets == held.lately > 0
    assert held.detail is not None
    assert 0 < held.detail < held.size
    assert records.sidecar is not None
    assert (records.sidecar.file, records.sidecar.event, records.sidecar.reason) == (live.name, "pause", "disk full")
    assert records.backlog is not None
    assert (records.backlog.behind, records.backlog.files) == (
        4096,
        1,
    )  # what is on disk, not what the file seems to be
    assert not records.owner.exists


def test_a_database_that_is_damaged_or_something_else(tmp_path: Path) -> None:
    database = tmp_path / "homeport.db"
    imported(database, RECORDED)
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'flow'").fetchone()[0]
    db.close()
    with database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    damaged = look_at_records(database, tmp_path / "o", tmp_path, tmp_path, 90).database
    assert damaged.damage or damaged.error
    database.write_bytes(b"nothing of ours" * 100)
    assert "not a Homeport database" in look_at_records(database, tmp_path / "o", tmp_path, tmp_path, 90).database.error


def test_a_check_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    database = tmp_path / "homeport.db"
    imported(database, *RECORDED.parent.glob("*.pcap"), codes=(0, 1))
    ticks = iter(range(0, 10**9, 60))
    held = look_at_records(database, tmp_path / "o", tmp_path, tmp_path, 90, lambda: next(ticks)).database
    assert (held.error, held.damage, held.checked, held.detail) == ("", (), False, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_of_somebody_else(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    records = look_at_records(closed / "homeport.db", closed / "owner.db", closed / "captures", closed, 90)
    assert "ermission" in records.database.error
    assert "ermission" in records.owner.error
    assert (records.sidecar, records.backlog) == (None, None)
    machine = look_at_machine(replace(Setup("", named=False, folder=closed / "captures", zone="UTC")), lambda: None)
    assert (machine.disk.exists, machine.disk.captures) == (True, None)
