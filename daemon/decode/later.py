"""numpy, loaded by whoever first uses it.

Rule: `np` is numpy to whoever reads or checks the source. An import of usual captures, with the walks in C, never uses
      it: loading it would take as much CPU time as 25,000 packets do, and 12 MiB.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["np"]


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the module has
        found = getattr(import_module(self.__name__), name)
        setattr(self, name, found)  # so that it is asked for once: loops use it
        return found


if TYPE_CHECKING:
    import numpy as np
else:
    np = _Later("numpy")
