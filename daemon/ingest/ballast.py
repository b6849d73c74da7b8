"""A file that holds nothing and is given up first when the disk is full, so that the database can still be written.

SQLite writes what it deletes to its log before: on a full disk not even DELETE works.
Rule: it takes room that nobody else needs; where there is not enough above the floor, there is none.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

SUFFIX = ".ballast"  # behind the database's name: a file of nobody else
_BLOCK = 512  # of st_blocks
_FULL = (errno.ENOSPC, errno.EDQUOT)


def ballast_beside(database: Path) -> Path:
    """Where the ballast of a database lies: on the same disk."""
    return database.with_name(database.name + SUFFIX)


def held(path: Path) -> int:
    """Bytes of the disk that it takes; 0 where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return 0
    return min(status.st_size, status.st_blocks * _BLOCK)


def give_up(path: Path) -> int:
    """Take it from the disk; the bytes won. A file that cannot be removed wins nothing."""
    won = held(path)
    try:
        path.unlink()
    except OSError:
        return 0
    return won


def make(path: Path, size: int) -> bool:
    """Have it take `size` bytes; whether it does. Raises OSError for what is wrong besides a full disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        os.ftruncate(descriptor, size)
        if size:
            os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        path.unlink()
        return False
    finally:
        os.close(descriptor)
    return True
