"""One company and one country: their numbers are those of the capture."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.classify.families import Families
from daemon.classify.organisation_files import load_organisations
from daemon.store.whose import UNJUDGED
from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.counted import Packet, packets
from tests.support.dashboard import client, links, read, rows
from tests.support.twomonths import (
    ADDRESSES,
    APRIL,
    COUNTRIES,
    JUNE,
    LAPTOP_MAC,
    MAY,
    META,
    NETFLIX,
    RANGE,
    atlas,
    home,
    moved,
)
from web.numbers import size
from web.pages.families import parent_of

Home = tuple[Path, list[Packet]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    database, capture = home(tmp_path_factory.mktemp("companies"))
    return database, packets(capture)


@pytest.fixture
def browser(house: Home, tmp_path: Path) -> TestClient:
    return client(house[0], owner=tmp_path / "owner.db", locate=atlas(house[0].parent / "data").look_up)


def test_since_when_it_is_met(browser: TestClient) -> None:
    met = read(browser, f"/companies/Meta%20(Facebook)?{RANGE}")
    assert "It was met first in May 2024." in met.one("p", class_="lead").text
    table = next(each for each in met.all("table") if each.one("caption").text == "Month by month")
    months = [row.all("td")[0].text for row in table.one("tbody").all("tr")]
    assert months == ["May 2024", "April 2024"], "also the month in which it was not there yet"
    known = read(browser, f"/companies/Netflix?{RANGE}")
    assert "met first" not in known.one("p", class_="lead").text, "it was there from the first hour on"


def test_devices_that_give_it_data(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/companies/Netflix?{RANGE}")
    found = {row["Device"]: row for row in rows(page)}
    for name, mac in (("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)):
        up, down = moved(house[1], {*NETFLIX}, MAY, JUNE, mac)
        assert (found[name]["Sent"], found[name]["Received"]) == (size(up), size(down))
    up, down = moved(house[1], {*NETFLIX}, MAY, JUNE)
    assert f"Netflix got {size(up)} from" in page.one("p", class_="lead").text
    assert f"sent {size(down)} back" in page.one("p", class_="lead").text


def test_months_before_the_time_that_is_shown(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/companies/Netflix?{RANGE}")
    months = {row["Month"]: row["Together"] for row in rows(page, 1)}
    assert months == {
        "April 2024": size(sum(moved(house[1], {*NETFLIX}, APRIL, MAY))),
        "May 2024": size(sum(moved(house[1], {*NETFLIX}, MAY, JUNE))),
    }
    april = read(browser, "/companies/Meta%20(Facebook)?range=2024-04")
    assert "got nothing (April 2024)" in april.one("p", class_="lead").text


def test_names_reasons_and_what_else_is_known(browser: TestClient) -> None:
    page = read(browser, f"/companies/Meta%20(Facebook)?{RANGE}")
    (row,) = rows(page, 2)
    assert row["Name or address"] == "graph.facebook.com"
    assert "facebook.com belongs to Meta (Facebook)" in row["Kind, and why"]
    assert {"/destinations/graph.facebook.com", "/destinations/facebook.com", "/countries/IE"} <= links(page)


def test_family_of_a_company_by_the_tables(house: Home, tmp_path: Path) -> None:
    families = Families(load_organisations())
    browser = client(house[0], owner=tmp_path / "owner.db", known=families.portrait)
    about = read(browser, f"/companies/Meta%20(Facebook)?{RANGE}").one("dl", class_="facts").text
    assert "Seat United States" in about
    assert "social networks" in about
    assert "Oculus" in about
    unmet = read(browser, f"/companies/Ring?{RANGE}")
    assert "no device of this home ever had to do with it" in unmet.one("p", class_="lead").text
    assert "Belongs to Amazon since April 2018" in unmet.one("dl", class_="facts").text
    assert "/companies/Amazon" in links(unmet)
    answer = browser.get(f"/api/v1/reports/families?{RANGE}&company=Ring").json()
    assert (answer["rows"][0]["parent"], answer["total_rows"]) == ("Amazon", 1)


def test_nobody_known(browser: TestClient) -> None:
    page = read(browser, f"/companies/-?{RANGE}")
    assert page.one("h1").text == "Nobody knows whose"
    assert "No device of this home" in read(browser, f"/companies/Nosuch%20Corp?{RANGE}", 404).text
    assert browser.get("/companies").headers["location"] == "/destinations"


def test_an_owner_is_read_from_what_a_company_is_called() -> None:
    labels = [UNJUDGED._replace(called="Ring (Amazon)")]
    assert parent_of("Ring", labels) == "Amazon"
    assert parent_of("Meta (Facebook)", [UNJUDGED._replace(called="Facebook (Meta)")]) is None
    assert parent_of("Vudu", [UNJUDGED._replace(called="Vudu (Fandango, Comcast)")]) == "Fandango"
    assert parent_of("Netflix", [UNJUDGED._replace(called="Netflix")]) is None


@pytest.mark.parametrize("code", ["IE", "MT", "SG"])
def test_a_country_has_its_companies(browser: TestClient, house: Home, code: str) -> None:
    page = read(browser, f"/countries/{code}?{RANGE}")
    up, down = moved(house[1], COUNTRIES[code], MAY, JUNE)
    assert f"{size(up + down)}, " in page.one("p", class_="lead").text
    assert [(row["Sent"], row["Received"]) for row in rows(page)] == [(size(up), size(down))]
    if code == "IE":
        assert "aws eu-west-1" in page.text
        assert "/companies/Meta%20%28Facebook%29" in links(page)
        assert ADDRESSES["Meta (Facebook)"] == {META}


def test_a_country_nothing_went_to_and_one_that_is_none(browser: TestClient) -> None:
    assert "no data was exchanged with computers in Brazil" in read(browser, f"/countries/br?{RANGE}").text
    assert "There is no country" in read(browser, "/countries/QQ", 404).text
