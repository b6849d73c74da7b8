"""Every number is one tap from what it means, and two from its packets; and no text of that is lost or made twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.support.dashboard import Element, client, read
from tests.support.twomonths import LAPTOP_MAC, RANGE, home
from web.pages import PAGES
from web.words import TASKS, WORDS, tasks_of

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"
NUMBERED = (  # pages whose numbers are of the home's traffic
    "/", "/network", "/network/names", "/network/rates", "/network/applications", "/destinations",
    "/destinations/netflix.com", "/companies/Netflix", "/map", "/months", "/devices", f"/devices/{LAPTOP_MAC}",
    "/findings", "/captures", "/reports/companies",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client(home(tmp_path_factory.mktemp("words"))[0])


def _notes(page: Element) -> dict[str, Element]:
    return {each.attributes["id"]: each for each in page.all("span", class_="meaning")}


@pytest.mark.parametrize("path", NUMBERED)
def test_numbers_are_one_tap_from_what_they_mean_and_two_from_packets(browser: TestClient, path: str) -> None:
    page = read(browser, f"{path}?{RANGE}")
    notes = _notes(page)
    assert notes, "no note says what the numbers mean"
    opened = {each.attributes["popovertarget"] for each in page.all("button") if "popovertarget" in each.attributes}
    assert opened == set(notes)
    for name, note in notes.items():
        if name.startswith(
            "column-"
        ):  # a heading's own note: tests/daemon/report/test_meanings.py says that none lacks one
            assert len(note.text) > len("Close")
            continue
        word = name.removeprefix("means-").partition("-")[0]  # behind it: which of several on one page
        assert WORDS[word].means in note.text
        assert f"/help#{word}" in [link.attributes["href"] for link in note.all("a")]
    packets = [link.attributes["href"] for note in notes.values() for link in note.all("a", class_="button")]
    assert path == "/captures" or any(each.startswith("/captures?") for each in packets)


def test_notes_of_one_thing_lead_to_its_own_packets(browser: TestClient) -> None:
    for path, filtered in (
        (f"/devices/{LAPTOP_MAC}", f"device={LAPTOP_MAC.replace(':', '%3A')}"),
        ("/companies/Netflix", "company=Netflix"),
        ("/destinations/netflix.com", "destination=netflix.com"),
    ):
        found = [
            link.attributes["href"]
            for note in _notes(read(browser, f"{path}?{RANGE}")).values()
            for link in note.all("a")
        ]
        assert any(each.startswith("/captures?") and filtered in each for each in found), path


@pytest.mark.parametrize("path", NUMBERED)
def test_no_id_is_given_twice(browser: TestClient, path: str) -> None:
    ids = Counter(re.findall(r' id="([^"]+)"', browser.get(f"{path}?{RANGE}").text))
    assert [name for name, often in ids.items() if often > 1] == []


def test_every_word_is_used_and_every_used_word_is_there(browser: TestClient) -> None:
    used = set()
    for template in TEMPLATES.rglob("*.html"):
        for call in re.findall(r"means\(visit, ([^)]*)\)", template.read_text("utf-8")):
            used |= set(re.findall(r'"([a-z]+)"', re.split(r", visit\.(?:link|packets)", call)[0])) - {"companies"}
    assert used == set(WORDS)
    anchors = {each.attributes["id"] for each in read(browser, "/help").all("dt")}
    assert anchors == set(WORDS)


def test_tasks_lead_to_pages_that_are_there(browser: TestClient) -> None:
    for task in TASKS:
        assert browser.get(task.address).status_code == 200, task.question
    assert "/help" in {page.path for page in PAGES}
    assert [each.address for each in tasks_of("guest")] == ["/devices"]
    assert tasks_of("") == []


def test_what_programs_can_ask_is_told_whole(browser: TestClient) -> None:
    page = read(browser, "/help/api")
    for address, methods in browser.get("/api/v1/openapi.json").json()["paths"].items():
        section = next(each for each in page.all("section") if each.one("h2").text == address)
        assert methods["get"]["description"] in section.text
        asked = [each["name"] for each in methods["get"].get("parameters", ())]
        assert [each.text for each in section.all("dt")] == asked
        assert all(each.text for each in section.all("dd")), address
    assert "/help/api" in {each.attributes["href"] for each in read(browser, "/").one("footer").all("a")}
