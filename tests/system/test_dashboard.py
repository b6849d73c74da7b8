"""Every page of the dashboard on the sample home, as a person with a browser meets it: on a phone and on a laptop.

Rule 1: the pages are those of the application's own tables; a page that is not walked through here fails the first test.
Rule 2: a page is loaded once a width; themes and what accessibility rules say are looked at on the same load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from daemon.report.registry import KINDS
from tests.support.browser import DESKTOP, PHONE, Walk, browser, needs_browser, served, walking
from tests.support.sample_home import SampleHome, shared_home
from web.pages import PAGES

pytestmark = needs_browser

TV = "8c:79:f5:a0:6e:38"
SENSOR = "24:6f:28:b1:5d:60"
FINDING = "the newest finding"
WALKED: dict[str, tuple[str, ...]] = {  # the addresses at which each page is looked at
    "/": ("/", "/?range=30d"),
    "/network": ("/network", f"/network?device={TV}"),
    "/network/names": ("/network/names",),
    "/network/applications": ("/network/applications",),
    "/network/rates": ("/network/rates",),
    "/destinations": ("/destinations", "/destinations?party=third&sort=name"),
    "/destinations/{name:path}": ("/destinations/ib.adnxs.com",),
    "/companies": ("/companies",),
    "/companies/{name:path}": ("/companies/Google",),
    "/countries/{code}": ("/countries/SG",),
    "/map": ("/map",),
    "/months": ("/months",),
    "/devices": ("/devices",),
    "/devices/{key}": (f"/devices/{TV}", f"/devices/{SENSOR}"),
    "/devices/{key}/names": (f"/devices/{TV}/names",),
    "/findings": ("/findings",),
    "/findings/{name}": (FINDING,),
    "/captures": ("/captures",),
    "/reports": ("/reports",),
    "/reports/{name}": ("/reports/changes",),  # every other one below
    "/search": ("/search?q=tv",),
    "/help": ("/help",),
    "/help/api": ("/help/api",),
    "/settings": ("/settings",),
    "/settings/tokens": ("/settings/tokens",),
    "/settings/applications": ("/settings/applications",),
}
# Parts of pages, files, and what the claim and the login show (test_dashboard_owner.py).
NOT_WALKED = {
    "/overview/live", "/overview/findings", "/overview/watching", "/captures/files/{number}", "/captures/packets",
    "/reports/{name}.csv", "/findings/{name}.csv", "/metrics", "/login", "/setup",
}  # fmt: skip
CHARTED = {  # pages on which the sample home has something to draw
    "/", "/network", "/network/applications", "/map", "/months", "/devices", f"/devices/{TV}", f"/devices/{SENSOR}",
    "/companies/Google", "/destinations/ib.adnxs.com", FINDING,
}  # fmt: skip
BOTH_THEMES = ("/", f"/devices/{TV}", "/map", "/findings", "/settings")
FIRST_VIEW = 300 * 1024  # bytes as they are sent

_DRAWN = """() => [...document.querySelectorAll('main svg[role], main canvas')].map(each => {
  const box = each.getBoundingClientRect();
  if (!each.checkVisibility() || !box.width) return null;  // folded away
  if (each.tagName === 'CANVAS') {
    const points = each.getContext('2d').getImageData(0, 0, each.width, each.height).data;
    return points.some(value => value) && box.height > 20 ? 'drawn' : 'empty canvas';
  }
  const parts = [...each.querySelectorAll('rect, path, polyline, polygon, circle, line')];
  return box.height > 3 && parts.some(part => { const b = part.getBoundingClientRect(); return b.width + b.height > 1; })
    ? 'drawn' : 'empty ' + each.getAttribute('class');
}).filter(Boolean)"""
_FEW_ROWS = """() => document.querySelectorAll(
  'main tr:nth-child(n+5), .rows > :nth-child(n+7), .findings > :nth-child(n+5), svg.heat > rect:nth-child(n+20)'
).forEach(each => each.remove())"""
_STICKS_OUT = """() => [...document.querySelectorAll('main *')].filter(each => {
  const box = each.getBoundingClientRect();
  if (!box.width || each.closest('.hidden, .uplot') || box.right <= innerWidth + 1) return false;
  for (let up = each.parentElement; up; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== 'visible') return false;  // it can be scrolled to, or is cut on purpose
  return true;
}).slice(0, 3).map(each => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SampleHome:
    return shared_home(tmp_path_factory)


@pytest.fixture(scope="module")
def address(home: SampleHome) -> Iterator[str]:
    with served(home.database, "--open", settings=home.settings) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def test_every_page_is_walked_through() -> None:
    pages = {page.path for page in PAGES if page.method == "GET"}
    assert pages - set(WALKED) - NOT_WALKED == set(), "pages at which nobody looks"
    assert (set(WALKED) | NOT_WALKED) - pages == set(), "pages that are no more"


@pytest.mark.parametrize(("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_every_page_comes_fits_and_is_drawn(chromium: Browser, address: str, size: dict[str, int], theme: str) -> None:
    with walking(chromium, address, size, theme) as walk:
        for path in _paths(walk):
            walk.go(path)
            _has_its_parts(walk, path)
            if size is DESKTOP:
                _is_accessible(walk, path, contrast=path in BOTH_THEMES)
            elif path in BOTH_THEMES:
                _is_accessible(walk, path, contrast=True)
    assert walk.wrong == []


def test_every_report_comes_and_fits(chromium: Browser, address: str) -> None:
    with walking(chromium, address, PHONE) as walk:
        for number, kind in enumerate(KINDS):
            page = walk.go(f"/reports/{kind.name}?range=30d")
            _has_its_parts(walk, kind.name)
            page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
            _fits(walk, f"{kind.name}, wide")
            if not number:
                _is_accessible(walk, kind.name, contrast=False)
            page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert walk.wrong == []


def test_first_view_is_small(chromium: Browser, address: str) -> None:
    with walking(chromium, address, PHONE) as walk:
        sent = 0
        session = walk.page.context.new_cdp_session(walk.page)
        session.send("Network.enable")
        lengths: list[float] = []
        session.on("Network.loadingFinished", lambda event: lengths.append(event["encodedDataLength"]))
        walk.go("/")
        walk.page.wait_for_load_state("networkidle")
        sent = round(sum(lengths))
    assert walk.wrong == []
    assert 10_000 < sent < FIRST_VIEW, sent


def test_pages_read_the_same_without_script(chromium: Browser, address: str) -> None:
    paths = ("/", "/network", "/map", "/months", "/devices", f"/devices/{TV}", "/findings", "/captures")
    with (
        walking(chromium, address, DESKTOP) as walk,
        walking(chromium, address, DESKTOP, script=False) as plain,
    ):
        for path in paths:
            shown = [_numbers(each.go(path).locator(".lead").all_inner_texts()) for each in (walk, plain)]
            assert shown[0] == shown[1], path
            assert shown[0], f"{path}: no number in its first sentence"
            tables = [each.page.locator("main table tbody tr").all_inner_texts() for each in (walk, plain)]
            assert [_numbers(tables[0]), _numbers(tables[1])] == [_numbers(tables[1])] * 2, path
            assert plain.page.locator("main svg").count() or path in ("/captures", "/findings"), path
    assert walk.wrong == []
    assert plain.wrong == []


def test_nothing_moves_for_who_prefers_that(chromium: Browser, address: str) -> None:
    with walking(chromium, address, DESKTOP) as walk:
        walk.page.emulate_media(reduced_motion="reduce")
        for path in ("/", f"/devices/{TV}"):
            walk.go(path)
            assert walk.page.evaluate("document.getAnimations().length") == 0, path
    assert walk.wrong == []


def test_months_go_on_paper(chromium: Browser, address: str) -> None:
    with walking(chromium, address, DESKTOP, "dark") as walk:
        page = walk.go("/months")
        page.emulate_media(media="print")
        for gone in (".top", "footer", "main form", "main .means"):
            assert not any(each.is_visible() for each in page.locator(gone).all()), gone
        assert page.locator("main h1").is_visible()
        assert page.locator("main svg.columns").first.is_visible()
        paper, ink = page.evaluate(
            "[document.documentElement, document.body].map(e => getComputedStyle(e).backgroundColor)"
        )
        assert "rgb(255, 255, 255)" in (paper, ink), "ink is dear"
        assert _lightness(page.evaluate("getComputedStyle(document.querySelector('main p')).color")) < 100
        new = page.evaluate(
            "[...document.querySelectorAll('.tag.new')].slice(0, 1).map(e => getComputedStyle(e).color)"
        )
        assert all(_lightness(each) > 200 for each in new), "white on the accent, as by day"
        assert page.pdf(format="A4").startswith(b"%PDF")
    assert walk.wrong == []


def _paths(walk: Walk) -> list[str]:
    page = walk.go("/findings")
    newest = page.locator("main a[href*='/findings/']").first.get_attribute("href")
    assert newest
    return [newest if path == FINDING else path for paths in WALKED.values() for path in paths]


def _has_its_parts(walk: Walk, path: str) -> None:
    page = walk.page
    if page.locator("h1").count() != 1 or not page.locator("main h1").inner_text().strip():
        walk.wrong.append(f"{path}: no heading, or several")
    lead = page.locator("main .lead")
    if not lead.count() or not re.search(r"\w+ .*[.:?]", lead.first.inner_text(), re.DOTALL):
        walk.wrong.append(f"{path}: no sentence says what the page tells")
    drawn = page.evaluate(_DRAWN)
    walk.wrong += [f"{path}: {each}" for each in drawn if each != "drawn"]
    if (path in CHARTED or (path.startswith("/findings/") and FINDING in CHARTED)) and not drawn:
        walk.wrong.append(f"{path}: no chart")
    _fits(walk, path)
    if re.search(r"\b(None(?! so far)|nan|Undefined|NaN)\b", page.locator("main").inner_text()):
        walk.wrong.append(f"{path}: a value that is none is shown")


def _fits(walk: Walk, path: str) -> None:
    if not walk.fits():
        walk.wrong.append(f"{path}: sticks out at the side: {walk.page.evaluate(_STICKS_OUT)}")


def _is_accessible(walk: Walk, path: str, *, contrast: bool) -> None:
    """Let axe look at the page, with a few rows of each long list: the others are as they are. Contrast takes longest."""
    page = walk.page
    page.evaluate(_FEW_ROWS)
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": contrast}}}
    found = page.evaluate(f"axe.run(document, {json.dumps(options)})")
    for each in found["violations"]:
        if each["impact"] in ("serious", "critical"):
            where = "; ".join(node["html"][:160] for node in each["nodes"][:2])
            walk.wrong.append(f"{path}: {each['id']} ({each['impact']}, {len(each['nodes'])} times): {where}")


def _numbers(texts: list[str]) -> list[str]:
    return re.findall(r"\d[\d,.]*(?:\s?[kMGT]?B\b|\s?%)?", " ".join(texts).replace("\u00a0", " "))


def _lightness(colour: str) -> float:
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3
