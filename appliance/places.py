"""Where addresses are, for those who only read: the databases of the box's folder, opened when they are first needed.

Rule: files that were replaced meanwhile are opened anew, so that a dashboard that runs for months tells what they say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.config import Config
    from daemon.classify.place import Atlas, Place

_LOOKED_EVERY = 512  # questions: a map asks that many at a time


def locator_of(config: Config) -> Callable[[str], Place | None]:
    """What tells the place of an address; None where nobody knows."""
    return Locator(config.data.folder).look_up


class Locator:
    """The atlas of a folder, as it is now. May be asked by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._seen: list[tuple[str, int]] | None = None
        self._atlas: Atlas | None = None
        self._asked = 0

    def look_up(self, address: str) -> Place | None:
        """The place of an address in text form."""
        with self._turn:
            if self._atlas is None or self._asked % _LOOKED_EVERY == 0:
                self._open()
            self._asked += 1
            atlas = self._atlas
        return atlas.look_up(address) if atlas else None

    def _open(self) -> None:
        from daemon.classify.place import Atlas
        from daemon.store.atlas_files import open_address_files, with_our_clouds

        there = []
        for path in sorted(self._folder.glob("*.mmdb")):
            with suppress(FileNotFoundError):  # it is being replaced: the next look finds the new one
                there.append((path.name, path.stat().st_mtime_ns))
        if there != self._seen:
            self._seen, self._atlas = there, Atlas(with_our_clouds(open_address_files(self._folder)))
