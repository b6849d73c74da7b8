"""Disks of a few MB, for tests that fill them. They need root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    """A disk in memory, of a size as mount(8) writes it (`4m`), for the time of the block."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextlib.contextmanager
def loop_disk(at: Path, mebibytes: int) -> Iterator[Path]:
    """An ext4 on a file, as memory cards have it; skipped aloud by whoever asks `can_loop` first."""
    image = at.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    at.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True, capture_output=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def fill(path: Path, leave: int = 0) -> None:
    """Write a file until the disk takes not one byte more; `leave`: give back so many bytes of it."""
    for piece in (65_536, 512, 1):
        with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\1" * piece)
    if leave:
        with path.open("ab") as file:
            file.truncate(max(0, file.tell() - leave))
