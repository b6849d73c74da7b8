"""What a wheel holds, and that the three top-level names are ours alone."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from appliance import __version__
from tests.support.sources import PROGRAMS, ROOT, copy_sources


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built as pip would, but without a download."""
    if importlib.util.find_spec("build") is None or importlib.util.find_spec("hatchling") is None:
        pytest.skip("build or hatchling is missing: `make setup` installs both")
    folder = tmp_path_factory.mktemp("wheel")
    tree = copy_sources(tmp_path_factory.mktemp("tree"))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(tree)]
    without = {**os.environ, "CC": "false"}  # what it holds besides modules; those have tests of their own
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=without)
    assert run.returncode == 0, run.stderr + run.stdout
    (made,) = folder.glob("*.whl")
    return made


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_wheel_holds_the_three_programs_and_nothing_else(wheel: Path) -> None:
    assert {name.split("/")[0] for name in names(wheel)} == {*PROGRAMS, f"homeport-{__version__}.dist-info"}


def test_wheel_holds_every_source_file(wheel: Path) -> None:
    sources = {
        str(path.relative_to(ROOT))
        for program in PROGRAMS
        for pattern in ("*.py", "*.sql", "*.toml", "*.html", "*.css", "*.js", "*.svg", "*.json", "LICENSE-*.txt")
        for path in (ROOT / program).rglob(pattern)
    }
    assert sources - names(wheel) == set()


def test_wheel_holds_no_by_products(wheel: Path) -> None:
    assert [name for name in names(wheel) if "__pycache__" in name or name.endswith((".pyc", ".pcap", ".db"))] == []


def test_wheel_carries_licence_and_command(wheel: Path) -> None:
    info = f"homeport-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert "Apache License" in archive.read(f"{info}/licenses/LICENSE").decode()
        assert "homeport = appliance.main:main" in archive.read(f"{info}/entry_points.txt").decode()


@pytest.mark.parametrize("name", PROGRAMS)
def test_name_resolves_into_this_tree(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve().parent == (ROOT / name).resolve()


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_other_distribution_owns_the_name(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"homeport"}


def test_every_programme_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(PROGRAMS)
