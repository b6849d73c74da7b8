from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify.joins import groups
from daemon.identify.vocabulary import OwnerWords, Station
from tests.support.house import DELL, ESPRESSIF, RANDOM, SONOS, station

DUID = "ff:00:00:00:01:00:04:3f:21:5c:77:9e:01:4b:2d:8a:66:10:af:33:52:c1:7d"
OTHER_CARD = "ff:00:00:00:02:00:04:3f:21:5c:77:9e:01:4b:2d:8a:66:10:af:33:52:c1:7d"
DUID6 = "00043f215c779e014b2d8a6610af3352c17d"
MORNING, EVENING = (0, 10), (20, 30)


def joined(
    *stations: Station, words: OwnerWords | None = None, brands: dict[int, str] | None = None
) -> tuple[list[list[int]], list[str]]:
    """MACs of each device, and the sources of its joins."""
    found = groups(stations, words or OwnerWords(), lambda s: (brands or {}).get(s.mac))
    return [[each.mac for each in members] for members, _ in found], [
        join.source for _, joins in found for join in joins
    ]


def named(mac: int, name: str, *more: tuple[str, str, str], seen: tuple[int, int] = MORNING) -> Station:
    return station(mac, ("dhcp", "hostname", name), ("dhcp", "vendor_class", "android-dhcp-13"), *more, seen=seen)


@pytest.mark.parametrize(
    ("one", "other", "source"),
    [
        (("dhcp", "client_id", DUID), ("dhcp", "client_id", DUID), "dhcpv6"),
        (("dhcp", "client_id", DUID), ("dhcp", "client_id", OTHER_CARD), "dhcpv6"),
        (("dhcp", "client_id", DUID), ("dhcpv6", "duid", DUID6), "dhcpv6"),
        (("dhcp", "client_id", "annas-laptop-7"), ("dhcp", "client_id", "annas-laptop-7"), "dhcp"),
        (("mdns", "txt.deviceid", "D4:A3:3D:6B:1E:99"), ("mdns", "txt.deviceid", "d4:a3:3d:6b:1e:99"), "mdns"),
        (("mdns", "txt.id", "6a41ffd4a8c33b3b5018bd0cce4d7b9f"),) * 2 + ("mdns",),
    ],
)
def test_one_identifier_is_one_device(one: tuple[str, str, str], other: tuple[str, str, str], source: str) -> None:
    assert joined(station(DELL, one), station(RANDOM, other)) == ([[DELL, RANDOM]], [source])


@pytest.mark.parametrize(
    "said",
    [
        ("dhcp", "client_id", "01:8c:ec:4b:00:00:e5"),  # a hardware address
        ("dhcpv6", "duid", "000300018cec4b0000e5"),  # likewise
        ("dhcp", "client_id", "localhost"),
        ("dhcp", "client_id", "udhcp"),
        ("mdns", "txt.id", "1"),
        ("mdns", "txt.md", "Google Home Mini"),
        ("dhcp", "hostname", "Galaxy-S21"),
        ("dhcp", "hostname", "iPhone"),
    ],
)
def test_what_many_devices_say_joins_nobody(said: tuple[str, str, str]) -> None:
    assert joined(station(RANDOM, said, seen=MORNING), station(RANDOM + 1, said, seen=EVENING))[1] == []


def test_a_made_up_address_that_changes() -> None:
    phones = [named(RANDOM + day, "Annas-S21", seen=(day * 100, day * 100 + 50)) for day in range(5)]
    assert joined(*phones) == ([[RANDOM + day for day in range(5)]], ["name"] * 4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (named(RANDOM, "Annas-S21", seen=(0, 25)), named(RANDOM + 1, "Annas-S21", seen=EVENING)),  # both were there
        (named(DELL, "Annas-S21"), named(SONOS, "Annas-S21", seen=EVENING)),  # nobody makes up an address
        (named(RANDOM, "Annas-S21"), named(RANDOM + 1, "Bens-S21", seen=EVENING)),
        (
            station(RANDOM, ("dhcp", "hostname", "Anna"), ("dhcp", "vendor_class", "MSFT 5.0"), seen=MORNING),
            station(
                RANDOM + 1, ("dhcp", "hostname", "Anna"), ("dhcp", "vendor_class", "android-dhcp-13"), seen=EVENING
            ),
        ),
        (
            station(RANDOM, ("dhcp", "hostname", "Anna")),
            station(RANDOM + 1, ("dhcp", "hostname", "Anna"), seen=(200, 300)),
        ),
    ],
)
def test_a_name_alone_is_too_little(one: Station, other: Station) -> None:
    assert joined(one, other)[1] == []


