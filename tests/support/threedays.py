"""A house of two devices over three days: one that somebody uses at noon, one that is awake at night."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC

MIDNIGHT = 1_700_006_400_000_000  # 15 November 2023, UTC
DAYS = 3
UNTIL = MIDNIGHT + DAYS * DAY
LAPTOP_MAC = HOST_MAC


def frames() -> list[Frame]:
    """The laptop at noon with two destinations, the tablet every hour of the night and once by day."""
    out: list[Frame] = []
    for day in range(DAYS):
        begin = MIDNIGHT + day * DAY
        out.append(dhcp_request(begin + 11 * HOUR, "adas-laptop"))
        out += lookup(begin + 12 * HOUR, "www.example.com", "203.0.113.5")
        out += talk(begin + 12 * HOUR + SECOND, "www.example.com", port=40000 + day, reply=5000 + day)
        out += talk(begin + 12 * HOUR + 60 * SECOND, server="198.51.100.7", port=40100 + day)
        out.append(dhcp_request(begin + HOUR // 2, "bobs-tablet", TABLET_MAC))
        for hour in (0, 1, 2, 3, 4, 5, 15):
            at = begin + hour * HOUR + 1800 * SECOND
            out += lookup(at, "sync.example.net", "203.0.113.77", client=TABLET, mac=TABLET_MAC, port=41000 + hour)
            out += talk(
                at + SECOND, "sync.example.net", client=TABLET, mac=TABLET_MAC, server="203.0.113.77",
                port=42000 + day * 24 + hour, reply=800,
            )  # fmt: skip
    if out[-1][0] < UNTIL - HOUR:  # so that the third day is over
        out += lookup(UNTIL - HOUR, "www.example.com", "203.0.113.5", port=45000)
    return out


def home(folder: Path) -> tuple[Path, Path]:
    """The database, and the capture that it was made of."""
    capture = write(folder / "days.pcap", frames())
    return imported(folder / "home.db", capture), capture
