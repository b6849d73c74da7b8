"""Acting on the wish that a device be forgotten: said on the web page, which writes no facts, done by who may.

Rule 1: a wish stays in `owner.db` until all is gone that was recorded before it; the file that was being written then is
        forgotten as soon as it is closed, everything else at once. Killed anywhere, the wish is still there.
Rule 2: with the last of it the owner's words about the device go, the wish among them.
Rule 3: what could not be removed for other reasons than that is told, and does not hold up the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daemon.ingest.forget import Heard, Request, forget_device
from daemon.ingest.knowledge import Knowledge
from daemon.store import owner
from daemon.store.captures import live_captures
from daemon.store.database import read_database
from daemon.store.errors import explained
from daemon.store.words import Word, station_of


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """What became of one wish. `waits`: files that were being written then; `left`: what stays, with the reason."""

    stations: tuple[str, ...]
    packets: int
    waits: int
    left: tuple[tuple[str, str], ...]

    @property
    def sentence(self) -> str:
        """For the log of a service."""
        who = ", ".join(self.stations)
        if self.waits:
            return f"{who} is forgotten but for the file that is being written; that follows when it is closed."
        rest = f" Not removed: {'; '.join(f'{what}: {why}' for what, why in self.left)}." if self.left else ""
        return f"{who} is forgotten, as its owner wished.{rest}"


class Wishes:
    """Who acts on wishes about one site, one pass at a time."""

    def __init__(self, database: Path, site: str, knowledge: Knowledge) -> None:
        self._database, self._site, self._knowledge = database, site, knowledge
        self._tried: dict[int, frozenset[int]] = {}  # act -> the files that it waited for when it was last tried

    def fulfil(self, heard: Heard = lambda _path, _done, _all: None) -> list[Fulfilled]:
        """Act on what is due; empty where nothing is. Raises StoreError; what was done until then holds."""
        wishes = self._wishes()
        done = [self._forget(act, words, heard) for act, words in wishes.items() if self._due(act, words)]
        self._tried = {act: files for act, files in self._tried.items() if act in wishes}
        return done

    def _wishes(self) -> Mapping[int, list[Word]]:
        path = self._knowledge.owner
        db = None if path is None else owner.read_owner(path)
        if db is None:
            return {}
        acts: dict[int, list[Word]] = {}
        with closing(db):
            for word in owner.wishes(db, self._site):
                acts.setdefault(word.act, []).append(word)
        return acts

    def _waits(self, words: list[Word]) -> frozenset[int]:
        with closing(read_database(self._database)) as db, explained(self._database):
            return frozenset(live_captures(db, self._site, words[0].said_us))

    def _due(self, act: int, words: list[Word]) -> bool:
        return act not in self._tried or self._tried[act] != self._waits(words)

    def _forget(self, act: int, words: list[Word], heard: Heard) -> Fulfilled:
        keys = tuple(word.key for word in words)
        request = Request(self._site, tuple(station_of(key) for key in keys))
        done = forget_device(self._database, request, self._knowledge, heard)
        waits = self._waits(words)
        self._tried[act] = waits
        if not waits and self._knowledge.owner is not None:
            with closing(owner.open_owner(self._knowledge.owner)) as db:
                owner.forget(db, self._site, keys)
        return Fulfilled(keys, done.packets + done.frames, len(waits), tuple(done.left))
