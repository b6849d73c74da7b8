"""The units of `deploy/systemd`, as text and in systemd's own judgement. What they do: `test_box.py`."""

from __future__ import annotations

import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from appliance.main import verbs
from tests.support.units import SERVICES, UNITS, settings

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def runnable(folder: Path, unit: str) -> Path:
    """The unit with a program that exists on this machine, too."""
    text = (UNITS / unit).read_text()
    place = folder / unit
    place.write_text(text.replace("/opt/homeport/bin/homeport", "/bin/true"))
    return place


@needs_analyze
@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_at_most_one_and_a_half(unit: str) -> None:
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15"]
    run = subprocess.run([*command, str(UNITS / unit)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, "\n".join(line for line in run.stdout.splitlines() if "✓" not in line) + run.stderr


@needs_analyze
@pytest.mark.parametrize("unit", [*SERVICES, "homeport-retain.timer"])
def test_systemd_understands_every_line(unit: str, tmp_path: Path) -> None:
    places = [runnable(tmp_path, name) for name in SERVICES]
    shutil.copy(UNITS / "homeport-retain.timer", tmp_path)
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in run.stderr.splitlines() if "homeport" in line]
    assert (run.returncode, about_ours) == (0, []), run.stderr
    assert places


def test_what_runs_for_years_is_watched_and_started_again() -> None:
    for unit in SERVICES:
        if unit == "homeport-retain.service":
            continue
        held = settings(unit)
        assert (held["Type"], held["Restart"]) == ("notify", "always"), unit
        assert int(held["WatchdogSec"]) <= 120, unit
        assert "StartLimitIntervalSec=0" in (UNITS / unit).read_text(), unit


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_starts_a_verb_that_understands_its_flags(unit: str) -> None:
    program, verb, *flags = settings(unit)["ExecStart"].split()
    assert program == "/opt/homeport/bin/homeport"
    assert verb in verbs()
    command = import_module(f"appliance.cli.{verb}").command
    assert command.make_context(verb, flags, resilient_parsing=False)


def test_rights_and_memory_are_those_that_were_promised() -> None:
    rights = {unit: settings(unit)["CapabilityBoundingSet"] for unit in SERVICES}
    assert {unit for unit, right in rights.items() if right} == {"homeport-capture.service"}
    assert rights["homeport-capture.service"] == "CAP_NET_RAW"
    memory = {unit: settings(unit)["MemoryMax"] for unit in SERVICES}
    assert memory["homeport-capture.service"] == "64M"
    assert memory["homeport-ingest.service"] == "150M"
    assert memory["homeport-web.service"] == "120M"
