"""Named queries over months: contacts, how names came about, addresses; the same before and after folding."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.contact_months import last_met, read_contact_months
from daemon.store.database import open_database, transaction
from daemon.store.months import (
    known_devices,
    last_months,
    read_naming,
    sites,
)
from daemon.store.retain import fold
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US, mac_int

NOVEMBER, DECEMBER = 2023 * 12 + 10, 2023 * 12 + 11
MONTH = 30 * DAY


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    first = write(
        folder / "1.pcap",
        [dhcp_request(START_US, "adas-thinkpad")],
        talk(START_US + SECOND, "a.example.com", server="203.0.113.1", port=40000),
        talk(START_US + 2 * SECOND, "b.example.com", server="203.0.113.2", port=40001),
        talk(START_US + 3 * SECOND, server="203.0.113.3", port=40002),
        talk(START_US + 4 * SECOND, server="203.0.113.1", port=40003),
    )
    second = write(folder / "2.pcap", talk(START_US + MONTH, "c.example.com", client=TABLET, mac=TABLET_MAC))
    return imported(folder / "h.db", first, second)


@pytest.fixture(params=["as imported", "folded"])
def db(home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    with closing(open_database(Path(shutil.copy(home, tmp_path)))) as connection:
        if request.param == "folded":
            with transaction(connection):
                fold(connection, 1, START_US + 90 * DAY)
        yield connection


def device(db: sqlite3.Connection, mac: str) -> int:
    return next(each.device_id for each in known_devices(db).values() if each.mac == mac_int(mac))


def contacts(
    db: sqlite3.Connection, *months: int, site: int = 1, only: int | None = None
) -> Counter[tuple[int, int, str]]:
    """Bytes of each (month, device, place)."""
    found = read_contact_months(db, months, site, only)
    called = found.places.texts(found.place.tolist())
    met: Counter[tuple[int, int, str]] = Counter()
    columns = (found.month, found.device, found.place, found.bytes)
    for month, who, place, octets in zip(*(column.tolist() for column in columns), strict=True):
        met[month, who, called[place]] += octets
    return met


def test_hosts_of_a_registrable_domain_are_one_contact(db: sqlite3.Connection) -> None:
    met = contacts(db, NOVEMBER, DECEMBER)
    laptop, tablet = device(db, HOST_MAC), device(db, TABLET_MAC)
    assert set(met) == {
        (NOVEMBER, laptop, "example.com"), (NOVEMBER, laptop, "203.0.113.1"), (NOVEMBER, laptop, "203.0.113.3"),
        (DECEMBER, tablet, "example.com"),
    }  # fmt: skip
    (moved,) = db.execute("SELECT sum(bytes_up + bytes_down) FROM destinations").fetchone()
    assert sum(met.values()) == moved > 0


def test_months_sites_and_devices_can_be_chosen(db: sqlite3.Connection) -> None:
    assert {month for month, _, _ in contacts(db, DECEMBER)} == {DECEMBER}
    assert contacts(db, NOVEMBER, DECEMBER, site=2) == {}
    tablet = device(db, TABLET_MAC)
    assert {who for _, who, _ in contacts(db, NOVEMBER, DECEMBER, only=tablet)} == {tablet}
    assert {each.device_id for each in read_naming(db, NOVEMBER, DECEMBER, device=tablet)} == {tablet}


def test_how_names_came_about(db: sqlite3.Connection) -> None:
    laptop = device(db, HOST_MAC)
    told = {
        each.name_source: (each.destinations, each.flows) for each in read_naming(db, NOVEMBER, NOVEMBER, device=laptop)
    }
    assert told == {"tls": (2, 2), "-": (2, 2)}


def test_what_there_is(db: sqlite3.Connection) -> None:
    assert last_months(db) == last_months(db, 1) == [NOVEMBER, DECEMBER]
    assert last_months(db, 7) == []
    assert list(sites(db)) == ["home"]
    assert sites(db)["home"][0] == 1
    assert [each.name for each in known_devices(db).values() if each.mac == mac_int(HOST_MAC)] == ["adas-thinkpad"]


def test_the_last_month_of_each_device_before_another(db: sqlite3.Connection) -> None:
    laptop, tablet, months = device(db, HOST_MAC), device(db, TABLET_MAC), last_months(db, 1)
    assert months == [NOVEMBER, DECEMBER]
    assert last_met(db, DECEMBER + 1, months, 1, None) == {laptop: NOVEMBER, tablet: DECEMBER}
    assert last_met(db, DECEMBER, months, 1, None) == {laptop: NOVEMBER}
    assert last_met(db, DECEMBER + 1, months, 1, tablet) == {tablet: DECEMBER}
    assert last_met(db, NOVEMBER, months, 1, None) == {}
