"""What networks call themselves: by an address in each of them, as far as the box's own lists know it.

Rule: of a network one address is enough; a list of names costs a few looks for each network, not one a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.store.calendar import date_of
from daemon.store.main_addresses import NamedDay, read_main_addresses
from daemon.store.whose import read_addresses

_TRIES = 3  # addresses of a network: a list may have changed since the verdict


class Sighting(NamedTuple):
    """A destination of a network (None: of none that is known), and when a device met it last."""

    asn: int | None
    device_id: int
    named: int  # the number of a name; below 0 that of an address; 0 where neither is kept
    last_slot: int


class Networks:
    """The names of networks, learnt from the destinations that are in them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._names: dict[int, str | None] = {}

    def name_of(self, asn: int | None) -> str | None:
        """The name of one that was learnt; None where nobody knows it."""
        return None if asn is None else self._names.get(asn)

    def lacks(self, asn: int | None) -> bool:
        """Whether it is a network that nobody tried to learn."""
        return asn is not None and asn not in self._names

    def learn(self, seen: Iterable[Sighting]) -> None:
        """Learn the names of these networks, by the first few destinations of each."""
        wanted: dict[int, list[Sighting]] = {}
        for each in seen:
            if each.asn is not None and each.named and each.asn not in self._names:
                wanted.setdefault(each.asn, []).append(each)
        few = [each for tries in wanted.values() for each in tries[:_TRIES]]
        for asn, address in zip((each.asn for each in few), self._addresses(few), strict=True):
            if asn is not None and self._names.get(asn) is None:
                place = None if address is None else self._scope.locate(address)
                self._names[asn] = place.as_name if place is not None and place.asn == asn else None

    def _addresses(self, few: list[Sighting]) -> list[str | None]:
        named = [each for each in few if each.named > 0]
        of_names = dict(
            zip(named, read_main_addresses(self._scope.db, [self._day(each) for each in named]), strict=True)
        )
        plain = read_addresses(self._scope.db, [-each.named for each in few if each.named < 0])
        return [of_names[each] if each.named > 0 else plain.get(-each.named) for each in few]

    def _day(self, each: Sighting) -> NamedDay:
        day = self._scope.day_of(each.last_slot * SLOT_US)
        date = date_of(day)
        return NamedDay(date.year * 12 + date.month - 1, day, each.device_id, each.named)


def as_words(asn: int | None) -> str | None:
    """`AS16509`"""
    return None if asn is None else f"AS{asn}"
