"""Names of companies as people, papers and registries write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.words import (
    LONGEST,
    carries,
    in_brackets,
    is_affix,
    names_plainly,
    says_nothing,
    squashed,
    without_legal,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TP-LINK TECHNOLOGIES CO.,LTD.", "tplinktechnologies"),
        ("Signify B.V.", "signify"),
        ("Apple, Inc.", "apple"),
        ("D&M Holdings Inc.", "dmholdings"),
        ("Belkin International, Inc.", "belkininternational"),
        ("Schlage's", "schlages"),
        ("Café Électronique SARL", "cafeelectronique"),
        ("小米", "小米"),
    ],
)
def test_one_form_for_one_name(text: str, expected: str) -> None:
    parts = without_legal(words(text))
    assert squashed(tuple(part for part in parts if part != "and")) == expected


def test_a_name_of_nothing_but_legal_forms_stays() -> None:
    assert without_legal(words("The Company, Inc.")) == ("the", "company", "inc")


@pytest.mark.parametrize("text", ["", "  ", "unknown", "N/A", "n.a.", "Unknown Ltd.", "-", None, "generic", "No-Name"])
def test_no_vendor(text: str | None) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize("text", ["Sonos", "Nana", "LG", "3M"])
def test_a_vendor(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize(
    ("label", "brand"),
    [
        ("sonos", "sonos"),
        ("mysonos", "sonos"),
        ("sengledcloud", "sengled"),
        ("api-sengled-iot", "sengled"),
        ("tp-link", "tplink"),
        ("tplinkcloud2", "tplink"),
        ("wyzecam", "wyze"),
        ("sengled-xyz-sengled", "sengledxyzsengled"),
    ],
)
def test_a_brand_in_a_label(label: str, brand: str) -> None:
    assert carries(label, brand)


@pytest.mark.parametrize(
    ("label", "brand"),
    [
        ("notsonos", "sonos"),
        ("not-sonos", "sonos"),
        ("sonosfans", "sonos"),
        ("personos", "sonos"),
        ("ringcentral", "ring"),  # an everyday word is no evidence
        ("ring", "ring"),
        ("lgtv", "lg"),  # too short
        ("12345", "12345"),
        ("anything", ""),
    ],
)
def test_no_brand_in_a_label(label: str, brand: str) -> None:
    assert not carries(label, brand)


@pytest.mark.parametrize("text", ["", "cloud", "myhome", "eu2", "smarthomecloud", "42", "scan2cloud", "p2p"])
def test_words_glued_to_brands(text: str) -> None:
    assert is_affix(text)


@pytest.mark.parametrize("text", ["not", "fans", "xcloud", "cloudx", "cloudcloudcloudcloudx"])
def test_other_words(text: str) -> None:
    assert not is_affix(text)


@given(st.text(max_size=400), st.text(max_size=30))
def test_any_text_is_a_name(text: str, brand: str) -> None:
    parts = words(text)
    assert all(part.isalnum() for part in parts)
    assert len(squashed(parts)) <= 4 * LONGEST
    says_nothing(text)
    carries(text, brand)


@pytest.mark.parametrize(
    ("label", "brand", "carried"),
    [
        ("samsung-svoice", "samsung", True),  # the brand, then whatever it named
        ("netatmoweather9", "netatmo", True),
        ("notsonos", "sonos", False),
        ("sonosfans", "sonos", False),  # five letters are too few for anything to follow
        ("mysonos", "sonos", True),
        ("svoice-samsung", "samsung", False),
    ],
)
def test_a_brand_at_the_beginning_of_a_registered_name(label: str, brand: str, carried: bool) -> None:
    assert carries(label, brand) == carried


@pytest.mark.parametrize(
    ("label", "brand", "named"),
    [
        ("ring", "ring", True),
        ("ring-assets", "ring", True),
        ("ringtones", "ring", False),  # another business
        ("boring", "ring", False),
        ("lgcloud", "lg", True),
        ("lg", "lg", False),  # two letters are anybody's
        ("lgtv", "lg", False),
        ("lg-tv", "lg", True),
        ("smartcloud", "smart", False),  # a trade, no name
        ("cloud", "", False),
        ("saj-electric", "saj", True),  # after a hyphen anything may follow
        ("lg-electric", "lg", False),  # but not after anybody's initials
        ("smart-electric", "smart", False),
        ("canonijprinter", "canon", True),
    ],
)
def test_short_and_everyday_brands_stand_beside_affixes_only(label: str, brand: str, named: bool) -> None:
    assert names_plainly(label, brand) == named


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((None, "Sonos"), "Sonos"),
        ((None, "Ring", "Amazon"), "Ring (Amazon)"),
        (("Vudu", "Fandango", "Comcast"), "Vudu (Fandango, Comcast)"),
        (("Facebook", "Meta (Facebook)"), "Facebook (Meta)"),
        ((None, "Homey (Athom)", "LG"), "Homey (Athom, LG)"),
    ],
)
def test_several_names_of_one_owner(names: tuple[str | None, ...], text: str) -> None:
    assert in_brackets(*names) == text
