"""Suffixes on label boundaries, names as people write them, families as they were in a month."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.organisations import Organisation, build_table

AMAZON = Organisation(
    "Amazon",
    "US",
    aliases=("Amazon Technologies Inc.", "AWS", "Fire TV", "Echo Dot", "Echo"),
    asns=(16509,),
    domains=(
        ("maker", "amazon.com"),
        ("cloud", "amazonaws.com"),
        ("platform", "iot.*.amazonaws.com"),
        ("update", "repo.eu-west-1.amazonaws.com"),
        ("maker", "*.eu-west-1.amazonaws.com"),
    ),
)
RING = Organisation("Ring", "US", "Amazon", "2018-04", domains=(("maker", "ring.com"),))
BLINK = Organisation("Blink", "US", "Amazon", "2017-12", domains=(("maker", "blinkforhome.com"),))
SONOS = Organisation("Sonos", "US", aliases=("Sonos, Inc.",), domains=(("maker", "sonos.com"),))
SHELL = Organisation("Sky", "GB", domains=(("isp", "sky.com"), ("isp", "sky.uk"), ("content", "skynews.com")))
WORLD = (AMAZON, RING, BLINK, SONOS, SHELL)
TABLE = build_table([WORLD])

LABEL = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)


@pytest.mark.parametrize(
    ("domain", "suffix"),
    [
        ("sonos.com", "sonos.com"),
        ("WS.Sonos.com.", "sonos.com"),
        ("notsonos.com", None),
        ("sonos.com.evil.example", None),
        ("com", None),
        ("", None),
        ("x.s3.amazonaws.com", "amazonaws.com"),
        ("a1.iot.us-east-1.amazonaws.com", "iot.*.amazonaws.com"),
        ("iot.us-east-1.amazonaws.com", "iot.*.amazonaws.com"),
        ("iot.amazonaws.com", "amazonaws.com"),  # a star is exactly one label
        ("iot.a.b.amazonaws.com", "amazonaws.com"),
        ("repo.eu-west-1.amazonaws.com", "repo.eu-west-1.amazonaws.com"),  # of two as long the plain one
        ("x.eu-west-1.amazonaws.com", "*.eu-west-1.amazonaws.com"),
    ],
)
def test_the_longest_suffix_on_a_label_boundary(domain: str, suffix: str | None) -> None:
    match = TABLE.match(domain)
    assert (match.suffix if match else None) == suffix


@given(st.lists(LABEL, max_size=4), LABEL)
def test_labels_in_front_change_nothing_and_letters_do(front: list[str], glued: str) -> None:
    match = TABLE.match(".".join([*front, "sonos.com"]))
    assert match is not None
    assert match.organisation is SONOS
    assert TABLE.match(".".join([*front, glued + "sonos.com"])) is None


@given(st.text(max_size=300))
def test_any_text_may_be_asked(text: str) -> None:
    TABLE.match(text)
    TABLE.by_vendor(text)
    TABLE.by_device(text)
    TABLE.by_brand(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sonos", "Sonos"),
        ("SONOS, INC.", "Sonos"),
        ("Sonos One SL", "Sonos"),
        ("Amazon Technologies Inc.", "Amazon"),
        ("amazon.com", None),
        ("Amazon Echo Dot 3rd generation", "Amazon"),
        ("Ring", "Ring"),
        ("Ring LLC", "Ring"),
        ("Ring Doorbell", "Ring"),
        ("Ring Telecom Networks", None),  # an everyday word beside others is another company
        ("Sky Light Digital", None),
        ("Somebody (Sonos)", "Sonos"),
        ("Amazon/Ring", "Amazon"),
        ("Acme", None),
        ("", None),
    ],
)
def test_vendors(text: str, name: str | None) -> None:
    found = TABLE.by_vendor(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Kitchen Sonos", "Sonos"),
        ("Anna's Echo Dot", "Amazon"),
        ("Living room Fire TV", "Amazon"),
        ("an echo in the hall", None),
        ("the ring on the door", None),
    ],
)
def test_devices_by_their_name(text: str, name: str | None) -> None:
    found = TABLE.by_device(text)
    assert (found.name if found else None) == name


def test_brands_in_a_label() -> None:
    match = TABLE.by_brand("sonoscloud")
    assert match is not None
    assert (match.organisation, match.kind) == (SONOS, "maker")
    assert TABLE.by_brand("notsonos") is None
    assert TABLE.by_brand("ring") is None


def test_ownership_is_dated() -> None:
    assert not TABLE.related(RING, AMAZON, "2018-03")
    assert TABLE.related(RING, AMAZON, "2018-04")
    assert TABLE.related(RING, AMAZON)
    assert TABLE.related(RING, BLINK, "2018-04")
    assert not TABLE.related(RING, BLINK, "2018-01")
    assert not TABLE.related(RING, SONOS)
    assert [o.name for o in TABLE.family(RING)] == ["Ring", "Amazon"]


def test_ownership_can_end() -> None:
    netgear = Organisation("Netgear", "US", domains=(("maker", "netgear.com"),))
    arlo = Organisation("Arlo", "US", "Netgear", "2014-11", parent_until="2018-12", domains=(("maker", "arlo.com"),))
    table = build_table([(netgear, arlo)])
    assert [table.related(netgear, arlo, month) for month in ("2014-10", "2018-11", "2018-12", None)] == [
        False, True, False, True,
    ]  # fmt: skip
    assert [one.name for one in table.family(arlo)] == ["Arlo"], "today it is its own"
    assert [one.name for one in table.family(arlo, ever=True)] == ["Arlo", "Netgear"]
    assert [one.name for one in table.family(arlo, "2018-12", ever=True)] == ["Arlo"]


def test_what_people_call_a_device_names_no_company_unless_it_makes_such() -> None:
    carrier = Organisation("Carrier", aliases=("TV+", "Switch"), domains=(("network", "carrier.example"),))
    maker = Organisation("Kelvin", aliases=("Gateway", "Nest"), domains=(("maker", "kelvin.example"),))
    table = build_table([[carrier, maker]])
    for everyday in ("TV", "tv", "Switch", "Gateway"):
        assert table.by_device(everyday) is None, everyday
    assert table.by_device("Nest") is maker, "a word, too, but who makes devices means them"
    assert table.by_device("Carrier") is carrier


def test_a_maker_is_known_by_the_first_word_of_its_name() -> None:
    def maker(name: str) -> Organisation:
        return Organisation(name, domains=(("maker", f"{name.rpartition(' ')[2].lower()}.example"),))

    table = build_table([[maker("Octopus Energy"), maker("Kestrel One"), maker("Kestrel Two"), maker("Blue Maestro")]])
    assert table.by_vendor("Octopus") is table.by_name("Octopus Energy")
    assert table.by_vendor("Kestrel") is None, "two begin so"
    assert table.by_vendor("Blue") is None, "an everyday word"
    assert table.by_vendor("Octopus Cards") is None
    assert table.by_device("Octopus") is None, "an owner may call any device so"


def test_a_brand_that_a_domain_spells() -> None:
    fandango = Organisation("Fandango", aliases=("Vudu", "M-GO", "Fandango Now"))
    assert [fandango.brand(label) for label in ("vudu", "mgo", "m-go", "fandango", "fandangonow", "other", "")] == [
        "Vudu", "M-GO", "M-GO", None, None, None, None,
    ]  # fmt: skip


def test_devices_under_somebody_elses_brand() -> None:
    """The oven says Siemens and is made by BSH, which does not belong to Siemens any more."""
    siemens = Organisation("Siemens", "DE", domains=(("maker", "siemens.com"),))
    bsh = Organisation("BSH", "DE", makes_for=("Siemens",), domains=(("maker", "home-connect.com"),))
    table = build_table([(siemens, bsh, SONOS)])
    assert table.related(siemens, bsh)
    assert table.related(bsh, siemens)
    assert not table.related(siemens, SONOS)


@pytest.mark.parametrize(
    ("domain", "suffix"),
    [
        ("gw-7.eu.example.com", "gw-*.*.example.com"),
        ("x.gw-7.eu.example.com", "gw-*.*.example.com"),
        ("gw-.eu.example.com", "gw-*.*.example.com"),
        ("agw-7.eu.example.com", "example.com"),
        ("gw-7.example.com", "example.com"),
        ("gw-7.eu.example.org", None),
    ],
)
def test_a_label_that_begins_so(domain: str, suffix: str | None) -> None:
    owner = Organisation("E", domains=(("platform", "gw-*.*.example.com"), ("maker", "example.com")))
    match = build_table([[owner]]).match(domain)
    assert (match.suffix if match else None) == suffix


def test_a_circle_of_owners_ends() -> None:
    one, other = Organisation("One", parent="Other"), Organisation("Other", parent="One")
    table = build_table([[one, other]])
    assert [o.name for o in table.family(one)] == ["One", "Other"]


def test_numbers_and_names() -> None:
    assert TABLE.by_asn(16509) is AMAZON
    assert TABLE.by_asn(1) is None
    assert TABLE.by_name("Sonos") is SONOS
    assert TABLE.by_name("sonos") is None


def test_what_an_organisation_mostly_is() -> None:
    assert (AMAZON.main_kind(), SHELL.main_kind(), Organisation("Nothing").main_kind()) == ("maker", "isp", "other")


def test_a_later_layer_extends_and_wins() -> None:
    mine = [
        Organisation("Sonos", parent="Amazon", domains=(("content", "radio.sonos.com"), ("cloud", "sonos.com"))),
        Organisation("Mine", domains=(("advertising", "ring.com"),)),
    ]
    table = build_table([WORLD, mine])
    sonos = table.by_name("Sonos")
    assert sonos is not None
    assert (sonos.country, sonos.parent, sonos.aliases) == ("US", "Amazon", ("Sonos, Inc.",))
    found = {domain: table.match(domain) for domain in ("sonos.com", "radio.sonos.com", "ring.com")}
    assert {domain: (m.organisation.name, m.kind) for domain, m in found.items() if m} == {
        "sonos.com": ("Sonos", "cloud"),
        "radio.sonos.com": ("Sonos", "content"),
        "ring.com": ("Mine", "advertising"),
    }
