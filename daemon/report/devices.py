"""How many devices there are, how much each sent and received over what time, and to whom: one row a device.

Rule 1: bytes are a device's own both ways, so that traffic between two devices is in both rows; the house is told apart.
Rule 2: a device is new if it was seen for the first time in the span, and recording had begun before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.decode.slots import SLOT_US
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import size_words, span_words
from daemon.store.by_device import (
    count_asked,
    first_recorded,
    read_days,
    read_described,
    read_hours,
    read_parties,
)
from daemon.store.totals import read_totals

PARTIES = ("first", "support", "platform", "third", "unknown")
_DAY_S = 86_400
_HOURS_S = 8 * _DAY_S  # of a span, up to which a strip is made of hours
_STEPS = 48  # of a strip, at most about so many
_WITH = {
    "first": "With its maker", "support": "With infrastructure", "platform": "With IoT platforms",
    "third": "With third parties", "unknown": "With nobody known",
}  # fmt: skip
_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("vendor", "Maker"),
    Column("kind", "Kind"),
    Column("room", "Room"),
    Column("owner", "Owner"),
    Column("first_seen_us", "First seen", TIME),
    Column("last_seen_us", "Last seen", TIME),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("packets_up", "Packets sent", COUNT),
    Column("packets_down", "Packets received", COUNT),
    Column("dns_queries", "DNS questions", COUNT),
    *(Column(f"{party}_bytes", _WITH[party], SIZE) for party in PARTIES),
    Column("local_bytes", "In the house", SIZE),
)  # fmt: skip


@dataclass(slots=True)
class Measured:
    """What a device moved in a span; `parties` in bytes, `local` among them."""

    bytes_up: int = 0
    bytes_down: int = 0
    packets_up: int = 0
    packets_down: int = 0
    parties: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down


def report(scope: Scope) -> Report:
    """One row a device, those with most bytes first."""
    rows = read_described(scope.db, scope.site_id)
    moved, (asked, since_us) = measured(scope), count_asked(scope.db, scope.window)
    wanted = [row for row in rows if scope.device_id in (None, row[0])]
    wanted.sort(key=lambda row: (-moved[row[0]].bytes, scope.called(row[0])))
    table = []
    for number, vendor, kind, room, owner, first_us, last_us in wanted:
        each = moved[number]
        table.append(
            (
                scope.called(number), number, vendor, kind, room, owner, first_us, last_us, each.bytes_up, each.bytes_down,
                each.packets_up, each.packets_down, asked.get(number, 0),
                *(each.parties.get(party, 0) for party in (*PARTIES, "local")),
            )
        )  # fmt: skip
    if not table:
        return Report("Devices", _COLUMNS, (), ("No device was seen yet.",))
    return Report(
        "Devices",
        _COLUMNS,
        tuple(table),
        sentences(scope, [(row[0], row[5]) for row in wanted], moved),
        _notes(scope, since_us),
    )


def measured(scope: Scope, *, parties: bool = True) -> Mapping[int, Measured]:
    """Device -> what it moved in the span; nothing for those that were silent. `parties`: and with whom."""
    found: dict[int, Measured] = defaultdict(Measured)
    for number, where, *counts in read_totals(scope.db, scope.window, ("device", "scope"), both_ends=True):
        if scope.device_id not in (None, number):
            continue
        each = found[number]
        each.packets_up += counts[0]
        each.packets_down += counts[1]
        each.bytes_up += counts[2]
        each.bytes_down += counts[3]
        if where != "internet":
            each.parties["local"] = each.parties.get("local", 0) + counts[2] + counts[3]
    for (number, party), (up, down) in (read_parties(scope.db, scope.window) if parties else {}).items():
        if number in found:
            found[number].parties[party] = found[number].parties.get(party, 0) + up + down
    return found


def strips(scope: Scope) -> dict[int, list[int]]:
    """Device -> bytes over the span, in equal steps, for a strip as small as a word; a silent device has none."""
    hours = scope.span.seconds <= _HOURS_S
    if hours:
        first, last = scope.span.since_us // SLOT_US, -(-scope.span.until_us // SLOT_US)
        step = -(-(last - first) // _STEPS // 4) * 4  # whole hours
    else:
        first, last = scope.days[0], scope.days[1] + 1
        step = -(-(last - first) // _STEPS)
    many = -(-(last - first) // step)
    found: dict[int, list[int]] = {}
    for number, place, octets in (read_hours if hours else read_days)(scope.db, scope.window, step):
        found.setdefault(number, [0] * many)[place] += octets
    return found


def newcomers(scope: Scope, first_seen: Mapping[int, int | None]) -> set[int]:
    """Those of the devices that were seen for the first time in the span, if recording had begun before it."""
    began = first_recorded(scope.db, scope.site_id)
    if began is None or began >= scope.span.since_us:
        return set()
    return {number for number, seen in first_seen.items() if seen is not None and seen >= scope.span.since_us}


def sentences(scope: Scope, first_seen: list[tuple[int, int | None]], moved: Mapping[int, Measured]) -> tuple[str, ...]:
    """How many, how much, over what time; and what is new."""
    busy = [number for number, _ in first_seen if number in moved and moved[number].bytes]
    if scope.device_id is not None:
        whole = moved[scope.device_id].bytes
        return (f"{scope.called(scope.device_id)} moved {size_words(whole)} in {span_words(scope.span.seconds)}.",)
    whole = _house(scope)
    before = _house(scope.over(scope.span.before()))
    against = f", against {size_words(before)} in the time before" if before else ""
    many = f"{len(busy)} of {len(first_seen)} devices" if len(busy) != len(first_seen) else _devices(len(busy))
    said = [f"{many} sent and received {size_words(whole)} in {span_words(scope.span.seconds)}{against}."]
    new = newcomers(scope, dict(first_seen))
    if new:
        names = sorted(scope.called(number) for number in new)
        said.append(f"New: {', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}.")
    return tuple(said)


def _devices(number: int) -> str:
    return "One device" if number == 1 else f"{number} devices"


def _house(scope: Scope) -> int:
    return sum(row[-1] + row[-2] for row in read_totals(scope.db, scope.window, ("scope",)))


def _notes(scope: Scope, since_us: int) -> tuple[str, ...]:
    if since_us <= scope.span.since_us + _DAY_S * 1_000_000:
        return ()
    return (f"DNS questions are counted since {scope.moment(since_us)}: single ones are kept for weeks, and are many.",)
