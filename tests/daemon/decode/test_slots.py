from __future__ import annotations

import subprocess
import sys

from daemon.decode.slots import SLOT_US


def test_a_day_has_96() -> None:
    assert 96 * SLOT_US == 86_400_000_000


def test_who_only_counts_loads_no_arrays() -> None:
    asks = "import sys, daemon.store.calendar, daemon.report.scope; print('numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
