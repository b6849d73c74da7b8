"""What has a name, and why the rest has none."""

from __future__ import annotations

import pytest

from daemon.report.coverage import NAMED, UNNAMED, cause, coverage_report
from daemon.store.months import Naming

JULY = 2025 * 12 + 6


def naming(source: str, size: int, *, hides: bool = False, month: int = JULY, device: int = 1) -> Naming:
    return Naming(month, 1, device, source, hides, 2, 3, size)


@pytest.mark.parametrize(
    ("source", "hides", "named", "why"),
    [
        ("tls", False, True, "tls"),
        ("continued", True, True, "continued"),
        ("-ech", True, False, "ech"),
        ("-before", False, False, "before"),
        ("-", True, False, "resolver"),
        ("-", False, False, "unknown"),
    ],
)
def test_reason_that_was_seen_comes_first(source: str, hides: bool, named: bool, why: str) -> None:
    assert cause(naming(source, 1, hides=hides)) == (named, why)
    assert why in (NAMED if named else UNNAMED)


def test_shares_add_up_and_the_largest_come_first() -> None:
    report = coverage_report(
        [naming("tls", 600), naming("dns", 300), naming("-", 60), naming("-ech", 40)], {JULY: (9, 1)}
    )
    assert [(row[1], row[2], row[-1]) for row in report.rows] == [
        ("yes", "tls", 0.6),
        ("yes", "dns", 0.3),
        ("no", "unknown", 0.06),
        ("no", "ech", 0.04),
    ]
    (sentence,) = report.sentences
    assert sentence == (
        "July 2025: 90.0 % of the traffic to the internet has a name, and 90.0 % of 10 addresses;"
        " most of the rest has none because no DNS answer for the address was seen."
    )


def test_devices_are_added_up() -> None:
    report = coverage_report([naming("tls", 10), naming("tls", 20, device=2)], {})
    ((_, _, _, words, destinations, flows, size, share),) = report.rows
    assert (words, destinations, flows, size, share) == (NAMED["tls"], 4, 6, 30, 1.0)
    assert report.sentences == ("July 2025: 100.0 % of the traffic to the internet has a name.",)


def test_month_of_nothing_but_empty_packets() -> None:
    report = coverage_report([naming("-", 0)], {JULY: (0, 0)})
    assert report.rows[0][-1] == 0.0
    assert report.sentences == ("July 2025: 100.0 % of the traffic to the internet has a name.",)


def test_every_month_has_its_sentence() -> None:
    report = coverage_report([naming("tls", 1), naming("-before", 1, month=JULY - 1)], {})
    assert [sentence.split(":")[0] for sentence in report.sentences] == ["June 2025", "July 2025"]


def test_source_that_is_new_is_shown_as_it_is() -> None:
    assert coverage_report([naming("carrier pigeon", 5)], {}).rows[0][2:4] == ("carrier pigeon", "carrier pigeon")
