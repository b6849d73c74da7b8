"""What people do with the dashboard, done in a browser: claim it, find, narrow, name, mute, take back, turn dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, Walk, browser, needs_browser, served, walking
from tests.support.hostile_home import hostile_home
from tests.support.importing import process
from tests.support.sample_home import SampleHome, shared_home

pytestmark = needs_browser

TV = "8c:79:f5:a0:6e:38"
PASSWORD = "violet anchor biscuit"  # noqa: S105  of a box that lives for one test


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


@pytest.fixture
def walk(chromium: Browser, address: str) -> Iterator[Walk]:
    with walking(chromium, address, DESKTOP) as one:
        yield one
    assert one.wrong == []


def test_box_is_claimed_entered_and_left(chromium: Browser, home: SampleHome, tmp_path: Path) -> None:
    owner = tmp_path / "owner.db"
    with (
        served(home.database, "--owner", str(owner), settings=home.settings) as address,
        walking(chromium, address, PHONE) as walk,
    ):
        page = walk.go("/devices")
        assert urlsplit(page.url).path == "/setup", "an unclaimed box shows nothing else"
        shown = process("claim", "--db", home.database, "--owner", owner)
        page.get_by_label("Code of the box").fill(shown.stdout.strip())
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_label("Name of the home").fill("The burrow")
        page.get_by_role("button", name="Make this box mine").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        assert walk.fits()
        walk.go("/captures")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        walk.go("/map?range=30d")
        assert urlsplit(page.url).path == "/login"
        page.get_by_label("Password").fill("not this one")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Map")).to_be_visible()
        assert parse_qs(urlsplit(page.url).query)["range"] == ["30d"], "one comes to where one wanted to go"
        walk.wrong = [each for each in walk.wrong if "40" not in each]  # the wrong password was refused, and said so
    assert walk.wrong == []


def test_keyboard_alone_is_enough(walk: Walk) -> None:
    page = walk.go("/devices")
    page.keyboard.press("Tab")
    assert _focused(page, "e => e.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0"), "one sees where one is"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert _focused(page, "e => !!e.closest('main')"), "the content comes next"
    walk.go("/devices")
    order: list[object] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        where = _focused(page, "e => e.closest('nav[aria-label=Pages]') ? 'nav' : e.closest('main') ? 'main' : 'top'")
        seen = _focused(
            page,
            "e => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }",
        )
        assert seen, f"nobody sees that {_focused(page, 'e => e.outerHTML.slice(0, 100)')} has the focus"
        order += [where] if order[-1:] != [where] else []
        if where == "main":
            break
    assert order[-1] == "main"
    assert "nav" in order
    page.locator("h1").click()
    page.keyboard.press("/")
    assert _focused(page, "e => e.id") == "search"
    page.keyboard.type("netflix")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Netflix")


def test_filters_go_from_page_to_page(walk: Walk) -> None:
    page = walk.go("/destinations?range=30d&party=third")
    rows = page.locator("main table.cards tbody tr").first
    rows.locator("a").first.click()
    page.wait_for_load_state()
    assert parse_qs(urlsplit(page.url).query)["range"] == ["30d"]
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Devices").click()
    page.wait_for_load_state()
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"range": ["30d"]}, "a new question keeps the time, and asks about all again"
    page.get_by_role("button", name="24 hours").click()
    page.wait_for_load_state()
    assert parse_qs(urlsplit(page.url).query)["range"] == ["24h"]
    walk.go(f"/captures?device={TV}&range=30d")
    assert page.get_by_label("Device", exact=True).input_value() == TV
    walk.go("/destinations?range=30d")
    page.get_by_label("Device", exact=True).select_option(TV)
    page.wait_for_url("**device=8c*")
    assert parse_qs(urlsplit(page.url).query)["range"] == ["30d"]
    expect(page.locator("main")).to_contain_text("Netflix")
    expect(page.locator("main table").first).not_to_contain_text("Spotify")


def test_devices_are_sorted_and_found(walk: Walk) -> None:
    page = walk.go("/devices")
    names = page.locator("#list > div.panel .device-name")  # those that are folded away are lists of their own
    first = names.all_inner_texts()
    page.locator(".sorts").get_by_role("link", name="Name").click()
    page.wait_for_url("**sort=name*")
    expect(names.first).to_have_text("Air sensor")
    by_name = names.all_inner_texts()
    assert by_name == sorted(by_name, key=str.casefold)
    assert sorted(by_name) == sorted(first)
    page.locator(".finder input[type=search]").fill("vacuum")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**q=vacuum*")
    expect(names).to_have_text(["Vacuum"])


def test_name_is_given_in_place_and_taken_back(walk: Walk) -> None:
    page = walk.go(f"/devices/{TV}")
    page.evaluate("window.stays = true")
    page.get_by_label("Name", exact=True).fill("\u05e1\u05dc\u05d5\u05df loud <b>one</b>")
    page.locator("form", has=page.locator("#say-name")).get_by_role("button", name="Save").click()
    expect(page.locator("main h1")).to_contain_text("loud <b>one</b>")
    assert page.evaluate("window.stays"), "the page stood still"
    assert page.locator("main h1 b").count() == 0
    page.locator("form.last-word").get_by_role("button", name="Undo").click()
    expect(page.locator("main h1")).to_have_text("Living room TV")


def test_finding_is_muted_and_told_again(walk: Walk) -> None:
    page = walk.go("/findings")
    first = page.locator("main a[href*='/findings/']").first
    sentence = first.inner_text()
    first.click()
    page.get_by_label("Note").fill("It is mine; leave <i>it</i>")
    page.get_by_role("button", name="Save the note").click()
    expect(page.get_by_label("Note")).to_have_value(re.compile("It is mine"))
    page.get_by_role("button", name="I know this: mute it").click()
    expect(page.get_by_role("heading", name="Findings", exact=True)).to_be_visible()
    assert sentence in (page.locator(".finding").last.text_content() or ""), "it stays, folded away at the end"
    walk.go("/")
    expect(page.locator("main")).not_to_contain_text(sentence)
    walk.go("/findings")
    muted = page.locator(".finding", has_text=sentence)
    page.locator("main details > summary").last.click()
    muted.get_by_role("button", name="Unmute").click()
    walk.go("/findings")
    expect(page.locator(".finding", has_text=sentence).get_by_role("button", name="Unmute")).to_have_count(0)


def test_theme_is_remembered(walk: Walk) -> None:
    page = walk.go("/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    walk.go("/network")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light or dark").click()
    walk.go("/months")
    assert page.evaluate(ground) == light


def test_long_chart_is_zoomed_and_shown_whole_again(walk: Walk) -> None:
    page = walk.go("/network")
    chart = page.locator("figure.series").first
    expect(chart.locator("canvas").first).to_be_visible()
    before = chart.inner_text()
    chart.get_by_role("button", name="Closer").click()
    expect(chart.get_by_role("button", name="The whole time")).to_be_enabled()
    chart.get_by_role("button", name="The whole time").click()
    expect(chart.get_by_role("button", name="The whole time")).to_be_disabled()
    assert chart.inner_text() == before


def test_names_of_any_length_and_direction_fit(chromium: Browser, tmp_path: Path) -> None:
    database = hostile_home(tmp_path)
    with served(database, "--open") as address, walking(chromium, address, PHONE) as walk:
        page = walk.go("/devices?range=90d")
        device = page.locator(".device-name").first.get_attribute("href")
        assert device
        for path in (
            device,
            "/destinations",
            "/network/names",
            "/",
            "/findings",
            "/search?q=example",
            "/reports/devices",
        ):
            walk.go(path)
            if not walk.fits():
                walk.wrong.append(f"{path} sticks out at the side")
        for link in page.locator("main a[href*='/devices/']").all()[:1]:
            assert link.is_visible()
    assert walk.wrong == []


def _focused(page: Page, about: str) -> object:
    return page.evaluate(f"({about})(document.activeElement)")
