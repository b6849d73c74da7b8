"""The shell that drives capture files through decode, flow and store: `import_captures` for files that are there.

What stands here is loaded when it is asked for: who looks for packets, or follows a file, needs none of the importer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.ingest.importer import import_captures
    from daemon.ingest.outcome import FileOutcome, Progress, Summary

__all__ = ["FileOutcome", "Progress", "Summary", "import_captures"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "importer" if name == "import_captures" else "outcome"
    return getattr(import_module(f"{__name__}.{home}"), name)
