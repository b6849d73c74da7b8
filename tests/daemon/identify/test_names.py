from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify.models import Traits
from daemon.identify.names import GIVEN, NOTHING, PRODUCT, Name, by_traits, candidates, choose, evidence, worth
from daemon.identify.vocabulary import Hint

MAC = 0x8418267B5F6B
NO_TRAITS = Traits(None, None, None, None, ())


def said(*words: tuple[str, str, str]) -> list[Hint]:
    return [Hint(*each, 0, number) for number, each in enumerate(words)]


def best(*words: tuple[str, str, str], mac: int = MAC) -> tuple[str, str] | None:
    chosen = choose(None, None, candidates(said(*words), (mac,)), NO_TRAITS)
    return chosen and (chosen.text, chosen.source)


@pytest.mark.parametrize(
    "text",
    [
        "Lucas-iMac",
        "iPhonediMonica",
        "Annas-S21",
        "Living-Room",
        "Peters MacBook Pro",
        "User-PC",
        "MK03862",
        "Küche",
        "厨房",
    ],
)
def test_names_that_people_give(text: str) -> None:
    assert worth(text, (MAC,)) == GIVEN


@pytest.mark.parametrize(
    "text",
    [
        *(
            "iPhone",
            "iPhone-2",
            "MacBook Pro (2)",
            "Galaxy-S21",
            "Galaxy-S21-Ultra",
            "Wii",
            "HS100(EU)",
            "DCH-G020",
            "wemo",
        ),
        *("Philips-hue", "Google-Home-Mini", "RokuPremiere", "raspberrypi", "DESKTOP-M3JAMSQ", "Lightify-7B5F6B"),
        "google-home-mini-6a41ffd4a8c33b3b5018bd0cce4d7b9f",
    ],
)
def test_names_that_products_come_with(text: str) -> None:
    assert worth(text, (MAC,)) == PRODUCT


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "x",
            "localhost",
            "Unknown",
            "(none)",
            "PC",
            "android",
            "TIZEN",
            "OpenWrt",
            "ESP_3F2A1B",
            "espressif",
        ),
        *("android-1c1335ec95a27318", "amazon-21fd89334", "8fd12edd2dc1462", "AMC020SC43PJ749D66", "84:18:26:7b:5f:6b"),
        *("6a41ffd4-a8c3-3b3b-5018-bd0cce4d7b9f", "8418267b5f6b", "8418267b5f6b-0", "esp-7B5F6B", "GainSpan7b5f6b"),
        *("192.168.1.7", "client-192-168-1-7", "12", "camera-7b5f6b"),
    ],
)
def test_names_that_name_nothing(text: str) -> None:
    assert worth(text, (MAC,)) == NOTHING


def test_the_order_of_evidence() -> None:
    words = [
        ("netbios", "name", "ANNA-NB"),
        ("ssdp", "friendly_name", "Anna by SSDP"),
        ("mdns", "instance", "anna by the bed"),
        ("mdns", "txt.fn", "Anna by fn"),
        ("dhcpv6", "fqdn", "Anna6.lan"),
        ("dhcp", "client_id", "Anna by id"),
        ("dhcp", "fqdn", "Anna4.lan"),
        ("dhcp", "hostname", "Annas-Laptop"),
    ]
    expected = [
        "Annas-Laptop",
        "Anna4",
        "Anna by id",
        "Anna6",
        "Anna by fn",
        "Anna by the Bed",
        "Anna by SSDP",
        "ANNA-NB",
    ]
    while words:
        found = best(*words)
        assert found is not None
        assert found[0] == expected.pop(0)
        words.pop()


def test_owner_and_folder_come_before_all() -> None:
    found = candidates(said(("dhcp", "hostname", "Annas-Laptop")), (MAC,))
    assert choose("Mine", "tree", found, NO_TRAITS) == Name("Mine", "owner", "the owner called it so")
    assert choose(None, "tree", found, NO_TRAITS) == Name(
        "tree", "folder", "its captures were imported as those of “tree”"
    )


def test_a_given_name_is_better_than_one_that_the_product_came_with() -> None:
    words = ("dhcp", "hostname", "Google-Home-Mini"), ("mdns", "txt.fn", "Family Room speaker")
    assert best(*words) == ("Family Room speaker", "mdns")
    assert best(*words[:1]) == ("Google-Home-Mini", "dhcp")
    assert best(("dhcp", "hostname", "DCH-G020"), ("mdns", "hostname", "dchg")) == ("DCH-G020", "dhcp")


def test_the_latest_of_several() -> None:
    assert best(("dhcp", "hostname", "Old-Name"), ("dhcp", "hostname", "New-Name")) == ("New-Name", "dhcp")


