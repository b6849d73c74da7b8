"""The project's own sources in a folder of their own, so that a test may build there without touching this tree."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = ("appliance", "daemon", "web")
FILES = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "NOTICE", ".gitignore")


def copy_sources(folder: Path) -> Path:
    """Copy what a build reads into `folder`; no built module, nor what a build beside us may just be writing."""
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    for name in PROGRAMS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", ".*"))
    return folder
