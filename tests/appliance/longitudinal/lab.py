"""A lab's captures, as bytes: devices filed by name, each with what it asked, opened and said."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.daemon.decode.hellos import alpn, client_hello, records, sni, versions
from tests.daemon.decode.quic_wire import crypto, initial
from tests.daemon.ingest.scenes import SECOND, Frame, lookup, talk, write
from tests.support import packets as p

SONOS_MAC, HUE_MAC = "00:0e:58:00:00:01", "00:17:88:00:00:01"
SONOS, HUE = "192.168.1.20", "192.168.1.21"
CONNECTION = "conn-i-078cd5a1b2c3d4e5f.ws.sonos.com"
EXAMPLE = {  # the document's four names, on addresses from the documentation ranges
    CONNECTION: "198.51.100.1",
    "s3.amazonaws.com": "198.51.100.2",
    "cloudfront.net": "198.51.100.3",
    "metrics.sonos.com": "198.51.100.4",
}


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Microseconds since the epoch."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND


def visit(
    time_us: int, name: str, *addresses: str, client: str = SONOS, mac: str = SONOS_MAC, port: int = 50000
) -> list[Frame]:
    """A question, its answer, and a TLS connection under that name to the first address."""
    frames = lookup(time_us, name, *addresses, client=client, mac=mac, port=port)
    return frames + talk(time_us + SECOND // 2, name, client=client, mac=mac, server=addresses[0], port=port)


def quic(time_us: int, name: str, server: str, *, client: str = SONOS, mac: str = SONOS_MAC) -> list[Frame]:
    """A QUIC client's first flight, and an answer that says nothing."""
    hello = records(client_hello(sni(name.encode()) + alpn(b"h3") + versions(0x0304)))[5:]
    up = p.udp_frame(initial(crypto(0, hello)), client, server, 51000, 443, mac=mac)
    return [(time_us, up)]


def http(
    time_us: int, host: str, server: str, *, client: str = SONOS, mac: str = SONOS_MAC, port: int = 52000
) -> list[Frame]:
    """A request for a page, in the open."""
    conversation = p.Conversation(
        client=client, server=server, client_port=port, server_port=80, client_mac=mac, start_us=time_us
    )
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Player/1.0\r\n\r\n".encode()
    return conversation.open().send(request).reply(b"HTTP/1.1 204 No Content\r\n\r\n").close().frames


def example(time_us: int) -> list[Frame]:
    """A minute in the life of the document's device."""
    visits = [
        visit(time_us + n * SECOND, name, place, port=50000 + n) for n, (name, place) in enumerate(EXAMPLE.items())
    ]
    return [frame for each in visits for frame in each]


def capture(
    root: Path, device: str, stamp: str, *scenes: Iterable[Frame], folder: str = "ctrl2", end: str = ".pcap"
) -> Path:
    """`<root>/by-name/<device>/<folder>/<stamp>_lab.pcap`"""
    return write(root / "by-name" / device / folder / f"{stamp}_lab{end}", *scenes)


def tables(out: Path, device: str, word: str) -> list[list[str]]:
    """The rows of a month's CSV, without its header."""
    with (out / "analysis_longitudinal" / device / f"categorized_domains_{word}.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def month(out: Path, device: str, word: str) -> Path:
    return out / "analysis_longitudinal" / device / word[-4:] / word


def read(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    return json.loads(path.read_text("utf-8"))
