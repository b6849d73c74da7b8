"""Every table of the dashboard is also a file: all pages of the sample home are walked through, and each table is asked
for the link to its CSV, and each of these links for its file.

Rule: the link stands where the table stands: in the box that folds it away, else in its panel, else (a page that is one
table) in the page's first lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from tests.support.crawl import Found, crawl
from tests.support.dashboard import Element, client, parsed
from tests.support.sample_home import shared_home

WITHOUT = {  # captions of tables that are no file, and why
    "Devices that are not recorded in full": "what the owner chose, with the buttons to choose anew; nothing was counted",
}
_MOST = {"/devices/*": 20, "/devices/*/names": 4, "/findings/*": 20, "/findings/*.csv": 20, "/reports/*": 60,
         "/reports/*.csv": 60}  # fmt: skip
_BOXES = ("details", "section")
_SHARED = {"fold", "fold-in", "scrolls"}  # boxes whose table is a part of that around them


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    home = shared_home(tmp_path_factory)
    with client(home.database) as browser:
        browser.get("/overview/findings")  # so that somebody has looked
        walked = {each.address: each for each in crawl(browser, lambda kind: _MOST.get(kind, 4)) if each.status == 200}
        for page in [each.tree for address, each in walked.items() if each.tree and address.startswith("/findings/")]:
            for link in _files(page):  # a walk goes to few addresses of one path
                answer = browser.get(link)
                walked[link] = Found(link, answer.headers["content-type"], answer.text, None, answer.status_code)
        return walked


def test_every_table_has_its_file(found: dict[str, Found]) -> None:
    wanting, captions = [], set[str]()
    for address, answer in found.items():
        for caption, box in _tables(answer.tree) if answer.tree else ():
            captions.add(caption)
            if caption not in WITHOUT and not _files(box):
                wanting.append(f"{address}: {caption or 'a table without a caption'}")
    assert wanting == []
    assert len(captions) > 40
    for caption in (
        "What it says of itself",
        "What was asked in the open",
        "Distances between connections",
        "At night",
    ):
        assert caption in captions, "the walk came to where such a table is"


def test_every_link_to_a_file_leads_to_one(found: dict[str, Found]) -> None:
    files = {address: each for address, each in found.items() if address.partition("?")[0].endswith(".csv")}
    assert len(files) > 60
    for address, each in files.items():
        assert each.kind.startswith("text/csv"), address
        first, *others = csv.reader(io.StringIO(each.text))
        assert first[0].isidentifier(), address
        assert all(len(row) == len(first) for row in others), address


def test_tables_of_a_finding_are_files_of_their_own(found: dict[str, Found]) -> None:
    tables: dict[str, list[str]] = {}
    for address, each in found.items():
        if address.startswith("/findings/") and ".csv" in address:
            tables.setdefault(_word(address, "table"), []).append(each.text)
    assert {"", "distances", "requests"} <= set(tables)
    assert {"hours", "packets"} & set(tables)
    assert any("ESP32HTTPClient" in text for text in tables["requests"])
    for text in tables["distances"]:
        rows = list(csv.DictReader(io.StringIO(text)))
        assert all(not row["to_seconds"] or float(row["from_seconds"]) < float(row["to_seconds"]) for row in rows)


@pytest.mark.parametrize(
    ("page", "whole"),
    [
        ("<main><section><table></table></section></main>", False),
        ("<main><section><a href='/x.csv?range=7d'>CSV</a><table></table></section></main>", True),
        ("<main><section><a href='/x.csv'>CSV</a><details><table></table></details></section></main>", False),
        (
            "<main><section><a href='/x.csv'>CSV</a><details class='fold-in'><table></table></details></section></main>",
            True,
        ),
        ("<main><p><a href='/x.csv'>CSV</a></p><table></table></main>", True),
    ],
)
def test_this_test_would_see_it(page: str, whole: bool) -> None:
    ((_, box),) = _tables(parsed(page))
    assert bool(_files(box)) is whole


def _tables(page: Element) -> Iterator[tuple[str, Element]]:
    """(caption, the box that must have the file) of every table."""
    for main in page.all("main"):
        yield from _within(main, main)


def _within(element: Element, box: Element) -> Iterator[tuple[str, Element]]:
    for child in element.children:
        if isinstance(child, Element) and child.tag == "table":
            yield " ".join(each.text for each in child.all("caption")), box
        elif isinstance(child, Element):
            shared = _SHARED & set(child.attributes.get("class", "").split())
            yield from _within(child, child if child.tag in _BOXES and not shared else box)


def _files(box: Element) -> list[str]:
    return [link for each in box.all("a") if ".csv" in (link := each.attributes.get("href", "")).partition("?")[0]]


def _word(address: str, name: str) -> str:
    words = dict(pair.partition("=")[::2] for pair in address.partition("?")[2].split("&"))
    return words.get(name, "")
