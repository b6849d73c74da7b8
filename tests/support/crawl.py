"""Walking an application from page to page as a browser without script would, and what a page must not contain.

Rule 1: links are followed as they stand in pages, a bounded number of each kind of address; parameters of an address
        make no kind of their own.
Rule 2: what elements and attributes a page may have is read from the templates and charts themselves: whatever else
        comes out was brought by text from the network.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from starlette.testclient import TestClient

from tests.support.dashboard import Element, parsed

WEB = Path(__file__).parents[2] / "web"
START = ("/", "/devices", "/destinations", "/map", "/months", "/network", "/findings", "/captures", "/settings",
"/search?q=q1",
         "/reports", "/settings/applications", "/settings/tokens")  # fmt: skip
_LEADING = ("href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href", "hx-get", "hx-post")
_MOST_QUERIES = 2  # of one path
_FORBIDDEN = ("style", "srcdoc", "http-equiv")


@dataclass(frozen=True, slots=True)
class Found:
    """An answer on the way; `tree` is None where it is no page."""

    address: str
    kind: str  # content type
    text: str
    tree: Element | None
    status: int = 200


def crawl(browser: TestClient, most_of_a_kind: Callable[[str], int]) -> Iterator[Found]:
    """Every answer that was found."""
    waiting, seen, kinds, paths = deque(START), set(START), Counter[str](), Counter[str]()
    while waiting:
        address = waiting.popleft()
        answer = browser.get(address)
        if answer.status_code == 303 and address == answer.headers["location"]:
            continue
        assert answer.status_code in (200, 303, 404), f"{address}: {answer.status_code} {answer.text[:300]}"
        kind = answer.headers.get("content-type", "")
        tree = parsed(answer.text) if kind.startswith("text/html") else None
        yield Found(address, kind, answer.text, tree, answer.status_code)
        for link in sorted(_links(tree, address)) if tree else ():
            sort = kind_of(link)
            path = link.partition("?")[0]
            if link not in seen and kinds[sort] < most_of_a_kind(sort) and paths[path] < _MOST_QUERIES:
                seen.add(link)
                kinds[sort] += 1
                paths[path] += 1
                waiting.append(link)


def kind_of(address: str) -> str:
    """`/devices/*` of an address of one device."""
    parts = urlsplit(address).path.split("/")
    kept = [
        part if number < 2 or (part.isalpha() and part.islower() and number > 2) else "*"
        for number, part in enumerate(parts)
    ]
    return "/".join(kept) + (".csv" if address.partition("?")[0].endswith(".csv") else "")


def faults(page: Element, text: str) -> list[str]:
    """What is on a page that neither a template nor a chart has put there."""
    hidden = {sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf")} - {"\n"}
    found = [f"sign {ord(sign):#x}" for sign in hidden]
    tags, attributes = known()
    for element in everything(page):
        if element.tag not in tags:
            found.append(f"<{element.tag}>")
        if element.tag == "bdi" and not element.text.isprintable():
            found.append(f"<bdi> with {element.text!a}")
        if element.attributes.get("method", "").lower() == "post" and not element.all("input", name="csrf"):
            found.append(f"form to {element.attributes.get('action')} without a token")
        if element.tag in ("script", "style") and element.children and not _only_numbers(element):
            found.append(f"<{element.tag}> with content")
        for name, value in element.attributes.items():
            if name not in attributes or name.startswith("on") or name in _FORBIDDEN:
                found.append(f"{element.tag} {name}={value[:60]!r}")
            if name in _LEADING and not _ours(value):
                found.append(f"{element.tag} {name}={value[:60]!r} leads away")
    return found


def _only_numbers(element: Element) -> bool:
    """Whether it is data for a chart, which a browser does not run, and holds nothing that could end it."""
    text = "".join(child for child in element.children if isinstance(child, str))
    return element.attributes.get("type") == "application/json" and "<" not in text and bool(json.loads(text))


def everything(element: Element) -> Iterator[Element]:
    """All elements below."""
    for child in element.children:
        if isinstance(child, Element):
            yield child
            yield from everything(child)


@cache
def known() -> tuple[frozenset[str], frozenset[str]]:
    """Elements and attributes that templates and charts write."""
    files = [*WEB.glob("templates/**/*.html"), *WEB.glob("charts/*.py"), WEB / "templating.py"]
    source = "\n".join(file.read_text("utf-8") for file in files)
    tags = re.findall(r"<([a-z][a-z0-9]*)", source)
    attributes = re.findall(r"""[\s"'}]([a-zA-Z][\w:-]*)\\?=["'{\\]""", source)
    attributes += re.findall(r"""\s(data-[\w-]+)(?=[\s>])""", source)
    plain = ("required", "autofocus", "hidden", "selected", "checked", "defer", "download", "open", "disabled",
    "data-submit",
             "data-zone", "data-theme-toggle", "readonly", "multiple", "hx-boost")  # fmt: skip
    return frozenset({"document", *tags}), frozenset({name.lower() for name in attributes} | set(plain))


def _ours(value: str) -> bool:
    return value.startswith(("#", "?")) or (value.startswith("/") and value[1:2] not in ("/", "\\"))


def _links(page: Element, address: str) -> set[str]:
    found = {urljoin(address, link.attributes["href"]) for link in page.all("a") if "href" in link.attributes}
    return {link.partition("#")[0] for link in found if link.startswith("/") and not link.startswith("/logout")}
