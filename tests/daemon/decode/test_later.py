"""numpy that is loaded by whoever first uses it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from daemon.decode import later


def test_it_is_numpy() -> None:
    assert (later.np.ndarray, later.np.add) == (np.ndarray, np.add)
    with pytest.raises(AttributeError, match="no_such_thing"):
        getattr(later.np, "no_such_thing")  # noqa: B009  a type checker knows that there is none


def test_it_is_loaded_by_the_first_use_and_by_no_import() -> None:
    code = (
        "import sys, daemon.ingest.importer, daemon.store.columns; print('numpy' in sys.modules);"
        "print(daemon.store.columns.np.int64(3)); print('numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "3", "True"]
