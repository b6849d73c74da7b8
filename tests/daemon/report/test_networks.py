"""In whose networks the computers are that devices talk to at night, as the lists of the box say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.classify.place import Atlas, Place
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.report import night
from daemon.store.atlas_files import open_atlas
from tests.support.asking import asked
from tests.support.atlas import mmdb
from tests.support.twomonths import APRIL, JUNE, MAY, META, NETFLIX, SCRIPT, UNNAMED, home

NETWORKS = {  # prefix -> number and name
    "45.57.0.0/16": (2906, "Netflix Streaming Services"),
    "31.13.64.0/24": (32934, "Facebook, Inc."),
    "103.6.84.0/24": (64500, "=cmd()"),
    "46.11.0.0/16": (12709, "Melita"),
}
House = tuple[Path, Atlas]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    database, _ = home(tmp_path_factory.mktemp("networks"))
    data = database.parent / "data"
    records = {
        prefix: {"autonomous_system_number": number, "autonomous_system_organization": name}
        for prefix, (number, name) in NETWORKS.items()
    }
    (data / "asn.mmdb").write_bytes(mmdb(records, "asn ipvAll"))
    relabel_site(database, None, "home", Knowledge(data=data, zone="UTC"))
    return database, open_atlas(data)


def _nights(
    house: House, locate: Callable[[str], Place | None], since_us: int = MAY, until_us: int = JUNE
) -> set[tuple[object, ...]]:
    """(device's data, destination, number, name of the network)"""
    with asked(house[0], since_us, until_us) as scope:
        report = night.report(replace(scope, locate=locate))
        rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
    return {(row["device"], row["destination"], row["asn"], row["network"]) for row in rows}


def test_nights_say_in_whose_network(house: House) -> None:
    assert _nights(house, house[1].look_up) == {
        ("adas-laptop", "www.netflix.com", "AS2906", "Netflix Streaming Services"),
        ("bobs-tablet", "www.netflix.com", "AS12709", "Melita"),
        ("bobs-tablet", "graph.facebook.com", "AS32934", "Facebook, Inc."),
        ("adas-laptop", UNNAMED, "AS64500", "=cmd()"),
        ("adas-laptop", "<script>alert(1)</script>.example", None, None),
    }
    assert {row[1:] for row in _nights(house, house[1].look_up, APRIL, MAY)} == {
        ("www.netflix.com", "AS2906", "Netflix Streaming Services"), ("www.netflix.com", "AS12709", "Melita"),
    }, "also of months whose single days are gone"  # fmt: skip


def test_a_name_is_looked_up_once_a_network(house: House) -> None:
    looked: list[str] = []

    def locate(address: str) -> Place | None:
        looked.append(address)
        return house[1].look_up(address)

    _nights(house, locate)
    assert sorted(looked) == sorted({*NETFLIX, META, UNNAMED}), f"{SCRIPT} is in no network that the box knows"


def test_a_list_that_changed_since_names_nothing_wrong(house: House) -> None:
    """The verdict says the network of its time; a newer list that puts the address elsewhere has no name for that one."""
    found = _nights(house, lambda _: Place(asn=1, as_name="Somebody else"))
    assert {row[2] for row in found} == {"AS2906", "AS12709", "AS32934", "AS64500", None}
    assert {row[3] for row in found} == {None}
