from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from daemon.identify.devices import identify
from daemon.identify.vocabulary import Device, Hint, OwnerWords, Station
from tests.support.house import APPLE, DELL, ESPRESSIF, HUE, RANDOM, SONOS, makers, station

NOBODY = OwnerWords()
DUID6 = ("dhcpv6", "duid", "00043f215c779e014b2d8a6610af3352c17d")


def only(found: Sequence[Device]) -> Device:
    (device,) = found
    return device


def test_a_bridge_is_recognised() -> None:
    device = only(identify([station(HUE, ("dhcp", "hostname", "Philips-hue"))], NOBODY, makers()))
    assert (device.name, device.name_source) == ("Philips-hue", "dhcp")
    assert (device.vendor, device.model, device.kind, device.mac_random) == ("Philips Hue", "Bridge", "hub", False)
    reasons = {each.about: each.detail for each in reversed(device.evidence)}
    assert reasons["name"] == "it asked for an address under the name “Philips-hue” (DHCP)"
    assert reasons["vendor"] == "its hardware address is one of Signify B.V."


def test_without_the_registry_devices_tell_what_they_can() -> None:
    bridge, silent = identify([station(HUE, ("mdns", "txt.md", "BSB002")), station(SONOS)], NOBODY, None)
    assert (bridge.vendor, bridge.name) == ("Philips Hue", "Philips Hue Bridge")
    assert (silent.vendor, silent.name, silent.kind, silent.evidence) == (None, None, None, ())


def test_a_module_is_named_by_nobody() -> None:
    device = only(identify([station(ESPRESSIF, ("dhcp", "hostname", "ESP_0000C3"))], NOBODY, makers()))
    assert (device.name, device.vendor) == (None, None)
    assert "Espressif" in device.evidence[0].detail


def test_a_made_up_address_has_no_maker_and_is_shown_as_such() -> None:
    device = only(identify([station(RANDOM)], NOBODY, makers()))
    assert (device.mac_random, device.vendor, device.name) == (True, None, None)


def test_stations_without_hardware_address() -> None:
    hint = Hint("http", "user_agent", "Dalvik/1.6.0 (Linux; U; Android 4.4.4; MI 3W MIUI/V6)", 0, 0)
    device = only(identify([Station(7, -1, "10.24.82.188", 0, 1, hints=(hint,))], NOBODY, makers()))
    assert (device.stations, device.name, device.kind, device.mac_random) == ((7,), "Xiaomi MI 3W", "phone", None)


def test_names_that_we_made_up_are_told_apart() -> None:
    found = identify([station(SONOS), station(SONOS + 1), station(HUE)], NOBODY, makers())
    assert sorted(str(device.name) for device in found) == [
        "Philips Hue hub",
        "Sonos speaker (00:b2)",
        "Sonos speaker (00:b3)",
    ]
    far = identify([station(SONOS), station(SONOS + (1 << 16))], NOBODY, makers())
    assert [device.name for device in far] == ["Sonos speaker (00:00:b2)", "Sonos speaker (01:00:b2)"]


def test_several_stations_are_one_device() -> None:
    wired, wireless = (
        station(DELL, DUID6, seen=(5, 9)),
        station(RANDOM, DUID6, ("netbios", "name", "ANNA-NB"), seen=(2, 3)),
    )
    device = only(identify([wired, wireless], NOBODY, makers()))
    assert device.stations == (wireless.station_id, wired.station_id)
    assert (device.name, device.vendor, device.mac_random) == ("ANNA-NB", "Dell", True)
    join = next(each for each in device.evidence if each.about == "join")
    assert join.value == f"{wireless.key} {wired.key}"
    assert "identifier" in join.detail


def test_the_owners_words_hold_for_the_whole_device() -> None:
    wired, wireless = station(DELL, DUID6, seen=(5, 9)), station(RANDOM, DUID6, seen=(2, 3))
    words = OwnerWords(
        names={wired.key: "Büro", "00:00:00:00:00:01": "Gone"},
        owners={wireless.key: "Anna"},
        rooms={wired.key: "Study"},
        kinds={wireless.key: "nas"},
    )
    device = only(identify([wired, wireless], words, makers()))
    assert (device.name, device.name_source, device.owner, device.room) == ("Büro", "owner", "Anna", "Study")
    assert device.kind == "nas"
    assert ("kind", "nas", "owner") in {each[:3] for each in device.evidence}


def test_of_two_words_the_last_counts() -> None:
    one, other = station(DELL, DUID6), station(RANDOM, DUID6, seen=(2, 3))
    for first, second in ((one, other), (other, one)):
        words = OwnerWords(names={first.key: "Old", second.key: "New"})
        assert only(identify([one, other], words, makers())).name == "New"


def test_the_folder_names_its_device() -> None:
    device = only(identify([station(SONOS, ("dhcp", "hostname", "SonosZP"), folder="kitchen-sonos")], NOBODY, makers()))
    assert (device.name, device.name_source, device.vendor) == ("kitchen-sonos", "folder", "Sonos")


def test_the_owner_takes_a_device_apart() -> None:
    one, other = station(DELL, DUID6), station(RANDOM, DUID6, seen=(2, 3))
    words = OwnerWords(splits=((one.key, other.key),))
    assert [device.stations for device in identify([one, other], words, makers())] == [
        (one.station_id,),
        (other.station_id,),
    ]


HOUSE = (
    station(HUE, ("dhcp", "hostname", "Philips-hue"), ("mdns", "txt.md", "BSB002"), seen=(3, 4)),
    station(SONOS, seen=(1, 9)),
    station(SONOS + 1, seen=(1, 9)),
    station(APPLE, ("mdns", "instance", "anna's imac"), ("mdns", "hostname", "annas-imac"), seen=(4, 5)),
    station(DELL, DUID6, ("dhcp", "hostname", "ANNA-NB"), seen=(7, 8)),
    station(RANDOM, DUID6, ("dhcp", "hostname", "ANNA-NB"), seen=(2, 3)),
)


@given(st.permutations(HOUSE))
def test_order_does_not_matter(stations: Sequence[Station]) -> None:
    turned = [
        Station(s.station_id, s.mac, s.address, s.first_us, s.last_us, s.addresses, s.hints[::-1], s.makers, s.folder)
        for s in stations
    ]
    assert identify(turned, NOBODY, makers()) == identify(HOUSE, NOBODY, makers())
