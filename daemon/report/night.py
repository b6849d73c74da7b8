"""What devices do while people sleep: destinations, companies, countries and protocols of the hours of the night.

Rule 1: the hours are the owner's (`Scope.night`) in the home's zone; a night is counted where its slots lie in the span.
Rule 2: destinations by hour are known as far back as traffic is kept by slot; a note says where a span begins earlier.
"""

from __future__ import annotations

from collections.abc import Sequence

from daemon.decode.slots import SLOT_US
from daemon.report.hours import night_slots, night_words, slots_of
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, size_words
from daemon.store.by_device import Within, read_within

_KEY = 9  # columns of `Within` before the sums
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


def report(scope: Scope) -> Report:
    """One row a (device, destination, protocol, service) on the internet, those with most bytes first."""
    nights = at_night(scope)
    rows = tuple(
        (
            scope.called(each.device_id), each.device_id, each.place, each.party or "unknown", each.organisation,
            each.country, each.protocol, each.service or None, each.packets_up + each.packets_down, each.bytes_up,
            each.bytes_down, each.last_slot * SLOT_US,
        )
        for each in nights
    )  # fmt: skip
    return Report("Nights", _COLUMNS, rows, (told(scope, nights),), _notes(scope))


def at_night(scope: Scope) -> list[Within]:
    """What went to the internet at night, most bytes first; the stations of a device are one."""
    whole: dict[tuple[object, ...], Within] = {}
    for each in read_within(scope.db, scope.window, night_slots(scope)):
        key = each[:_KEY]
        whole[key] = _added(whole[key], each) if key in whole else each
    return sorted(whole.values(), key=lambda each: (-each.bytes_up - each.bytes_down, each.place, each.device_id))


def told(scope: Scope, nights: Sequence[Within]) -> str:
    """How much, with whom."""
    hours = night_words(scope.night)
    whole = sum(each.bytes_up + each.bytes_down for each in nights)
    who = "The house" if scope.device_id is None else scope.called(scope.device_id)
    if not nights:
        return f"{who} exchanged nothing with the internet {hours}."
    companies: dict[str, int] = {}
    for each in nights:
        if each.organisation:
            companies[each.organisation] = companies.get(each.organisation, 0) + each.bytes_up + each.bytes_down
    most = max(companies, key=lambda name: companies[name], default=None)
    many = len(companies)
    mostly = f", mostly with {most}" if most and companies[most] * 2 > whole and many > 1 else ""
    with_whom = f" with {counted(many, 'company', 'companies')}" if many > 1 else f" with {most}" if most else ""
    return f"{who} exchanged {size_words(whole)}{with_whom} {hours}{mostly}."


def _added(one: Within, other: Within) -> Within:
    return one._replace(
        packets_up=one.packets_up + other.packets_up, packets_down=one.packets_down + other.packets_down,
        bytes_up=one.bytes_up + other.bytes_up, bytes_down=one.bytes_down + other.bytes_down,
        last_slot=max(one.last_slot, other.last_slot),
    )  # fmt: skip


def _notes(scope: Scope) -> tuple[str, ...]:
    if slots_of(scope).start * SLOT_US <= scope.span.since_us:
        return ()
    return ("Destinations by the hour are kept for some three months; what is older is not in this table.",)
