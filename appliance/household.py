"""The devices of a site as a command finds them, and what the owner says about them: written, then followed by the labels.

Rule 1: a word goes into `owner.db` before anything else; should the labels not follow, the word is kept and that is said.
Rule 2: what is told afterwards is read back from the database, not assumed.
"""

from __future__ import annotations

import shlex
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from appliance.config import Config
from appliance.console import CannotDoError, note, printable
from appliance.knowledge import knowledge_of
from appliance.looking import somebody_looks
from daemon.identify.vocabulary import OwnerWords
from daemon.report.lookup import Found, NotFoundError, find
from daemon.store.database import read_database
from daemon.store.errors import StoreError, explained
from daemon.store.owner import find_word, history, last_word, open_owner, read_owner, words_at
from daemon.store.recording import with_level
from daemon.store.roster import Resident, read_residents, read_sites
from daemon.store.words import Word

BY = "command line"
PLACES = {"--db": "store.database", "--owner": "store.owner", "--site": "site.name"}


@dataclass(frozen=True, slots=True)
class Household:
    """What a command works on, as it was when it was read."""

    config: Config
    zone: str
    residents: list[Resident]

    @property
    def site(self) -> str:
        """Its name."""
        return self.config.site.name

    def words(self) -> OwnerWords:
        """What holds of what was said. Read when asked for: a list needs none of it. Raises StoreError."""
        return words_at(self.config.store.owner, self.site)

    def find(self, word: str) -> Found:
        """The device that a person means. Raises CannotDoError, which says what there is."""
        try:
            return find(word, self.residents, self.words().names)
        except NotFoundError as error:
            raise CannotDoError(printable(error)) from error

    def holder(self, key: str) -> Resident | None:
        """The device that a station belongs to."""
        return next((each for each in self.residents if key in each.keys), None)

    def history(self, keys: Sequence[str]) -> list[Word]:
        """Every word about these stations."""
        db = read_owner(self.config.store.owner)
        if db is None:
            return []
        with closing(db):
            return history(db, self.site, keys)

    def last_word(self, word_id: int | None) -> Word:
        """The word of this number, or the last that holds. Raises CannotDoError where there is none of this site."""
        db = read_owner(self.config.store.owner)
        found = None
        if db is not None:
            with closing(db):
                found = last_word(db, self.site) if word_id is None else find_word(db, word_id)
        if found is None:
            which = "word that holds" if word_id is None else f"word {word_id}"
            raise CannotDoError(f"there is no {which} about site {printable(self.site)}; nothing was undone")
        if found.site != self.site:
            raise CannotDoError(f"word {word_id} is about site {found.site}; add --site NAME. Nothing was undone")
        return found

    def again(self, *words: str) -> str:
        """A command that works on the same files and site as this one, to be typed as it is."""
        given = [
            part
            for flag, key in PLACES.items()
            if self.config.sources[key] == "command line"
            for part in (flag, str(self.config.value(key)))
        ]
        return printable(shlex.join(["homeport", "devices", *words, *given]))


def read_household(config: Config) -> Household:
    """Raises CannotDoError where there is no such database, or nothing of the site in it; StoreError."""
    path, site = config.store.database, config.site.name
    somebody_looks()
    if not path.is_file():
        raise CannotDoError(
            f"no database at {printable(path)}; `homeport import PATH --db {printable(path)}` makes one"
        )
    with closing(read_database(path)) as db, explained(path):
        sites = read_sites(db)
        residents = read_residents(db, site)
    if site not in sites:
        there = f"it has {', '.join(map(printable, sites))}; add --site NAME" if sites else "it is empty"
        raise CannotDoError(f"{printable(path)} has nothing of site {printable(site)}; {there}")
    return Household(config, sites[site], _with_levels(config, residents))


def _with_levels(config: Config, residents: list[Resident]) -> list[Resident]:
    try:
        words = words_at(config.store.owner, config.site.name)
    except StoreError:
        return residents  # damaged words do not hide the devices; whoever has to know them says what is wrong
    return [with_level(each, words) for each in residents]


def speak(house: Household, write: Callable[[sqlite3.Connection, str, int], int]) -> int:
    """Let `write(owner.db, who speaks, when)` keep words; the number of the first. Raises StoreError."""
    with closing(open_owner(house.config.store.owner)) as db:
        return write(db, BY, time.time_ns() // 1000)


def follow(house: Household) -> Household | None:
    """Let the labels follow what was said; the devices as they are then, None (and a note) if the labels could not."""
    from daemon.ingest.relabel import relabel_site

    places = house.config.store
    try:
        relabel_site(places.database, places.owner, house.site, knowledge_of(house.config))
    except StoreError as error:
        note(f"It is kept in {printable(places.owner)}, but the labels could not follow yet: {printable(error)}")
        note("The next import brings them up to date.")
        return None
    return read_household(house.config)
