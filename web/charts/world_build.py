"""Makes `world.json`, the shapes of the countries, from Natural Earth's borders; run by whoever keeps Homeport, not by it.

    python -m web.charts.world_build countries-50m.json web/charts/world.json

The source is a TopoJSON file of the npm package world-atlas (see NOTICE). It numbers countries by ISO 3166-1; a few
without a number are told by their names. What is drawn is what the source draws: no opinion about a border is ours.

Rule 1: borders are simplified once for both their sides (Visvalingam's smallest triangles), so that no gaps open.
Rule 2: islands too small to be seen are left out, but no country loses its largest part.
Rule 3: the source's rings cross the 180th degree, the map's end there: they are cut, and closed along the edge.
Rule 4: coordinates are whole units of the map (`web.charts.projection`): a path is as short as it can be.
"""

from __future__ import annotations

import heapq
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from web.charts.projection import HEIGHT, WIDTH, project

_Point = tuple[float, float]
_Whole = tuple[int, int]
_LEAST_TRIANGLE = 5.0  # square units: a bend of a border that is smaller is straightened
_LEAST_ISLAND = 24.0  # square units
_LEFT_OUT = frozenset({"AQ"})  # the sheet ends before it

# ISO 3166-1: numeric and alpha-2 codes of what the source numbers.
_CODES = """
004AF 008AL 010AQ 012DZ 016AS 020AD 024AO 028AG 031AZ 032AR 036AU 040AT 044BS 048BH 050BD 051AM 052BB 056BE 060BM 064BT
068BO 070BA 072BW 076BR 084BZ 086IO 090SB 092VG 096BN 100BG 104MM 108BI 112BY 116KH 120CM 124CA 132CV 136KY 140CF 144LK
148TD 152CL 156CN 158TW 170CO 174KM 178CG 180CD 184CK 188CR 191HR 192CU 196CY 203CZ 204BJ 208DK 212DM 214DO 218EC 222SV
226GQ 231ET 232ER 233EE 234FO 238FK 239GS 242FJ 246FI 248AX 250FR 258PF 260TF 262DJ 266GA 268GE 270GM 275PS 276DE 288GH
296KI 300GR 304GL 308GD 316GU 320GT 324GN 328GY 332HT 334HM 336VA 340HN 344HK 348HU 352IS 356IN 360ID 364IR 368IQ 372IE
376IL 380IT 384CI 388JM 392JP 398KZ 400JO 404KE 408KP 410KR 414KW 417KG 418LA 422LB 426LS 428LV 430LR 434LY 438LI 440LT
442LU 446MO 450MG 454MW 458MY 462MV 466ML 470MT 478MR 480MU 484MX 492MC 496MN 498MD 499ME 500MS 504MA 508MZ 512OM 516NA
520NR 524NP 528NL 531CW 533AW 534SX 540NC 548VU 554NZ 558NI 562NE 566NG 570NU 574NF 578NO 580MP 583FM 584MH 585PW 586PK
591PA 598PG 600PY 604PE 608PH 612PN 616PL 620PT 624GW 626TL 630PR 634QA 642RO 643RU 646RW 652BL 654SH 659KN 660AI 662LC
663MF 666PM 670VC 674SM 678ST 682SA 686SN 688RS 690SC 694SL 702SG 703SK 704VN 705SI 706SO 710ZA 716ZW 724ES 728SS 729SD
732EH 740SR 748SZ 752SE 756CH 760SY 762TJ 764TH 768TG 776TO 780TT 784AE 788TN 792TR 795TM 796TC 798TV 800UG 804UA 807MK
818EG 826GB 831GG 832JE 833IM 834TZ 840US 850VI 854BF 858UY 860UZ 862VE 876WF 882WS 887YE 894ZM
"""
_BY_NUMBER = {pair[:3]: pair[3:] for pair in _CODES.split()}
# What has no number: drawn with those to which registries of addresses count it.
_BY_NAME = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}
# Parts that have a code of their own but no number in the source: of which country, and within which degrees
# (west, south, east, north).
_APART = (
    ("FR", "GF", (-56, 1, -50, 7)), ("FR", "GP", (-62.5, 15.7, -60.8, 16.8)), ("FR", "MQ", (-61.4, 14.2, -60.6, 15.2)),
    ("FR", "RE", (54.5, -22, 56.5, -20)), ("FR", "YT", (44.5, -13.5, 45.8, -12)), ("NO", "SJ", (8, 74, 36, 82)),
)  # fmt: skip


def build(source: Path) -> dict[str, Any]:
    """What `world.json` holds: the sheet's size, and a path of SVG for every country by its ISO alpha-2 code."""
    topology = json.loads(source.read_text("utf-8"))
    arcs = [_simplified(_unpacked(arc, topology["transform"])) for arc in topology["arcs"]]
    rings: dict[str, list[list[_Whole]]] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        code = _code(geometry)
        if code is not None and code not in _LEFT_OUT:
            for part, ring in _rings(code, geometry, arcs):
                rings.setdefault(part, []).append(ring)
    paths = {code: "".join(_path(ring) for ring in _large(every)) for code, every in sorted(rings.items())}
    return {"width": WIDTH, "height": HEIGHT, "countries": {code: path for code, path in paths.items() if path}}


def _code(geometry: Mapping[str, Any]) -> str | None:
    return _BY_NUMBER.get(geometry.get("id", "")) or _BY_NAME.get(geometry["properties"]["name"])


