"""Words that reports share."""

from __future__ import annotations

import pytest

from daemon.report.words import device_words, in_a_sentence, listed, month_words, party_words
from daemon.store.months import Known


@pytest.mark.parametrize(("month", "words"), [(2025 * 12, "January 2025"), (2025 * 12 + 11, "December 2025")])
def test_months(month: int, words: str) -> None:
    assert month_words(month) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("France", "France"),
        ("Netherlands", "the Netherlands"),
        ("United States", "the United States"),
        ("Cayman Islands", "the Cayman Islands"),
    ],
)
def test_countries_in_a_sentence(name: str, words: str) -> None:
    assert in_a_sentence(name) == words


@pytest.mark.parametrize(
    ("party", "number", "words"),
    [
        ("third", 1, "third party"),
        ("third", 2, "third parties"),
        ("platform", 0, "IoT platforms"),
        ("unknown", 1, "destination of unknown kind"),
        (None, 3, "destinations of unknown kind"),
        ("nonsense", 1, "destination of unknown kind"),
    ],
)
def test_parties(party: str | None, number: int, words: str) -> None:
    assert party_words(party, number) == words


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_lists(items: list[str], words: str) -> None:
    assert listed(items, 3) == words


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (None, "Traffic of no device"),
        (Known(1, 1, "Kitchen radio", "Sonos", 0x020000000010), "Kitchen radio"),
        (Known(1, 1, None, "Sonos", 0x020000000010), "Sonos device 02:00:00:00:00:10"),
        (Known(1, 1, None, None, 0x020000000010), "device 02:00:00:00:00:10"),
        (Known(1, 1, None, None, -1), "device"),
    ],
)
def test_devices(device: Known | None, words: str) -> None:
    assert device_words(device) == words
