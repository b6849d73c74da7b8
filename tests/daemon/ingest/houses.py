"""Databases of a small house, made from scenes, and what their views say about names."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path
from typing import Any

from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, Frame, talk, write
from tests.support.compare import imbalance, same
from tests.support.importing import imported

CDN, OTHER, SIX = "198.51.100.9", "198.51.100.10", "2001:db8:9::9"
MINUTE = 60 * SECOND
SPEAKER, BRIDGE = "sonos-speaker", "hue-bridge"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def names(database: Path) -> list[tuple[str | None, str | None]]:
    """(name, source) of the TCP connections, in order of time."""
    return rows(
        database,
        "SELECT server_name, name_source FROM flows WHERE protocol = 'tcp' ORDER BY first_seen_us, client_port",
    )


def home(folder: Path, *scenes: list[Frame]) -> Path:
    """A database of one capture of these scenes."""
    database = imported(folder / "h.db", write(folder / "home.pcap", *scenes))
    assert imbalance(database) == []
    return database


def tablet(at: int, server: str = CDN, port: int = 40000) -> list[Frame]:
    return talk(at, client=TABLET, mac=TABLET_MAC, server=server, port=port)


def infrastructure(database: Path) -> list[tuple[str, str | None]]:
    return rows(
        database,
        "SELECT domain, infrastructure FROM destinations WHERE domain IS NOT NULL GROUP BY 1, 2 ORDER BY min(first_seen_us)",
    )


def why(database: Path) -> list[tuple[Any, ...]]:
    return rows(
        database,
        "SELECT address, unnamed, party, name_source FROM destinations WHERE domain IS NULL ORDER BY first_seen_us",
    )


def any_order(folder: Path, *paths: Path) -> Path:
    """Import one by one in every order; the database of one import of all."""
    together = imported(folder / "together.db", *paths)
    assert imbalance(together) == []
    for order in permutations(range(len(paths))):
        database = folder / f"{order}.db"
        for place in order:
            imported(database, paths[place])
        assert same(together, database) == [], order
    return together
