"""Numbers as people say them."""

from __future__ import annotations

import pytest

from daemon.report.findings.wording import every, length, often


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (3.6, "every 3.6 seconds"), (1, "every second"), (36, "every 36 seconds"), (60, "every minute"),
        (97, "every 97 seconds"), (300, "every 5 minutes"), (303, "every 5 minutes"), (450, "every 7.5 minutes"),
        (3600, "every hour"), (5400, "every 90 minutes"), (9000, "every 2.5 hours"), (86_400, "every day"),
        (0.5, "every 0.5 seconds"),
    ],
)  # fmt: skip
def test_periods(period: float, words: str) -> None:
    assert every(period) == words


@pytest.mark.parametrize(
    ("an_hour", "words"),
    [(7200, "2 times a second"), (3600, "once a second"), (1000, "17 times a minute"), (60, "once a minute"),
     (30, "30 times an hour"), (1, "once an hour"), (0.5, "12 times a day")],
)  # fmt: skip
def test_rates(an_hour: float, words: str) -> None:
    assert often(an_hour) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 second"), (90, "2 minutes"), (7200, "2 hours"), (432_000, "5 days")]
)
def test_lengths(seconds: float, words: str) -> None:
    assert length(seconds) == words
