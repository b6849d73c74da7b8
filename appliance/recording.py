"""`homeport devices record`: says how much of a device is recorded, and whether the recorder has heard of it.

Rule: what is said here is the owner's word; who follows it is `homeport ingest`, which tells the recorder. Both are looked
for, so that nobody believes what does not happen.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from appliance.console import CannotDoError, note, printable, say
from appliance.household import Household, speak
from appliance.main import DONE
from appliance.status import RUN_FOLDER, Status, StatusError, read_status
from daemon.report.lookup import described
from daemon.report.recording import MEANINGS, NEW_MAC, words_to_record
from daemon.store import owner
from daemon.store.database import read_database
from daemon.store.errors import explained
from daemon.store.recording import gateways_of
from daemon.store.words import FULL, RECORD, mac_key

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.store.roster import Resident

Words = list[tuple[str, str, str | None]]


def record(house: Household, device: str, level: str, to_undo: Callable[[int], str]) -> int:
    """Keep the words and tell what follows. Raises BadWordError, CannotDoError, StoreError."""
    who, words = _said(house, device, level)
    meaning = MEANINGS[level]
    if not words:
        say(f"{who} is {meaning.now} already; nothing was changed.")
        return DONE
    act = speak(house, lambda db, by, now_us: owner.say_each(db, house.site, words, by, now_us))
    say(f"{who} is {meaning.now} from now on.")
    if level != FULL:
        say(f"{meaning.means} Lost: {meaning.lost}")
        say(f"What was recorded before stays; `homeport forget {printable(shlex.quote(device))}` removes it.")
        say(NEW_MAC)
    _tell_who_follows()
    say(to_undo(act))
    return DONE


def _said(house: Household, device: str, level: str) -> tuple[str, Words]:
    """The device in words, and what has to be said."""
    key = mac_key(device)
    words = house.words()
    if key is not None and key in words.levels and house.holder(key) is None:  # it was forgotten, and that was not
        return key, [] if words.levels[key].level == level else [(key, RECORD, level)]
    resident: Resident = house.find(device).resident
    path = house.config.store.database
    with closing(read_database(path)) as db, explained(path):
        gateways = gateways_of(db, house.site)
    return printable(described(resident)), words_to_record(resident, level, words, gateways)


def _tell_who_follows(run_folder: Path = RUN_FOLDER) -> None:
    if _running("ingest", run_folder) is None:
        note("Nothing tells the recorder at the moment: `homeport ingest` does, as soon as it runs.")
    elif _running("capture", run_folder) is not None:
        say("The recorder follows within seconds.")


def _running(name: str, run_folder: Path) -> Status | None:
    try:
        status = read_status(name, run_folder)
    except StatusError as error:
        raise CannotDoError(f"it is kept, but {printable(error)}") from error
    return status if status is not None and status.running(time.time_ns() // 1000) else None
