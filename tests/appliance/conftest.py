from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance.config import VARIABLE
from appliance.main import DEBUG, run


class Ran(NamedTuple):
    """What a command line did: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


Homeport = Callable[..., Ran]


@pytest.fixture
def homeport(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Homeport:
    """Runs a command line in this process, with an empty configuration whatever this machine's says."""
    empty = tmp_path / "settings" / "homeport.toml"
    empty.parent.mkdir()
    empty.touch()
    monkeypatch.setenv(VARIABLE, str(empty))
    monkeypatch.delenv(DEBUG, raising=False)

    def command(*arguments: str | Path) -> Ran:
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return command
