"""The words of this room: what the network tells apart, what the owner says, and the devices made of both.

A station is a MAC or, where captures have none, an address: facts are kept by station. A device is one station or
several; which ones is a judgement, made anew from all evidence, so that it can be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Never


class Hint(NamedTuple):
    """What a station said of itself: `source` dhcp, mdns, ssdp, http, ..., and a key as in the view `device_hints`."""

    source: str
    key: str
    value: str
    first_us: int
    last_us: int


class Station(NamedTuple):  # tuples: as dataclasses they would take as long to define as all else here
    """One MAC, or one address, of one site, with its evidence."""

    station_id: int
    mac: int  # 48 bits; -1 where captures have none
    address: str  # '' where the MAC is the key
    first_us: int
    last_us: int
    addresses: tuple[str, ...] = ()  # local ones it sent from
    hints: tuple[Hint, ...] = ()
    makers: tuple[tuple[str, int], ...] = ()  # (organisation that makes devices, bytes exchanged with its own domains)
    folder: str | None = None  # named so by --device or a by-name/<device>/ folder

    @property
    def key(self) -> str:
        """How owner's words name it, in every database: `aa:bb:cc:dd:ee:ff`, or its address."""
        return self.mac.to_bytes(6, "big").hex(":") if self.mac >= 0 else self.address


class Recorded(NamedTuple):
    """How a station is recorded, if not in full: `no-names` or `off`, and when that was said (us, by the wall clock)."""

    level: str
    since_us: int


_NOTHING: Mapping[str, Never] = {}


class OwnerWords(NamedTuple):
    """What holds of what the owner of one site said; keys are station keys.

    All are in the order in which they were said, so that of two stations of one device the last word can be told. A
    pair, its lesser key first, is in `joins` or in `splits`, by the last word about it.
    """

    names: Mapping[str, str] = _NOTHING
    owners: Mapping[str, str] = _NOTHING
    rooms: Mapping[str, str] = _NOTHING
    kinds: Mapping[str, str] = _NOTHING
    joins: tuple[tuple[str, str], ...] = ()
    splits: tuple[tuple[str, str], ...] = ()
    keeps_names: frozenset[str] = frozenset()  # stations of people's devices whose single names may be kept for good
    levels: Mapping[str, Recorded] = _NOTHING  # stations that are not recorded in full


class Evidence(NamedTuple):
    """Why a device has a name, a vendor, a kind, or a second station: what was seen, in words a person can check."""

    about: str  # `name`, `vendor`, `model`, `kind`, `system`, `join`
    value: str
    source: str
    detail: str


class Device(NamedTuple):
    """One device: `stations` in order of first appearance, the first gives the MAC that is shown."""

    stations: tuple[int, ...]
    name: str | None
    name_source: str | None
    owner: str | None
    room: str | None
    vendor: str | None
    model: str | None
    kind: str | None
    system: str | None
    mac_random: bool | None
    evidence: tuple[Evidence, ...]
