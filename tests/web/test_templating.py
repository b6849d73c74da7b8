"""How values are written on pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.numbers import count, duration, share, size
from web.templating import Templates, country, party, prose, said, shown


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (999_600, "1.0 MB"), (4.2e9, "4.2 GB")],
)
def test_sizes_have_three_digits(number: float, words: str) -> None:
    assert size(number) == words


def test_small_shares_do_not_vanish() -> None:
    assert [share(part) for part in (0, 0.004, 0.124, 0.996, 1)] == ["0 %", "<1 %", "12 %", ">99 %", "100 %"]


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    assert prose("517 MB, <1 % of it, 12 B from 3 Bulbs") == "517\xa0MB, <1\xa0% of it, 12\xa0B from 3 Bulbs"
    assert shown("Disk 5 GB") == "Disk 5 GB"  # what stands in a form comes back as it was
    filled = Templates("0")._environment.from_string("{{ 5e8|size }} {{ 0.5|share }}").render()
    assert filled == "500\xa0MB 50\xa0%"


def test_counts_and_lengths_of_time() -> None:
    assert count(1_234_567) == "1,234,567"
    assert [duration(seconds) for seconds in (1, 45, 3600, 200_000)] == ["1 second", "45 seconds", "1 hour", "2 days"]


def test_markup_of_the_network_is_text() -> None:
    assert said('<img src=x onerror="alert(1)">') == ("<bdi>&lt;img src=x onerror=&#34;alert(1)&#34;&gt;</bdi>")


def test_marks_that_turn_a_line_around_are_written_out() -> None:
    assert shown("moc.\u202egnp.exe\x1b[31m\x00\u200b") == "moc.\\u202egnp.exe\\u001b[31m\\u0000\\u200b"


@given(st.text(max_size=400))
def test_nothing_invisible_is_shown_and_nothing_is_endless(text: str) -> None:
    made = shown(text)
    assert made.isprintable()
    assert len(made) <= 6 * 253 + 4


def test_unknown_words_have_their_own_words() -> None:
    assert "party-unknown" in party("<script>")
    assert (country("DE"), country(None)) == ("Germany", "unknown country")
