"""Several homes in one database: every page leads to the same page of the others, and says which is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.dashboard import Element, client, read
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

SECOND = 1_000_000


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("homes")
    here = [dhcp_request(START_US, "adas-laptop"), *talk(START_US + SECOND, "www.example.com")]
    there = [dhcp_request(START_US, "bobs-tablet", TABLET_MAC)]
    there += talk(START_US + SECOND, "www.example.org", client=TABLET, mac=TABLET_MAC)
    database = imported(folder / "h.db", write(folder / "a.pcap", here))
    imported(database, write(folder / "b.pcap", there), site="cabin")
    return client(database)


def _homes(page: Element) -> dict[str, tuple[str, bool]]:
    (nav,) = page.all("nav", aria_label="Homes")
    return {each.text: (each.attributes["href"], "aria-current" in each.attributes) for each in nav.all("a")}


def test_one_tap_leads_to_the_other_home(browser: TestClient) -> None:
    homes = _homes(read(browser, "/devices?range=30d"))
    assert homes == {
        "cabin": ("/devices?range=30d&site=cabin", False),
        "home": ("/devices?range=30d&site=home", True),
    }
    there = read(browser, homes["cabin"][0])
    assert "bobs-tablet" in there.text
    assert "adas-laptop" not in there.text
    assert _homes(there)["cabin"][1]


def test_what_is_of_one_home_alone_is_left(browser: TestClient) -> None:
    homes = _homes(read(browser, f"/devices/{HOST_MAC}?party=third"))
    assert homes["cabin"][0] == "/devices?site=cabin"
    assert _homes(read(browser, "/help"))["home"][0] == "/help?site=home"


def test_one_home_has_nothing_to_choose(tmp_path: Path) -> None:
    database = imported(tmp_path / "h.db", write(tmp_path / "a.pcap", talk(START_US, "www.example.com")))
    for address in ("/devices", "/help"):
        assert not read(client(database), address).all("nav", aria_label="Homes")
    assert not read(client(tmp_path / "none.db"), "/help").all("nav", aria_label="Homes")
