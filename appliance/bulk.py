"""How a process is set up that is going to read millions of packets; called before the engine is imported."""

from __future__ import annotations

import gc
import os

_YOUNG, _MIDDLE, _OLD = 400_000, 20, 100  # a batch of facts has about half as many objects


def prepare() -> None:
    """Spend less on what an import does not need; measured on a day of a million packets.

    Facts are many small objects without cycles: looking for garbage among them every 700 allocations costs 8 % of the
    CPU time. numpy's linear algebra is not used, and starting its threads takes longer than some imports.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
