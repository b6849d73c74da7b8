"""What devices are, from captures to the views, and what that makes of their destinations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.ingest.houses import CDN, MINUTE, OTHER, SIX, home, names, rows
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, lookup, talk, write
from tests.support.compare import same
from tests.support.importing import homeport, imported
from tests.support.packets import HOST, HOST_MAC, START_US

MONTH = 31 * DAY


def visits(at: int, *domains: str, mac: str = HOST_MAC, client: str = HOST, reply: int = 3000) -> list[Frame]:
    """A connection to each of these names, each to an address of its own."""
    frames: list[Frame] = []
    for number, domain in enumerate(domains):
        frames += talk(
            at + number * SECOND, domain, client=client, mac=mac, server=f"198.51.100.{100 + number}",
            port=42000 + number, reply=reply,
        )  # fmt: skip
    return frames


def parties(database: Path) -> list[tuple[str, str, str]]:
    """(month, domain, party)."""
    return rows(
        database,
        "SELECT month, domain, party FROM destinations WHERE domain IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2",
    )


def said(database: Path, *words: str) -> None:
    assert homeport("devices", *words, "--db", database, "--owner", database.with_name("owner.db")) == 0


# --- what traffic tells


def test_the_maker_whose_domains_dominate_is_the_vendor(tmp_path: Path) -> None:
    """Nothing else tells who made it; what it says to its maker is then first."""
    database = home(tmp_path, visits(START_US, "mqtt-eu-2.roborock.com", "api-eu.roborock.com", "www.wikipedia.org"))
    assert rows(database, "SELECT vendor, name, name_source FROM devices") == [
        ("Roborock", "Roborock robot", "traffic"),
    ]
    assert rows(database, "SELECT about, source FROM device_reasons WHERE about = 'vendor'") == [("vendor", "traffic")]
    assert [(domain, party) for _, domain, party in parties(database)] == [
        ("api-eu.roborock.com", "first"), ("mqtt-eu-2.roborock.com", "first"), ("www.wikipedia.org", "third"),
    ]  # fmt: skip


def test_two_makers_that_share_the_traffic_are_none(tmp_path: Path) -> None:
    database = home(tmp_path, visits(START_US, "api.sonos.com", "api.roborock.com"))
    assert rows(database, "SELECT vendor FROM devices") == [(None,)]
    assert {party for _, _, party in parties(database)} == {"unknown"}


def test_people_visit_makers_without_becoming_their_devices(tmp_path: Path) -> None:
    """A telephone by its name; that it talks to Sonos alone makes it no Sonos."""
    scene = visits(START_US, "api.sonos.com", reply=30_000)
    database = home(tmp_path, [dhcp_request(START_US - 1, "Annas-iPhone")], scene)
    assert rows(database, "SELECT vendor, kind FROM devices") == [("Apple", "phone")]
    assert [party for _, _, party in parties(database)] == ["third"]


def test_of_a_telephone_the_maker_of_the_system_is_first_too(tmp_path: Path) -> None:
    scene = visits(START_US, "play.googleapis.com", "api.samsungcloud.com", "api.sonos.com")
    database = home(tmp_path, [dhcp_request(START_US - 1, "Galaxy-S21")], scene)
    assert rows(database, "SELECT vendor, kind, system FROM devices") == [("Samsung", "phone", "android")]
    found = rows(database, "SELECT domain, party, rule_id FROM destinations WHERE domain IS NOT NULL ORDER BY domain")
    assert found == [
        ("api.samsungcloud.com", "first", "own-service"),
        ("api.sonos.com", "third", "other-maker"),
        ("play.googleapis.com", "first", "system-maker"),
    ]


# --- what the owner says


def test_two_stations_that_the_owner_joins_share_answers_and_destinations(tmp_path: Path) -> None:
    """A laptop at its cable and in the air: what one card asked for, the other may use as its own."""
    path = write(
        tmp_path / "home.pcap",
        lookup(START_US, "own.example", CDN),
        lookup(START_US + MINUTE, "house.example", CDN, client="192.168.1.12", mac="02:00:00:00:00:12"),
        talk(START_US + 2 * MINUTE, client=TABLET, mac=TABLET_MAC, server=CDN),
        talk(START_US + 3 * MINUTE, "same.example", server=OTHER, port=40002),
        talk(START_US + 4 * MINUTE, "same.example", client=TABLET, mac=TABLET_MAC, server=OTHER, port=40003),
    )
    database = imported(tmp_path / "h.db", path)
    assert names(database)[0] == ("house.example", "house")
    shared = "SELECT count(*), sum(flows) FROM destinations WHERE domain = 'same.example'"
    assert rows(database, shared) == [(2, 2)]
    apart = imported(tmp_path / "apart.db", path)

    said(database, "join", HOST_MAC, TABLET_MAC)
    assert names(database)[0] == ("own.example", "dns")
    assert rows(database, shared) == [(1, 2)]
    assert rows(database, "SELECT count(*) FROM devices") == [(2,)]

    said(database, "split", HOST_MAC, TABLET_MAC)
    assert same(apart, database) == []


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        (("name", HOST_MAC, "Kitchen Sonos"), "unknown", "first"),
        (("name", HOST_MAC, "Kitchen"), "unknown", "unknown"),
    ],
    ids=["a-name-with-a-brand", "a-name-without"],
)
def test_what_the_owner_says_counts_for_all_months(
    tmp_path: Path, words: tuple[str, ...], before: str, after: str
) -> None:
    database = home(
        tmp_path, *[visits(START_US + month * MONTH, "ws.sonos.com", "api.roborock.com") for month in range(3)]
    )
    sonos = [party for _, domain, party in parties(database) if domain == "ws.sonos.com"]
    assert sonos == [before] * 3
    fresh = imported(tmp_path / "fresh.db", tmp_path / "home.pcap")
    said(database, *words)
    assert [party for _, domain, party in parties(database) if domain == "ws.sonos.com"] == [after] * 3
    said(database, words[0], words[1], "--clear")
    assert same(fresh, database) == []


def test_the_kind_that_the_owner_gives_makes_it_a_device_of_people(tmp_path: Path) -> None:
    database = home(tmp_path, [dhcp_request(START_US, "tablet-of-mum")], visits(START_US, "play.googleapis.com"))
    said(database, "kind", HOST_MAC, "tablet")
    assert rows(database, "SELECT kind FROM devices WHERE name = 'tablet-of-mum'") == [("tablet",)]
    reasons = rows(database, "SELECT source, detail FROM device_reasons WHERE about = 'kind'")
    assert reasons == [("owner", "the owner said so")]


def test_words_said_before_an_import_count_at_once(tmp_path: Path) -> None:
    scene = visits(START_US, "ws.sonos.com", "api.roborock.com")
    first = imported(tmp_path / "h.db", write(tmp_path / "one.pcap", scene))
    said(first, "name", HOST_MAC, "Kitchen Sonos")
    later = write(tmp_path / "two.pcap", visits(START_US + MONTH, "ws.sonos.com"))
    assert homeport("import", later, "--db", first) == 0
    assert {party for _, domain, party in parties(first) if domain == "ws.sonos.com"} >= {"first"}


def test_ipv6_and_ipv4_of_one_card_are_one_device(tmp_path: Path) -> None:
    database = home(
        tmp_path,
        lookup(START_US, "own.example", SIX),
        talk(START_US + SECOND, client="fd00::10", server=SIX),
    )
    assert names(database) == [("own.example", "dns")]
    addresses = "SELECT address FROM device_addresses JOIN devices USING (device_id) WHERE mac = '02:00:00:00:00:10'"
    assert sorted(rows(database, addresses)) == [("192.168.1.10",), ("fd00::10",)]
