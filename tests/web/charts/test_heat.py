"""The strip of a device's days: a line a day, darker where more was moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.dashboard import Element, parsed
from web.charts import heat
from web.charts.heat import Day, shade

LEFT = 108
WIDTH = 960 - LEFT


def _cells(strip: Element) -> list[tuple[str, float, float, str]]:
    return [
        (each.attributes["class"], float(each.attributes["x"]), float(each.attributes["width"]), each.attributes["y"])
        for each in strip.all("rect")
        if each.attributes["class"].startswith("heat-") and each.attributes["class"] != "heat-night"
    ]


def test_cells_are_where_their_time_is() -> None:
    strip = parsed(heat([Day("Tue", [0, 0, 0, 9]), Day("Mon", [9, 9, 0, 0])], "days")).one("svg")
    first, second = _cells(strip)
    assert first[1:3] == (LEFT + WIDTH * 3 / 4, WIDTH / 4)
    assert second[1:3] == (LEFT, WIDTH / 2), "neighbours of one shade are one rectangle"
    assert float(first[3]) < float(second[3])
    assert [each.text for each in strip.all("text")][:2] == ["Tue", "Mon"]


def test_the_night_is_marked_on_both_sides_of_midnight() -> None:
    marks = parsed(heat([Day("Mon", [1])], "days", (22, 6))).all("rect", class_="heat-night")
    assert [round(float(each.attributes["width"]) / WIDTH * 24) for each in marks] == [6, 2]
    assert len(parsed(heat([Day("Mon", [1])], "days", (1, 4))).all("rect", class_="heat-night")) == 1


def test_nothing_makes_no_strip() -> None:
    assert heat([], "x") == heat([Day("Mon", [0, None])], "x") == ""


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=96))
def test_more_is_never_lighter(values: list[int]) -> None:
    most = max(values) or 1
    steps = [most ** (number / 5) for number in range(1, 5)]
    shades = [shade(value, steps) for value in sorted(values)]
    assert shades == sorted(shades)
    assert all((value == 0) == (dark == 0) for value, dark in zip(sorted(values), shades, strict=True))


def test_labels_are_text() -> None:
    assert "<b>" not in heat([Day("<b>", [1])], '"><b>')
