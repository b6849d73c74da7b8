from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.classify.address_files import AddressFileError, AddressRow
from daemon.store.atlas_files import MOST_FILES, open_address_file, open_address_files, open_atlas, open_country_file
from tests.support.atlas import BUILT, atlas_of, countries, maxmind_country, mmdb

EIGHTS = ip_address("8.8.8.8")
GERMANY = countries(DE="8.8.8.0/24 2001:638::/32")


def written(folder: Path, name: str, octets: bytes) -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize(
    ("record", "database_type", "kind", "schema", "row"),
    [
        ({"country_code": "de"}, "country ipvAll", "country", "flat", AddressRow(country="DE")),
        ({"country": "DE"}, "ipinfo country.mmdb", "country", "flat", AddressRow(country="DE")),
        (
            {"country": {"iso_code": "DE"}, "registered_country": {"iso_code": "US"}},
            "GeoLite2-Country", "country", "maxmind", AddressRow(country="DE"),
        ),
        ({"country": {"iso_code": "DE"}}, "DBIP-Country-Lite", "country", "maxmind", AddressRow(country="DE")),
        ({"country": {"iso_code": "DE"}}, "my own countries", "country", "flat", AddressRow(country="DE")),
        (
            {"country": {"iso_code": "DE"}, "location": {"latitude": 52.5, "longitude": 13.4}},
            "GeoLite2-City", "city", "maxmind", AddressRow(country="DE", latitude=52.5, longitude=13.4),
        ),
        (
            {"country_code": "DE", "city": "Berlin", "latitude": "52.5", "longitude": "13.4"},
            "city ipv4", "city", "flat", AddressRow(country="DE", latitude=52.5, longitude=13.4),
        ),
        (
            {"country": {"iso_code": "DE"}, "traits": {"is_anycast": True}},
            "GeoIP2-Country", "country", "maxmind", AddressRow(country="DE", anycast=True),
        ),
        (
            {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"},
            "GeoLite2-ASN", "asn", "maxmind", AddressRow(asn=15169, as_name="GOOGLE"),
        ),
        (
            {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"},
            "asn ipvAll", "asn", "flat", AddressRow(asn=15169, as_name="Google LLC"),
        ),
        (
            {"asn": "AS15169", "as_name": "Google LLC", "country_code": "US"},
            "ipinfo ipinfo_lite.mmdb", "country", "flat", AddressRow(country="US", asn=15169, as_name="Google LLC"),
        ),
        (
            {"provider": "aws", "region": "eu-west-1"},
            "Homeport-Cloud", "cloud", "flat", AddressRow(provider="aws", region="eu-west-1"),
        ),
    ],
    ids=[
        "ip-location-db", "ipinfo", "geolite2", "dbip", "nested-with-a-name-of-its-own", "geolite2-city", "flat-city",
        "anycast", "geolite2-asn", "flat-asn", "ipinfo-lite", "cloud",
    ],
)  # fmt: skip
def test_each_schema_is_read_in_one_shape(
    tmp_path: Path, record: dict[str, object], database_type: str, kind: str, schema: str, row: AddressRow
) -> None:
    file = open_address_file(written(tmp_path, "a.mmdb", mmdb({"8.8.8.0/24": record}, database_type)))
    assert (file.kind, file.schema, file.database_type, file.built) == (kind, schema, database_type, BUILT)
    assert file.find(EIGHTS) == row
    assert file.find(ip_address("9.9.9.9")) is None


@pytest.mark.parametrize(
    "record",
    [
        {"country_code": 5}, {"country_code": "DEU"}, {"country_code": ""}, {"country": ["DE"]}, {"country": {}},
        {"autonomous_system_number": "lots"}, {"autonomous_system_number": 0}, {"asn": "AS99999999999"},
        {"latitude": "north", "longitude": 999}, {"provider": ""}, {"region": "eu-west-1"},
    ],
    ids=repr,
)  # fmt: skip
def test_values_that_make_no_sense_are_as_if_they_were_not_there(tmp_path: Path, record: dict[str, object]) -> None:
    octets = mmdb({"9.0.0.0/8": record, "8.8.8.0/24": {"country_code": "US"}})
    assert open_address_file(written(tmp_path, "a.mmdb", octets)).find(ip_address("9.9.9.9")) == AddressRow()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "not a MaxMind DB file"),
        (b"not a database at all", "not a MaxMind DB file"),
        (GERMANY[: len(GERMANY) // 2], "not a MaxMind DB file"),
        (mmdb({"8.8.8.0/24": {"is_proxy": True}}, "GeoIP2-Anonymous-IP"), "tells neither country"),
        (mmdb({"8.8.8.0/24": {"score": 1}}, "country of mine"), "hold no country"),
        (mmdb({"8.8.8.0/24": {"country_code": "US"}}, "GeoLite2-Country"), "hold no country"),
        (mmdb({"8.8.8.0/24": {"country": "US"}}, "GeoLite2-Country"), "not the schema that its type promises"),
    ],
    ids=["empty", "text", "half", "another-kind", "no-countries", "flat-under-maxminds-name", "wrong-type"],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path: Path, octets: bytes, words: str) -> None:
    path = written(tmp_path, "a.mmdb", octets)
    with pytest.raises(AddressFileError, match=words):
        open_address_file(path)
    files = open_address_files(tmp_path)
    assert files.usable == ()
    assert [refused.path for refused in files.refused] == [path]
    assert not files.refused[0].reason.startswith(str(path))


def test_what_is_no_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "folder.mmdb").mkdir()
    os.mkfifo(tmp_path / "pipe.mmdb")
    (tmp_path / "loose.mmdb").symlink_to("nowhere")
    reasons = {refused.path.name: refused.reason for refused in open_address_files(tmp_path).refused}
    assert reasons == {
        "folder.mmdb": "not a regular file", "pipe.mmdb": "not a regular file",
        "loose.mmdb": "No such file or directory",
    }  # fmt: skip


