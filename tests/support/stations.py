"""Stations as identification sees them, out of the public views of a database."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from daemon.identify.vocabulary import Hint, Station


def stations(database: Path, site: str, makers: Mapping[str, str] | None = None) -> list[Station]:
    """The stations of a site. `makers`: domain suffix -> maker whose own it is; what goes there counts as its traffic."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        hints: dict[int, set[Hint]] = defaultdict(set)
        for device, *hint in db.execute(
            "SELECT device_id, source, key, value, min(first_seen_us), max(last_seen_us) FROM device_hints"
            " WHERE site = ? AND device_id IS NOT NULL GROUP BY 1, 2, 3, 4", (site,),
        ):  # fmt: skip
            hints[device].add(Hint(*hint))
        addresses: dict[int, list[str]] = defaultdict(list)
        for device, address in db.execute("SELECT device_id, address FROM device_addresses WHERE site = ?", (site,)):
            addresses[device].append(address)
        traffic: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for device, domain, size in db.execute(
            "SELECT device_id, domain, bytes_up + bytes_down FROM traffic WHERE site = ? AND domain IS NOT NULL",
            (site,),
        ):
            for suffix, maker in (makers or {}).items():
                if f".{domain}".endswith(f".{suffix}"):
                    traffic[device][maker] += size
        return [
            Station(
                device,
                int(mac.replace(":", ""), 16) if mac else -1,
                "" if mac else addresses[device][0],
                first or 0,
                last or 0,
                tuple(sorted(addresses[device])),
                tuple(sorted(hints[device])),
                tuple(sorted(traffic[device].items())),
            )
            for device, mac, first, last in db.execute(
                "SELECT device_id, mac, first_seen_us, last_seen_us FROM devices WHERE site = ?", (site,)
            )
        ]
    finally:
        db.close()
