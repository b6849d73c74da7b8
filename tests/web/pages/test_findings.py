"""Findings on pages: what is there, with its numbers, and what the owner does with it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from daemon.report.findings.vocabulary import BEACONING, PORT
from tests.support.dashboard import BASE, Element, client, links, post, read, rows
from tests.support.planted import Home
from tests.support.planted_home import make_small
from tests.support.scoring import database_of
from web.numbers import count, size

HOST = "in.tarn-relay.example"
NASTY = 'x"><img src=x onerror=alert(1)>.example'


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Home]:
    """Two days with a beacon, a telnet and ordinary life; the packets that made them."""
    home = make_small(HOST)
    return database_of(home, tmp_path_factory.mktemp("findings")), home


@pytest.fixture
def browser(small: tuple[Path, Home], tmp_path: Path) -> TestClient:
    return client(small[0], owner=tmp_path / "owner.db")


def _listed(page: Element) -> list[str]:
    return [each.one("a").attributes["href"] for each in page.all("p", class_="finding-what")]


def _of(browser: TestClient, kind: str) -> str:
    return next(each for each in _listed(read(browser, "/findings")) if kind in each)


def _sent_by(home: Home, kind: str) -> list[bytes]:
    """The packets between the planted device and its destination's port, both ways."""
    key = next(thing.key for thing in home.planted if thing.kind == kind).replace(":", "")
    port = (443 if kind == BEACONING else 23).to_bytes(2, "big")
    return [
        frame
        for _, frame in home.frames
        if frame[23] == 6 and bytes.fromhex(key) in (frame[:6], frame[6:12]) and port in (frame[34:36], frame[36:38])
    ]


def test_the_list_says_what_was_found(browser: TestClient, small: tuple[Path, Home]) -> None:
    page = read(browser, "/findings")
    assert page.one("p", class_="lead").text.startswith("2 things on 2 devices may be worth a look")
    found = [each.text for each in page.all("li", class_="finding")]
    assert "Philips-hue uses telnet on port 23 at sh.opal-net.example" in found[0]
    assert "look at this first" in found[0]
    frames = _sent_by(small[1], BEACONING)
    opened = sum(1 for frame in frames if frame[47] == 0x02)
    assert f"meter connects to {HOST}" in found[1]
    assert f"{count(opened)} connections · {size(sum(map(len, frames)))}" in found[1]
    assert "Regular and usual for such devices (1)" in page.text


def test_the_page_of_a_device_lists_what_is_open(browser: TestClient) -> None:
    address = _of(browser, BEACONING)
    one = read(browser, address)
    device = next(each.attributes["href"] for each in one.all("a") if each.text == "meter")
    section = read(browser, device).one("section", id="findings")
    assert f"meter connects to {HOST}" in section.text
    assert [urlsplit(each).path for each in _listed(section)] == [urlsplit(address).path]
    post(browser, f"{urlsplit(address).path}/mute")
    muted = read(browser, device).one("section", id="findings")
    assert not _listed(muted)
    assert "also those that are muted" in muted.text


def test_one_finding_has_its_evidence(browser: TestClient, small: tuple[Path, Home]) -> None:
    page = read(browser, _of(browser, BEACONING))
    opened = sum(1 for frame in _sent_by(small[1], BEACONING) if frame[47] == 0x02)
    assert f"{count(opened)} connections, one mark each" in page.text
    assert len(page.all("svg", class_="moments")) == 1
    assert sum(int(row["Connections"].replace(",", "")) for row in rows(page)) == opened
    (file,) = [each.attributes["href"] for each in page.all("a") if each.text.startswith("CSV, one row")]
    assert len(browser.get(file).text.splitlines()) == 1 + opened
    assert rows(page, 1)[0] == {"Between two": "4.5 min to 6.5 min", "How often": count(opened - 1)}
    assert "every 5 minutes" in page.text
    assert "What to do" in page.text
    assert "Annas-iPhone" in page.one("ul", class_="rows").text  # it goes there, too
    assert f"--destination {HOST}" in page.one("pre").text
    assert {"/captures", f"/destinations/{HOST}"} <= links(page)


def test_filters_stay_in_the_address(browser: TestClient) -> None:
    page = read(browser, f"/findings?range=30d&kind={PORT}")
    (address,) = _listed(page)
    assert "range=30d" in address
    key = next(each for each in links(page) if each.startswith("/devices/")).removeprefix("/devices/")
    assert len(_listed(read(browser, f"/findings?device={key}"))) == 2  # one of them folded away as usual
    nothing = read(browser, "/findings?kind=new-country")
    assert "Nothing of this kind was found" in nothing.text


def test_mute_and_undo(browser: TestClient) -> None:
    address = _of(browser, BEACONING)
    assert post(browser, f"{address}/mute").status_code == 303
    page = read(browser, "/findings")
    assert page.one("p", class_="lead").text.startswith("1 thing on 1 device")
    assert "Muted (1)" in page.text
    muted = next(each for each in page.all("details") if "Muted" in each.text)
    remark = muted.one("input", name="remark").attributes["value"]
    assert post(browser, f"{address}/undo", remark=remark).status_code == 303
    assert "Muted" not in read(browser, "/findings").text
    assert "2 things" in read(browser, "/findings").one("p", class_="lead").text