def test_a_damaged_file_beside_good_ones_is_left_out(tmp_path: Path) -> None:
    atlas = atlas_of(tmp_path, country=GERMANY, broken=b"?")
    place = atlas.look_up("8.8.8.8")
    assert place is not None
    assert place.country == "DE"
    assert len(atlas.problems) == 1
    assert "broken.mmdb" in atlas.problems[0]


def test_no_folder_is_an_atlas_that_knows_nothing(tmp_path: Path) -> None:
    atlas = open_atlas(tmp_path / "absent")
    assert (atlas.look_up("8.8.8.8"), atlas.problems) == (None, [])
    written(tmp_path, "plain", b"")
    assert len(open_atlas(tmp_path / "plain").problems) == 1


def test_an_owners_own_file_is_believed_before_ours(tmp_path: Path) -> None:
    own = maxmind_country({"8.8.8.0/24": "CH"})
    atlas = atlas_of(tmp_path, country=countries(DE="8.8.8.0/24 9.9.9.0/24"), GeoLite2_Country=own)
    found = [atlas.look_up(address) for address in ("8.8.8.8", "9.9.9.9")]
    assert [(place.country, place.source) for place in found if place] == [
        ("CH", "GeoLite2-Country.mmdb of 2026-06-17"),
        ("DE", "country.mmdb of 2026-06-17"),
    ]


def test_hidden_files_and_previous_ones_are_not_read(tmp_path: Path) -> None:
    for name in (".country.mmdb", ".country.mmdb.new", "country.mmdb.previous", "country.mmdb.json"):
        written(tmp_path, name, b"?")
    assert open_address_files(tmp_path) == open_address_files(tmp_path / "absent")


def test_a_crowd_of_files_is_bounded_and_does_not_keep_ours_away(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 3):
        written(tmp_path, f"a{number:02}.mmdb", GERMANY)
    written(tmp_path, "country.mmdb", GERMANY)
    files = open_address_files(tmp_path)
    assert len(files.usable) == MOST_FILES
    assert files.usable[-1].path.name == "country.mmdb"
    assert len(files.refused) == 4


def test_one_file_by_name(tmp_path: Path) -> None:
    atlas = open_country_file(written(tmp_path, "GeoLite2-Country.mmdb", maxmind_country({"8.8.8.0/24": "US"})))
    place = atlas.look_up("8.8.8.8")
    assert place is not None
    assert place.country_name == "United States"
    with pytest.raises(AddressFileError, match=r"absent\.mmdb: No such file"):
        open_country_file(tmp_path / "absent.mmdb")


def test_a_file_of_one_version_is_not_asked_for_the_other(tmp_path: Path) -> None:
    octets = GERMANY.replace(b"\x4aip_version\xa1\x06", b"\x4aip_version\xa1\x04")
    assert octets != GERMANY
    file = open_address_file(written(tmp_path, "a.mmdb", octets))
    assert file.ip_versions == (4,)
    assert file.find(ip_address("2001:638::1")) is None


def test_a_file_without_a_date_has_none(tmp_path: Path) -> None:
    octets = mmdb({"8.8.8.0/24": {"country_code": "DE"}}, built=0)
    place = open_country_file(written(tmp_path, "a.mmdb", octets)).look_up("8.8.8.8")
    assert place is not None
    assert place.source == "a.mmdb"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(where=st.integers(0, len(GERMANY) - 1), bits=st.integers(1, 255), maxmind=st.booleans())
def test_damage_anywhere_is_never_more_than_a_sentence(tmp_path: Path, where: int, bits: int, maxmind: bool) -> None:
    whole = maxmind_country({"8.8.8.0/24": "DE", "2001:638::/32": "DE"}) if maxmind else GERMANY
    octets = bytearray(whole)
    octets[where] ^= bits
    atlas = atlas_of(tmp_path, country=bytes(octets))
    for address in ("8.8.8.8", "9.9.9.9", "2001:638::1", "2a00::1"):
        place = atlas.look_up(address)
        assert place is None or place.country is None or len(place.country) == 2
