"""Where packets are written to: a file, or a pipe whose reader may leave.

Rule 1: packets are bytes for a program: a terminal is refused, with what to do.
Rule 2: what was written is there at once: nothing is kept back, a reader sees each packet as it comes.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.console import CannotDoError, printable, reader_may_leave

STDOUT = "-"
_HINT = "packets are not for a terminal; add `-w FILE`, or `| wireshark -k -i -`"
_MODE = 0o640  # who may read packets


class Target:
    """An open output."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, 0)  # only whether the reader has left

    def write(self, data: bytes) -> None:
        """All of it. Raises BrokenPipeError where nobody reads any more, OSError."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than somebody reads. Raises BrokenPipeError."""
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in self._poll.poll(seconds * 1000)):
            raise BrokenPipeError


@contextmanager
def packet_output(place: str | None, kept: Collection[Path] = ()) -> Iterator[Target]:
    """A file of this name, or standard output for `-`; None is standard output too. A reader who leaves ends the block.

    Raises CannotDoError; a file that is one of `kept` is not written over.
    """
    if place in {None, STDOUT}:
        if sys.stdout is None:
            raise CannotDoError("standard output is closed; add -w FILE")
        if sys.stdout.isatty():
            raise CannotDoError(_HINT)
        with reader_may_leave():
            yield Target(sys.stdout.fileno())
        return
    path = Path(str(place))
    _check(path, kept)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise CannotDoError(f"{printable(path)} cannot be written: {error.strerror}") from error
    try:
        yield Target(descriptor)
    except BrokenPipeError:  # a named pipe
        return
    finally:
        os.close(descriptor)


def _check(path: Path, kept: Collection[Path]) -> None:
    if not path.exists():
        return
    for other in kept:
        if other.exists() and path.samefile(other):
            raise CannotDoError(f"{printable(path)} is a capture that Homeport reads from; choose another name")
