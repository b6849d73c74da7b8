"""Brand, model, kind and system; with the tables of products, kinds and systems that they rest on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify import kinds, products
from daemon.identify.clues import MOST, gather
from daemon.identify.models import Hardware, Traits, tell
from daemon.identify.systems import SYSTEMS, by_parameters
from daemon.identify.vendors import judge
from daemon.identify.vocabulary import Hint


def told(
    *said: tuple[str, str, str],
    makers: tuple[str, ...] = (),
    random: bool = False,
    traffic: tuple[tuple[str, int], ...] = (),
) -> Traits:
    clues = gather([Hint(*each, 0, number) for number, each in enumerate(said)])
    return tell(clues, Hardware(tuple([judge(maker) for maker in makers]), random), traffic)


DALVIK = "Dalvik/2.1.0 (Linux; U; Android 5.1.1; {} Build/LMY47V)"


@pytest.mark.parametrize(
    ("said", "traits"),
    [
        (("mdns", "txt.md", "BSB002"), ("Philips Hue", "Bridge", "hub", None)),
        (("mdns", "txt.am", "AudioAccessory1,1"), ("Apple", "HomePod", "voice-assistant", "tvos")),
        (("mdns", "txt.model", "MacBookPro14,2"), ("Apple", "MacBook Pro", "computer", "macos")),
        (("mdns", "txt.md", "Google Home Mini"), ("Google", "Home Mini", "voice-assistant", None)),
        (("mdns", "txt.ty", "Brother MFC-L2710DW series"), ("Brother", "MFC-L2710DW", "printer", None)),
        (("mdns", "txt.md", "Frobnicator 9"), (None, "Frobnicator 9", None, None)),
        (("mdns", "txt.manufacturer", "TP-LINK"), ("TP-Link", None, None, None)),
        (("mdns", "txt.ci", "5"), (None, None, "bulb", None)),
        (("mdns", "service", "_ipp._tcp"), (None, None, "printer", None)),
        (("ssdp", "nt", "urn:Belkin:device:insight:1"), ("Belkin", "Wemo Insight", "plug", None)),
        (("ssdp", "nt", "urn:schemas-upnp-org:device:InternetGatewayDevice:1"), (None, None, "router", None)),
        (("ssdp", "usn", "uuid:RINCON_347E5CFFA26E01400::upnp:rootdevice"), ("Sonos", None, "speaker", None)),
        (("ssdp", "server", "Linux/3.14.0 UPnP/1.0 IpBridge/1.9.0"), ("Philips Hue", "Bridge", "hub", None)),
        (("http", "user_agent", DALVIK.format("SM-N7505")), ("Samsung", "SM-N7505", "phone", "android")),
        (("http", "user_agent", DALVIK.format("AFTT")), ("Amazon", "Fire TV", "tv", "fireos")),
        (("http", "user_agent", DALVIK.format("AEORK")), ("Amazon", "Echo Spot", "voice-assistant", "fireos")),
        (("http", "user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64)"), (None, None, "computer", "windows")),
        (("http", "user_agent", "Roku/DVP-9.10 (519.10E04111A)"), ("Roku", None, "tv", "roku")),
        (("dhcp", "hostname", "TIZEN"), ("Samsung", None, None, "tizen")),
        (("dhcp", "hostname", "Lucas-iMac"), ("Apple", "iMac", "computer", "macos")),
        (("dhcp", "hostname", "HS110"), ("TP-Link", "HS110", "plug", None)),
        (("dhcp", "vendor_class", "MSFT 5.0"), (None, None, "computer", "windows")),
        (("dhcp", "vendor_class", "android-dhcp-13"), (None, None, None, "android")),
        (("dhcp", "parameter_list", "1,121,3,6,15,119,252,95,44,46"), ("Apple", None, "computer", "macos")),
        (("dhcp", "parameter_list", "1,121,3,6,15,108,114,119,252"), ("Apple", None, None, "ios")),
        (("dhcp", "parameter_list", "1,3,6,12,15,28,42"), (None, None, None, None)),
        (("dhcpv6", "fqdn", "NPI1A2B3C.lan"), ("HP", None, "printer", None)),
    ],
)
def test_what_one_word_tells(said: tuple[str, str, str], traits: tuple[str | None, ...]) -> None:
    found = told(said)
    assert (found.vendor, found.model, found.kind, found.system) == traits
    values = {(each.about, each.value) for each in found.evidence}
    about = ("vendor", "model", "kind", "system")
    assert values >= {(word, value) for word, value in zip(about, traits, strict=True) if value}
    assert all(each.source in said[0] or each.source == "vendor" for each in found.evidence)


def test_the_hardware_address_of_a_brand() -> None:
    found = told(makers=("Sonos, Inc.",))
    assert (found.vendor, found.kind, found.source("vendor")) == ("Sonos", "speaker", "oui")
    assert told(makers=("LG Electronics (Mobile Communications)",)).kind == "phone"


def test_a_maker_of_parts_is_no_brand() -> None:
    found = told(makers=("Espressif Inc.",))
    assert found.vendor is None
    assert [(each.about, each.value) for each in found.evidence] == [("parts", "Espressif Inc.")]


def test_words_that_tell_the_model_count_more_than_the_hardware_address() -> None:
    assert told(("mdns", "txt.md", "BSB002"), makers=("Dell Inc.",)).vendor == "Philips Hue"
    assert told(("dhcp", "hostname", "Philips-hue"), makers=("Dell Inc.",)).vendor == "Dell"


def test_a_product_of_another_brand_tells_nothing() -> None:
    found = told(("http", "user_agent", DALVIK.format("SM-N7505")), makers=("Sonos, Inc.",))
    assert (found.vendor, found.model, found.kind, found.system) == ("Sonos", None, "speaker", None)
    nest = told(("mdns", "txt.md", "Google Home Mini"), makers=("Nest Labs Inc.",))
    assert (nest.vendor, nest.kind) == ("Google", "voice-assistant")


def test_the_maker_whose_own_servers_dominate() -> None:
    traffic = ("Fitbit", 9_000), ("Amazon", 1_000)
    found = told(makers=("Delta Electronics",), traffic=traffic)
    assert (found.vendor, found.kind, found.source("vendor")) == ("Fitbit", "health", "traffic")
    assert "90 %" in next(each.detail for each in found.evidence if each.about == "vendor")
    assert told(traffic=(("Fitbit", 5_000), ("Amazon", 5_000))).vendor is None
    assert told(traffic=(("Fitbit", 900),)).vendor is None
    assert told(makers=("Sonos, Inc.",), traffic=traffic).vendor == "Sonos"


def test_people_visit_every_maker() -> None:
    assert told(("dhcp", "vendor_class", "MSFT 5.0"), traffic=(("Apple", 90_000),)).vendor is None
    assert told(("dhcp", "vendor_class", "android-dhcp-13"), random=True, traffic=(("Apple", 90_000),)).vendor is None


def test_who_makes_up_its_address_and_runs_a_telephones_system_is_a_telephone() -> None:
    assert told(("dhcp", "vendor_class", "android-dhcp-13"), random=True).kind == "phone"
    assert told(("dhcp", "parameter_list", "1,121,3,6,15,119,252"), random=True).kind == "phone"
    assert told(("dhcp", "vendor_class", "android-dhcp-13")).kind is None  # may be a television


def test_order_of_hints_does_not_matter() -> None:
    words = [
        ("dhcp", "hostname", "Google-Home-Mini"),
        ("mdns", "txt.md", "Google Home Mini"),
        ("http", "user_agent", "Mozilla/5.0 (Windows NT 10.0)"),
        ("ssdp", "server", "Linux/3.14.0 UPnP/1.0 IpBridge/1.9.0"),
    ]
    hints = [Hint(*word, 0, 5) for word in words]
    one, other = ([tell(gather(order), Hardware((), random=False), ())] for order in (hints, hints[::-1]))
    assert one == other


def test_who_says_ever_new_things_is_heard_for_the_latest() -> None:
    hints = [Hint("http", "user_agent", f"agent {number}", 0, number) for number in range(1000)]
    clues = gather(hints)
    assert len(clues) == MOST
    assert clues[0].text == "agent 999"


@given(st.sampled_from(sorted(products.PRODUCTS)), st.text(max_size=300))
def test_any_words_may_be_said(where: str, text: str) -> None:
    products.recognise(where, text)
    by_parameters(text)


def test_the_tables_use_one_vocabulary() -> None:
    rows = [row for table in products.PRODUCTS.values() for row in table]
    assert {row.kind for row in rows if row.kind} <= set(kinds.KINDS)
    assert {row.system for row in rows if row.system} <= set(SYSTEMS)
    tables = (kinds.CATEGORIES, kinds.SERVICES, kinds.DEVICE_TYPES, kinds.BRANDS, dict(kinds.REGISTERED))
    assert {kind for table in tables for kind in table.values()} <= set(kinds.KINDS)
    assert {*kinds.PEOPLE, *kinds.NOUNS} <= set(kinds.KINDS)
    for row in rows:
        assert row.brand is None or judge(row.brand).brand == row.brand, row
