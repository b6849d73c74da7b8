"""The build hook: modules where there is a compiler, one sentence and a plain wheel where there is none."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from daemon.classify.compact import COMPACT, parse, unpack
from tests.support.sources import ROOT, copy_sources

SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "daemon").rglob("_*.c"))
TARGETS = {source.removesuffix(".c") + ".abi3.so" for source in SOURCES}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="hatchling is missing: `make setup` installs it"
)


def can_compile() -> bool:
    return shutil.which("cc") is not None and (Path(sysconfig.get_path("include")) / "Python.h").exists()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The sources alone, in a folder of their own."""
    return copy_sources(tmp_path)


def build(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "hatch_build.py")]
    env = {name: value for name, value in os.environ.items() if name not in ("CC", "CFLAGS")} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def built(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*.so")}


@pytest.mark.skipif(not can_compile(), reason="no C compiler or no Python.h")
def test_every_source_is_built_without_a_warning(tree: Path) -> None:
    run = build(tree, CC="cc")
    assert (run.returncode, run.stderr) == (0, "")
    assert built(tree) == TARGETS
    assert [path.name for path in tree.rglob(".*.so*")] == []


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_without_a_compiler_it_says_so_and_goes_on(tree: Path, compiler: str) -> None:
    stale = tree / sorted(TARGETS)[0]
    stale.write_bytes(b"built by yesterday's compiler")
    run = build(tree, CC=compiler)
    assert run.returncode == 0
    assert run.stderr.count("was not compiled") == run.stderr.count("\n") == len(TARGETS)
    assert "slower, with the same results" in run.stderr
    assert built(tree) == set()


def test_the_table_of_hardware_makers_is_made_and_goes_into_the_wheel(tree: Path) -> None:
    if importlib.util.find_spec("pymanuf") is None:
        pytest.skip("pymanuf is missing: `make setup` installs it")
    table = tree / "daemon" / "identify" / "oui.bin"
    table.unlink(missing_ok=True)
    assert "made: daemon/identify/oui.bin" in build(tree, CC="false").stdout
    made = table.read_bytes()
    table.unlink()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tree / "made")]
    subprocess.run(command, check=True, capture_output=True, cwd=tree, env={**os.environ, "CC": "false"})
    (wheel,) = (tree / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("daemon/identify/oui.bin") == made


@pytest.mark.parametrize("compiler", ["cc", "false"])
def test_a_wheel_names_the_platform_only_if_it_holds_modules(tree: Path, compiler: str) -> None:
    if compiler == "cc" and not can_compile():
        pytest.skip("no C compiler or no Python.h")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tree / "made")]
    subprocess.run(command, check=True, capture_output=True, cwd=tree, env={**os.environ, "CC": compiler})
    (wheel,) = (tree / "made").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.endswith(".so")}
    assert inside == (TARGETS if compiler == "cc" else set())
    assert wheel.stem.endswith("py3-none-any") == (compiler == "false")
    assert ("cp311-abi3-linux_" in wheel.stem) == (compiler == "cc")


def test_the_quick_form_of_the_organisations_is_made_and_answers_for_its_files_only(tree: Path) -> None:
    assert build(tree, CC="false").returncode == 0
    folder = tree / "daemon" / "classify" / "organisations"
    files = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
    packed = (folder / COMPACT).read_bytes()
    assert unpack(packed, files) == parse(files)
    (folder / "mine.toml").write_text("not toml", "utf-8")
    run = build(tree, CC="false")
    assert (run.returncode, "starts slower, with the same results" in run.stderr) == (0, True)
    assert not (folder / COMPACT).exists(), "yesterday's answers for nothing"
