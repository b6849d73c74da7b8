"""The address behind a name on one day: that with which a device exchanged most.

Reading only: single days as long as flows are kept, else the month.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

_ADDRESSES = """
    WITH asked (at, month, day, device_id, name_id) AS (
        SELECT key, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)
    ), found (at, main_id, main_bytes) AS (
        SELECT a.at, d.main_id, d.main_bytes FROM asked a CROSS JOIN station s ON s.device_id = a.device_id
        CROSS JOIN destination_day d
            ON d.month = a.month AND d.day = a.day AND d.station_id = s.id AND d.name_id = a.name_id
        UNION ALL
        SELECT a.at, m.main_id, m.main_bytes FROM asked a CROSS JOIN station s ON s.device_id = a.device_id
        CROSS JOIN destination_month m ON m.month = a.month AND m.station_id = s.id AND m.name_id = a.name_id
    )
    SELECT f.at, r.address, max(f.main_bytes) FROM found f JOIN remote r ON r.id = f.main_id GROUP BY f.at
"""


class NamedDay(NamedTuple):
    """A name as a device met it on a day of its site."""

    month: int
    day: int
    device_id: int
    name_id: int


def read_main_addresses(db: sqlite3.Connection, asked: Sequence[NamedDay]) -> list[str | None]:
    """The address of each; None where none is kept."""
    found = {at: address for at, address, _ in db.execute(_ADDRESSES, (json.dumps(asked),))}
    return [found.get(at) for at in range(len(asked))]
