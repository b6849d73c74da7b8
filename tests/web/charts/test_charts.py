"""Charts that the server draws: what they show is what they were given, and nothing of it is markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dashboard import parsed
from web.charts import columns, party_bar, share_bar, sparkline
from web.charts.columns import round_up


def test_a_bar_has_a_part_for_every_party_that_is_there() -> None:
    bar = parsed(party_bar({"third": 25, "first": 75, "local": 0}, "who gets it")).one("svg")
    parts = [(part.attributes["class"], float(part.attributes["width"])) for part in bar.all("rect")]
    assert [name for name, _ in parts] == ["fill-first", "fill-third"], "in the order that they have everywhere"
    assert parts[0][1] == pytest.approx(3 * parts[1][1], rel=0.02)
    assert bar.attributes["aria-label"] == "who gets it"


def test_nothing_makes_no_chart() -> None:
    assert (party_bar({}, "x"), sparkline([0, 0], "x"), columns(["Mon"], [{}], "x")) == ("", "", "")


def test_a_share_stays_on_its_track() -> None:
    assert float(parsed(share_bar(7)).all("rect")[1].attributes["width"]) == 1000


def test_labels_are_text() -> None:
    drawn = columns(["<b>"], [{"first": 5}], '"><script>')
    assert "<script>" not in drawn
    assert "<b>" not in drawn
    assert parsed(drawn).one("svg").attributes["aria-label"] == '"><script>'


def test_columns_are_as_high_as_their_numbers() -> None:
    drawn = parsed(columns(["Mon", "Tue"], [{"first": 100, "third": 50}, {"first": 50}], "days"))
    heights = [float(part.attributes["height"]) for part in drawn.all("rect")]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.05)
    assert heights[1] == pytest.approx(heights[2], rel=0.05)


@given(st.floats(min_value=1e-3, max_value=1e15))
def test_a_scale_ends_a_little_above_its_largest(number: float) -> None:
    assert number <= round_up(number) <= number * 2
