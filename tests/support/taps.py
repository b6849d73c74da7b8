"""How far the packets of a page's numbers are: which numbers a page shows, what leads from them, and what a cut holds.

Rule 1: a number of bytes says so itself; one of packets, connections or questions stands in a column that is headed so.
Rule 2: a row of a table or of a list has its packets one tap away (and the button there is the second); a number in a
        sentence two, by what its panel means. What is not shown (popovers, drawings) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from starlette.testclient import TestClient

from tests.support.captures import read as read_capture
from tests.support.dashboard import Element

_SIZE = re.compile(r"(?<![\w.,])(\d[\d.,]*)\s([kMGT]?B)\b")
_COUNT = re.compile(r"\d[\d,]*")
_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
_PACKET_COUNTS = frozenset({"Packets", "Packets sent", "Packets received", "Packets up", "Packets down"})
_CALLS = frozenset({"Connections", "Questions", "Questions for names"})  # of one call there are many packets
_NOBODYS = ("no device of this house", "names not kept")
_PANELS = ("section", "details", "article")
_UNSHOWN = frozenset({"svg", "template", "script"})
_PACKETS = ("/captures?", "/captures/files/")


class Number(NamedTuple):
    """A number that is shown: what it says, of which column and row, and where its link to packets leads (else None)."""

    text: str
    heading: str
    row: int  # the number of its row on the page; 0: a sentence
    panel: str  # heading of its panel
    link: str | None
    meant: bool  # its row, or of a sentence its panel (above all panels: the page), leads to packets


class _Place(NamedTuple):
    row: int = 0
    heading: str = ""
    panel: Element | None = None
    link: str | None = None
    within: Element | None = None  # the row, else the panel


def numbers_of(page: Element) -> list[Number]:
    """All numbers of bytes and packets that are not nothing."""
    main = next(iter(page.all("main")), page)  # some pages are parts of another
    rows = iter(range(1, 1_000_000))
    return [
        Number(text, place.heading, place.row, _heading(place.panel), place.link, _leads(place.within or main))
        for text, place in _texts(main, _Place(), rows)
    ]


def _texts(element: Element, place: _Place, rows: Iterator[int]) -> Iterator[tuple[str, _Place]]:
    for child in element.children:
        if isinstance(child, str):
            yield from ((text, place) for text in _numbers(child, place.heading))
        elif child.tag not in _UNSHOWN and "popover" not in child.attributes:
            yield from _texts(child, _inside(child, place, rows), rows)


def _inside(child: Element, place: _Place, rows: Iterator[int]) -> _Place:
    href = child.attributes.get("href", "")
    if child.tag == "a" and href.startswith(_PACKETS):
        return place._replace(link=href)
    legend = child.tag == "ul" and "legend" in child.attributes.get("class", "").split()  # of one picture, up and down
    if child.tag in ("tr", "li") or legend:
        return place._replace(row=place.row or next(rows), within=child)
    if child.tag == "td":
        return place._replace(heading=child.attributes.get("data-heading", ""))
    if child.tag in _PANELS and "panel" in child.attributes.get("class", "").split():
        return _Place(panel=child, within=child)
    return place


def _numbers(text: str, heading: str) -> Iterator[str]:
    if heading in _PACKET_COUNTS | _CALLS:
        found = _COUNT.fullmatch(text.strip())
        if found and found[0] != "0":
            yield found[0]
    yield from (found[0] for found in _SIZE.finditer(text) if float(found[1].replace(",", "")))


def _heading(panel: Element | None) -> str:
    if panel is None:
        return ""
    heads = [*panel.all("h2"), *panel.all("h3"), *panel.all("caption")]
    return heads[0].text if heads else panel.attributes.get("aria-label", "")


def _leads(panel: Element) -> bool:
    """To packets, if there are any that can be found: what is of nobody of the house, or has lost its name, has none."""
    if panel.tag in ("tr", "li") and any(words in panel.text for words in _NOBODYS):
        return True
    return any(each.attributes.get("href", "").startswith("/captures") for each in panel.all("a"))


class Held(NamedTuple):
    """What a cut holds."""

    packets: int
    bytes: int  # on the wire


def held(browser: TestClient, link: str) -> Held | None:
    """What is behind the button of the page to which a number leads; None where there is nothing."""
    answer = browser.get(f"/captures/packets?{link.partition('?')[2]}")
    if answer.status_code != 200:
        return None
    rows = read_capture(answer.content).rows
    return Held(len(rows), sum(row.wire for row in rows))


class Said(NamedTuple):
    """What a row says of the packets behind one link: how many, and how many bytes (with what rounding leaves open)."""

    packets: int | None
    bytes: float | None
    rounded: float


def said_of(numbers: Mapping[str, list[Number]]) -> dict[str, Said]:
    """Of the numbers of one row by link: up and down together."""
    out = {}
    for link, few in numbers.items():
        counts = [int(each.text.replace(",", "")) for each in few if each.heading in _PACKET_COUNTS]
        sizes = [_bytes(each.text) for each in few if not _COUNT.fullmatch(each.text)]
        out[link] = Said(
            sum(counts) if counts else None,
            sum(each for each, _ in sizes) if sizes else None,
            sum(each for _, each in sizes),
        )
    return out


def _bytes(text: str) -> tuple[float, float]:
    """Bytes of `1.2 MB`, and half of the last digit."""
    number, unit = re.split(r"\s", text)
    fraction = number.partition(".")[2]
    return float(number.replace(",", "")) * _UNITS[unit], _UNITS[unit] / 2 / 10 ** len(fraction)
