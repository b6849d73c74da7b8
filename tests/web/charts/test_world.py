"""The map: its shapes, where places come to lie, and that a guess never looks like knowledge."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from daemon.classify.countries import COUNTRIES
from tests.support.dashboard import parsed
from web.charts import world_build
from web.charts.projection import HEIGHT, WIDTH, project
from web.charts.world import VIEWS, Area, Dot, shade, shapes, world


def _box(path: str) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of a path of `M`, `l` and `z`."""
    points = []
    for ring in path.split("z")[:-1]:
        begin, _, steps = ring.removeprefix("M").partition("l")
        x, y = map(int, begin.split())
        points.append((x, y))
        numbers = [int(number) for number in re.findall(r"-?\d+", steps)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def test_shapes_are_countries_on_the_sheet() -> None:
    assert set(shapes()) <= set(COUNTRIES)
    assert len(shapes()) > 200
    for path in shapes().values():
        left, top, right, bottom = _box(path)
        assert left >= 0
        assert right <= WIDTH
        assert bottom <= HEIGHT + 120, "what is south of the sheet is cut by the view"
        assert top >= -60


@pytest.mark.parametrize("code", ["DE", "US", "AU", "BR", "ZA", "JP", "SG", "MT", "LU", "GF", "NZ"])
def test_the_middle_of_a_country_lies_in_its_shape(code: str) -> None:
    left, top, right, bottom = _box(shapes()[code])
    x, y = project(COUNTRIES[code].latitude, COUNTRIES[code].longitude)
    assert left - 12 <= x <= right + 12
    assert top - 12 <= y <= bottom + 12


def test_no_country_is_drawn_across_the_whole_sheet() -> None:
    for ring in shapes()["RU"].split("z")[:-1]:
        left, _, right, _ = _box(f"{ring}z")
        assert right - left < WIDTH / 2, "a ring that crosses the 180th degree is cut there"


def test_projection_keeps_sides_and_the_equator() -> None:
    assert project(0, 0)[0] == pytest.approx(WIDTH / 2)
    assert project(0, 180)[0] == pytest.approx(WIDTH)
    assert project(84, 0)[1] == pytest.approx(0)
    assert project(-57, 0)[1] == pytest.approx(HEIGHT, abs=1)
    assert project(40, 10)[1] < project(30, 10)[1]


def test_guesses_are_hatched_and_ringed() -> None:
    areas = [
        Area("DE", 0.6, "Germany: 6 MB, 60 %", "/countries/DE", unsure=False),
        Area("US", 0.3, "x", "/u", unsure=True),
    ]
    dots = [
        Dot(1.35, 103.8, 1.0, "Singapore <b>", "/countries/SG", unsure=False, party="third"),
        Dot(39.5, -98.5, 0.2, "United States", "/u", unsure=True, party="first"),
    ]
    page = parsed(str(world(areas, dots, 'A "map"')))
    germany, america = page.all("a", class_="area")
    assert germany.one("path").attributes["class"] == "shade-5"
    assert len(germany.all("path")) == 1
    assert america.all("path")[1].attributes["fill"] == "url(#guess)"
    circles = page.all("circle")
    assert [each.attributes["class"] for each in circles] == ["dot fill-third", "dot ring"]
    assert float(circles[0].attributes["r"]) > float(circles[1].attributes["r"])
    assert "<b>" not in str(world(areas, dots, "map"))
    assert page.one("svg").attributes["aria-label"] == 'A "map"'


@pytest.mark.parametrize("view", VIEWS)
def test_parts_of_the_world_are_on_the_sheet(view: str) -> None:
    left, top, width, height = VIEWS[view][1]
    assert 0 <= left < left + width <= WIDTH
    assert 0 <= top < top + height <= HEIGHT
    assert f'viewBox="{left} {top} {width} {height}"' in world([], [], "map", view)


def test_shades_grow_with_shares() -> None:
    assert [shade(share) for share in (0, 0.002, 0.02, 0.06, 0.3, 0.9)] == [0, 1, 2, 3, 4, 5]


def test_shapes_are_made_from_the_source(tmp_path: Path) -> None:
    """Two countries that share a border, and one across the 180th degree, as the source writes them."""
    topology = {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": [
            [[0, 0], [0, 10]],  # the border
            [[0, 10], [-20, 0], [0, -10], [20, 0]],
            [[0, 0], [20, 0], [0, 10], [-20, 0]],
            [[170, 40], [20, 0], [0, 20], [-20, 0], [0, -20]],
        ],
        "objects": {"countries": {"geometries": [
            {"type": "Polygon", "id": "276", "properties": {"name": "Germany"}, "arcs": [[0, 1]]},
            {"type": "Polygon", "id": "250", "properties": {"name": "France"}, "arcs": [[2, -1]]},
            {"type": "Polygon", "id": "643", "properties": {"name": "Russia"}, "arcs": [[3]]},
            {"type": "Polygon", "properties": {"name": "Nowhere"}, "arcs": [[3]]},
        ]}},
    }  # fmt: skip
    source, target = tmp_path / "countries.json", tmp_path / "world.json"
    source.write_text(json.dumps(topology), "utf-8")
    world_build.main(str(source), str(target))
    made = json.loads(target.read_text("utf-8"))
    assert set(made["countries"]) == {"DE", "FR", "RU"}
    assert _box(made["countries"]["DE"])[2] == _box(made["countries"]["FR"])[0] == WIDTH // 2
    assert made["countries"]["RU"].count("M") == 2
    assert _box(made["countries"]["RU"])[0] < WIDTH / 4 < WIDTH * 3 / 4 < _box(made["countries"]["RU"])[2]