def test_bytes_of_a_client_identifier_are_no_name() -> None:
    assert best(("dhcp", "client_id", "ff:12:34:56:78:00:04:aa:bb:cc:dd:ee:ff")) is None


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((("mdns", "instance", "living room"), ("mdns", "txt.md", "Living-Room")), "Living Room"),
        ((("mdns", "instance", "john’s imac"),), "John’s iMac"),  # noqa: RUF001  # as Apple's devices write it
        ((("mdns", "hostname", "martins-iphone"),), "Martins-iPhone"),
        ((("mdns", "hostname", "desktop-m3jamsq"),), "DESKTOP-M3JAMSQ"),
        ((("mdns", "instance", "fernseher im wohnzimmer"),), "Fernseher im Wohnzimmer"),
        ((("mdns", "instance", "8418267b5f6b@küche"),), "Küche"),
        ((("mdns", "instance", "70-35-60-63.1 living room"),), "Living Room"),
    ],
)
def test_capitals_that_dns_has_lost(words: tuple[tuple[str, str, str], ...], name: str) -> None:
    assert best(*words) == (name, "mdns")


def test_of_a_sleep_proxy_its_own_name_counts() -> None:
    words = ("mdns", "instance", "kitchen"), ("mdns", "hostname", "kitchen"), ("mdns", "instance", "anna's macbook")
    assert best(*words) == ("Kitchen", "mdns")


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        (("Sonos", None, "speaker", None), "Sonos speaker"),
        (("LG", "Smart TV", "tv", "webos"), "LG Smart TV"),
        (("LG", "LGLS751", "phone", "android"), "LGLS751"),
        (("Samsung", None, "tv", None), "Samsung TV"),
        (("Acme", None, None, None), "Acme device"),
        ((None, None, "phone", "android"), "Android phone"),
        ((None, "X200", None, "linux"), None),
        ((None, None, "camera", None), None),
    ],
)
def test_without_a_name_brand_and_model_or_kind(traits: tuple[str | None, ...], name: str | None) -> None:
    vendor, model, kind, system = traits
    found = by_traits(Traits(vendor, model, kind, system, ()))
    assert (found and found.text) == name


def test_the_reasons_stand_with_the_name() -> None:
    found = candidates(said(("netbios", "name", "OTHER"), ("dhcp", "hostname", "Annas-Laptop")), (MAC,))
    reasons = evidence(choose(None, None, found, NO_TRAITS), found)
    assert [(each.about, each.value, each.source) for each in reasons] == [
        ("name", "Annas-Laptop", "dhcp"),
        ("name", "OTHER", "netbios"),
    ]
    assert "“Annas-Laptop” (DHCP)" in reasons[0].detail


@given(st.text(max_size=300), st.integers(-1, (1 << 48) - 1))
def test_any_text_has_a_worth(text: str, mac: int) -> None:
    assert worth(text, (mac,)) in (GIVEN, PRODUCT, NOTHING)
    best(("dhcp", "hostname", text), ("mdns", "instance", text.lower()), mac=mac)


@pytest.mark.parametrize(
    ("said_so", "name"),
    [
        ([("mdns", "instance", "amzn.dmgr.7d19c4f2:fAkE:1")], None),
        ([("mdns", "instance", "48a6b83c52e1@den"), ("mdns", "instance", "sonos-48a6b83c52e1@den")], "Den"),
        ([("mdns", "instance", "workbench [84:18:26:7b:5f:6b]")], "Workbench"),
        ([("dhcp", "hostname", "Samsung"), ("mdns", "instance", "samsung qe55 tv")], "Samsung QE55 TV"),
        ([("dhcp", "hostname", "Schlage")], "Schlage"),
        ([("dhcp", "hostname", "HP8418267B5F6B"), ("mdns", "instance", "hp jet 9 [7b5f6b]")], "HP Jet 9 [7b5f6b]"),
    ],
)  # fmt: skip
def test_what_programs_call_themselves_and_what_says_little(
    said_so: list[tuple[str, str, str]], name: str | None
) -> None:
    chosen = best(*said_so)
    assert (chosen and chosen[0]) == name


def test_brand_and_model_say_more_than_a_hardware_address() -> None:
    found = candidates(said(("dhcp", "hostname", "WYZE_CAKP2JFUS-8418267B5F6B")), (MAC,))
    known = Traits("Wyze", "Cam v3", "camera", None, ())
    assert (choose(None, None, found, known) or Name("", "", "")).text == "Wyze Cam v3"
    assert (choose(None, None, found, NO_TRAITS) or Name("", "", "")).text == "WYZE_CAKP2JFUS-8418267B5F6B"
