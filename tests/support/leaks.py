"""What code in C may forget to give back: references to objects that it was handed, and memory."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Sequence


def left_behind(run: Callable[[int], None], times: int, shared: Sequence[object]) -> tuple[list[int], int]:
    """How many references to each of `shared` are left after `run(times)`, and by how many bytes memory has grown."""
    run(1)
    before = [sys.getrefcount(each) for each in shared]
    tracemalloc.start()
    try:
        run(1)
        size = tracemalloc.get_traced_memory()[0]
        run(times)
        grown = tracemalloc.get_traced_memory()[0] - size
    finally:
        tracemalloc.stop()
    after = [sys.getrefcount(each) for each in shared]  # counted as before: a loop over both would hold one more
    return [has - had for has, had in zip(after, before, strict=True)], grown
