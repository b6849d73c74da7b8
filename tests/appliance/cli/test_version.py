from __future__ import annotations

import platform

from appliance import __version__
from tests.appliance.conftest import Homeport


def test_says_what_runs_here(homeport: Homeport) -> None:
    ran = homeport("version")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == f"homeport {__version__}"
    assert f"Python {platform.python_version()}, SQLite " in ran.out
