"""Sentences that fit, whatever the names in them."""

from __future__ import annotations

import pytest

from daemon.classify.evidence import Gatherer
from daemon.classify.organisations import Organisation, build_table
from daemon.classify.reasons import LONGEST, reason_of
from daemon.classify.rules import RULES, decide
from daemon.classify.vocabulary import Destination, DeviceProfile

LONG = "Gesellschaft für außerordentlich lange Namen und deren Verwaltung"
TABLE = build_table(
    [
        [
            Organisation("Holding", "NL", domains=(("cloud", "holding.example"),)),
            Organisation("Maker", "NL", "Holding", domains=(("maker", "maker.example"),)),
            Organisation("Sister", "NL", "Holding", domains=(("maker", "sister.example"),)),
            Organisation("Daughter", "NL", "Maker", domains=(("content", "daughter.example"),)),
            Organisation("Leaver", "NL", "Holding", parent_until="2018-12", domains=(("maker", "leaver.example"),)),
            Organisation(LONG, "DE", "Holding", domains=(("maker", "a" * 60 + ".example"),)),
        ]
    ]
)


def reason(vendor: str | None, domain: str) -> str:
    case = Gatherer(TABLE).gather(DeviceProfile(vendor), Destination(domain))
    return reason_of(decide(case).reason, case)


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        ("x.maker.example", "maker.example belongs to Maker, which makes this Maker device."),
        (
            "holding.example",
            "holding.example belongs to Holding, which owns Maker, the maker of this device: infrastructure of its own.",
        ),
        ("sister.example", "sister.example belongs to Sister, a sister of Maker, the maker of this device."),
        ("daughter.example", "daughter.example belongs to Daughter, a company of Maker, the maker of this device."),
    ],
)  # fmt: skip
def test_what_the_owner_is_to_the_maker(domain: str, said: str) -> None:
    assert reason("Maker", domain) == said


def test_owners_of_once_are_told_apart_where_no_month_tells() -> None:
    said = "holding.example belongs to Holding, which once owned Leaver, the maker of this device"
    assert reason("Leaver", "holding.example").startswith(said)
    said = "leaver.example belongs to Leaver, once a company of Holding, the maker of this device."
    assert reason("Holding", "leaver.example") == said


def test_long_names_are_shortened_and_the_sentence_is_not() -> None:
    said = reason("Maker", "x." + "a" * 60 + ".example")
    assert len(said) <= LONGEST
    assert "…" in said
    assert said.endswith(", the maker of this device.")


def test_every_sentence_fits_with_the_longest_names() -> None:
    case = Gatherer(TABLE).gather(DeviceProfile(LONG * 3), Destination("b." * 100 + "a" * 60 + ".example"))
    for rule in RULES:
        assert len(reason_of(rule.reason, case)) <= LONGEST, rule.rule_id
    nobody = Gatherer(TABLE).gather(DeviceProfile(LONG * 3), Destination("b." * 100 + "c" * 63 + ".example"))
    for rule in RULES:
        assert len(reason_of(rule.reason, nobody)) <= LONGEST, rule.rule_id


def test_names_are_shown_and_never_obeyed() -> None:
    said = reason("Evil\x1b[2J{name}", "unknown-things.example")
    assert said.isprintable()
    assert "Evil?[2J{name}" in said
