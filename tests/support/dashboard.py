"""The dashboard without a browser: an open application over a database, and its pages as text.

Rule 1: an application is closed by its test (`with client(...) as browser`).
Rule 2: a page is read as a person reads it: `text` of what is shown, `rows` of its tables, `links` that it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.testclient import TestClient

from web.app import create_app
from web.options import Options
from web.templating import Templates

BASE = "http://127.0.0.1:8080"
_EMPTY = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSHOWN = frozenset({"script", "style", "head", "template"})


def client(database: Path, *, owner: Path | None = None, **options: object) -> TestClient:
    """A browser without script in front of an application that needs no login."""
    given: dict[str, object] = {"open": True, "version": "0", **options}
    made = Options(database=database, owner=owner or database.with_name("owner.db"), **given)  # type: ignore[arg-type]  # each test gives fields of Options
    return TestClient(application(made), base_url=BASE, follow_redirects=False)


def application(options: Options) -> FastAPI:
    """The application, with templates that all tests of this process share: compiling them takes most of a test."""
    app = create_app(options)
    app.state.templates = _templates(options.version)
    return app


@cache
def _templates(version: str) -> Templates:
    return Templates(version)


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What it shows, with single spaces."""
        if self.tag in _UNSHOWN:
            return ""
        return " ".join(" ".join(each if isinstance(each, str) else each.text for each in self.children).split())

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Every element below of this tag that has these attributes (`class_` means one of its classes)."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and all(_has(child, name, value) for name, value in attributes.items()):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str, **attributes: str) -> Element:
        """The first of them; there must be one."""
        found = self.all(tag, **attributes)
        assert found, f"no <{tag}> with {attributes} on the page"
        return found[0]


def parsed(html: str) -> Element:
    """A page as a tree; an element that is not closed is an error."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert [each.tag for each in parser.open] == ["document"], f"not closed: {[each.tag for each in parser.open[1:]]}"
    return parser.open[0]


def read(browser: TestClient, address: str, status: int = 200) -> Element:
    """A page of the application."""
    answer = browser.get(address)
    assert answer.status_code == status, (answer.status_code, address, answer.text[:500])
    return parsed(answer.text)


def post(browser: TestClient, address: str, **fields: str) -> Any:  # noqa: ANN401  the client's answer; of which library depends on its version
    """Send a form as one of our pages would: with the token of the session, and saying where it comes from."""
    token = read(browser, "/settings").one("input", name="csrf").attributes["value"]
    return browser.post(address, data={**fields, "csrf": token}, headers={"origin": BASE})


def rows(page: Element, number: int = 0) -> list[dict[str, str]]:
    """The rows of a table, by its headings."""
    table = page.all("table")[number]
    headings = [cell.text for cell in table.one("thead").all("th")]
    return [
        dict(zip(headings, [cell.text for cell in row.all("td") + row.all("th")], strict=False))
        for row in table.one("tbody").all("tr")
    ]


def links(page: Element) -> set[str]:
    """The paths to which the content of a page leads."""
    return {urlsplit(each.attributes["href"]).path for each in page.one("main").all("a") if "href" in each.attributes}


def _has(element: Element, name: str, value: str) -> bool:
    if name == "class_":
        return value in element.attributes.get("class", "").split()
    return element.attributes.get(name.replace("_", "-")) == value


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)