def _unpacked(arc: Sequence[Sequence[int]], transform: Mapping[str, Sequence[float]]) -> list[_Point]:
    """An arc in degrees (east, north); in the file its points are differences of whole numbers.

    It goes on beyond the 180th degree where it crosses that, so that no step of it is half a world long.
    """
    (scale_x, scale_y), (left, top) = transform["scale"], transform["translate"]
    x = y = 0
    points: list[_Point] = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        east = x * scale_x + left
        points.append((east if not points else _beside(east, points[-1][0]), y * scale_y + top))
    return points


def _beside(east: float, other: float) -> float:
    """The same longitude, whole turns away, that is nearest to another."""
    return east - 360 * round((east - other) / 360)


def _simplified(points: list[_Point]) -> list[_Point]:
    """The line (in degrees) without the bends that are smallest on the map. Of a ring three points stay besides its ends."""
    kept = _kept([project(north, east) for east, north in points])
    return [points[index] for index in kept]


def _kept(points: list[_Point]) -> list[int]:
    """The numbers of the points that stay."""
    closed = points[0] == points[-1]
    least = 5 if closed else 2
    before = list(range(-1, len(points) - 1))
    after = list(range(1, len(points) + 1))
    areas = {index: _triangle(*points[index - 1 : index + 2]) for index in range(1, len(points) - 1)}
    queue = [(area, index) for index, area in areas.items()]
    heapq.heapify(queue)
    while queue and len(areas) + 2 > least:
        area, index = heapq.heappop(queue)
        if areas.get(index) != area:
            continue  # measured anew since
        if area >= _LEAST_TRIANGLE:
            break
        del areas[index]
        left, right = before[index], after[index]
        after[left], before[right] = right, left
        for each in (left, right):
            if each in areas:  # never smaller than what went: a bend must not wear away point by point
                areas[each] = max(area, _triangle(points[before[each]], points[each], points[after[each]]))
                heapq.heappush(queue, (areas[each], each))
    return sorted({0, len(points) - 1, *areas})


def _triangle(a: _Point, b: _Point, c: _Point) -> float:
    return abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2


def _rings(code: str, geometry: Mapping[str, Any], arcs: Sequence[list[_Point]]) -> Iterator[tuple[str, list[_Whole]]]:
    """(code, ring in whole units) of a country, holes too: with SVG's rule evenodd one is as good as the other."""
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for polygon in polygons:
        for parts in polygon:
            for piece in _on_sheet(_joined(parts, arcs)):
                whole = [(round(x), round(y)) for x, y in (project(north, east) for east, north in piece)]
                yield _part(code, piece), [point for at, point in enumerate(whole) if at == 0 or point != whole[at - 1]]


def _part(code: str, ring: Sequence[_Point]) -> str:
    """The code of the part of a country that a ring is."""
    east, north = ring[0]
    for whole, part, (west_end, south_end, east_end, north_end) in _APART:
        if whole == code and west_end <= east <= east_end and south_end <= north <= north_end:
            return part
    return code


def _joined(parts: Sequence[int], arcs: Sequence[list[_Point]]) -> list[_Point]:
    """Arcs as one ring; each begins where the one before it ends, also on the other side of the 180th degree."""
    points: list[_Point] = []
    for number in parts:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        turn = _beside(arc[0][0], points[-1][0]) - arc[0][0] if points else 0.0
        points += [(east + turn, north) for east, north in arc]
    return points


def _on_sheet(ring: list[_Point]) -> Iterator[list[_Point]]:
    """The parts of a ring on the sheet, which begins and ends at the 180th degree."""
    for turn in (-360.0, 0.0, 360.0):
        piece = [(east + turn, north) for east, north in ring]
        for side in (-1, 1):
            piece = _clipped(piece, side)
        if len(piece) > 3:
            yield [*piece, piece[0]] if piece[0] != piece[-1] else piece


def _clipped(ring: list[_Point], side: int) -> list[_Point]:
    """The part of a ring this side of 180 degrees east (1) or west (-1), by Sutherland and Hodgman's algorithm."""
    edge, out = 180.0 * side, []
    for before, point in zip([*ring[-1:], *ring[:-1]], ring, strict=True):
        inside, was_inside = side * point[0] <= 180, side * before[0] <= 180
        if inside != was_inside:
            part = (edge - before[0]) / (point[0] - before[0])
            out.append((edge, before[1] + part * (point[1] - before[1])))
        if inside:
            out.append(point)
    return out


def _large(rings: Iterable[list[_Whole]]) -> list[list[_Whole]]:
    """Those that can be seen, the largest first; that one always."""
    ordered = sorted(rings, key=_area, reverse=True)
    return [
        ring for index, ring in enumerate(ordered) if len(ring) > 3 and (index == 0 or _area(ring) >= _LEAST_ISLAND)
    ]


def _area(ring: Sequence[_Whole]) -> float:
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def _path(ring: Sequence[_Whole]) -> str:
    """SVG's shortest way to say it: a beginning, then steps; a minus sign separates as well as a space."""
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(ring[:-1])]
    numbers = [number for step in steps for number in step]
    text = "".join(f"{number}" if number < 0 or at == 0 else f" {number}" for at, number in enumerate(numbers))
    return f"M{ring[0][0]} {ring[0][1]}l{text}z"


def main(source: str, target: str) -> None:
    """Read the one file, write the other."""
    Path(target).write_text(json.dumps(build(Path(source)), indent=0, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
