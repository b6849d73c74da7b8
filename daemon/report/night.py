"""What devices do while people sleep: destinations, companies, countries and protocols of the hours of the night.

Rule 1: the hours are the owner's (`Scope.night`) in the home's zone; a night is counted where its slots lie in the span.
Rule 2: destinations by hour are known as far back as traffic is kept by slot; a note says where a span begins earlier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.decode.groups import SLOT_US
from daemon.report.hours import night_slots, night_words, slots_of
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, size_words
from daemon.store.by_device import Within, read_within
from daemon.store.reached import Reached, read_reached

_KEY = 6  # columns of `Within` before the sums
_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("destination", "Destination"),
    Column("party", "Party"),
    Column("organisation", "Company"),
    Column("country", "Country"),
    Column("protocol", "Protocol"),
    Column("service", "Service"),
    Column("packets", "Packets", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("last_slot_us", "Last quarter of an hour", TIME),
)


@dataclass(frozen=True, slots=True)
class AtNight:
    """What a device exchanged with one destination at night, by one protocol."""

    within: Within
    label: Reached | None  # what is known of the destination in the span


def report(scope: Scope) -> Report:
    """One row a (device, destination, protocol, service) on the internet, those with most bytes first."""
    nights = at_night(scope)
    rows = tuple(
        (
            scope.called(each.within.device_id), each.within.device_id, each.within.place,
            each.label.party if each.label else "unknown", each.label.organisation if each.label else None,
            each.label.country if each.label else None, each.within.protocol, each.within.service or None,
            each.within.packets_up + each.within.packets_down, each.within.bytes_up, each.within.bytes_down,
            each.within.last_slot * SLOT_US,
        )
        for each in nights
    )  # fmt: skip
    return Report("Nights", _COLUMNS, rows, (told(scope, nights),), _notes(scope))


def at_night(scope: Scope, reached: Sequence[Reached] | None = None) -> list[AtNight]:
    """What went to the internet at night, most bytes first. `reached`: the destinations, where they were read already."""
    known = read_reached(scope.db, scope.window) if reached is None else reached
    labels: Mapping[tuple[int, str], Reached] = {(each.device_id, each.place): each for each in reversed(known)}
    whole: dict[tuple[object, ...], Within] = {}
    for each in read_within(scope.db, scope.window, night_slots(scope)):
        if each.scope == "internet":
            key = each[:_KEY]  # the stations of a device are one
            whole[key] = _added(whole[key], each) if key in whole else each
    found = [AtNight(each, labels.get((each.device_id, each.place or ""))) for each in whole.values()]
    return sorted(found, key=lambda each: (-each.within.bytes_up - each.within.bytes_down, each.within.place or ""))


def _added(one: Within, other: Within) -> Within:
    return one._replace(
        packets_up=one.packets_up + other.packets_up, packets_down=one.packets_down + other.packets_down,
        bytes_up=one.bytes_up + other.bytes_up, bytes_down=one.bytes_down + other.bytes_down,
        last_slot=max(one.last_slot, other.last_slot),
    )  # fmt: skip


def told(scope: Scope, nights: list[AtNight]) -> str:
    """How much, with whom."""
    hours = night_words(scope.night)
    whole = sum(each.within.bytes_up + each.within.bytes_down for each in nights)
    who = "The house" if scope.device_id is None else scope.called(scope.device_id)
    if not nights:
        return f"{who} exchanged nothing with the internet {hours}."
    companies: dict[str, int] = {}
    for each in nights:
        name = each.label.organisation if each.label and each.label.organisation else ""
        companies[name] = companies.get(name, 0) + each.within.bytes_up + each.within.bytes_down
    most = max((name for name in companies if name), key=lambda name: companies[name], default=None)
    known = len([name for name in companies if name])
    mostly = f", mostly with {most}" if most and companies[most] * 2 > whole and known > 1 else ""
    with_whom = f" with {counted(known, 'company', 'companies')}" if known > 1 else f" with {most}" if most else ""
    return f"{who} exchanged {size_words(whole)}{with_whom} {hours}{mostly}."


def _notes(scope: Scope) -> tuple[str, ...]:
    if slots_of(scope).start * SLOT_US <= scope.span.since_us:
        return ()
    return ("Destinations by the hour are kept for some three months; what is older is not in this table.",)
