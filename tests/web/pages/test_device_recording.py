"""How much of a device is recorded: said on its page, shown there and beside the captures, kept when it is forgotten."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.wishes import Wishes
from daemon.store import audit, owner
from daemon.store.words import NO_NAMES, OFF, RECORD
from tests.daemon.ingest.scenes import HOUR, TABLET_MAC
from tests.support.dashboard import client, post, read, rows
from tests.support.packets import ROUTER_MAC
from tests.support.threedays import LAPTOP_MAC, MIDNIGHT, home

RANGE = "range=2023-11-15..2023-11-17"
PAGE = f"/devices/{TABLET_MAC}"
NOW_US = 1_795_000_000_000_000
Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("recording"))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return tmp_path / "owner.db"


@pytest.fixture
def browser(three_days: Home, words: Path) -> TestClient:
    return client(three_days[0], owner=words, now_us=lambda: NOW_US)


def section(browser: TestClient, address: str = PAGE) -> str:
    return read(browser, f"{address}?{RANGE}").one("section", id="recording").text


def test_a_level_is_said_shown_and_undone(browser: TestClient, words: Path) -> None:
    assert "It is recorded in full." in section(browser)
    for means in (
        "Every packet is kept",
        "only the headers are kept",
        "No packet from it or to it",
        "Lost: everything",
        "Under a new one a device is recorded in full until that is joined to it",
    ):
        assert means in section(browser), "each choice says what it costs"
    assert "as soon as homeport ingest runs" in section(browser), "nobody runs who could tell the recorder"
    answer = post(browser, f"{PAGE}/record?{RANGE}", level=OFF)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?{RANGE}#recording")
    page = read(browser, f"{PAGE}?{RANGE}")
    assert "Not recorded since 18 Nov 2026" in section(browser)
    assert "not recorded since 18 Nov 2026" in page.one("p", class_="device-tags").text
    chosen = [each.attributes["value"] for each in page.all("input", name="level") if "checked" in each.attributes]
    assert chosen == [OFF]
    assert "is recorded “off”" in page.one("section", id="about").text
    with closing(owner.open_owner(words)) as db:
        (line,) = audit.latest(db, 5)
    assert (line.what, line.about) == (audit.RECORDED, "bobs-tablet: not recorded")
    word = page.one("section", id="about").one("input", name="word").attributes["value"]
    post(browser, f"{PAGE}/undo", word=word)
    assert "It is recorded in full." in section(browser)


def test_who_is_not_recorded_is_not_silent(browser: TestClient, three_days: Home, tmp_path: Path) -> None:
    assert "Once nothing was heard of it" in read(browser, f"{PAGE}?{RANGE}").one("section", id="time").text
    # By what was captured here it never was silent for an hour until four o'clock.
    then = client(three_days[0], owner=tmp_path / "then.db", now_us=lambda: MIDNIGHT + 4 * HOUR)
    post(then, f"{PAGE}/record", level=OFF)
    page = read(then, f"{PAGE}?{RANGE}")
    assert "nothing was heard" not in page.one("section", id="time").text
    lead = page.one("p", class_="lead").text
    assert lead.startswith("bobs-tablet has not been recorded since 15 November 2023, 04:00")
    assert "talked to" in lead, "what was recorded is told"
    before = read(then, f"{PAGE}?range=2023-11-01..2023-11-02")
    assert "Nothing was heard" not in before.one("p", class_="lead").text
    folded = [each.one("summary").text for each in read(then, "/devices?range=2023-11-01..2023-11-02").all("details")]
    assert any(each.startswith("Silent") for each in folded)
    assert "Not recorded 1" in folded


def test_what_is_so_already_is_said_once(browser: TestClient, words: Path) -> None:
    for _ in range(3):
        assert post(browser, f"{PAGE}/record", level=NO_NAMES).status_code == 303
    with closing(owner.open_owner(words)) as db:
        assert [word.value for word in owner.history(db, "home", [TABLET_MAC])] == [NO_NAMES]


def test_the_captures_page_has_a_number_beside_the_totals(browser: TestClient) -> None:
    assert "not recorded" not in read(browser, f"/captures?{RANGE}").text
    post(browser, f"{PAGE}/record", level=OFF)
    page = read(browser, f"/captures?{RANGE}")
    assert "1 device is not recorded" in page.one("p", class_="lead").text
    post(browser, f"/devices/{LAPTOP_MAC}/record", level=NO_NAMES)
    page = read(browser, f"/captures?{RANGE}")
    assert "1 device is not recorded, 1 is recorded without names" in page.one("p", class_="lead").text
    table = [(row["Device"], row["How"]) for row in rows(page.one("section", id="recording"))]
    assert sorted(table) == [("adas-laptop", "recorded without names"), ("bobs-tablet", "not recorded")]


def test_the_overview_says_it_as_well(browser: TestClient) -> None:
    assert "not recorded" not in read(browser, f"/?{RANGE}").text
    post(browser, f"{PAGE}/record", level=OFF)
    (note,) = [each for each in read(browser, f"/?{RANGE}").all("p", class_="note") if "not recorded" in each.text]
    assert note.one("a").text == "1 device is not recorded"
    assert note.one("a").attributes["href"].startswith("/devices")


def test_who_was_forgotten_is_still_not_recorded_until_that_is_taken_back(tmp_path: Path) -> None:
    database, _ = home(tmp_path)
    words = tmp_path / "owner.db"
    browser = client(database, owner=words, now_us=lambda: NOW_US)
    post(browser, f"{PAGE}/record", level=OFF)
    post(browser, f"{PAGE}/forget", confirm="bobs-tablet")
    Wishes(database, "home", Knowledge(owner=words)).fulfil()
    assert "There is no device" in read(browser, PAGE, 404).text
    assert [row["Device"] for row in rows(read(browser, f"/captures?{RANGE}").one("section", id="recording"))] == [
        TABLET_MAC
    ]
    assert post(browser, "/captures/record", key=TABLET_MAC).status_code == 303
    assert not read(browser, f"/captures?{RANGE}").all("section", id="recording")
    assert owner.words_at(words, "home").levels == {}


@pytest.mark.parametrize(
    ("address", "fields", "says"),
    [
        (f"{PAGE}/record", {"level": "some"}, "Nothing was changed"),
        (f"{PAGE}/record", {}, "Nothing was changed"),
        (f"{PAGE}/say", {"about": RECORD, "value": OFF}, "cannot be said"),
        ("/captures/record", {"key": TABLET_MAC}, "nobody said anything"),
        ("/captures/record", {"key": "<script>"}, "nobody said anything"),
    ],
)
def test_what_makes_no_sense_is_refused(browser: TestClient, address: str, fields: dict[str, str], says: str) -> None:
    answer = post(browser, address, **fields)
    assert answer.status_code == 400
    assert says in answer.text


def test_the_router_is_not_left_out(browser: TestClient) -> None:
    answer = post(browser, f"/devices/{ROUTER_MAC}/record", level=OFF)
    if answer.status_code != 404:  # where it counts as a device
        assert answer.status_code == 400
        assert "others reach the internet through it" in answer.text


def test_nothing_is_changed_without_the_token_nor_by_asking(browser: TestClient) -> None:
    for address in (f"{PAGE}/record", "/captures/record"):
        assert browser.post(address, data={"level": OFF, "key": TABLET_MAC}).status_code in (400, 403)
        assert browser.get(address).status_code in (404, 405)
    assert "It is recorded in full." in section(browser)


def test_the_api_tells_the_level(browser: TestClient) -> None:
    post(browser, f"{PAGE}/record", level=NO_NAMES)
    found = {each["key"]: each for each in browser.get("/api/v1/devices").json()["devices"]}
    assert (found[TABLET_MAC]["recording"], found[TABLET_MAC]["recording_since_us"]) == (NO_NAMES, NOW_US)
    assert (found[LAPTOP_MAC]["recording"], found[LAPTOP_MAC]["recording_since_us"]) == ("full", None)
    assert browser.get(f"/api/v1/devices/{TABLET_MAC}").json()["recording"] == NO_NAMES
