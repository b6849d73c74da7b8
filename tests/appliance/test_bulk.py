from __future__ import annotations

import subprocess
import sys

_SHOWS = "import gc, os; from appliance.bulk import prepare; prepare(); print(gc.get_threshold()[0], os.environ[%r])"


def test_import_process_collects_garbage_rarely_and_starts_no_blas_threads() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _SHOWS % "OPENBLAS_NUM_THREADS"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["400000", "1"]
