"""What devices say of themselves: to the router, to each other, to web servers; in their own words, and since when.

Rule: what was said is evidence and shown as it was; what it is taken for stands with the device.
"""

from __future__ import annotations

from daemon.report.evidence_words import key_words, occasion_words
from daemon.report.scope import Scope
from daemon.report.table import COUNT, TIME, Column, Report
from daemon.report.words import counted
from daemon.store.roster import read_every_hint

_COLUMNS = (
    Column("device", "Device"),
    Column("device_id", "Number", COUNT),
    Column("value", "It said"),
    Column("said_as", "As"),
    Column("occasion", "When"),
    Column("key", "Name of the field"),
    Column("source", "Protocol"),
    Column("first_seen_us", "First seen", TIME),
    Column("last_seen_us", "Last seen", TIME),
)


def report(scope: Scope) -> Report:
    """One row a (device, field, text), for all of the time; of each device the latest first."""
    said = read_every_hint(scope.db, scope.site, scope.device_id)
    rows = tuple(
        (
            scope.called(device), device, each.value, key_words(each.key), occasion_words(each.source), each.key,
            each.source, each.first_us, each.last_us,
        )
        for device, each in said
    )  # fmt: skip
    told = _told(scope, {device for device, _ in said}, len(rows))
    return Report("What devices say of themselves", _COLUMNS, rows, (told,))


def _told(scope: Scope, devices: set[int], many: int) -> str:
    if scope.device_id is not None:
        return f"{scope.called(scope.device_id)} said {counted(many, 'thing') if many else 'nothing'} of itself."
    if not many:
        return "No device said anything of itself."
    return f"{counted(len(devices), 'device')} said {counted(many, 'thing')} of themselves."
