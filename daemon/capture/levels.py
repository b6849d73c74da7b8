"""The list of who is recorded how, as the recorder follows it; see `daemon.decode.levels` for what is in it.

Rule 1: the list lies beside the captures, so that it is there before anything else is after a start of the machine. None at
        all means that nobody wished anything.
Rule 2: a list that cannot be read does not undo what was wished: who runs goes on with the one before, who starts does
        not start.
Rule 3: whether it has changed is one stat(2) a second.
"""

from __future__ import annotations

import os
from pathlib import Path

from daemon.capture.source import InterfaceError
from daemon.decode.levels import MOST_BYTES, NAME, Levels, LevelsError, parse_levels

_Shape = tuple[int, int, int, int]


class LevelsWatch:
    """The list of one folder. `now` is what holds; `trouble` a sentence where the file cannot be followed, else empty."""

    def __init__(self, folder: Path) -> None:
        """Raises InterfaceError where there is a list that cannot be read."""
        self.now = Levels()
        self.trouble = ""
        self._path = folder / NAME
        self._shape: _Shape | None = None
        self.changed()
        if self.trouble:
            raise InterfaceError(
                f"{self.trouble}. It says who is not to be recorded, so nothing is recorded without it;"
                " `homeport ingest` writes it anew"
            )

    def changed(self) -> bool:
        """Whether another list holds since the last call. A file that is gone says nothing new."""
        shape = _shape(self._path)
        if shape is None or shape == self._shape:
            return False
        self._shape = shape
        try:
            levels = parse_levels(_read(self._path))
        except OSError as error:
            self.trouble = f"{self._path} cannot be read: {(error.strerror or str(error)).lower()}"
            return False
        except LevelsError as error:
            self.trouble = f"{self._path} is no list that can be followed: {error}"
            return False
        self.trouble = ""
        before, self.now = self.now, levels
        return before != levels


def _shape(path: Path) -> _Shape | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _read(path: Path) -> bytes:
    """At most one byte more than a list may have; never through a link, and never waiting for a pipe's other end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES + 1) or b""
