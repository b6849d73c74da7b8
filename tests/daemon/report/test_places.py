"""Points on the map: what lies where as far as anybody knows, how much of it, and nothing left out or counted twice."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import Place
from daemon.report import places
from daemon.report.places import SpotSum, is_recent, recent_spots, report, spots
from daemon.report.scope import Scope, Span
from daemon.store import whose_days
from daemon.store.database import open_database, transaction
from tests.daemon.ingest.scenes import DAY, HOUR
from tests.daemon.store.test_gathered import traffic
from tests.daemon.store.test_whose_days import scope
from tests.support.packets import START_US

DUBLIN = Place(
    asn=16509, as_name="CLOUD-02", provider="aws", region="eu-west-1", country="IE", confidence="high", latitude=53.35,
    longitude=-6.26, coordinates_from="region",
)  # fmt: skip
ELSEWHERE = DUBLIN._replace(asn=32934, as_name="BOOK", country="US", provider=None, region=None)
# What was judged: country, how sure, network; by the domain that is registered, None: the address without a name.
JUDGED: dict[str | None, tuple[str | None, str | None, int | None]] = {
    "sonos.com": ("IE", "high", 16509),
    "facebook.com": ("IE", "medium", 32934),
    "unheard-of.example": ("DE", "low", None),
    None: (None, None, None),
}
ADDRESSES = {"203.0.113.1": DUBLIN, "203.0.113.2": DUBLIN, "203.0.113.3": ELSEWHERE}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two devices, three names and an address."""
    return traffic(tmp_path_factory.mktemp("home"))


