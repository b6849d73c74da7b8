"""What an owner said of a device, and says: the history with its undo, and the forms behind a device's page.

Rule 1: a word is kept before anything else; the page shows it at once, the labels follow.
Rule 2: what cannot be undone wants the device's name typed, and says first what will be gone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from starlette.responses import Response

from daemon.report.lookup import Found, NotFoundError
from daemon.report.pairing import pairs_to_join, pairs_to_split
from daemon.store import owner
from daemon.store.owner import find_word, history, read_owner
from daemon.store.roster import Resident
from daemon.store.words import FORGET, JOIN, KEEP_NAMES, NO, PAIRINGS, RECORD, SAYINGS, YES, BadWordError, Word, checked
from web.routing import Page
from web.templating import shown
from web.visit import Visit

_MOST = 50  # words of a history
_SAID = {
    "name": "is called", "owner": "belongs to", "room": "is in", "kind": "is a", KEEP_NAMES: "keeps names of destinations:",
    RECORD: "is recorded",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One word in a history: `text` as a person reads it; what was undone names who did it."""

    word: Word
    text: str


def standing_words(visit: Visit, resident: Resident) -> list[Said]:
    """What was said of a device, the latest first, one line for what was said in one breath."""
    db = read_owner(visit.options.owner)
    if db is None:
        return []
    with closing(db):
        words = history(db, visit.site, resident.keys)
    acts: dict[int, Word] = {}
    for word in words:
        acts.setdefault(word.act, word)
    return [Said(word, _text(word)) for word in sorted(acts.values(), key=lambda each: -each.act)[:_MOST]]


def _text(word: Word) -> str:
    if word.about in PAIRINGS:
        both = f"{word.key} and {word.value}"
        return f"{both} are one device" if word.about == JOIN else f"{both} are two devices"
    if word.about == FORGET:
        return "is to be forgotten"
    what = _SAID.get(word.about, word.about)
    return f"{what} “{word.value}”" if word.value is not None else f"{word.about}: what was said is taken back"


def say(visit: Visit) -> Response:
    """Name, owner, room or kind of a device, or whether its names are kept; an empty text takes it back."""
    resident = visit.resident(visit.param("key"))
    about, text = visit.form.get("about", ""), visit.form.get("value", "").strip()
    if about not in SAYINGS or about == RECORD:  # that has a form of its own
        raise BadWordError("That cannot be said of a device.")
    if text and about == "name":
        _refuse_twins(visit, resident, checked(about, text))
    words = _words(visit, resident, about, text)
    if words:
        visit.speak(lambda db, by, now_us: owner.say_each(db, visit.site, words, by, now_us))
    return _back(visit, resident)


def _words(visit: Visit, resident: Resident, about: str, text: str) -> list[tuple[str, str, str | None]]:
    """The words that make it so; none where it is so already."""
    if about == KEEP_NAMES:
        kept = sorted(set(resident.keys) & visit.words.keeps_names)
        answer = YES if text == YES else NO
        return [(key, about, answer) for key in kept or [resident.said_of]] if bool(kept) != (answer == YES) else []
    said = getattr(visit.words, f"{about}s")
    if not text:
        return [(key, about, None) for key in resident.keys if key in said]
    same = said.get(resident.said_of) == checked(about, text) and getattr(resident, about) == checked(about, text)
    return [] if same else [(resident.said_of, about, text)]


def _refuse_twins(visit: Visit, resident: Resident, name: str) -> None:
    for each in visit.residents:
        if each is not resident and each.name is not None and each.name.casefold() == name.casefold():
            raise BadWordError(
                f"Another device is called {name} already. Choose another name, or join the two if they are one device."
            )


def join(visit: Visit) -> Response:
    """This device and another are one."""
    resident, other = visit.resident(visit.param("key")), visit.resident(visit.form.get("other", ""))
    pairs = _paired(lambda: pairs_to_join(Found(resident), Found(other), visit.words.splits))
    visit.speak(lambda db, by, now_us: owner.join(db, visit.site, pairs, by, now_us))
    return _back(visit, resident)


def split(visit: Visit) -> Response:
    """One station of this device is another device."""
    resident, key = visit.resident(visit.param("key")), visit.form.get("station", "")
    if key not in resident.keys:
        raise BadWordError("This device has no such station (any more).")
    pairs = _paired(lambda: pairs_to_split(Found(resident, key), None))
    visit.speak(lambda db, by, now_us: owner.split(db, visit.site, pairs, by, now_us))
    return _back(visit, resident)


def undo(visit: Visit) -> Response:
    """Take back a word, with all that was said in the same breath."""
    number = visit.form.get("word", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 16):
        raise BadWordError("Nothing was undone: that is no word.")
    db = read_owner(visit.options.owner)
    word = None
    if db is not None:
        with closing(db):
            word = find_word(db, int(number))
    if word is None or word.site != visit.site:
        raise BadWordError("Nothing was undone: there is no such word about this home.")
    if word.undone_us is None:
        visit.speak(lambda db, by, now_us: len(owner.undo(db, word.word_id, by, now_us)))
    return _back(visit, visit.resident(visit.param("key")))


def forget(visit: Visit) -> Response:
    """Wish that all be removed that is known of a device; its name has to be typed."""
    resident = visit.resident(visit.param("key"))
    name = visit.names[resident.device_id]
    if _plain(visit.form.get("confirm", "")) != _plain(shown(name)):
        raise BadWordError(f"Nothing was forgotten: to forget {name} for good, type its name as it stands there.")
    if wish_of(visit, resident) is None:
        visit.speak(lambda db, by, now_us: owner.wish_forgotten(db, visit.site, resident.keys, by, now_us))
    return visit.go(visit.device_link(resident.device_id) + "#forget")


def wish_of(visit: Visit, resident: Resident) -> Word | None:
    """The wish that a device be forgotten, if somebody has it."""
    db = read_owner(visit.options.owner)
    if db is None:
        return None
    with closing(db):
        return next((word for word in owner.wishes(db, visit.site) if word.key in resident.keys), None)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _paired(make: Callable[[], list[tuple[str, str]]]) -> list[tuple[str, str]]:
    try:
        return make()
    except NotFoundError as error:
        raise BadWordError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def _back(visit: Visit, resident: Resident) -> Response:
    return visit.go(visit.device_link(resident.device_id) + "#about")


PAGES = (
    Page("/devices/{key}/say", say, "POST"),
    Page("/devices/{key}/join", join, "POST"),
    Page("/devices/{key}/split", split, "POST"),
    Page("/devices/{key}/undo", undo, "POST"),
    Page("/devices/{key}/forget", forget, "POST"),
)
