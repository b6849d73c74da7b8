"""Whose an address is where no database of addresses says so."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.blocks import _RANGES, OWNERS, owner_of
from daemon.classify.classifier import Classifier
from daemon.classify.organisation_files import load_organisations
from daemon.classify.place import Place
from daemon.classify.vocabulary import Destination, DeviceProfile


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("17.0.0.0", "Apple"),
        ("17.255.255.255", "Apple"),
        ("18.0.0.0", None),
        ("16.255.255.255", None),
        ("2a03:2880:f12f:83:face:b00c:0:25de", "Meta (Facebook)"),
        ("2a03:2881::", None),
        ("0.0.0.0", None),  # noqa: S104 - an address to look up, nothing is bound to it
        ("::", None),
        ("ffff::", None),
        ("no address", None),
    ],
)
def test_the_owner_of_a_block(address: str, owner: str | None) -> None:
    assert owner_of(address) == owner


def test_blocks_do_not_overlap_and_their_owners_are_in_the_table() -> None:
    table = load_organisations()
    pairs = [(one, other) for one, other in pairwise(_RANGES) if one[0] == other[0]]
    assert [(one[3], other[3]) for one, other in pairs if other[1] <= one[2]] == []
    assert [owner for owner in OWNERS if table.by_name(owner) is None] == []


@given(st.ip_addresses().map(str) | st.text(max_size=40))
def test_any_text_is_asked(text: str) -> None:
    assert owner_of(text) in {*OWNERS, None}


def judged(vendor: str, address: str, place: Place | None = None) -> tuple[str, str | None, str]:
    classifier = Classifier(load_organisations(), (lambda _: place) if place else None)
    verdict = classifier.judge(DeviceProfile(vendor), Destination(address=address))
    return verdict.party, verdict.organisation, verdict.rule_id


def test_a_rented_computer_is_support_without_any_database() -> None:
    assert judged("Wansview", "159.69.95.225") == ("support", "Hetzner", "network-carrier")


def test_the_makers_own_block_is_first() -> None:
    assert judged("Apple", "17.57.146.20") == ("first", "Apple", "own-network")


def test_a_database_is_asked_first() -> None:
    newer = Place(asn=64999, as_name="Somebody Nobody Knows d.o.o.", country="HR", confidence="medium")
    assert judged("Wansview", "159.69.95.225", newer)[0] == "unknown"
    assert judged("Wansview", "159.69.95.225", Place(country="DE", confidence="medium"))[1] == "Hetzner"
