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
from types import ModuleType
from typing import NamedTuple

import pytest

from daemon.classify.compact import COMPACT, parse, unpack
from tests.support.sources import ROOT, copy_sources

SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "daemon").rglob("_*.c"))
MAKERS = "daemon/identify/oui.bin"
ORGANISATIONS = Path("daemon/classify/organisations")
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


@pytest.fixture
def hook(tree: Path) -> ModuleType:
    """The build hook of that folder, whose parts can be run one by one: making the tables takes seconds."""
    spec = importlib.util.spec_from_file_location("hook_of_a_test", tree / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Made(NamedTuple):
    """A wheel, the folder where it was built, and what the build said."""

    wheel: Path
    tree: Path
    said: str


def environment(**changed: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("CC", "CFLAGS")} | changed


def build_wheel(tree: Path, compiler: str) -> Made:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tree / "made")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tree, env=environment(CC=compiler))
    (wheel,) = (tree / "made").glob("*.whl")
    return Made(wheel, tree, run.stderr)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Where there is a compiler."""
    return build_wheel(copy_sources(tmp_path_factory.mktemp("compiled")), "cc")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Where there is none, nor a table of hardware makers from before."""
    tree = copy_sources(tmp_path_factory.mktemp("plain"))
    (tree / MAKERS).unlink(missing_ok=True)
    return build_wheel(tree, "false")


def built(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*.so")}


def modules_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.endswith(".so")}


@pytest.mark.skipif(not can_compile(), reason="no C compiler or no Python.h")
def test_every_source_is_built_without_a_warning(compiled: Made) -> None:
    assert "warning" not in compiled.said
    assert "was not compiled" not in compiled.said
    assert built(compiled.tree) == TARGETS
    assert [path.name for path in compiled.tree.rglob(".*.so*")] == []


@pytest.mark.skipif(not can_compile(), reason="no C compiler or no Python.h")
def test_a_wheel_with_modules_names_the_platform(compiled: Made) -> None:
    assert modules_in(compiled.wheel) == TARGETS
    assert "cp311-abi3-linux_" in compiled.wheel.stem


def test_a_wheel_without_modules_is_for_every_platform(plain: Made) -> None:
    assert modules_in(plain.wheel) == set()
    assert plain.wheel.stem.endswith("py3-none-any")


@pytest.mark.parametrize("compiler", ["false", "no-such-compiler"])
def test_without_a_compiler_it_says_so_and_goes_on(
    tree: Path, hook: ModuleType, compiler: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tree / sorted(TARGETS)[0]
    stale.write_bytes(b"built by yesterday's compiler")
    monkeypatch.setenv("CC", compiler)
    assert hook.build_all(tree) == []
    said = capsys.readouterr().err
    assert said.count("was not compiled") == said.count("\n") == len(TARGETS)
    assert "slower, with the same results" in said
    assert built(tree) == set()


def test_the_table_of_hardware_makers_is_made_and_goes_into_the_wheel(plain: Made) -> None:
    if importlib.util.find_spec("pymanuf") is None:
        pytest.skip("pymanuf is missing: `make setup` installs it")
    with zipfile.ZipFile(plain.wheel) as archive:
        assert archive.read(MAKERS) == (plain.tree / MAKERS).read_bytes()


def test_by_itself_it_makes_everything_in_its_tree(tree: Path) -> None:
    (tree / MAKERS).unlink(missing_ok=True)
    command = [sys.executable, str(tree / "hatch_build.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(CC="false"))
    assert run.returncode == 0
    assert f"built: {ORGANISATIONS / COMPACT}\n" in run.stdout
    if importlib.util.find_spec("pymanuf") is not None:
        assert f"made: {MAKERS}" in run.stdout
        assert (tree / MAKERS).stat().st_size > 100_000


def test_the_quick_form_of_the_organisations_is_made_and_answers_for_its_files_only(
    tree: Path, hook: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tree / ORGANISATIONS
    (folder / COMPACT).unlink(missing_ok=True)
    assert hook.build_organisations(tree) == [str(ORGANISATIONS / COMPACT)]
    files = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
    packed = (folder / COMPACT).read_bytes()
    assert unpack(packed, files) == parse(files)
    (folder / "mine.toml").write_text("not toml", "utf-8")
    assert hook.build_organisations(tree) == []
    assert "starts slower, with the same results" in capsys.readouterr().err
    assert not (folder / COMPACT).exists(), "yesterday's answers for nothing"
