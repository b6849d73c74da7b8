"""Months: the capture's numbers, and what changed, in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.counted import Packet, packets
from tests.support.dashboard import client, links, read, rows
from tests.support.twomonths import APRIL, COUNTRIES, JUNE, LAPTOP_MAC, MAY, home, moved
from web.numbers import size

Home = tuple[Path, list[Packet]]
ALL = {address for addresses in COUNTRIES.values() for address in addresses}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    database, capture = home(tmp_path_factory.mktemp("months"))
    return database, packets(capture)


@pytest.fixture
def browser(house: Home, tmp_path: Path) -> TestClient:
    return client(house[0], owner=tmp_path / "owner.db")


def test_each_month_has_what_the_capture_has(browser: TestClient, house: Home) -> None:
    page = read(browser, "/months")
    assert {row["Month"]: row["Together"] for row in rows(page)} == {
        "April 2024": size(sum(moved(house[1], ALL, APRIL, MAY))),
        "May 2024": size(sum(moved(house[1], ALL, MAY, JUNE))),
    }
    assert len(page.one("svg", class_="columns").all("rect")) >= 2
    assert page.one("p", class_="lead").text.startswith("In May 2024, which may not be over, ")


def test_changes_in_words_and_as_rows(browser: TestClient) -> None:
    page = read(browser, "/months")
    changes = {row["Company"]: row for row in rows(page, 1)}
    assert changes["Meta (Facebook)"]["What changed"] == "new"
    assert changes["Netflix"]["What changed"] == "more"
    assert "bobs-tablet" in changes["Meta (Facebook)"]["Devices"]
    assert "for the first time: Meta (Facebook)" in page.text
    assert "/companies/Netflix" in links(page)
    csv = next(
        each.attributes["href"] for each in page.all("a", download="") if "month-changes" in each.attributes["href"]
    )
    assert "Meta (Facebook),new," in browser.get(csv).text


def test_device_by_device(browser: TestClient, house: Home) -> None:
    found = {row["Device"]: row for row in rows(read(browser, "/months?to=2024-05&from=2024-04"), 2)}
    for name, mac in (("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)):
        assert found[name]["Data"] == size(sum(moved(house[1], ALL, MAY, JUNE, mac)))
        assert found[name]["April 2024"] == size(sum(moved(house[1], ALL, APRIL, MAY, mac)))


def test_one_device_alone(browser: TestClient, house: Home) -> None:
    page = read(browser, f"/months?device={TABLET_MAC}")
    assert {row["Month"]: row["Together"] for row in rows(page)}["April 2024"] == size(
        sum(moved(house[1], ALL, APRIL, MAY, TABLET_MAC))
    )
    assert [row["Device"] for row in rows(page, 2)] == ["bobs-tablet"]


@pytest.mark.parametrize("asked", ["to=2024-13", "to=x&from=2024-05", "from=2030-01", "years=all", "to=2024-04"])
def test_months_that_are_none_are_the_usual_ones(browser: TestClient, asked: str) -> None:
    page = read(browser, f"/months?{asked}")
    assert [row["Month"] for row in rows(page)] == ["May 2024", "April 2024"]
    assert page.all("button", data_print="")
