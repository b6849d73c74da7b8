"""The clouds that come with Homeport: the table of them against a database of the same ranges, read by maxminddb."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.data.cloud_build import pack
from appliance.data.mmdb import Record, layered, prefix_range
from daemon.classify.address_files import Address, AddressFiles, AddressRow
from daemon.classify.clouds import FILE, CloudTable, open_clouds
from daemon.classify.place import Atlas
from daemon.store.atlas_files import open_address_file, with_our_clouds
from tests.support.atlas import BUILT, mmdb

IRELAND: Record = {"provider": "aws", "region": "eu-west-1"}
PREFIXES: dict[str, Record] = {
    "0.0.0.0/32": {"provider": "first"},
    "54.72.0.0/15": IRELAND,
    "54.72.1.0/24": {"provider": "azure", "region": "westeurope"},
    "54.74.0.0/16": IRELAND,
    "255.255.255.0/24": {"provider": "last"},
    "2a05:d018::/36": IRELAND,
    "2a05:d018::1/128": {"provider": "gcp"},
    "ffff::/16": {"provider": "last"},
}


def packed(prefixes: dict[str, Record]) -> bytes:
    ranges = [prefix_range(ip_network(prefix), record) for prefix, record in prefixes.items()]
    ranges.sort(key=lambda found: (found.first, -found.last))
    return pack(layered(ranges), BUILT)


def test_the_longest_prefix_answers_in_both_versions() -> None:
    table = CloudTable(packed(PREFIXES))
    assert table.built == BUILT
    assert table.find(ip_address("54.73.255.255")) == AddressRow(provider="aws", region="eu-west-1")
    assert table.find(ip_address("54.72.1.9")) == AddressRow(provider="azure", region="westeurope")
    assert table.find(ip_address("2a05:d018::1")) == AddressRow(provider="gcp")
    assert table.find(ip_address("54.71.255.255")) is None
    assert table.find(ip_address("2a05:d018:f000:ffff::")) is None
    assert CloudTable(packed({})).find(ip_address("54.72.0.1")) is None


def near(prefix: str) -> st.SearchStrategy[Address]:
    """Addresses of a prefix, and those beside it."""
    network = ip_network(prefix)
    first, last = int(network.network_address), int(network.broadcast_address)
    kind = IPv4Address if network.version == 4 else IPv6Address
    return st.integers(max(first - 2, 0), min(last + 2, (1 << network.max_prefixlen) - 1)).map(kind)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kept=st.sets(st.sampled_from(sorted(PREFIXES)), min_size=1),
    asked=st.lists(st.one_of(st.ip_addresses(), *map(near, PREFIXES)), max_size=20),
)
def test_it_answers_as_a_database_of_the_same_ranges(tmp_path: Path, kept: set[str], asked: list[Address]) -> None:
    prefixes = {prefix: PREFIXES[prefix] for prefix in kept}
    (tmp_path / "cloud.mmdb").write_bytes(mmdb(prefixes, "Homeport-Cloud"))
    database = open_address_file(tmp_path / "cloud.mmdb")
    table = CloudTable(packed(prefixes))
    assert [table.find(address) for address in asked] == [database.find(address) for address in asked]


@pytest.mark.skipif(not FILE.exists(), reason="the table of clouds was not made: `make setup` makes it")
def test_the_table_that_comes_with_homeport_knows_a_well_known_address() -> None:
    place = Atlas(with_our_clouds(AddressFiles())).look_up("52.95.112.1")
    assert place is not None
    assert (place.provider, place.confidence) == ("aws", "high")


def test_what_was_fetched_is_newer_than_what_came_along(tmp_path: Path) -> None:
    (tmp_path / "clouds.bin").write_bytes(packed(PREFIXES))
    (tmp_path / "cloud.mmdb").write_bytes(mmdb({"54.72.0.0/15": IRELAND}, "Homeport-Cloud"))
    fetched = AddressFiles((open_address_file(tmp_path / "cloud.mmdb"),))
    assert with_our_clouds(fetched, tmp_path / "clouds.bin") is fetched
    (ours,) = with_our_clouds(AddressFiles(), tmp_path / "clouds.bin").usable
    assert (ours.kind, ours.built) == ("cloud", BUILT)


def test_without_the_table_nothing_is_known_and_a_damaged_one_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "clouds.bin"
    assert open_clouds(path) is None
    assert with_our_clouds(AddressFiles(), path) == AddressFiles()
    whole = packed(PREFIXES)
    for cut in (0, 1, 8, 20, 30, len(whole) - 1):
        path.write_bytes(whole[:cut])
        (refused,) = with_our_clouds(AddressFiles(), path).refused
        assert refused.path == path
        assert refused.reason
    path.write_bytes(b"x" * len(whole))
    assert with_our_clouds(AddressFiles(), path).refused[0].reason == "not a table of clouds"
