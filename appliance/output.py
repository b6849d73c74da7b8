"""Files that Homeport writes for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from appliance.console import CannotDoError, printable


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file that appears under its name when it is complete, and not at all if writing fails. Raises CannotDoError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        file = partial.open("x", encoding="utf-8", newline="")
    except OSError as error:
        raise CannotDoError(f"{printable(path)} cannot be written: {error.strerror}") from error
    try:
        with file as target:
            yield target
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
