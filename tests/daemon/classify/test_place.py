from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.address_files import Address, AddressFile, AddressFileError, AddressFiles, AddressRow, Refused
from daemon.classify.place import Atlas, Place, public_address

JUNE = 1_781_654_400  # 2026-06-17
IRELAND = AddressRow(country="IE")


@dataclass
class Rows:
    """Prefix -> row, counting how often it was asked; `broken` raises as a damaged file does."""

    rows: Mapping[str, AddressRow]
    broken: bool = False
    asked: list[Address] = field(default_factory=list)

    def __call__(self, address: Address) -> AddressRow | None:
        self.asked.append(address)
        if self.broken:
            raise AddressFileError("country.mmdb: damaged (cut short)")
        return next((row for prefix, row in self.rows.items() if address in ip_network(prefix)), None)


def file(
    kind: str, rows: Mapping[str, AddressRow] | Callable[[Address], AddressRow | None], built: int = JUNE
) -> AddressFile:
    find = Rows(rows) if isinstance(rows, Mapping) else rows
    return AddressFile(Path(f"{kind}.mmdb"), kind, "flat", kind, built, 1000, (4, 6), find)


def atlas(*files: AddressFile) -> Atlas:
    return Atlas(AddressFiles(files))


CLOUD = file(
    "cloud",
    {
        "54.72.0.0/16": AddressRow(provider="aws", region="eu-west-1"),
        "13.224.0.0/16": AddressRow(provider="aws", region="GLOBAL"),
        "20.0.0.0/16": AddressRow(provider="azure", region="moonbase1"),
        "20.1.0.0/16": AddressRow(provider="azure", region="southeastus"),
        "104.16.0.0/16": AddressRow(provider="cloudflare"),
    },
)
COUNTRY = file("country", {"0.0.0.0/0": AddressRow(country="US"), "2000::/3": AddressRow(country="NL")})
ASN = file(
    "asn",
    {
        "54.72.0.0/16": AddressRow(asn=16509, as_name="Amazon.com, Inc."),
        "23.32.0.0/16": AddressRow(asn=20940, as_name="Akamai International B.V."),
        "78.46.0.0/16": AddressRow(asn=24940, as_name="Hetzner Online GmbH"),
    },
)


def test_a_published_region_is_certain_and_beats_the_country_database() -> None:
    assert atlas(CLOUD, COUNTRY, ASN).look_up("54.72.1.2") == Place(
        16509, "Amazon.com, Inc.", "aws", "eu-west-1", "IE", "Ireland", "high", 53.35, -6.26, "region",
        "cloud.mmdb of 2026-06-17",
    )  # fmt: skip


def test_a_country_database_is_believed_with_the_middle_of_the_country() -> None:
    assert atlas(CLOUD, COUNTRY, ASN).look_up("78.46.1.2") == Place(
        24940, "Hetzner Online GmbH", None, None, "US", "United States", "medium", 39.5, -98.5, "country",
        "country.mmdb of 2026-06-17",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("23.32.1.2", "the AS is Akamai's"),
        ("13.224.1.2", "CloudFront's ranges belong to no region"),
        ("104.16.1.2", "Cloudflare has no regions"),
        ("8.8.8.8", "a public resolver"),
        ("2001:4860:4860::8888", "the same by IPv6"),
    ],
)
def test_what_answers_from_everywhere_has_a_country_of_low_confidence(address: str, why: str) -> None:
    place = atlas(CLOUD, COUNTRY, ASN).look_up(address)
    assert place is not None
    assert (place.country in ("US", "NL"), place.confidence) == (True, "low"), why


def test_a_database_may_say_itself_that_an_address_is_anycast() -> None:
    found = atlas(file("country", {"78.46.0.0/16": AddressRow(country="DE", anycast=True)})).look_up("78.46.0.1")
    assert found is not None
    assert (found.country, found.confidence) == ("DE", "low")


def test_a_region_that_is_not_known_yet_falls_back_to_the_country_and_is_kept() -> None:
    place = atlas(CLOUD, COUNTRY).look_up("20.0.1.2")
    assert place is not None
    assert (place.provider, place.region, place.country, place.confidence) == ("azure", "moonbase1", "US", "medium")


def test_a_region_without_a_known_city_lies_in_the_middle_of_its_country() -> None:
    place = atlas(CLOUD, COUNTRY).look_up("20.1.1.2")
    assert place is not None
    assert (place.country, place.confidence, place.coordinates_from) == ("US", "high", "country")


