"""The map and its table: the capture's numbers, small states as dots, guesses as guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.counted import Packet, packets
from tests.support.dashboard import Element, client, links, read, rows
from tests.support.twomonths import COUNTRIES, JUNE, MAY, NETFLIX, RANGE, atlas, home, moved
from web.charts.projection import project
from web.numbers import count, size

Home = tuple[Path, list[Packet]]
NAMES = {"US": "United States", "MT": "Malta", "IE": "Ireland", "SG": "Singapore", "GB": "United Kingdom"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    database, capture = home(tmp_path_factory.mktemp("map"))
    return database, packets(capture)


@pytest.fixture
def browser(house: Home, tmp_path: Path) -> TestClient:
    return client(house[0], owner=tmp_path / "owner.db", locate=atlas(house[0].parent / "data").look_up)


def _dots(page: Element) -> dict[str, Element]:
    """By the country that they lead to."""
    found = {}
    for link in page.one("svg", class_="world").all("a"):
        for circle in link.all("circle"):
            found[link.attributes["href"].split("?")[0].removeprefix("/countries/")] = circle
    return found


def test_table_has_the_numbers_of_the_capture(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/map?{RANGE}")
    found = {row["Country"]: row for row in rows(page)}
    inside = [each for each in house[1] if MAY <= each.time_us < JUNE]
    for code, addresses in COUNTRIES.items():
        row = found[NAMES[code]]
        up, down = moved(house[1], addresses, MAY, JUNE)
        assert (row["Sent"], row["Received"]) == (size(up), size(down))
        assert row["Packets sent"] == count(sum(1 for each in inside if each.receiver in addresses))
        assert row["Packets received"] == count(sum(1 for each in inside if each.sender in addresses))
    assert "5 countries" in page.one("p", class_="lead").text


def test_small_states_are_dots_at_their_place(browser: TestClient) -> None:
    page = read(browser, "/map?range=2024-05-11..2024-05-12")
    dots = _dots(page)
    assert set(dots) == set(COUNTRIES)
    for code, place in (("SG", (1.35, 103.8)), ("MT", (35.9, 14.4)), ("IE", (53.35, -6.26))):
        x, y = project(*place)
        assert float(dots[code].attributes["cx"]) == pytest.approx(x, abs=12)
        assert float(dots[code].attributes["cy"]) == pytest.approx(y, abs=12)
        assert float(dots[code].attributes["r"]) >= 15
    assert float(dots["US"].attributes["r"]) > float(dots["SG"].attributes["r"])
    assert "in a cloud region" in page.text


def test_in_and_out_bytes_and_packets(browser: TestClient, house: Home) -> None:
    told = house[1]
    sent = read(browser, f"/map?{RANGE}&way=out")
    whole = sum(moved(told, addresses, MAY, JUNE)[0] for addresses in COUNTRIES.values())
    share = moved(told, COUNTRIES["US"], MAY, JUNE)[0] / whole
    row = next(row for row in rows(sent) if row["Country"] == "United States")
    assert row["Share"] == f"{share:.0%}".replace("%", " %")
    received = read(browser, f"/map?{RANGE}&way=in&by=packets")
    assert rows(received)[0]["Country"] == "United States"
    assert any("packets" in title.text for title in received.all("title"))
    for asked in ("way=sideways", "by=weight", "view=moon"):
        assert rows(read(browser, f"/map?{RANGE}&{asked}"))


def test_filters_and_parts_of_the_world(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/map?{RANGE}&device={TABLET_MAC}&view=europe&way=in")
    assert {row["Country"] for row in rows(page)} == {"Malta", "Ireland"}
    found = {row["Country"]: row for row in rows(page)}
    assert found["Malta"]["Received"] == size(moved(house[1], {NETFLIX[1]}, MAY, JUNE, TABLET_MAC)[1])
    tabs = [each.attributes["href"] for nav in page.all("nav", class_="tabs") for each in nav.all("a")]
    assert all(f"device={TABLET_MAC}".replace(":", "%3A") in address for address in tabs)
    assert {"/countries/MT", "/countries/IE"} <= links(page)
    assert page.one("svg", class_="world").attributes["viewbox"].startswith("1740 ")


def test_without_a_database_of_countries_the_page_says_so(house: Home, tmp_path: Path) -> None:
    blind = client(house[0], owner=tmp_path / "owner.db")
    dots = _dots(read(blind, "/map?range=2024-05-11..2024-05-12"))
    assert set(dots) == set(COUNTRIES), "without places the middle of the country"


def test_nothing_in_an_empty_time(browser: TestClient) -> None:
    page = read(browser, "/map?range=2023-01")
    assert "Nothing went to the internet" in page.one("p", class_="lead").text
