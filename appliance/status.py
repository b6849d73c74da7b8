"""The file in which a running service says how it is: `/run/homeport/capture.json`, `/run/homeport/ingest.json`.

Rule 1: a reader sees a whole file or none: it is written beside and renamed.
Rule 2: who reads trusts neither form nor size: what is not a status is no status, with the reason.
Rule 3: a service that was killed leaves its last word behind; its age tells (`Status.silent_for`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RUN_FOLDER = Path("/run/homeport")
EVERY_SECONDS = 3.0  # between two writes, as long as the state stays the same
LATE_SECONDS = 30.0  # silence from which a service counts as not running
_MOST_BYTES = 65_536
_FIELDS = {"pid": int, "since_us": int, "now_us": int, "state": str, "sentence": str}


class StatusError(Exception):
    """The file is there but cannot be read, or is not a status; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a service said last. Times: microseconds since the epoch, of the wall clock when it was said."""

    name: str  # `capture`, `ingest`
    pid: int
    since_us: int  # start of the process
    now_us: int
    state: str  # one word: `capturing`, `paused`, `following`, `stopped`, `failed`, ...
    sentence: str
    numbers: Mapping[str, object]  # whatever else stands in the file

    def silent_for(self, now_us: int) -> float:
        """Seconds since it was said; never negative, so that a clock set back makes nothing look late."""
        return max(0, now_us - self.now_us) / 1_000_000

    def running(self, now_us: int) -> bool:
        """Whether the service spoke lately and did not say goodbye."""
        return self.state not in ("stopped", "failed") and self.silent_for(now_us) <= LATE_SECONDS


def path_of(name: str, folder: Path = RUN_FOLDER) -> Path:
    """The file of a service."""
    return folder / f"{name}.json"


def read_status(name: str, folder: Path = RUN_FOLDER) -> Status | None:
    """What the service said last; None where it never ran since the machine started. Raises StatusError."""
    path = path_of(name, folder)
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StatusError(f"{path}: {error.strerror}") from error
    if len(content) > _MOST_BYTES:
        raise StatusError(f"{path}: larger than a status can be")
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StatusError(f"{path}: not JSON: {error}") from error
    return _status(name, path, said)


def _status(name: str, path: Path, said: object) -> Status:
    if not isinstance(said, dict):
        raise StatusError(f"{path}: not a JSON object")
    for field, kind in _FIELDS.items():
        if not isinstance(said.get(field), kind) or isinstance(said[field], bool):
            raise StatusError(f"{path}: {field} is missing or is not {'a number' if kind is int else 'text'}")
    numbers = {field: value for field, value in said.items() if field not in _FIELDS}
    return Status(name, **{field: said[field] for field in _FIELDS}, numbers=numbers)


def write_status(status: Status, folder: Path) -> None:
    """Put the status in the place of the last one. Raises OSError; the last one stays then."""
    said = {field: getattr(status, field) for field in _FIELDS}
    path = path_of(status.name, folder)
    fresh = path.with_name(f".{path.name}.{status.pid}")
    try:
        fresh.write_text(json.dumps({**status.numbers, **said}, ensure_ascii=False) + "\n", "utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
