"""A page that says what is wrong leads on: back to where somebody was, or to a shorter time, and never elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.dashboard import BASE, Element, client, parsed, read
from tests.support.twomonths import LAPTOP_MAC, RANGE, home
from web.pages import overview
from web.reading import TooLongError

PAGE = f"/devices/{LAPTOP_MAC}"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home(tmp_path_factory.mktemp("routing"))[0]


@pytest.fixture
def browser(database: Path, tmp_path: Path) -> TestClient:
    return client(database, owner=tmp_path / "owner.db")


def _buttons(page: Element) -> dict[str, str]:
    return {each.text: each.attributes["href"] for each in page.one("main").all("a", class_="button")}


@pytest.mark.parametrize(
    ("referer", "back"),
    [(f"{BASE}{PAGE}?range=30d", f"{PAGE}?range=30d"), ("http://elsewhere.example/devices", None), ("", None)],
)
def test_who_was_refused_comes_back_to_the_page(browser: TestClient, referer: str, back: str | None) -> None:
    token = read(browser, "/settings").one("input", name="csrf").attributes["value"]
    headers = {"origin": BASE, **({"referer": referer} if referer else {})}
    answer = browser.post(f"{PAGE}/forget", data={"csrf": token, "confirm": "another name"}, headers=headers)
    assert answer.status_code == 400
    page = parsed(answer.text)
    assert "Nothing was forgotten" in page.text
    assert _buttons(page).get("Back") == back
    assert _buttons(page)["To the overview"] == "/"


def test_what_takes_too_long_is_offered_for_a_shorter_time(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> None:
        raise TooLongError("That takes longer than a page may take.")

    monkeypatch.setattr(overview, "_lead", slow)
    page = read(browser, "/?range=365d&site=home", 503)
    assert _buttons(page)["The last 24 hours"] == "/?site=home&range=24h"
    assert "The last 24 hours" not in _buttons(read(browser, "/?range=24h", 503))


def test_a_time_that_is_none_is_said(browser: TestClient) -> None:
    assert "“ banana ” is no time that pages know" in read(browser, "/?range=banana").text
    assert "is no time" not in read(browser, f"/?{RANGE}").text
    refused = browser.get("/api/v1/reports/companies?range=2024-13")
    assert refused.status_code == 400, "a program would take the answer for that of its question"
    assert "2024-13 is no time" in refused.json()["detail"]
