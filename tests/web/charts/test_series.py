"""Long series: the picture, the table and the data for the browser have the same numbers."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dashboard import parsed
from web.charts import Line, series
from web.charts.series import Series, bundled

MONDAY = 1_700_438_400  # 20 November 2023, UTC
VALUES = st.lists(st.integers(0, 10**12), min_size=1, max_size=400).filter(any)


def _made(values: list[int], step_s: int = 900, **others: Any) -> Series:  # noqa: ANN401  keyword arguments of `series`
    made = series(MONDAY, step_s, [Line("down", "received", values)], "traffic", **others)
    assert made is not None
    return made


def _data(made: Series) -> dict[str, Any]:
    return json.loads(made.data)  # type: ignore[no-any-return]  # an object, as it was made


def test_nothing_makes_no_chart() -> None:
    assert series(MONDAY, 900, [Line("up", "sent", [0, 0])], "x") is None


@given(VALUES)
def test_bundles_lose_nothing(values: list[int]) -> None:
    for many in (1, 2, 7, 96):
        assert sum(bundled(values, many, adds_up=True)) == sum(values)
    assert _data(_made(values))["lines"][0]["values"] == values


def test_rates_are_not_added_up() -> None:
    assert bundled([2, 4, 6], 2, adds_up=False) == [3, 6]
    assert _made([2, 4, 6], adds_up=False).legend == (("down", "received", ""),)


def test_a_year_of_quarters_is_a_table_that_can_be_read() -> None:
    made = _made([1] * 35_040)
    assert 40 <= len(made.rows) <= 62
    assert len(parsed(str(made.svg)).one("polyline").attributes["points"].split()) <= 2 * 320
    assert made.legend[0][2] == "35.0 kB"


def test_times_are_those_of_the_house() -> None:
    assert _made([1, 2]).rows[0][0] == "Mon 20 Nov, 00:00"
    assert _made([1, 2], zone="Europe/Berlin").rows[0][0] == "Mon 20 Nov, 01:00"
    assert _made([1, 2], step_s=86_400).rows == (("Mon 20 Nov 2023", "1 B"), ("Tue 21 Nov 2023", "2 B"))


def test_rows_say_of_which_time_they_are() -> None:
    """As `homeport pcap` takes times; what is bundled ends where the series does, and nothing has no packets."""
    assert _made([1, 0, 2], zone="Europe/Berlin").spans == (
        ("2023-11-20T00:00:00Z", "2023-11-20T00:15:00Z"), None, ("2023-11-20T00:30:00Z", "2023-11-20T00:45:00Z"),
    )  # fmt: skip
    days = _made([1] * 100, step_s=86_400)
    assert days.spans[0] == ("2023-11-20", "2023-11-21")
    assert days.spans[-1] == ("2024-02-26", "2024-02-27")
    assert len(days.spans) == len(days.rows)
    for (_, end), (begin, _) in pairwise(each for each in _made([1] * 35_040).spans if each):
        assert end == begin


@pytest.mark.parametrize("text", ["</script><script>alert(1)", '"><b>', "&amp;", "\u2028"])
def test_names_are_text(text: str) -> None:
    made = series(MONDAY, 900, [Line("up", text, [1])], text)
    assert made is not None
    assert _data(made)["lines"][0]["name"] == text
    assert parsed(str(made.svg)).one("svg").attributes["aria-label"] == text
