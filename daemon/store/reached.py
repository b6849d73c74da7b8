"""Which destinations were reached in a stretch of days: by whom, how much, and whose they are.

Rule 1: single days are there as long as flows are; what is older is known by month, and a month that the span only
        touches counts whole.
Rule 2: a destination is a name, or an address where no name is known; where a person's device keeps no single names,
        it is the organisation alone.
Rule 3: the newest month's verdict speaks for a span, so that a destination is one row; of its sources of names the last
        by its text.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from daemon.store.gathered import gather
from daemon.store.whose import read_labels, read_texts
from daemon.store.window import Window

_OF_DEVICE = " AND station_id IN (SELECT id FROM station WHERE device_id = :device)"
# Of the house a stretch of the key is read; of one device its own rows, wherever they are in it.
_STRETCH = {
    "days": "month BETWEEN :first_month AND :last_month AND day BETWEEN :first_day AND :last_day",
    "months": "month BETWEEN :first_month AND :last_month",
}
_OWN = {
    "days": "month IN (SELECT value FROM json_each(:months)) AND day IN (SELECT value FROM json_each(:days))"
    + _OF_DEVICE,
    "months": "month IN (SELECT value FROM json_each(:months))" + _OF_DEVICE,
}
_SUMS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down", "first_us", "last_us")
_WAYS = "SELECT id, name_source FROM way"


class Reached(NamedTuple):
    """One destination of one device in a span. Bytes as the device sees them; times in microseconds, UTC."""

    device_id: int  # 0: no end of it is a device
    domain: str | None
    address: str | None  # where unnamed
    registrable_domain: str | None
    infrastructure: str | None
    party: str | None
    organisation: str | None
    purpose: str | None
    country: str | None  # ISO 3166-1 alpha-2
    country_confidence: str | None
    asn: int | None
    rule_id: str | None
    reason: str | None
    name_source: str  # how it got its name; `-`, `-ech`, `-before`: why it has none
    flows: int
    packets_up: int
    packets_down: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    @property
    def place(self) -> str:
        """What people call the destination."""
        return self.domain or self.address or self.organisation or "name not kept"


def read_reached(db: sqlite3.Connection, window: Window) -> list[Reached]:
    """All destinations of the days and months that a window touches, those with most bytes first."""
    rows = gather(db, window, only=(*_SUMS, "way"))
    texts, sources = read_texts(db, set(rows.named.tolist())), dict(db.execute(_WAYS).fetchall())
    labels = read_labels(db, set(rows.verdict.tolist()))
    columns = (rows.device, rows.named, rows.verdict, rows.way, *(getattr(rows, word) for word in _SUMS))
    found = []
    for device, named, verdict, way, *sums in zip(*(column.tolist() for column in columns), strict=True):
        text, label = texts.get(named), labels[verdict]
        found.append(
            Reached(
                device, text if named > 0 else None, text if named < 0 else None, label.registrable_domain,
                label.infrastructure, label.party if verdict else None, label.organisation, label.purpose, label.country,
                label.confidence, label.asn, label.rule_id, label.reason, sources[way], *sums,
            )
        )  # fmt: skip
    return sorted(found, key=_order)


def _order(each: Reached) -> tuple[int, int, bool, str]:
    return -each.bytes, each.device_id, each.domain is not None, each.domain or each.address or ""


def keys_of(window: Window) -> dict[str, str]:
    """How a window is said of the keys of `destination_day` (`days`) and `destination_month` (`months`)."""
    return _STRETCH if window.device_id is None else _OWN


def asked_of(window: Window) -> dict[str, object]:
    """What these and `device`, `site` stand for."""
    (first_day, last_day), (first_month, last_month) = window.days, window.months
    return {
        "site": window.site_id, "device": window.device_id, "first_day": first_day, "last_day": last_day,
        "first_month": first_month, "last_month": last_month,
        "days": json.dumps(list(range(first_day, last_day + 1))),
        "months": json.dumps(list(range(first_month, last_month + 1))),
    }  # fmt: skip
