"""What an owner can say about a device, and when that makes sense: the vocabulary of `owner.db`. Pure.

Rule 1: a word is about a station, by the key that names it in every database: its MAC as `aa:bb:cc:dd:ee:ff`, or, where
        captures have none, its address or `folder:NAME`. Numbers of devices are not stable, so no word has one.
Rule 2: of several words about the same the one said last holds; words are never changed, only undone.
Rule 3: a word is a person's text: bounded and printable, or refused with a sentence that says what is wanted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from daemon.identify import kinds
from daemon.identify.vocabulary import OwnerWords, Recorded
from daemon.store.errors import StoreError

NAME, OWNER, ROOM, KIND, JOIN, SPLIT = "name", "owner", "room", "kind", "join", "split"
KEEP_NAMES = "keep-names"  # whether sums may name where a person's device went when its detail is gone
RECORD = "record"  # how much of a station is recorded
FULL, NO_NAMES, OFF = LEVELS = ("full", "no-names", "off")  # the mildest first
YES, NO = "yes", "no"
SAYINGS = (NAME, OWNER, ROOM, KIND, KEEP_NAMES, RECORD)  # about one station; their value is text
PAIRINGS = (JOIN, SPLIT)  # about two stations; their value is the other's key
FORGET = "forget"  # a wish about a station: that all be removed that is known of it, this word too
LONGEST = 64  # characters of a text
LONGEST_KEY = 300  # `folder:` and the longest name of a folder
_MAC_DIGITS = 12

KINDS: Mapping[str, str] = {**kinds.KINDS, "other": "none of these"}  # what an owner may say


class BadWordError(StoreError):
    """What was said makes no sense; the message says what is wanted. Nothing was written."""


class Word(NamedTuple):
    """One thing that somebody said, as it is kept. Times are microseconds since the epoch by the wall clock."""

    word_id: int
    act: int  # the first word of those that were said in one breath, and that are undone together
    site: str
    key: str  # station; of a pair the lesser key
    about: str  # of SAYINGS or PAIRINGS
    value: str | None  # text; None: what was said before no longer holds. Of a pair the greater key
    said_us: int
    by: str
    undone_us: int | None = None
    undone_by: str | None = None


def standing(words: Iterable[Word]) -> OwnerWords:
    """What holds of words of one site, given in the order in which they were said."""
    texts: dict[str, dict[str, str]] = {about: {} for about in SAYINGS}
    pairs: dict[tuple[str, str], str] = {}
    levels: dict[str, Recorded] = {}
    for word in words:
        if word.undone_us is not None:
            continue
        if word.about == RECORD:
            levels.pop(word.key, None)
            if word.value in (NO_NAMES, OFF):
                levels[word.key] = Recorded(word.value, word.said_us)
        if word.about in texts:
            texts[word.about].pop(word.key, None)  # so that the new word is the last in order, too
            if word.value is not None:
                texts[word.about][word.key] = word.value
        elif word.about in PAIRINGS and word.value is not None:
            pair = word.key, word.value
            pairs.pop(pair, None)
            pairs[pair] = word.about
    joins, splits = (tuple(pair for pair, about in pairs.items() if about == wanted) for wanted in PAIRINGS)
    kept = frozenset(key for key, value in texts[KEEP_NAMES].items() if value == YES)
    return OwnerWords(texts[NAME], texts[OWNER], texts[ROOM], texts[KIND], joins, splits, kept, levels)


def level_of(words: OwnerWords, keys: Iterable[str]) -> Recorded | None:
    """How a device of these stations is recorded: as the strictest word about any of them says; None: in full.

    The strictest, because a station that joins a device (a telephone with a new MAC) must not undo what was said of it.
    """
    found = [words.levels[key] for key in keys if key in words.levels]
    return min(found, key=lambda each: (-LEVELS.index(each.level), each.since_us), default=None)


def mac_key(text: str) -> str | None:
    """The station key that a MAC in any usual notation is (`AA-BB-...`, `aabb.ccdd.eeff`); None if it is none."""
    parts = text.strip().lower().replace("-", ":").replace(".", ":").split(":")
    digits = "".join(parts)
    if len(digits) != _MAC_DIGITS or len(parts) not in (3, 6) or {len(part) for part in parts} != {12 // len(parts)}:
        return None
    if not all(digit in "0123456789abcdef" for digit in digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, _MAC_DIGITS, 2))


def address_key(text: str) -> str | None:
    """An address in its canonical text, without a zone; None if it is none."""
    try:
        return str(ip_address(text.strip().partition("%")[0]))
    except ValueError:
        return None


def station_of(key: str) -> tuple[int, str]:
    """(MAC or -1, address where there is no MAC) of a station's key."""
    return (int(key.replace(":", ""), 16), "") if mac_key(key) else (-1, key)


def check_key(key: str) -> None:
    """Raises BadWordError where a station cannot have this key."""
    folder = key.startswith("folder:") and len(key) <= LONGEST_KEY and key.isprintable()
    if not folder and key not in (mac_key(key), address_key(key)):
        raise BadWordError(f"{key[:LONGEST]!r} is neither a MAC nor an address of a device; nothing was written")


def check_about(about: str) -> str:
    """What a word is about, if it can be. Raises BadWordError."""
    if about not in SAYINGS:
        raise BadWordError(f"nothing can be said about {about!r}, only about {', '.join(SAYINGS)}; nothing was written")
    return about


def checked(about: str, value: str) -> str:
    """The text as it is kept: composed (NFC), without space at either end. Raises BadWordError."""
    check_about(about)
    text = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(text) <= LONGEST or not text.isprintable():
        raise BadWordError(f"{_a(about)} wants 1 to {LONGEST} printable characters, not {value[:LONGEST]!r}")
    if about == NAME and (text.isdecimal() or mac_key(text) or address_key(text)):
        raise BadWordError(f"a name must not look like a number, a MAC or an address, as {text!r} does")
    if about == KEEP_NAMES and text.lower() not in (YES, NO):
        raise BadWordError(f"whether names are kept is {YES} or {NO}, not {text!r}; nothing was written")
    if about == RECORD and text.lower() not in LEVELS:
        raise BadWordError(f"a device is recorded {', '.join(LEVELS)}, not {text!r}; nothing was written")
    return _known_kind(text) if about == KIND else text.lower() if about in (KEEP_NAMES, RECORD) else text


def checked_by(by: str) -> str:
    """Who speaks: `command line`, `web` or a user's name. Raises BadWordError."""
    if not 1 <= len(by) <= LONGEST or not by.isprintable():
        raise BadWordError(f"who speaks wants 1 to {LONGEST} printable characters, not {by[:LONGEST]!r}")
    return by


def _a(about: str) -> str:
    return f"an {about}" if about[0] in "aeiou" else f"a {about}"


def _known_kind(text: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  5 ms that only a kind is worth

    kind = text.lower()
    if kind in KINDS:
        return kind
    near = get_close_matches(kind, KINDS, n=1)
    hint = f"; the nearest is {near[0]}" if near else ""
    raise BadWordError(f"there is no kind {text!r}{hint}. The kinds are {', '.join(KINDS)}")
