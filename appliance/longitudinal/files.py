"""Files of the longitudinal tree: written whole or not at all, read back with suspicion.

Rule 1: equal content is not written again, so that a second run touches nothing.
Rule 2: what is read may have been edited by anybody: it is bounded, its shape is checked, and what is wrong is said.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from appliance.console import CannotDoError, printable

LARGEST = 256 << 20  # bytes of a file that is read back


def write(path: Path, content: str | bytes) -> None:
    """Make a file, with the folders above it. Raises OSError."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    if _holds(path, raw):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(raw)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _holds(path: Path, raw: bytes) -> bool:
    try:
        return path.stat().st_size == len(raw) and path.read_bytes() == raw
    except FileNotFoundError:
        return False


def write_json(path: Path, value: object) -> None:
    """JSON as people can read it, keys in the order given."""
    write(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """A text, one entry a line."""
    write(path, "".join(f"{line}\n" for line in lines))


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV with its header; lines end with LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write(path, out.getvalue())


def read_text(path: Path) -> str:
    """A text file that a person named. Raises CannotDoError."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise CannotDoError(f"{printable(path)}: {(error.strerror or str(error)).lower()}") from error
    if len(raw) > LARGEST:
        raise CannotDoError(f"{printable(path)}: larger than {LARGEST >> 20} MiB, which no list of this pipeline is")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotDoError(f"{printable(path)}: no text in UTF-8 ({error.reason} at byte {error.start})") from error


def read_json(path: Path) -> object:
    """A JSON file. Raises CannotDoError."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise CannotDoError(f"{printable(path)}: not JSON: {error}") from error
