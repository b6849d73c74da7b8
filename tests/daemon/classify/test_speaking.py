"""Labels that say what a host is for, and the one word that comes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.kinds import KINDS
from daemon.classify.purposes import PURPOSES, purpose_of
from daemon.classify.speaking import decided_purpose, serves_devices, spoken_purpose
from daemon.classify.vocabulary import PARTIES


@pytest.mark.parametrize(
    ("labels", "spoken", "decided"),
    [
        ("ads.example", "advertising", "advertising"),
        ("ads12.example", "advertising", "advertising"),
        ("roadster.example", None, None),
        ("metrics.cdn.example", "analytics", "analytics"),
        ("us-ads-api.example", "advertising", None),  # part of a label: enough for a word, not for a party
        ("log.example", "analytics", None),
        ("ntp2.example", "time", "time"),
        ("static.example", "content delivery", None),
        ("cdn.example", "content delivery", None),  # what it delivers is Example's
        ("firmware.example", "updates", None),
        ("adserver", "advertising", "advertising"),
        ("time", None, None),  # a magazine
        ("example-analytics", "analytics", "analytics"),
        ("examplecdn", "content delivery", "content delivery"),
        ("examplesntp", None, None),
        ("ntp-nist.example", "time", "time"),
        ("ntps1-1.cs.example", None, "time"),
        ("time-a.freq.example", "time", "time"),
        ("time-travel.example", "time", None),
        ("stun2.example", "remote access", "connectivity"),  # it tells from where one is online
        ("example", None, None),
        ("", None, None),
    ],
)
def test_what_labels_say(labels: str, spoken: str | None, decided: str | None) -> None:
    assert (spoken_purpose(labels.split(".")), decided_purpose(labels.split("."))) == (spoken, decided)


@pytest.mark.parametrize(
    ("labels", "devices"),
    [
        ("ota.example", True),
        ("mqtt2.example", True),
        ("eu-p2p.example", True),
        ("example-iot", True),
        ("camera666", True),
        ("patriot", False),  # ends like one
        ("ota", False),  # the registered name itself: a word, no host
        ("www.example", False),
        ("", False),
    ],
)
def test_what_only_those_say_who_serve_devices(labels: str, devices: bool) -> None:
    assert serves_devices(labels.split(".")) == devices


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_labels_have_a_purpose_or_none(labels: list[str]) -> None:
    assert serves_devices(labels) in {True, False}
    assert spoken_purpose(labels) in {*PURPOSES, None}
    assert decided_purpose(labels) in {spoken_purpose(labels[-1:]), *PURPOSES, None}


@pytest.mark.parametrize(
    ("kind", "party", "spoken", "purpose"),
    [
        ("maker", "first", None, "own function"),
        ("maker", "first", "updates", "updates"),
        ("maker", "third", None, "other"),
        ("cloud", "support", "advertising", "cloud"),  # what a tenant calls its host binds nobody
        ("advertising", "third", "content delivery", "advertising"),
        ("platform", "platform", "voice", "voice"),
        ("content", "third", None, "content"),
        (None, "first", None, "own function"),
        (None, "unknown", None, "other"),
    ],
)
def test_one_word(kind: str | None, party: str, spoken: str | None, purpose: str) -> None:
    assert purpose_of(kind, party, spoken) == purpose


def test_every_kind_has_a_word_for_every_party() -> None:
    assert {purpose_of(kind, party, None) for kind in KINDS for party in PARTIES} <= set(PURPOSES)
