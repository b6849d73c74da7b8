"""What nothing refers to goes, and what is judged stays as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import open_database, transaction
from daemon.store.prune import prune
from daemon.store.retain import fold
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, talk, write
from tests.support import packets as p
from tests.support.compare import same
from tests.support.importing import imported
from tests.support.packets import HOST6, START_US


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def pruned(database: Path, *, folded: bool = False) -> Path:
    with closing(open_database(database)) as db, transaction(db):
        if folded:
            fold(db, 1, START_US + 40 * DAY)
        prune(db)
    return database


def test_nothing_goes_while_it_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", lookup(START_US, "www.example.com", "203.0.113.5"), talk(START_US + SECOND))
    whole, copy = imported(tmp_path / "whole.db", path), imported(tmp_path / "copy.db", path)
    assert same(whole, pruned(copy)) == []
    for table in ("endpoint", "name", "remote", "judgement", "verdict"):
        count = f"SELECT count(*) FROM {table}"  # noqa: S608  of these
        assert rows(whole, count) == rows(copy, count), table


@pytest.mark.parametrize("version", [4, 6])
def test_of_many_places_behind_a_gateway_enough_stay(tmp_path: Path, version: int) -> None:
    """Several addresses of one /48, which do not make a gateway, between two that do."""
    servers = {
        4: [f"198.51.100.{n}" for n in range(1, 30)],
        6: ["2001:db8:0:1::1", *(f"2001:db8:5:{n}::1" for n in range(20)), "2001:db8::1"],
    }[version]
    client = {4: "192.168.1.10", 6: HOST6}[version]
    advertised = [] if version == 4 else [_local(HOST6)]
    frames = [
        frame
        for n, server in enumerate(servers)
        for frame in talk(START_US + n * SECOND, client=client, server=server, port=40000 + n)
    ]
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", advertised, frames), network="2001:db8:1::/64")
    gateway = "SELECT mac FROM devices WHERE mac = '02:00:00:00:00:01'"
    assert rows(database, gateway) == []
    before = rows(database, "SELECT count(*) FROM endpoint")
    pruned(database, folded=True)
    assert rows(database, "SELECT count(*) FROM endpoint") < before
    imported(database, write(tmp_path / "next.pcap", talk(START_US + 2 * DAY, client=client, server=servers[0])))
    assert rows(database, gateway) == []


def _local(address: str) -> tuple[int, bytes]:
    return START_US - SECOND, p.udp_frame(b"x", src=address, dst="2001:db8:1::99")


def test_verdicts_and_judgements_of_nothing_go(tmp_path: Path) -> None:
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", talk(START_US, "www.example.com")))
    with closing(sqlite3.connect(database)) as db:
        db.execute("DELETE FROM destination_day")
        db.commit()
    pruned(database)
    assert rows(database, "SELECT (SELECT count(*) FROM judgement), (SELECT count(*) FROM verdict)") == [(0, 0)]
