"""Where each device's data comes from: one row a device and source, most received bytes first."""

from __future__ import annotations

from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import size_words
from daemon.store.reached import read_reached

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("rank", "Rank", COUNT),
    Column("destination", "Source"),
    Column("organisation", "Company"),
    Column("country", "Country"),
    Column("packets_down", "Packets received", COUNT),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share of what the device received", SHARE),
)


def report(scope: Scope) -> Report:
    """One row a (device, source), device by device, those that received most first."""
    found = [each for each in read_reached(scope.db, scope.window) if each.bytes_down]
    whole: dict[int, int] = {}
    for each in found:
        whole[each.device_id] = whole.get(each.device_id, 0) + each.bytes_down
    found.sort(key=lambda each: (-whole[each.device_id], each.device_id, -each.bytes_down, each.place))
    rows, rank, device = [], 0, None
    for each in found:
        rank = 1 if each.device_id != device else rank + 1
        device = each.device_id
        rows.append(
            (
                scope.called(each.device_id), each.device_id, rank, each.place, each.organisation, each.country,
                each.packets_down, each.bytes_down, each.bytes_down / whole[each.device_id],
            )
        )  # fmt: skip
    if not rows:
        return Report("Devices and sources", _COLUMNS, (), ("Nothing came from the internet in this time.",))
    first = found[0]
    sentence = (
        f"{scope.called(first.device_id)} received most, {size_words(whole[first.device_id])};"
        f" its first source was {first.place} with {size_words(first.bytes_down)}."
    )
    return Report("Devices and sources", _COLUMNS, tuple(rows), (sentence,))
