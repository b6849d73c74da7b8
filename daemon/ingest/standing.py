"""How the service that follows captures stands, and who is looking.

Rule: who looks at fresh numbers touches the file `look` in the run directory; for half a minute the service then hurries.
A file is the simplest signal that any program of any user can give, and that nobody has to take back.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LOOK = "look"
_LOOKS_S = 30.0  # for so long a touch counts

FOLLOWING, CATCHING_UP, WAITING = "following", "catching up", "waiting"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for whoever looks after the machine; `loud`: somebody should read it."""

    sentence: str
    file: str = ""
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What the service does, and how far it is. Numbers count since it began; times in microseconds, UTC."""

    state: str
    sentence: str  # for people
    advanced: bool = False  # something was read since the last word
    lag_s: float = 0.0  # how long the oldest unread bytes have been waiting
    unread_bytes: int = 0
    files_waiting: int = 0
    files_without_clock: int = 0
    set_aside: tuple[tuple[str, str], ...] = ()  # file, why
    packets: int = 0
    facts: int = 0
    settled_us: int = 0  # when labels were brought up to date, by the wall clock
    looked_at: bool = False
    captures_bytes: int = 0  # of our recordings in the folder
    free_bytes: int = 0
    floor_bytes: int = 0  # that are to stay free
    ballast_bytes: int = 0
    given_up: int = 0  # files that went for the budget
    given_up_unread: tuple[str, ...] = ()  # the newest of those that were never read
    not_recorded: int = 0  # MACs, as the sidecars of files that are being written say
    without_names: int = 0
    said: tuple[Said, ...] = ()  # of the budget, since the last word


def touch_look(folder: Path, wall_s: float | None = None) -> None:
    """Somebody looks now: what is on the wire should be in the database within seconds. Raises OSError."""
    path = folder / LOOK
    path.touch()
    if wall_s is not None:
        os.utime(path, (wall_s, wall_s))


def look_folder(run_folder: Path | None, database: Path) -> Path:
    """Where `look` lies: in the run directory, and on a machine without one beside the database."""
    return run_folder if run_folder is not None and run_folder.is_dir() else database.parent


def is_looked_at(folder: Path, wall_s: float) -> bool:
    """Whether somebody has looked within the last half minute."""
    try:
        return abs(wall_s - (folder / LOOK).stat().st_mtime) <= _LOOKS_S
    except OSError:
        return False
