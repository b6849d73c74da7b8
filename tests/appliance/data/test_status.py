from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.data.install import install, locked
from appliance.data.sources import COUNTRY_ANSWERS, SOURCES
from appliance.data.status import ABSENT, IN_USE, OLD, UNUSABLE, status
from tests.support.atlas import BUILT, maxmind_country, mmdb

COUNTRY = mmdb({address: {"country_code": code} for address, code in COUNTRY_ANSWERS})
DAY_BUILT = datetime.fromtimestamp(BUILT, UTC)


def test_an_empty_folder_lacks_the_three_usual_ones(tmp_path: Path) -> None:
    rows = status(tmp_path / "absent", DAY_BUILT, 90)
    assert [(row.name, row.state, row.kind) for row in rows] == [
        ("cloud.mmdb", ABSENT, "cloud"), ("country.mmdb", ABSENT, "country"), ("asn.mmdb", ABSENT, "asn"),
    ]  # fmt: skip


def test_a_database_of_ours_tells_its_origin_and_its_age(tmp_path: Path) -> None:
    source = SOURCES["country"]
    with locked(tmp_path):
        install(tmp_path, source, COUNTRY, COUNTRY, "https://example.org/server-country.mmdb", 7)
        install(tmp_path, source, COUNTRY, COUNTRY, "https://example.org/server-country.mmdb", 8)
    first, *_ = status(tmp_path, DAY_BUILT + timedelta(days=89, hours=23), 90)
    assert (first.name, first.state, first.age_days, first.built) == ("country.mmdb", IN_USE, 89, "2026-06-17")
    assert (first.title, first.licence, first.attribution) == (source.title, source.licence, source.attribution)
    assert (first.place, first.size, first.previous) == ("https://example.org/server-country.mmdb", len(COUNTRY), True)
    later, *_ = status(tmp_path, DAY_BUILT + timedelta(days=90), 90)
    assert (later.state, later.age_days) == (OLD, 90)
    earlier, *_ = status(tmp_path, DAY_BUILT - timedelta(days=9), 90)  # a box that woke up in the past
    assert (earlier.state, earlier.age_days) == (IN_USE, 0)


def test_an_owners_file_is_named_by_its_type_and_makes_ours_unnecessary(tmp_path: Path) -> None:
    (tmp_path / "GeoLite2-Country.mmdb").write_bytes(maxmind_country({"8.8.8.0/24": "US"}))
    (tmp_path / "torn.mmdb").write_bytes(COUNTRY[:100])
    rows = {row.name: row for row in status(tmp_path, DAY_BUILT, 90)}
    assert set(rows) == {"GeoLite2-Country.mmdb", "torn.mmdb", "cloud.mmdb", "asn.mmdb"}
    own = rows["GeoLite2-Country.mmdb"]
    assert (own.kind, own.title, own.licence, own.state) == ("country", "GeoLite2-Country", None, IN_USE)
    assert (rows["torn.mmdb"].state, rows["torn.mmdb"].reason) == (UNUSABLE, "not a MaxMind DB file, or a damaged one")


def test_a_note_about_another_file_is_not_believed(tmp_path: Path) -> None:
    with locked(tmp_path):
        install(tmp_path, replace(SOURCES["country"], licence="X"), COUNTRY, COUNTRY, "there", 7)
    (tmp_path / "country.mmdb").write_bytes(mmdb({"8.8.8.0/24": {"country_code": "US"}}))
    first, *_ = status(tmp_path, DAY_BUILT, 90)
    assert (first.licence, first.title, first.state) == (None, "country ipvAll", IN_USE)
    (tmp_path / "country.mmdb.json").write_text("[]")
    assert status(tmp_path, DAY_BUILT, 90)[0].licence is None
