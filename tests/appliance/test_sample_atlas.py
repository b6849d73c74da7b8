from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from appliance.sample.atlas import NETWORKS, write_atlas
from appliance.sample.places import OPERATORS, PLACES, addresses
from daemon.store.atlas_files import open_atlas


def test_every_address_of_the_sample_home_has_a_country_and_a_network(tmp_path: Path) -> None:
    write_atlas(tmp_path / "data")
    atlas = open_atlas(tmp_path / "data")
    assert atlas.problems == []
    for place in PLACES.values():
        for packed in (*addresses(place, 4), *addresses(place, 6)):
            found = atlas.look_up(str(ip_address(packed)))
            assert found is not None, place.name
            network = NETWORKS[place.operator]
            assert (found.country, found.asn) == (network.country, network.asn), place.name
            assert found.latitude is not None


def test_it_is_small_and_always_the_same(tmp_path: Path) -> None:
    first, second = write_atlas(tmp_path / "a"), write_atlas(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert sum(path.stat().st_size for path in first) < 50_000


def test_it_knows_every_operator() -> None:
    assert set(NETWORKS) == set(OPERATORS)


def test_all_three_confidences_are_there_to_be_seen(tmp_path: Path) -> None:
    write_atlas(tmp_path)
    atlas = open_atlas(tmp_path)
    found = {
        place.confidence
        for operator in OPERATORS.values()
        if (place := atlas.look_up(operator.blocks4[0].partition("/")[0]))
    }
    assert found == {"high", "medium", "low"}
