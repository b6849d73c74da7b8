"""The dashboard under a thumb: what is tapped is large enough, notes open and lead on, charts tell their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, browser, needs_browser, served
from tests.support.sample_home import shared_home

pytestmark = needs_browser

TV = "8c:79:f5:a0:6e:38"
PATHS = (
    "/",
    f"/devices/{TV}",
    "/devices",
    "/destinations",
    "/network",
    "/months",
    "/findings",
    "/captures",
    "/settings",
)
_SMALL = """() => [...document.querySelectorAll('button, .button, input:not([type=hidden]), select, nav a, .chips a')]
  .filter(each => each.checkVisibility() && !each.closest('.hidden, .choice') && each.getBoundingClientRect().width)
  .filter(each => { const box = each.getBoundingClientRect();
    const more = parseFloat(getComputedStyle(each, '::after').top) || 0;
    return box.height - 2 * Math.min(more, 0) < 43.5; })
  .map(each => each.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = shared_home(tmp_path_factory)
    with served(home.database, "--open", settings=home.settings) as found:
        yield found.rstrip("/")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": PHONE["width"], "height": PHONE["height"]}, has_touch=True, is_mobile=True
    )
    yield context.new_page()
    context.close()


def test_what_is_tapped_has_44_pixels(page: Page, address: str) -> None:
    small = {}
    for path in PATHS:
        page.goto(address + path)
        found = page.evaluate(_SMALL)
        if found:
            small[path] = found[:3]
    assert small == {}


def test_a_note_opens_leads_on_and_goes(page: Page, address: str) -> None:
    page.goto(address + "/")
    note = page.locator("#means-party")
    expect(note).to_be_hidden()
    page.get_by_label("What does “Whose data it becomes” mean?").tap()
    expect(note).to_contain_text("Maker's own")
    box = note.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    note.get_by_role("button", name="Close").tap()
    expect(note).to_be_hidden()
    page.get_by_label("What does “Whose data it becomes” mean?").tap()
    note.get_by_role("link", name="The packets behind it").tap()
    expect(page).to_have_url(re.compile(r"/captures"))


def test_a_chart_tells_the_numbers_that_were_tapped(page: Page, address: str) -> None:
    page.goto(address + "/network")
    chart = page.locator("figure.series").first
    told = chart.locator(".series-told")
    expect(told).to_contain_text("Tap the chart")
    chart.locator(".u-over").tap(position={"x": 60, "y": 60})
    expect(told).to_contain_text(re.compile(r"received by devices .*B, sent by devices .*B"))


def test_the_map_can_be_read_on_a_phone(page: Page, address: str) -> None:
    """It is as high as a hand is wide, moves under the finger, and small states can be seen and hit."""
    page.goto(address + "/map?range=30d")
    world = page.locator("svg.world").bounding_box()
    assert world
    assert world["height"] >= 250
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    seen, dot = page.locator(".map-box").bounding_box(), page.locator(".world .dot").first.bounding_box()
    assert seen
    assert dot
    assert seen["x"] <= dot["x"] <= seen["x"] + seen["width"], "the place with most is what one sees first"
    small = page.locator('.world a[href^="/countries/SG"] .dot').first
    small.scroll_into_view_if_needed()
    box = small.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 9


def test_a_column_tells_what_it_means_on_a_phone(page: Page, address: str) -> None:
    page.goto(address + "/reports/protocols")
    page.get_by_text("What the columns mean").tap()
    expect(page.locator(".columns-mean")).to_contain_text("joined several into one")


def test_every_page_of_the_menu_can_be_seen(page: Page, address: str) -> None:
    page.goto(address + "/")
    names = page.locator(".top nav a")
    boxes = [each.bounding_box() for each in names.all()]
    assert len(boxes) == 8
    for box in boxes:
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["height"] >= 44
    page.goto(address + "/companies/Google")
    expect(page.locator(".top nav [aria-current]")).to_have_text("Destinations")


@pytest.mark.parametrize("path", ["/destinations", "/devices", "/months", f"/devices/{TV}", "/map", "/countries/SG"])
def test_a_card_has_its_numbers_at_the_right_and_no_line_for_each_word(page: Page, address: str, path: str) -> None:
    page.goto(f"{address}{path}?range=30d")
    cards = page.locator("table.flow tbody tr").all()
    assert cards
    for card in cards[:6]:
        box, first = card.bounding_box(), card.locator("td.number").first.bounding_box()
        beside = [each.bounding_box() for each in card.locator("td:not(.number, :first-child)").all()]
        assert box
        assert first
        assert any(
            each and each["y"] < first["y"] + first["height"] and each["y"] + each["height"] > first["y"]
            for each in beside
        )
        for number in card.locator("td.number").all():
            right = number.bounding_box()
            if right:  # some are left out on a phone
                assert abs(right["x"] + right["width"] - box["x"] - box["width"]) < 2


def test_who_worries_is_told_what_to_do(page: Page, address: str) -> None:
    page.goto(f"{address}/devices/{TV}")
    page.get_by_text("What can I do about it?").tap()
    names = page.locator("#names-to-refuse")
    expect(names).to_contain_text("ib.adnxs.com")
    expect(names).not_to_contain_text("nflxvideo.net")
    box = page.get_by_role("button", name="Copy").first.bounding_box()
    assert box
    assert box["height"] >= 44
    page.goto(f"{address}/companies/Samba%20TV")
    expect(page.locator("#names-to-refuse")).to_have_text("events.samba.tv\n")
    page.goto(f"{address}/companies/Netflix")
    expect(page.locator("#names-to-refuse")).to_have_count(0)