@pytest.fixture(params=["numbered", "judged a moment ago"])
def db(home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """The home, with the places that its destinations were judged to be in."""
    with closing(open_database(shutil.copyfile(home, tmp_path / "h.db"))) as db:
        with transaction(db):
            for domain, told in JUDGED.items():
                db.execute(
                    "UPDATE verdict SET country = ?, country_confidence = ?, asn = ?, whose_id = NULL"
                    " WHERE registrable_domain IS ?",
                    (*told, domain),
                )
            if request.param == "numbered":
                db.execute("INSERT INTO whose_stale SELECT DISTINCT month, -1, 1 FROM judgement")
                whose_days.follow(db)
        yield db


def asked(db: sqlite3.Connection, **only: str) -> Scope:
    return replace(scope(db), only=only, locate=ADDRESSES.get)


def told(found: list[SpotSum]) -> dict[tuple[str | None, str | None, str | None], SpotSum]:
    """By (country, by what it was located, network's name)."""
    out = {(each.key.country, each.key.located, each.key.network): each for each in found}
    assert len(out) == len(found)
    return out


def test_a_place_is_the_clouds_region_where_that_is_known_and_else_the_middle_of_the_country(
    db: sqlite3.Connection,
) -> None:
    found = told(spots(asked(db)))
    assert set(found) == {
        ("IE", "region", "CLOUD-02"),
        ("IE", "country", "BOOK"),  # its address is said to be in another country than the verdict's
        ("DE", "country", None),
        (None, None, None),
    }
    cloud, book = found["IE", "region", "CLOUD-02"], found["IE", "country", "BOOK"]
    assert cloud.key[1:6] == (53.35, -6.26, "region", "aws eu-west-1", 16509)
    middle = COUNTRIES["IE"]
    assert book.key[1:6] == (middle.latitude, middle.longitude, "country", None, 32934)
    assert found["DE", "country", None].key[-1] == "low"
    assert found[None, None, None].key[1:3] == (None, None)


def test_it_has_what_was_exchanged_with_it(db: sqlite3.Connection) -> None:
    found = told(spots(asked(db)))
    view = db.execute(
        "SELECT registrable_domain, sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down),"
        " count(DISTINCT coalesce(domain, address)) FROM destinations GROUP BY 1"
    )
    of_domain = {domain: tuple(counts) for domain, *counts in view}
    where = {
        "sonos.com": ("IE", "region", "CLOUD-02"), "facebook.com": ("IE", "country", "BOOK"),
        "unheard-of.example": ("DE", "country", None), None: (None, None, None),
    }  # fmt: skip
    for domain, key in where.items():
        each = found[key]
        counts = (each.packets_up, each.packets_down, each.bytes_up, each.bytes_down, each.destinations)
        assert counts == of_domain[domain], domain
        assert sum(each.parties.values()) == each.bytes
    assert found["IE", "region", "CLOUD-02"].companies == {"Sonos"}
    assert set(found["DE", "country", None].parties) == {"third"}


@pytest.mark.parametrize(
    ("only", "wanted"),
    [
        ({"party": "third"}, {("IE", "country", "BOOK"), ("DE", "country", None)}),
        ({"country": "IE"}, {("IE", "country", "BOOK"), ("IE", "region", "CLOUD-02")}),
        ({"country": "IE", "party": "first"}, {("IE", "region", "CLOUD-02")}),
        ({"company": "Sonos"}, {("IE", "region", "CLOUD-02")}),
        ({"company": "-"}, {(None, None, None)}),
        ({"country": "MT"}, set()),
    ],
)
def test_of_what_is_asked_for_alone(
    db: sqlite3.Connection, only: dict[str, str], wanted: set[tuple[str | None, ...]]
) -> None:
    whole, some = told(spots(asked(db))), told(spots(asked(db, **only)))
    assert set(some) == wanted
    assert all(whole[key] == each for key, each in some.items())


def test_devices_add_up_to_the_house(db: sqlite3.Connection) -> None:
    devices = [number for (number,) in db.execute("SELECT id FROM device")]
    alone = [spots(asked(db).of(number)) for number in devices]
    assert len(devices) == 2
    assert all(alone)
    assert sum(each.bytes for found in alone for each in found) == sum(each.bytes for each in spots(asked(db)))
    assert {each.key for found in alone for each in found} == {each.key for each in spots(asked(db))}


def test_only_addresses_with_most_data_are_looked_up(db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def locate(address: str) -> Place | None:
        looked.append(address)
        return ADDRESSES.get(address)

    question = replace(asked(db), locate=locate)
    whole = spots(question)
    assert len(looked) == len(set(looked)) > 1
    looked.clear()
    monkeypatch.setattr(places, "MOST_LOOKED_UP", 1)
    few = spots(question)
    of_address = "FROM destination_day p JOIN remote r ON r.id = p.main_id GROUP BY 1"
    sizes = dict(db.execute(f"SELECT r.address, sum(bytes_up + bytes_down) {of_address}").fetchall())
    assert len(looked) == 1
    assert sizes[looked[0]] >= min(sizes.values())
    assert sum(each.bytes for each in few) == sum(each.bytes for each in whole)
    assert {each.key.country for each in few} == {each.key.country for each in whole}


def test_of_a_long_time_the_last_days_are_looked_up(db: sqlite3.Connection) -> None:
    newest = START_US + 41 * DAY + HOUR
    year = replace(asked(db), span=Span(START_US, newest + 1), newest_us=newest)
    assert not is_recent(year)
    last = recent_spots(year)
    assert 0 < sum(each.bytes for each in last) < sum(each.bytes for each in spots(year))
    assert last == spots(year.over(Span(newest + 1 - DAY, newest + 1)))
    day = year.over(Span(newest + 1 - DAY, newest + 1))
    assert is_recent(day)
    assert recent_spots(day) == spots(day)


def test_the_report_has_a_row_a_point_and_network_most_data_first(db: sqlite3.Connection) -> None:
    made = report(asked(db))
    rows = [dict(zip(made.keys, row, strict=True)) for row in made.rows]
    sizes = [int(str(row["bytes_up"])) + int(str(row["bytes_down"])) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert [row["name"] for row in rows if row["country"] == "DE"] == ["Germany"]
    (cloud,) = (row for row in rows if row["region"])
    assert (cloud["asn"], cloud["network"], cloud["companies"], cloud["destinations"]) == ("AS16509", "CLOUD-02", 1, 1)
    (sentence,) = made.sentences
    share = sum(size for size, row in zip(sizes, rows, strict=True) if row["region"]) / sum(sizes)
    assert "3 places" in sentence
    assert f"{share * 100:.0f} %" in sentence
    assert "country is a guess" in sentence


def test_nothing_lies_nowhere(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "empty.db")) as db:
        made = report(scope(db))
    assert not made.rows
    assert made.sentences == ("Nothing went to the internet in this time.",)
