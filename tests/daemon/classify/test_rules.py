"""The table of rules, and what docs/classification.md says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daemon.classify.evidence import Gatherer
from daemon.classify.kinds import KINDS
from daemon.classify.organisation_files import load_organisations
from daemon.classify.purposes import PURPOSES
from daemon.classify.rules import RULES, decide
from daemon.classify.vocabulary import PARTIES, Destination, DeviceProfile

PAGE = (Path(__file__).parents[3] / "docs" / "classification.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Rows of the first table under a heading of the second level, without code marks."""
    text = PAGE.partition(f"\n## {heading}\n")[2].split("\n## ", 1)[0]
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def test_the_page_lists_every_rule_in_order() -> None:
    assert [row[:2] for row in table("Rules")] == [[rule.rule_id, rule.party] for rule in RULES]


def test_the_page_lists_every_kind() -> None:
    rows = [row[:4] for row in table("Kinds of domains")]
    assert rows == [[kind.name, kind.others, kind.own, kind.about] for kind in KINDS.values()]


def test_the_page_lists_every_purpose_and_party() -> None:
    assert dict(row[:2] for row in table("Purposes")) == dict(PURPOSES)
    assert [row[0] for row in table("Parties")] == list(PARTIES)


def test_ids_are_unique_and_stay_words() -> None:
    ids = [rule.rule_id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule_id) for rule_id in ids)
    assert {rule.party for rule in RULES} == set(PARTIES)


def test_every_kind_has_a_rule_for_strangers() -> None:
    named = {rule.rule_id for rule in RULES}
    called = {"maker": "other-maker", "other": "other-organisation"}
    assert {called.get(kind, kind) for kind in KINDS} <= named
    parties = {rule.rule_id: rule.party for rule in RULES}
    assert {kind.name: parties[called.get(kind.name, kind.name)] for kind in KINDS.values()} == {
        kind.name: kind.others for kind in KINDS.values()
    }


DEVICES = (
    DeviceProfile(),
    DeviceProfile("Sonos"),
    DeviceProfile("Amazon", "Echo Dot"),
    DeviceProfile("Samsung", kind="tv", system="tizen"),
    DeviceProfile("Google", kind="phone", system="android"),
    DeviceProfile("Nobody Knows", kind="computer", system="windows"),
)
NAMES = (
    None, "", "sonos.com", "update.sonos.com", "device-metrics-us.amazon.com", "bucket.s3.amazonaws.com", "ntp.sonos.com",
    "a1.iot.eu-west-1.amazonaws.com", "ads.samsungads.com", "log-config.samsungacr.com", "clients3.google.com",
    "doubleclick.net", "mtalk.google.com", "settings-win.data.microsoft.com", "pool.ntp.org", "ocsp.digicert.com",
    "ads.nobody-knows.org", "ota.nobody-knows.org", "whoever.example", "printer.local", "1.2.0.192.in-addr.arpa",
    "cdn77.org", "stun.whoever.net", "netflix.com", "facebook.com", "203.0.113.7", "odd\\032name.org",
)  # fmt: skip
ADDRESSES = (
    None,
    "192.168.1.9",
    "8.8.8.8",
    "23.0.0.9",
    "17.1.2.3",
    "31.13.64.9",
    "203.0.113.9",
    "2001:4860::9",
    "nonsense",
)


@pytest.mark.parametrize("device", DEVICES)
def test_the_first_rule_of_all_that_holds_decides(device: DeviceProfile) -> None:
    gatherer = Gatherer(load_organisations())
    decided = set()
    for name in NAMES:
        for address in ADDRESSES:
            for service in (None, "ntp", "dns"):
                case = gatherer.gather(device, Destination(name, address, service=service))
                rule = decide(case)
                assert rule == next(rule for rule in RULES if rule.when(case)), (name, address, service)
                decided.add(rule.rule_id)
    assert len(decided) > 15
