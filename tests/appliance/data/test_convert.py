from __future__ import annotations

import gzip
import io
from ipaddress import ip_address
from typing import Any

import maxminddb
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.data.convert import ConvertError, clouds_mmdb, networks_mmdb, unpacked


def asked(octets: bytes, *addresses: str) -> list[Any]:
    with maxminddb.open_database(io.BytesIO(octets), maxminddb.MODE_FD) as reader:
        return [reader.get(ip_address(address)) for address in addresses]


def networks(*rows: tuple[str, str, int, str]) -> bytes:
    """The table as it is published: addresses as numbers, names quoted where they need it."""
    lines = (f'{int(ip_address(first))},{int(ip_address(last))},{asn},"{name}"' for first, last, asn, name in rows)
    return "\n".join(lines).encode()


def clouds(*rows: tuple[str, int, str | None], **others: object) -> bytes:
    ranges = [{"cidr": cidr, "p": provider} | ({"r": region} if region else {}) for cidr, provider, region in rows]
    table = {"version": "2026-10-26", "build_time": 1792977064, "providers": ["aws", "azure"], "ranges": ranges}
    return bytes(msgpack.packb(table | others))


def test_a_table_of_networks_answers_with_number_and_name() -> None:
    four = networks(("8.8.8.0", "8.8.8.255", 15169, "Google LLC"), ("9.0.0.0", "9.1.2.3", 64500, "Dot, Inc."))
    six = networks(("2001:4860::", "2001:4860:ffff:ffff:ffff:ffff:ffff:ffff", 15169, "Google LLC"))
    google = {"autonomous_system_number": 15169, "autonomous_system_organization": "Google LLC"}
    dot = {"autonomous_system_number": 64500, "autonomous_system_organization": "Dot, Inc."}
    octets = networks_mmdb([four, six], 1)
    addresses = ("8.8.8.8", "2001:4860:4860::8888", "9.0.0.0", "9.1.2.3", "9.1.2.4", "8.8.9.0")
    assert asked(octets, *addresses) == [google, google, dot, dot, None, None]
    assert networks_mmdb([four, six], 1) == octets


def test_networks_that_overlap_are_taken_apart() -> None:
    # The published table of 2026-06-17 has one such pair.
    wide = ("214.96.0.0", "215.0.255.255", 749, "DoD")
    narrow = ("215.0.0.0", "215.1.3.231", 721, "DNIC")
    found = asked(networks_mmdb([networks(wide, narrow)], 1), "214.96.0.1", "215.0.0.1", "215.1.3.1")
    assert [record["autonomous_system_number"] for record in found] == [749, 721, 721]


def test_a_few_wrong_rows_are_passed_over_many_are_another_format() -> None:
    good = networks(*((f"10.0.{number}.0", f"10.0.{number}.255", 64500, "Dot") for number in range(200)))
    assert asked(networks_mmdb([good + b"\nnonsense\n1,2,three,four"], 1), "10.0.7.7")[0] is not None
    for table in (b"", b"start,end,asn,name\n" * 5, good + b"\n1.0.0.0,1.0.0.255,13335,Dotted" * 3):
        with pytest.raises(ConvertError, match="rows make no sense"):
            networks_mmdb([table], 1)
    with pytest.raises(ConvertError, match="rows make no sense"):
        networks_mmdb([b"9,5,64500,Backwards"], 1)
    with pytest.raises(ConvertError, match="no range of addresses"):
        networks_mmdb([b"9,%d,64500,Too far" % (1 << 128)], 1)


def test_clouds_answer_with_provider_and_region_the_longest_prefix_first() -> None:
    octets, built = clouds_mmdb(
        clouds(("54.72.0.0/15", 0, "eu-west-1"), ("54.72.1.0/24", 0, "GLOBAL"), ("2a05:d018::/36", 0, "eu-west-1"))
    )
    assert built == 1792977064
    ireland, edge = {"provider": "aws", "region": "eu-west-1"}, {"provider": "aws", "region": "GLOBAL"}
    assert asked(octets, "54.72.0.1", "54.72.1.1", "54.73.0.1", "2a05:d018::1", "54.74.0.1") == [
        ireland, edge, ireland, ireland, None,
    ]  # fmt: skip


def test_of_several_rows_for_a_prefix_the_one_that_names_a_place_answers() -> None:
    rows = [("20.50.0.0/16", 1, None), ("20.50.0.0/16", 1, "westeurope"), ("20.50.0.0/16", 1, "GLOBAL")]
    for turn in range(3):
        octets, _ = clouds_mmdb(clouds(*rows[turn:], *rows[:turn]))
        assert asked(octets, "20.50.1.1") == [{"provider": "azure", "region": "westeurope"}]


def test_a_part_without_a_region_has_that_of_the_whole_if_it_is_the_same_providers() -> None:
    octets, _ = clouds_mmdb(
        clouds(("20.50.0.0/16", 1, "westeurope"), ("20.50.3.0/24", 1, None), ("20.50.4.0/24", 0, None))
    )
    assert asked(octets, "20.50.3.1", "20.50.4.1") == [
        {"provider": "azure", "region": "westeurope"},
        {"provider": "aws"},
    ]


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\xc1", b"hello", bytes(msgpack.packb([1, 2])), bytes(msgpack.packb({"providers": []})),
        clouds(), clouds(("20.50.0.0/16", 7, "x")), clouds(("20.50.0.1/16", 0, "x")), clouds(ranges=5),
        clouds(("20.50.0.0/16", 0, "x"), build_time="soon"), bytes(msgpack.packb({"providers": 1, "ranges": [1]})),
    ],
)  # fmt: skip
def test_what_is_not_the_list_of_clouds_is_refused(octets: bytes) -> None:
    with pytest.raises(ConvertError):
        clouds_mmdb(octets)


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(octets: bytes) -> None:
    for convert in (clouds_mmdb, unpacked, lambda table: networks_mmdb([table], 1)):
        try:
            convert(octets)
        except ConvertError:
            continue


def test_what_unpacks_to_too_much_is_stopped() -> None:
    assert unpacked(gzip.compress(b"x" * 1000), 1000) == b"x" * 1000
    with pytest.raises(ConvertError, match="more than 999 bytes"):
        unpacked(gzip.compress(b"x" * 1000), 999)
    with pytest.raises(ConvertError, match="ends in the middle"):
        unpacked(gzip.compress(b"x" * 1000)[:-9])
    with pytest.raises(ConvertError, match="not a gzip file"):
        unpacked(b"plain")
