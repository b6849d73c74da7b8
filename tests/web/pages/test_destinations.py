"""Who gets data: the numbers are those of the capture, and every filter stays in the address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.counted import Packet, packets
from tests.support.dashboard import client, links, read, rows
from tests.support.twomonths import (
    ADDRESSES,
    APRIL,
    JUNE,
    LAPTOP_MAC,
    MAY,
    META,
    NASTY,
    NETFLIX,
    RANGE,
    UNNAMED,
    atlas,
    home,
    moved,
)
from web.numbers import size

Home = tuple[Path, list[Packet]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    database, capture = home(tmp_path_factory.mktemp("destinations"))
    return database, packets(capture)


@pytest.fixture
def browser(house: Home, tmp_path: Path) -> TestClient:
    return client(house[0], owner=tmp_path / "owner.db", locate=atlas(house[0].parent / "data").look_up)


def test_companies_have_the_numbers_of_the_capture(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/destinations?{RANGE}")
    found = {row["Company"].removesuffix(" new"): row for row in rows(page)}
    for name, addresses in ADDRESSES.items():
        row = next(row for said, row in found.items() if said.startswith(name))
        up, down = moved(house[1], addresses, MAY, JUNE)
        assert (row["Sent"], row["Received"]) == (size(up), size(down))
    assert "exchanged data with 2 devices" in page.one("p", class_="lead").text
    assert {"/companies/Netflix", "/countries/IE", f"/devices/{TABLET_MAC}"} <= links(page)
    assert any("new" in each.text for each in page.all("span", class_="tag"))


def test_names_by_what_they_got_and_by_what_they_sent(browser: TestClient, house: Home) -> None:
    told = house[1]
    went, came = (read(browser, f"/destinations?{RANGE}&by={way}") for way in ("to", "from"))
    expected = {
        "www.netflix.com": moved(told, {*NETFLIX}, MAY, JUNE), "graph.facebook.com": moved(told, {META}, MAY, JUNE),
        UNNAMED: moved(told, {UNNAMED}, MAY, JUNE),
    }  # fmt: skip
    for page in (went, came):
        found = {row["Name or address"].split()[0]: (row["Sent"], row["Received"]) for row in rows(page)}
        for name, (up, down) in expected.items():
            assert found[name] == (size(up), size(down))
    assert rows(came)[0]["Name or address"].startswith("www.netflix.com")
    assert f"/destinations/{UNNAMED}" in links(went)


def test_filters_narrow_and_stay(browser: TestClient) -> None:
    page = read(browser, f"/destinations?{RANGE}&device={TABLET_MAC}&country=MT")
    assert [row["Company"] for row in rows(page)] == ["Netflix"]
    csv = next(
        each.attributes["href"] for each in page.all("a", download="") if "companies.csv" in each.attributes["href"]
    )
    asked = parse_qs(urlsplit(csv).query)
    assert (asked["device"], asked["country"]) == ([TABLET_MAC], ["MT"])
    lines = browser.get(csv).text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Netflix,")
    nothing = read(browser, f"/destinations?{RANGE}&country=BR")
    assert "fits what you asked for" in nothing.text
    orders = [each.attributes["href"] for each in page.one("details", class_="orders").all("a")]
    assert all("country=MT" in address and "range=2024-05-01..2024-05-31" in address for address in orders)


def test_sorted_and_paged(browser: TestClient) -> None:
    by_name = [row["Company"] for row in rows(read(browser, f"/destinations?{RANGE}&sort=name"))]
    assert by_name == sorted(by_name, key=str.casefold)
    for page in ("2", "0", "-1", "x", "9" * 30):
        assert rows(read(browser, f"/destinations?{RANGE}&page={page}&sort=nonsense"))


def test_hostile_names_are_text(browser: TestClient) -> None:
    answer = browser.get(f"/destinations?{RANGE}&by=to")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.example" in answer.text
    page = read(browser, f"/destinations/{quote(NASTY, safe='')}?{RANGE}")
    assert NASTY in page.one("h1").text


def test_one_name_in_all_months(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/destinations/www.netflix.com?{RANGE}")
    found = {row["Device"]: row for row in rows(page)}
    for name, mac in (("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)):
        up, down = moved(house[1], {*NETFLIX}, APRIL, JUNE, mac)
        assert (found[name]["Sent"], found[name]["Received"]) == (size(up), size(down))
    months = {row["Month"]: row["Together"] for row in rows(page, 1)}
    assert months["April 2024"] == size(sum(moved(house[1], {*NETFLIX}, APRIL, MAY)))
    assert "belongs to Netflix" in page.one("p", class_="lead").text
    assert "the TLS handshake itself" in page.text
    assert {f"/destinations/{address}" for address in NETFLIX} <= links(page)
    assert f"/captures?range=2024-05-01..2024-05-31&destination=www.netflix.com&device={LAPTOP_MAC}".split("?")[
        0
    ] in links(page)


def test_one_address_names_the_names_it_answered_for(browser: TestClient) -> None:
    page = read(browser, f"/destinations/{UNNAMED}?{RANGE}")
    assert "Nobody that we know runs" in page.one("p", class_="lead").text or "belongs to" in page.text
    assert "no DNS answer for the address was seen" in page.text
    assert "443" in page.text
    assert "/countries/SG" in links(page)
    domain = read(browser, f"/destinations/netflix.com?{RANGE}")
    assert "www.netflix.com" in domain.text or rows(domain)


def test_what_never_was_is_not_here(browser: TestClient) -> None:
    page = read(browser, "/destinations/nosuch.example", 404)
    assert "Nothing is kept of a destination called nosuch.example" in page.text
