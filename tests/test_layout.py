"""The shape of the tree: tests mirror the rooms, files stay small, nothing of one machine is in them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = ("appliance", "daemon", "web")
MOST_LINES = 400

# Modules of daemon/decode whose tests stand elsewhere, with the reason. This list may only shrink.
TESTED_ELSEWHERE: dict[str, str] = {
    "packet": "declarations only; what fills them is tested with whoever fills them",
}

# Paths of the machines on which the project is made; in pieces, so that this file does not hold them itself.
MACHINE_PATHS = tuple(f"/{name}" for name in ("work/", "root/", "farm"))


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project: what git tracks or would track; without git, what lies here and is no by-product."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
        found = [ROOT / name for name in names if name]
    else:
        found = [path for path in ROOT.rglob("*") if not {".venv", "__pycache__"} & set(path.parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def test_every_decoder_has_its_test() -> None:
    names = {path.stem for path in (ROOT / "daemon" / "decode").glob("*.py")} - {"__init__"}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "daemon" / "decode").glob("test_*.py")}
    assert names - tested - set(TESTED_ELSEWHERE) == set()
    assert set(TESTED_ELSEWHERE) - (names - tested) == set(), "tested by now, or gone: take it off the list"


def test_every_test_of_a_decoder_has_its_decoder() -> None:
    names = {path.stem for path in (ROOT / "daemon" / "decode").glob("*.py")}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "daemon" / "decode").glob("test_*.py")}
    twins = {name for name in tested if name.endswith("_native")}  # a parser's twin in C against the parser
    assert tested - twins | {name.removesuffix("_native") for name in twins} <= names | {"hello"}


def test_no_file_is_long() -> None:
    lengths = {
        path: len(path.read_text("utf-8").splitlines()) for path in files() if path.suffix in (".py", ".sql", ".c")
    }
    long = {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > MOST_LINES}
    assert not long


def test_every_package_folder_says_so() -> None:
    folders = {path.parent for path in files() if path.suffix == ".py"} - {ROOT}
    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_room_says_what_it_is_for(program: str) -> None:
    for path in (ROOT / program).rglob("__init__.py"):
        first = path.read_text("utf-8").split("\n", 1)[0]
        assert first.startswith('"""'), path
        assert "laceholder" not in first, path


def test_nothing_names_one_machine() -> None:
    wrong = []
    for path in files():
        content = path.read_bytes()
        wrong += [f"{path.relative_to(ROOT)}: {name}" for name in MACHINE_PATHS if name.encode() in content]
    assert not wrong