def test_coordinates_come_from_a_city_database_that_agrees_on_the_country() -> None:
    berlin = AddressRow(country="DE", latitude=52.5, longitude=13.4)
    country = file("country", {"78.46.0.0/16": AddressRow(country="DE"), "78.47.0.0/16": AddressRow(country="FR")})
    both = atlas(country, file("city", {"78.46.0.0/15": berlin}))
    agreed, disputed = both.look_up("78.46.0.1"), both.look_up("78.47.0.1")
    assert agreed is not None
    assert (agreed.latitude, agreed.longitude, agreed.coordinates_from) == (52.5, 13.4, "city")
    assert disputed is not None
    assert (disputed.country, disputed.latitude, disputed.coordinates_from) == ("FR", 46.5, "country")


def test_a_city_database_alone_tells_the_country_too() -> None:
    place = atlas(file("city", {"78.46.0.0/16": AddressRow(country="DE", latitude=1.0, longitude=2.0)})).look_up(
        "78.46.0.1"
    )
    assert place is not None
    assert (place.country, place.confidence, place.source) == ("DE", "medium", "city.mmdb of 2026-06-17")


def test_what_is_known_without_a_country_is_told() -> None:
    assert atlas(ASN).look_up("78.46.1.2") == Place(24940, "Hetzner Online GmbH")


@pytest.mark.parametrize("code", ["ZZ", "EU", "AP"])
def test_codes_that_are_no_country_are_none(code: str) -> None:
    assert atlas(file("country", {"78.46.0.0/16": AddressRow(country=code)})).look_up("78.46.0.1") is None


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.1", "10.0.0.1", "172.16.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "0.0.0.0",  # noqa: S104 - an address to look up, nothing is bound
        "203.0.113.9", "224.0.0.251", "239.255.255.250", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fd00::1", "ff02::fb", "ff0e::1", "2001:db8::1", "::ffff:192.168.1.1", "64:ff9b::c0a8:101", "2002:c0a8:101::1",
        "", "example.com", "1.2.3", "1.2.3.4/24", " 8.8.8.8", "08.8.8.8", "\uff11.1.1.1", "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_place_on_the_internet_has_none_and_no_database_is_asked(address: str) -> None:
    asked = Rows({"0.0.0.0/0": IRELAND, "::/0": IRELAND})
    assert atlas(file("country", asked)).look_up(address) is None
    assert asked.asked == []


@pytest.mark.parametrize("address", ["::ffff:8.8.4.4", "64:ff9b::808:404", "2002:808:404::1"])
def test_ipv4_inside_ipv6_is_where_the_packets_go(address: str) -> None:
    assert public_address(address) == ip_address("8.8.4.4")


def test_an_atlas_without_files_knows_nothing() -> None:
    assert Atlas().look_up("8.8.8.8") is None
    assert Atlas(AddressFiles(refused=(Refused(Path("x.mmdb"), "damaged"),))).problems == ["x.mmdb: damaged"]


def test_a_file_that_turns_out_damaged_is_dropped_explained_and_asked_no_more() -> None:
    broken = Rows({}, broken=True)
    there = atlas(file("country", broken), file("asn", {"78.46.0.0/16": AddressRow(asn=24940)}))
    assert there.look_up("78.46.0.1") == there.look_up("78.46.0.2") == Place(24940)
    assert len(broken.asked) == 1
    assert there.problems == ["country.mmdb: damaged (cut short); it is left out"]
    assert [found.kind for found in there.files] == ["asn"]


def test_answers_are_remembered_and_the_memory_is_bounded() -> None:
    rows = Rows({"0.0.0.0/0": IRELAND})
    there = atlas(file("country", rows))
    for _ in range(3):
        there.look_up("78.46.0.1")
    assert len(rows.asked) == 1
    for number in range(9000):
        there.look_up(f"78.46.{number >> 8}.{number & 255}")
    there.look_up("78.46.0.1")
    assert rows.asked.count(ip_address("78.46.0.1")) == 2


@given(st.one_of(st.text(max_size=50), st.ip_addresses().map(str)))
def test_no_text_is_too_strange(text: str) -> None:
    place = atlas(CLOUD, COUNTRY, ASN).look_up(text)
    assert place is None or public_address(text) is not None
