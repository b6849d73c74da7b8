"""How much of a device is recorded, in words: what a level means, what it costs, and what has to be said so that it holds.

Rule 1: a level is said about every station of a device, so that parts that are split off later keep it.
Rule 2: what cannot be done is refused with the reason, before anything is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from daemon.identify.vocabulary import OwnerWords
from daemon.store.recording import unrecordable
from daemon.store.roster import Resident
from daemon.store.words import FULL, NO_NAMES, OFF, RECORD, BadWordError, mac_key


class Meaning(NamedTuple):
    """A level for people."""

    title: str
    now: str  # what a device is, of which it holds
    means: str
    lost: str


MEANINGS: Mapping[str, Meaning] = MappingProxyType({
    FULL: Meaning(
        "In full", "recorded in full",
        "Every packet is kept, as it passed.",
        "nothing.",
    ),
    NO_NAMES: Meaning(
        "Without names", "recorded without names",
        "Of every packet only the headers are kept: when, how much, which address. What it asked for and what was said is"
        " cut off before it reaches the disk, and no name is taken from what other devices asked.",
        "names of destinations and of the device itself, and whatever is told by them: whose most destinations are, what"
        " they are for, findings about names, encryption and content. Bytes still count exactly; companies are told by"
        " their addresses alone.",
    ),
    OFF: Meaning(
        "Not at all", "not recorded",
        "No packet from it or to it reaches the disk, also none that another device in the house sends it.",
        "everything: bytes, destinations, findings, and whether it is there at all. The house's totals lack it, and that is"
        " said beside them.",
    ),
})  # fmt: skip

NEW_MAC = (
    "Telephones, tablets and computers make up a new MAC now and then. Under a new one a device is recorded in full until"
    " that is joined to it."
)


class Unrecorded(NamedTuple):
    """Somebody who is not recorded in full: a device, or a station that no device has (any more)."""

    key: str
    name: str
    level: str
    since_us: int
    device_id: int | None = None  # of a device of today


def words_to_record(
    resident: Resident, level: str, words: OwnerWords, gateways: Collection[int]
) -> list[tuple[str, str, str | None]]:
    """The words (station, about, value) that make it so; none where it is so already. Raises BadWordError."""
    if level == FULL:
        return [(key, RECORD, FULL) for key in resident.keys if key in words.levels]
    reasons = {key: unrecordable(key, gateways) for key in resident.keys}
    possible = [key for key, why in reasons.items() if why is None]
    refused = [why for key, why in reasons.items() if why is not None and (mac_key(key) or not possible)]
    if refused:  # a part without a MAC is no reason, as long as there is another
        raise BadWordError(f"This device cannot be left out of the recording: {refused[0]}. Nothing was changed.")
    return [(key, RECORD, level) for key in possible if key not in words.levels or words.levels[key].level != level]


def unrecorded(residents: Iterable[Resident], names: Mapping[int, str], words: OwnerWords) -> list[Unrecorded]:
    """Everybody who is not recorded in full, who was said so last first."""
    found = []
    known: set[str] = set()
    for each in residents:
        known.update(each.keys)
        if each.level != FULL:
            name = names.get(each.device_id) or each.said_of
            found.append(Unrecorded(each.said_of, name, each.level, each.level_since_us or 0, each.device_id))
    found += [Unrecorded(key, key, said.level, said.since_us) for key, said in words.levels.items() if key not in known]
    return sorted(found, key=lambda each: (-each.since_us, each.key))


def counted(found: Iterable[Unrecorded]) -> str:
    """`2 devices are not recorded, 1 is recorded without names`; empty where all are recorded in full."""
    levels = [each.level for each in found]
    parts: list[str] = []
    for level in (OFF, NO_NAMES):
        if number := levels.count(level):
            noun = ("device is" if number == 1 else "devices are") if not parts else "is" if number == 1 else "are"
            parts.append(f"{number} {noun} {MEANINGS[level].now}")
    return ", ".join(parts)