def test_a_third_who_was_there_at_the_same_time_shows_that_a_name_is_taken_twice() -> None:
    phones = [named(RANDOM, "Anna-X", seen=MORNING), named(RANDOM + 1, "Anna-X", seen=EVENING)]
    assert joined(*phones)[1] == ["name"]
    assert joined(*phones, named(RANDOM + 2, "Anna-X", seen=(25, 40)))[1] == []


def test_copies_of_a_disk_are_no_device() -> None:
    copies = [station(DELL + number, ("dhcpv6", "duid", DUID6)) for number in range(4)]
    assert joined(*copies)[1] == []
    assert joined(*copies[:3])[1] == ["dhcpv6", "dhcpv6"]
    renamed = [
        station(DELL + n, ("dhcpv6", "duid", DUID6), ("dhcp", "hostname", name))
        for n, name in enumerate(("Anna-1", "Ben-1"))
    ]
    assert joined(*renamed)[1] == []


def test_a_repeater_is_not_the_device_that_it_repeats() -> None:
    said = ("mdns", "txt.deviceid", "D4:A3:3D:6B:1E:99")
    assert joined(station(DELL, said), station(SONOS, said), brands={DELL: "Dell", SONOS: "Sonos"})[1] == []
    assert joined(station(DELL, said), station(SONOS, said), brands={DELL: "Dell"})[1] == ["mdns"]


def test_a_sleep_proxy_is_not_the_sleeper() -> None:
    sleeper = ("mdns", "txt.deviceid", "D4:A3:3D:6B:1E:99")
    proxy = station(SONOS, sleeper, ("mdns", "txt.deviceid", "00:11:32:AA:BB:CC"))
    assert joined(station(DELL, sleeper), proxy)[1] == []


def key(mac: int) -> str:
    return mac.to_bytes(6, "big").hex(":")


def test_the_owner_joins_and_splits() -> None:
    phones = [named(RANDOM + day, "Annas-S21", seen=(day * 100, day * 100 + 50)) for day in range(3)]
    a, b = key(RANDOM), key(RANDOM + 1)
    assert joined(*phones, words=OwnerWords(splits=((a, b),)))[0] == [[RANDOM, RANDOM + 2], [RANDOM + 1]]
    strangers = station(DELL), station(SONOS), station(ESPRESSIF)
    words = OwnerWords(joins=((key(DELL), key(SONOS)), (key(ESPRESSIF), key(SONOS)), (key(DELL), "aa:bb:cc:dd:ee:ff")))
    assert joined(*strangers, words=words)[1] == ["owner", "owner"]


def test_a_split_holds_by_way_of_a_third_and_the_older_join_gives_way() -> None:
    strangers = station(DELL), station(SONOS), station(ESPRESSIF)
    words = OwnerWords(
        joins=((key(DELL), key(SONOS)), (key(ESPRESSIF), key(SONOS))), splits=((key(DELL), key(ESPRESSIF)),)
    )
    together = {frozenset(macs) for macs in joined(*strangers, words=words)[0]}
    assert together == {frozenset({DELL}), frozenset({SONOS, ESPRESSIF})}


HOUSE = (
    named(RANDOM, "Anna-X", seen=MORNING),
    named(RANDOM + 1, "Anna-X", seen=EVENING),
    station(DELL, ("dhcpv6", "duid", DUID6), seen=(5, 9)),
    station(RANDOM + 2, ("dhcp", "client_id", DUID), ("mdns", "txt.id", "AA:BB:CC:00:11:22"), seen=(6, 80)),
    station(SONOS, ("mdns", "txt.id", "AA:BB:CC:00:11:22"), seen=(7, 70)),
)


@given(st.permutations(HOUSE), st.sets(st.sampled_from([(0, 1), (2, 3), (2, 4), (3, 4)])))
def test_order_does_not_matter(stations: Sequence[Station], apart: set[tuple[int, int]]) -> None:
    words = OwnerWords(splits=tuple(sorted((HOUSE[a].key, HOUSE[b].key) for a, b in apart)))
    found = groups(stations, words, lambda _: None)
    assert found == groups(HOUSE, words, lambda _: None)
    assert sorted(each.mac for members, _ in found for each in members) == sorted(each.mac for each in HOUSE)
    for members, _ in found:
        keys = {each.key for each in members}
        assert not any(a in keys and b in keys for a, b in words.splits)
