"""What the dashboard is given by whoever starts it: places, and the few things of the world that it may ask or do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.classify.families import Portrait
    from daemon.classify.place import Place


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a service of the box said last of itself."""

    name: str  # capture, ingest
    running: bool
    state: str
    sentence: str
    silent_seconds: float
    numbers: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A database that tells where addresses are; `age_days` None where nobody knows it."""

    name: str
    kind: str
    age_days: int | None
    old: bool
    state: str = ""  # what is to be said of it besides: absent, unusable and why


def _nobody() -> Sequence[ServiceState]:
    return ()


def _no_files() -> Sequence[DataFile]:
    return ()


def _nothing() -> None:
    pass


def _nowhere(address: str) -> Place | None:
    del address
    return None


def _no_table(name: str) -> Portrait | None:
    del name
    return None


def _no_labels(site: str) -> None:
    del site  # ingest follows by itself


def _now_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that the pages need from outside. Paths need not exist yet."""

    database: Path
    owner: Path
    site: str = "home"  # the home that is shown where an address names none
    captures: Path | None = None  # folder of the capture files
    configured: Mapping[str, str] = field(default_factory=dict)  # key -> its value where the owner set nothing
    hosts: tuple[str, ...] = ()  # names by which the box is called, besides its addresses and localhost
    open: bool = False  # no login: for a demo on loopback only
    version: str = ""
    now_us: Callable[[], int] = _now_us
    monotonic: Callable[[], float] = time.monotonic  # seconds, for what must not depend on the clock on the wall
    services: Callable[[], Sequence[ServiceState]] = _nobody
    data_files: Callable[[], Sequence[DataFile]] = _no_files
    locate: Callable[[str], Place | None] = _nowhere  # where an address is, as far as files of this box tell
    known: Callable[[str], Portrait | None] = _no_table  # what the tables of organisations know of a company
    relieve: Callable[[], None] = _nothing  # answers were made: memory that is free now may go back to the system
    look: Callable[[], None] = _nothing  # somebody looks: ingest hurries
    follow: Callable[[str], None] = _no_labels  # let the labels of a site follow the owner's words
