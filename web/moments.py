"""Times as they stand in addresses of packets: `daemon.report.moments` reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(time_us: int) -> str:
    """A moment to the microsecond, in UTC: `2025-07-01T21:00:00Z`."""
    moment = _EPOCH + timedelta(microseconds=time_us)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
