"""A bar in parts: as wide as they are large, and none for nothing."""

from __future__ import annotations

from tests.support.dashboard import parsed
from web.charts import split_bar


def test_parts_are_as_wide_as_they_are_large() -> None:
    bar = parsed(split_bar([("good", 75), ("bad", 0), ("other", 25)], "Data <by> kind")).one("svg")
    assert bar.attributes["aria-label"] == "Data <by> kind"
    pieces = [each.attributes for each in bar.all("rect")]
    assert [each["class"] for each in pieces] == ["fill-good", "fill-other"]
    assert [float(each["x"]) for each in pieces] == [0, 750]
    assert [float(each["width"]) for each in pieces] == [747, 247]


def test_the_smallest_part_can_be_seen() -> None:
    bar = parsed(split_bar([("good", 999_999), ("bad", 1)], "")).one("svg")
    assert float(bar.all("rect")[1].attributes["width"]) == 2


def test_nothing_is_no_bar() -> None:
    assert split_bar([("good", 0)], "Nothing") == ""
