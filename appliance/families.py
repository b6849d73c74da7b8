"""What the table of organisations knows of a company, for those who only read: loaded when it is first asked for.

Rule: tables of the owner's that were changed meanwhile are read anew, so that a dashboard that runs for months follows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.config import Config
    from daemon.classify.families import Families, Portrait

_log = logging.getLogger("homeport.web")


def portraits_of(config: Config) -> Callable[[str], Portrait | None]:
    """What tells of a company; None for one that is not in the tables."""
    return _Portraits(tuple(Path(path) for path in config.classify.organisations)).portrait


class _Portraits:
    """The tables as they are now. May be asked by several threads."""

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._files = files
        self._turn = threading.Lock()
        self._seen: list[tuple[str, int]] | None = None
        self._families: Families | None = None

    def portrait(self, name: str) -> Portrait | None:
        with self._turn:
            there = [(str(path), _changed_ns(path)) for path in self._files]
            if self._families is None or there != self._seen:
                self._seen, self._families = there, self._load()
            return self._families.portrait(name)

    def _load(self) -> Families:
        from daemon.classify.families import Families
        from daemon.classify.organisation_files import OrganisationsError, load_organisations

        try:
            return Families(load_organisations(self._files))
        except OrganisationsError as error:  # whoever judges refuses to start for it; a page shows what is known
            _log.warning("tables of organisations are left out: %s", error)
            return Families(load_organisations())


def _changed_ns(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0
