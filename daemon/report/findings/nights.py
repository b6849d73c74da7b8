"""Nights and days of devices, from the sums by hour, which outlive single connections.

Rule: a night belongs to the day on which it begins. It counts with that day if the house was heard of in nearly all hours of
both: where nothing was recorded nobody was silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from daemon.decode.slots import SLOT_US
from daemon.report.findings.vocabulary import Night, Subject
from daemon.report.hours import is_night
from daemon.report.scope import Scope
from daemon.store.finding_facts import read_hours

MOST_NIGHTS = 14
_RECORDED = 20  # hours of a day and its night
_DAY_SLOTS, _HOUR_SLOTS = 96, 4


class _Sums:
    """What a device moved in a day and its night."""

    __slots__ = ("at_night", "by_day", "first", "last")

    def __init__(self) -> None:
        self.at_night = self.by_day = self.last = 0
        self.first: int | None = None

    def add(self, slot: int, octets: int, *, night: bool) -> None:
        if not night:
            self.by_day += octets
        elif octets:
            self.at_night += octets
            self.first = slot if self.first is None else min(self.first, slot)
            self.last = max(self.last, slot + _HOUR_SLOTS)


def nights_of(scope: Scope, until_us: int, subjects: Mapping[int, Subject]) -> dict[int, list[Night]]:
    """Device -> its nights with their days, in order, as far as they were recorded and the device was there before."""
    last = -(-until_us // SLOT_US)
    slots = range(last - (MOST_NIGHTS + 1) * _DAY_SLOTS, last)
    rows = read_hours(scope.db, scope.site_id, slots)
    places = {slot: _place(slot, scope) for slot in {row[1] for row in rows}}
    heard: dict[int, int] = defaultdict(int)  # day -> hours of it and its night
    for day, _ in places.values():
        heard[day] += 1
    sums: dict[int, dict[int, _Sums]] = defaultdict(lambda: defaultdict(_Sums))
    for device, slot, octets in rows:
        day, night = places[slot]
        sums[device][day].add(slot, octets, night=night)
    begins: dict[int, int] = {}
    for slot, (day, _) in places.items():
        begins[day] = min(slot, begins.get(day, slot))
    whole = sorted(day for day, hours in heard.items() if hours >= _RECORDED)
    return {
        device: [
            _night(sums[device].get(day))
            for day in whole
            if begins[day] * SLOT_US >= subject.first_us or day in sums[device]
        ]
        for device, subject in subjects.items()
        if device in sums
    }


def _night(sums: _Sums | None) -> Night:
    if sums is None or sums.first is None:
        return Night(0, 0 if sums is None else sums.by_day, 0, 0)
    return Night(sums.at_night, sums.by_day, sums.first * SLOT_US, sums.last * SLOT_US)


def _place(slot: int, scope: Scope) -> tuple[int, bool]:
    """The day to which an hour belongs, with the night that follows it, and whether it is of that night."""
    local = datetime.fromtimestamp(slot * SLOT_US // 1_000_000, UTC).astimezone(ZoneInfo(scope.zone))
    night = is_night(local.hour, scope.night)
    late = night and scope.night[0] > scope.night[1] and local.hour < scope.night[1]  # it began the evening before
    return local.date().toordinal() - late, night
