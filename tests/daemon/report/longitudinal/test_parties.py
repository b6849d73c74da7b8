from __future__ import annotations

import pytest

from daemon.classify.vocabulary import PARTIES, Verdict
from daemon.report.longitudinal.months import Month
from daemon.report.longitudinal.parties import CATEGORIES, HEADER, Judged, party_rows, platforms, sld_table, split_name
from daemon.report.longitudinal.vocabulary import Contact

JULY, AUGUST = Month(2025, 7), Month(2025, 8)


def judged(
    domain: str, party: str = "third", *, month: Month = JULY, types: tuple[str, ...] = ("A",), purpose: str = "other",
    organisation: str = "Acme", registrable: str | None = "example.com",
) -> Judged:  # fmt: skip
    verdict = Verdict(party, organisation, purpose, "rule", f"because of {domain}", registrable)
    return Judged(month, domain, Contact(types, (), 2, 0, 0), verdict, organisation)


@pytest.mark.parametrize(
    ("domain", "registrable", "parts"),
    [
        ("conn.ws.sonos.com", "sonos.com", ("sonos", "com")),
        ("s3.amazonaws.com", "amazonaws.com", ("amazonaws", "com")),
        ("www.bbc.co.uk", "bbc.co.uk", ("bbc", "co.uk")),
        ("printer.local", None, ("printer", "local")),
        ("a.b.lan", None, ("b", "lan")),
        ("router", None, ("router", "")),
    ],
)
def test_sld_and_tld(domain: str, registrable: str | None, parts: tuple[str, str]) -> None:
    assert split_name(domain, registrable) == parts


def test_row_for_every_query_type() -> None:
    rows = list(party_rows([judged("a.example.com", "first", types=("A", "AAAA"))]))
    assert rows == [
        ("Jul-2025", "a.example.com", "example", "com", "First-party", "Acme", "A"),
        ("Jul-2025", "a.example.com", "example", "com", "First-party", "Acme", "AAAA"),
    ]
    assert len(HEADER) == len(rows[0])


def test_every_party_has_its_category() -> None:
    assert set(CATEGORIES) == set(PARTIES)


def test_platforms_with_evidence_and_confidence() -> None:
    names = [
        judged("mqtt.iot.example.com", "platform", organisation="Tuya"),
        judged("mqtt.iot.example.com", "platform", organisation="Tuya", month=AUGUST),
        judged("a.cloud.example", "support", purpose="cloud", organisation="Amazon AWS"),
        judged("b.cloud.example", "support", purpose="cloud", organisation="Amazon AWS"),
        judged("time.example", "support", purpose="time"),
        judged("own.cloud.example", "first", purpose="cloud"),  # a maker's own cloud is no dependency
    ]
    found = platforms(names, lambda each: each.domain.startswith("mqtt"))
    assert [(each["platform"], each["kind"], each["confidence"]) for each in found] == [
        ("Tuya", "platform", "high"), ("Amazon AWS", "cloud", "medium"),
    ]  # fmt: skip
    assert found[0]["evidence"] == [
        {
            "domain": "mqtt.iot.example.com",
            "months": ["2025-07", "2025-08"],
            "count": 4,
            "rule_id": "rule",
            "reason": "because of mqtt.iot.example.com",
        }
    ]


def test_sld_statistics() -> None:
    names = [
        judged("a.example.com", "first"),
        judged("b.example.com", month=AUGUST),
        judged("c.example.co.uk", registrable="example.co.uk"),
    ]
    assert sld_table(names) == {
        "example": {
            "registrable_domains": ["example.co.uk", "example.com"],
            "domains": 3,
            "months": ["2025-07", "2025-08"],
            "categories": ["First-party", "Third-party"],
            "organisations": ["Acme"],
        }
    }
