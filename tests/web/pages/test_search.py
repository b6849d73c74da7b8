"""Search finds devices, companies, domains and addresses by any part of their names, and knows no patterns."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, dhcp_request, lookup, talk, write
from tests.support.dashboard import Element, client, links, post, read
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    frames = [dhcp_request(START_US, "adas-laptop"), *lookup(START_US, "api.netflix.com", "203.0.113.5")]
    frames += talk(START_US + SECOND, "api.netflix.com")
    frames += talk(START_US + 9 * SECOND, server="198.51.100.7", port=40001)
    frames += [dhcp_request(START_US, "bobs-tablet", TABLET_MAC)]
    frames += talk(START_US + 20 * SECOND, "100pc.example", client=TABLET, mac=TABLET_MAC)
    for number in range(30):
        at = START_US + (30 + number) * SECOND
        frames += talk(at, f"shard{number:02}.example.net", server=f"203.0.113.{100 + number}", port=41000 + number)
    return imported(folder / "h.db", write(folder / "c.pcap", frames))


@pytest.fixture(scope="module")
def browser(database: Path) -> TestClient:
    """For whoever only reads: what is said here would be heard by other tests."""
    return client(database)


def _found(page: Element) -> dict[str, list[str]]:
    return {
        each.one("h2").text: [item.one("a").text for item in each.all("li")] for each in page.one("main").all("section")
    }


def test_finds_every_kind_of_thing(browser: TestClient) -> None:
    page = read(browser, "/search?q=netflix")
    assert _found(page) == {"Companies": ["Netflix"], "Domains": ["api.netflix.com"]}
    assert {"/companies/Netflix", "/destinations/api.netflix.com"} <= links(page)
    assert _found(read(browser, "/search?q=198.51")) == {"Addresses": ["198.51.100.7"]}
    assert _found(read(browser, f"/search?q={TABLET}")) == {"Devices": ["bobs-tablet"]}
    assert f"/devices/{HOST_MAC}" in links(read(browser, "/search?q=ADAS"))


def test_an_owners_name_is_found_at_once(database: Path, tmp_path: Path) -> None:
    browser = client(database, owner=tmp_path / "owner.db")
    post(browser, f"/devices/{TABLET_MAC}/say", about="name", value="Kitchen pad")
    assert _found(read(browser, "/search?q=kitchen")) == {"Devices": ["Kitchen pad"]}


def test_text_is_no_pattern(browser: TestClient) -> None:
    assert _found(read(browser, "/search?q=%25%25")) == {}
    assert _found(read(browser, "/search?q=__")) == {}
    assert "Nothing in this home has" in read(browser, "/search?q='; DROP TABLE name").text


def test_short_texts_and_none_are_asked_back(browser: TestClient) -> None:
    for address in ("/search", "/search?q=", "/search?q=a"):
        assert "Type two letters or more" in read(browser, address).text


def test_many_are_cut_and_that_is_said(browser: TestClient) -> None:
    page = read(browser, "/search?q=shard")
    assert len(_found(page)["Domains"]) == 20
    assert "There are more" in page.text


def test_what_begins_so_comes_first(browser: TestClient) -> None:
    assert _found(read(browser, "/search?q=example"))["Domains"][0] == "100pc.example", "the shortest of those inside"


def test_hostile_text_is_text(browser: TestClient) -> None:
    answer = browser.get("/search", params={"q": "<img src=x onerror=alert(1)>\u202e"})
    assert answer.status_code == 200
    assert "<img" not in answer.text
    assert "\u202e" not in answer.text


def test_a_country_that_nobody_met_is_an_answer_too(browser: TestClient) -> None:
    page = read(browser, "/search?q=china")
    assert "No data was ever exchanged with China" in page.text
    assert "/map" in links(page), "and where to look"


def test_who_types_what_to_do_is_led_there(browser: TestClient) -> None:
    assert "How do I rename a device" in read(browser, "/search?q=rename").text
    assert "/reports/night" in links(read(browser, "/search?q=night"))
    assert "Where to look" not in read(browser, "/search?q=netflix").text
