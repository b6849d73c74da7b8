"""Devices out of stations: who belongs together, what it is called, whose it is, what it is, and why we think so.

Rule 1: the owner's words hold for the device if they were said of any of its stations; of several the last word counts.
Rule 2: the same stations and words give the same devices, whatever the order in which they come.
Rule 3: names that we made up ourselves (`Sonos speaker`) are told apart by the end of the hardware address; names that
        devices or people gave are left as they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from daemon.identify import names
from daemon.identify.clues import gather
from daemon.identify.joins import Join, groups
from daemon.identify.models import Hardware, tell
from daemon.identify.oui import OuiTable, is_random
from daemon.identify.vendors import Maker, judge
from daemon.identify.vocabulary import Device, Evidence, OwnerWords, Station

_TAILS = (5, 8)  # characters of a hardware address: two bytes, three bytes


Told = dict[
    Hashable, tuple[Device, bool]
]  # all that tells a device -> the device, and whether its name is made up by us
_TIMES = 4  # so many answers for each device are remembered: evidence changes, and what it said before is of no use
_LEAST_TOLD = 64


def identify(
    stations: Sequence[Station], words: OwnerWords, oui: OuiTable | None, told: Told | None = None
) -> list[Device]:
    """The devices of one site, in order of first appearance; each station is in exactly one.

    Without a table of hardware makers (`oui` None) brands are known only from what devices say. What one call found out
    about a device the next one that is given the same `told` need not find out again.
    """
    told = {} if told is None else told
    if len(told) > max(_LEAST_TOLD, _TIMES * len(stations)):
        told.clear()
    makers = {station.station_id: _maker(station, oui) for station in stations}

    def brand(station: Station) -> str | None:
        maker = makers[station.station_id]
        return maker.brand if maker else None

    grouped = groups(stations, words, brand)
    found = [_remembered(told, members, joins, words, makers) for members, joins in grouped]
    return _told_apart([(*each, members[0]) for each, (members, _) in zip(found, grouped, strict=True)])


def _maker(station: Station, oui: OuiTable | None) -> Maker | None:
    registered = oui.maker(station.mac) if oui else None
    return judge(registered) if registered else None


def _remembered(
    told: Told, members: Sequence[Station], joins: Sequence[Join], words: OwnerWords, makers: Mapping[int, Maker | None]
) -> tuple[Device, bool]:
    """`_device`, which looks at all of this and at nothing else; times of stations have told who belongs together."""
    evidence = tuple(
        (each.station_id, each.mac, each.address, each.hints, each.makers, each.folder, makers[each.station_id])
        for each in members
    )
    said = tuple(_word(each, members) for each in (words.kinds, words.names, words.owners, words.rooms))
    key = evidence, tuple(joins), said
    found = told.get(key)
    if found is None:
        found = told[key] = _device(members, joins, words, makers)
    return found


def _device(
    members: Sequence[Station], joins: Sequence[Join], words: OwnerWords, makers: Mapping[int, Maker | None]
) -> tuple[Device, bool]:
    """One device, and whether its name is made up by us."""
    hints = [hint for station in members for hint in station.hints]
    macs = [station.mac for station in members if station.mac >= 0]
    known = dict.fromkeys([maker for station in members if (maker := makers[station.station_id])])
    hardware = Hardware(tuple(known), bool(macs) and all(is_random(mac) for mac in macs))
    traits = tell(gather(hints), hardware, [told for station in members for told in station.makers])
    kind = _word(words.kinds, members)
    if kind:
        said = Evidence("kind", kind, "owner", "the owner said so")
        traits = traits._replace(kind=kind, evidence=(said, *traits.evidence))
    found = names.candidates(hints, macs)
    chosen = names.choose(_word(words.names, members), _folder(members), found, traits)
    device = Device(
        stations=tuple([station.station_id for station in members]),
        name=chosen.text if chosen else None,
        name_source=chosen.source if chosen else None,
        owner=_word(words.owners, members),
        room=_word(words.rooms, members),
        vendor=traits.vendor,
        model=traits.model,
        kind=traits.kind,
        system=traits.system,
        mac_random=is_random(members[0].mac) if members[0].mac >= 0 else None,
        evidence=(*names.evidence(chosen, found), *traits.evidence, *_join_evidence(members, joins)),
    )
    return device, chosen is not None and chosen == names.by_traits(traits)


def _word(said: Mapping[str, str], members: Sequence[Station]) -> str | None:
    keys = {station.key for station in members}
    return next((said[key] for key in reversed(tuple(said)) if key in keys and said[key]), None)


def _folder(members: Sequence[Station]) -> str | None:
    return next((station.folder for station in members if station.folder), None)


def _join_evidence(members: Sequence[Station], joins: Sequence[Join]) -> list[Evidence]:
    keys = {station.station_id: station.key for station in members}
    return [Evidence("join", f"{keys[one]} {keys[other]}", source, detail) for one, other, source, detail in joins]


def _told_apart(found: Sequence[tuple[Device, bool, Station]]) -> list[Device]:
    """Of names that we made up for several devices each gets as much of its hardware address as tells it from the others."""
    sharing: dict[str | None, list[str]] = {}
    for device, made_up, first in found:
        if made_up:
            sharing.setdefault(device.name, []).append(first.key)
    return [
        _with_tail(device, first.key, sharing[device.name]) if made_up else device for device, made_up, first in found
    ]


def _with_tail(device: Device, key: str, keys: Sequence[str]) -> Device:
    if len(keys) == 1:
        return device
    tail = next((length for length in _TAILS if _unique(keys, length)), len(key))
    name = f"{device.name} ({key[-tail:]})"
    reasons = [each._replace(value=name) if each[:2] == ("name", device.name) else each for each in device.evidence]
    return device._replace(name=name, evidence=tuple(reasons))


def _unique(keys: Sequence[str], length: int) -> bool:
    return all(key[2:3] == ":" for key in keys) and len({key[-length:] for key in keys}) == len(keys)
