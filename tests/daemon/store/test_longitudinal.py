"""Queries over parts: what belongs to which, in order, whatever else the database holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.database import read_database
from daemon.store.longitudinal import Filed, Reader
from tests.daemon.ingest.scenes import HOUR, SECOND, TABLET, TABLET_MAC, lookup, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three captures of a house with two devices."""
    folder = tmp_path_factory.mktemp("parts")
    paths = []
    for number in range(3):
        at = START_US + number * HOUR
        frames = lookup(at, f"host{number}.example", "203.0.113.7") + talk(
            at + SECOND, f"host{number}.example", port=41000
        )
        frames += lookup(at, "tablet.example", "203.0.113.8", client=TABLET, mac=TABLET_MAC, port=40054)
        frames += talk(at + 90 * SECOND, None, client=TABLET, mac=TABLET_MAC, server="203.0.113.8", port=41001)
        paths.append(write(folder / f"{number}.pcap", frames))
    return imported(folder / "h.db", *paths)


@pytest.fixture
def reader(database: Path) -> Iterator[Reader]:
    with closing(Reader(database)) as found:
        yield found


def numbers(database: Path) -> tuple[list[int], dict[str, int]]:
    """Captures in order of name; devices by MAC."""
    with closing(read_database(database)) as db:
        captures = [row[0] for row in db.execute("SELECT capture_id FROM captures ORDER BY path")]
        return captures, dict(db.execute("SELECT mac, device_id FROM devices"))


def test_parts_come_in_order_and_hold_their_captures_only(database: Path, reader: Reader) -> None:
    captures, devices = numbers(database)
    laptop = devices[HOST_MAC]
    reader.choose([Filed(captures[2], 0, laptop), Filed(captures[0], 1, laptop), Filed(captures[1], 1, laptop)])
    asked = [(row.part, row.name, row.type, row.questions, row.responses) for row in reader.asked()]
    assert asked == [(0, "host2.example", "A", 1, 1), (1, "host0.example", "A", 1, 1), (1, "host1.example", "A", 1, 1)]
    assert [(row.part, row.query_name, row.value) for row in reader.told()] == [
        (0, "host2.example", "203.0.113.7"), (1, "host0.example", "203.0.113.7"), (1, "host1.example", "203.0.113.7"),
    ]  # fmt: skip
    assert [(row.part, row.name, row.source, row.hidden) for row in reader.greetings()] == [
        (0, "host2.example", "tls", False), (1, "host0.example", "tls", False), (1, "host1.example", "tls", False),
    ]  # fmt: skip
    assert {row.name for row in reader.talks() if row.server_address == "203.0.113.5"} == {
        "host0.example", "host1.example", "host2.example",
    }  # fmt: skip


def test_capture_may_be_in_two_parts(database: Path, reader: Reader) -> None:
    captures, devices = numbers(database)
    reader.choose([Filed(captures[0], 0, devices[HOST_MAC]), Filed(captures[0], 1, devices[TABLET_MAC])])
    assert [(row.part, row.name) for row in reader.asked()] == [(0, "host0.example"), (1, "tablet.example")]


def test_without_a_device_everybody_counts(database: Path, reader: Reader) -> None:
    captures, _ = numbers(database)
    reader.choose([Filed(captures[0], 0)])
    assert [row.name for row in reader.asked()] == ["host0.example", "tablet.example"]
    reader.choose([])
    assert [*reader.asked(), *reader.told(), *reader.greetings(), *reader.talks()] == []


def test_early_conversations_are_marked(database: Path, reader: Reader) -> None:
    captures, _ = numbers(database)
    reader.choose([Filed(captures[0], 0)])
    early = {row.server_address: row.early for row in reader.talks() if row.server_address.startswith("203")}
    assert early == {"203.0.113.5": True, "203.0.113.8": False}


def test_bytes_by_device(database: Path, reader: Reader) -> None:
    captures, devices = numbers(database)
    reader.choose(Filed(capture, 0) for capture in captures)
    busy = {(device, server): octets for _, device, _, server, octets in reader.busy() if server.startswith("203")}
    assert set(busy) == {(devices[HOST_MAC], "203.0.113.5"), (devices[TABLET_MAC], "203.0.113.8")}
    assert min(busy.values()) > 9000


def test_what_is_known_of_a_device(database: Path, reader: Reader) -> None:
    _, devices = numbers(database)
    found = reader.device(devices[HOST_MAC])
    assert found is not None
    assert found.mac == HOST_MAC
    assert reader.device(10_000) is None
    assert TABLET in reader.home_addresses("home")
