"""Which device does a person mean? By name, MAC, address or number; never guessed where several fit.

Rule 1: a MAC or an address means the one station that has it, a name or a number means the device as a whole; a name that
        only one station of a device goes by (its own hostname, or what it was called before it was joined) means that.
Rule 2: nothing found and too much found are errors that name what there is.
Pure: the caller has read the devices and the owner's words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from daemon.store.roster import Member, Resident
from daemon.store.words import address_key, mac_key

_MOST_LISTED = 6
_LONGEST = 100


class NotFoundError(Exception):
    """No such device, or several; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was meant: a device and, where one of its stations was named, that station's key."""

    resident: Resident
    key: str | None = None

    @property
    def keys(self) -> list[str]:
        """The stations that were meant."""
        return self.resident.keys if self.key is None else [self.key]


def find(word: str, residents: Sequence[Resident], names: Mapping[str, str]) -> Found:
    """The device that `word` means. `names` are the owner's, by station. Raises NotFoundError."""
    text = word.strip()
    for search in (_by_mac, _by_address, _by_number, _by_name, _by_station_name(names)):
        found = search(text, residents)
        if len(found) == 1:
            return found[0]
        if found:
            listed = "; ".join(sorted(described(each.resident, each.key) for each in found[:_MOST_LISTED]))
            more = f"; and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
            raise NotFoundError(
                f"{text[:_LONGEST]!r} may be any of {len(found)} devices: {listed}{more}. Say which by its MAC or id"
            )
    raise NotFoundError(f"no device {text[:_LONGEST]!r}{_suggestion(text[:_LONGEST], residents)}")


def described(resident: Resident, key: str | None = None) -> str:
    """A device in a few words: what it is called, and a MAC or an address that nothing else has."""
    return told_apart(resident.name, key or resident.said_of)


def told_apart(name: str | None, key: str) -> str:
    """The same of a name and the key of a station."""
    return f"{name} ({key})" if name else key


def _by_mac(text: str, residents: Iterable[Resident]) -> list[Found]:
    mac = mac_key(text)
    return [Found(each, mac) for each in residents if mac is not None and mac in each.keys]


def _by_address(text: str, residents: Iterable[Resident]) -> list[Found]:
    """Whoever had the address; a station that is known by it alone comes before those that once had it."""
    address = address_key(text)
    if address is None:
        return []
    had = [(each, member) for each in residents for member in each.members if _had(member, address)]
    own = [(each, member) for each, member in had if member.key == address]
    return [Found(each, member.key) for each, member in own or had]


def _had(member: Member, address: str) -> bool:
    return member.key == address or any(seen.address == address for seen in member.addresses)


def _by_number(text: str, residents: Iterable[Resident]) -> list[Found]:
    return [Found(each) for each in residents if str(each.device_id) == text]


def _by_name(text: str, residents: Iterable[Resident]) -> list[Found]:
    return [Found(each) for each in residents if each.name is not None and _same(each.name, text)]


def _by_station_name(names: Mapping[str, str]) -> Callable[[str, Iterable[Resident]], list[Found]]:
    def search(text: str, residents: Iterable[Resident]) -> list[Found]:
        found = []
        for each in residents:
            called = [
                member.key
                for member in each.members
                if any(_same(name, text) for name in (*member.names, names.get(member.key)) if name)
            ]
            whole = len(called) == len(each.members)
            found += [Found(each)] if whole and called else [Found(each, key) for key in called]
        return found

    return search


def _same(name: str, text: str) -> bool:
    return name.casefold() == text.casefold()


def _suggestion(text: str, residents: Sequence[Resident]) -> str:
    """What may have been meant, else what there is."""
    if not residents:
        return "; there are no devices yet"
    handles = {handle.casefold(): handle for each in residents for handle in _handles(each)}
    near = get_close_matches(text.casefold(), handles, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(repr(handles[each]) for each in near)}?"
    shown = ", ".join(described(each) for each in residents[:_MOST_LISTED])
    return f"; there are {shown}" + (", ..." if len(residents) > _MOST_LISTED else "")


def _handles(resident: Resident) -> list[str]:
    own = [name for member in resident.members for name in member.names]
    addresses = [seen.address for seen in resident.addresses[:4]]
    return [*([resident.name] if resident.name else []), *own, *resident.keys, *addresses]