def test_a_note_is_kept_with_its_history(browser: TestClient) -> None:
    address = _of(browser, PORT)
    assert post(browser, f"{address}/note", note="my <b>own</b> test").status_code == 303
    assert "my <b>own</b> test" in read(browser, "/findings").text  # as text, not as markup
    page = read(browser, address)
    assert page.one("textarea").text == "my <b>own</b> test"
    assert "note: my <b>own</b> test" in page.text
    assert post(browser, f"{address}/note", note="x" * 600).status_code == 400
    post(browser, f"{address}/note", note="")
    assert read(browser, address).one("textarea").text == ""


def test_what_makes_no_sense_is_said(browser: TestClient) -> None:
    read(browser, "/findings/beaconing-000000000000", 404)
    read(browser, "/findings/..%2f..%2fetc", 404)
    address = _of(browser, PORT)
    assert post(browser, f"{address}/undo", remark="7").status_code == 400
    assert post(browser, f"{address}/undo", remark="x").status_code == 400
    assert post(browser, "/findings/beaconing-000000000000/mute").status_code == 404
    assert browser.get(f"{address}/mute").status_code == 405
    assert browser.post(f"{address}/mute", data={"csrf": "wrong"}, headers={"origin": BASE}).status_code == 403


def test_table_csv_and_api(browser: TestClient) -> None:
    table = read(browser, "/reports/findings")
    assert [each["Kind"] for each in rows(table)] == [PORT, BEACONING]
    lines = browser.get("/reports/findings.csv").text.splitlines()
    assert len(lines) == 3
    answer = browser.get("/api/v1/reports/findings").json()
    assert [row["kind"] for row in answer["rows"]] == [PORT, BEACONING]


def test_names_from_the_network_are_text(tmp_path: Path) -> None:
    home = make_small(NASTY)
    browser = client(database_of(home, tmp_path))
    page = read(browser, "/findings?range=30d")
    beacon = next(each for each in _listed(page) if BEACONING in each)
    one = read(browser, beacon)
    for shown in (page, one):
        assert shown.all("img") == []
        assert "<img" in shown.text
    assert all("onerror" not in each.attributes for each in one.all("a"))


@pytest.fixture
def unlooked(small: tuple[Path, Home], tmp_path: Path) -> Path:
    """The same home as an import leaves it: nobody has looked at it."""
    database = Path(shutil.copy(small[0], tmp_path))
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DELETE FROM hunt")
        db.execute("DELETE FROM finding")
    return database


def test_a_busy_home_is_looked_through_while_the_page_is_there(
    unlooked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.hunting._QUICK", 10)
    with client(unlooked, owner=tmp_path / "owner.db") as browser:
        asked = f"/findings?range=30d&kind={PORT}"
        waiting = read(browser, asked)
        assert _listed(waiting) == []
        assert waiting.one("section", class_="panel").attributes["hx-get"] == asked
        assert asked in [each.attributes["href"] for each in waiting.all("a") if "href" in each.attributes]
        browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours
        (address,) = _listed(read(browser, asked))
        assert "What to do" in read(browser, address).text


def test_an_overview_of_what_nobody_looked_at_asks_again(
    unlooked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.hunting._QUICK", 10)
    with client(unlooked, owner=tmp_path / "owner.db") as browser:
        part = "/overview/findings?range=7d"
        page = read(browser, "/?range=7d")
        assert part in [each.attributes["hx-get"] for each in page.all("div") if "hx-get" in each.attributes]
        assert "Looking for odd connections" in browser.get(part).text
        browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours
        assert "2 things may be worth a look" in browser.get(part).text


def test_a_look_that_fails_is_said_once_and_tried_again(
    unlooked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.hunting._QUICK", 10)
    monkeypatch.setattr("web.hunting.SECONDS", 0.0)
    monkeypatch.setattr("web.reading._STEPS", 100)
    with client(unlooked, owner=tmp_path / "owner.db") as browser:
        read(browser, "/findings?range=30d")
        browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours
        assert "takes too long" in browser.get("/findings?range=30d").text
        monkeypatch.setattr("web.hunting.SECONDS", 20.0)
        read(browser, "/findings?range=30d")
        browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours
        assert len(_listed(read(browser, "/findings?range=30d"))) == 3


def test_what_is_past_is_looked_for_by_itself(browser: TestClient) -> None:
    page = read(browser, "/findings?range=2023-11-13..2023-11-13")
    assert "No connection of this time is kept one by one" in page.text
    first = read(browser, "/findings?range=2023-11-14..2023-11-14")
    assert len(_listed(first)) >= 1


def test_the_overview_tells_at_once_what_is_known(browser: TestClient) -> None:
    odd = read(browser, "/").one("section", aria_labelledby="odd")
    assert "2 things may be worth a look" in odd.text
    assert all("hx-get" not in each.attributes for each in odd.all("div"))  # nothing is left for a script to fetch


def test_the_overview_tells_what_is_not_muted(browser: TestClient) -> None:
    told = browser.get("/overview/findings").text
    assert "2 things may be worth a look" in told
    address = _of(browser, BEACONING)
    assert address in told
    post(browser, f"{address}/mute")
    assert "1 thing may be worth a look" in browser.get("/overview/findings").text
