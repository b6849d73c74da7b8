"""A small home with a device that is to be forgotten, and what must be true afterwards."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from daemon.ingest.forget import Forgotten, Request, forget_device
from daemon.ingest.knowledge import Knowledge
from daemon.store.database import open_database, transaction
from daemon.store.retain import fold
from tests.daemon.ingest.scenes import ROUTER, SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, lookup, talk
from tests.support import packets as p
from tests.support.compare import imbalance
from tests.support.packets import ROUTER_MAC, SERVER

TABLET_STATION = (p.mac_int(TABLET_MAC), "")
PRIVATE = "secret.example"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def tablet(at: int, port: int = 42000) -> list[Frame]:
    """What the tablet does: says its name, asks, talks; what others say about it to all."""
    offer = p.ethernet(p.arp(ROUTER, TABLET, ROUTER_MAC, 1), src=ROUTER_MAC, dst="ff:ff:ff:ff:ff:ff", ethertype=p.ARP)
    known = offer[:32] + p.mac_bytes(TABLET_MAC) + offer[38:]  # the router knows whom it asks for
    frames = [dhcp_request(at, "bobs-tablet", TABLET_MAC), (at + 500, known)]
    frames += lookup(at + SECOND, PRIVATE, "203.0.113.66", client=TABLET, mac=TABLET_MAC)
    return frames + talk(at + 2 * SECOND, PRIVATE, client=TABLET, mac=TABLET_MAC, server="203.0.113.66", port=port)


def laptop(at: int, port: int = 40000) -> list[Frame]:
    """What another one does, with two servers, so that the router is seen to be one."""
    frames = [*lookup(at, "www.example.com", SERVER), *talk(at + SECOND, "www.example.com", port=port)]
    return frames + talk(at + 2 * SECOND, "other.example", server="198.51.100.7", port=port + 500)


def forget(database: Path, *, since_us: int | None = None, pcaps: bool = True) -> Forgotten:
    return forget_device(database, Request("home", (TABLET_STATION,), since_us, pcaps), Knowledge())


def folded(database: Path, before_us: int) -> None:
    with closing(open_database(database)) as db, transaction(db):
        fold(db, 1, before_us)


def unbalanced(database: Path) -> list[str]:
    """Where `traffic` does not count every packet; flows that are folded are not there to be counted."""
    return [line for line in imbalance(database) if "flows + frames" not in line]


def no_trace(*files: Path) -> None:
    for path in files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        for trace in (b"bobs-tablet", b"secret", p.mac_bytes(TABLET_MAC), b"02:00:00:00:00:11"):
            assert trace not in content, (path, trace)


def at_rest(database: Path) -> Path:
    """The database file with all that is written to it."""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    return database
