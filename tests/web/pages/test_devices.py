"""The list of devices: everybody is on it, with the numbers of the capture, and can be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.counted import packets, received, sent
from tests.support.dashboard import Element, client, links, post, read, rows
from tests.support.importing import imported
from tests.support.packets import START_US
from tests.support.threedays import LAPTOP_MAC, home
from web.numbers import size

RANGE = "range=2023-11-15..2023-11-17"
NASTY = "<script>alert(1)</script>\u202eevil"


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return home(tmp_path_factory.mktemp("list"))


@pytest.fixture(scope="module")
def browser(three_days: tuple[Path, Path]) -> TestClient:
    """For whoever only reads: what is said here would be heard by other tests."""
    return client(three_days[0])


def _names(page: Element) -> list[str]:
    return [each.text for each in page.all("a", class_="device-name")]


def test_numbers_are_those_of_the_capture(browser: TestClient, three_days: tuple[Path, Path]) -> None:
    frames = packets(three_days[1])
    page = read(browser, f"/devices?{RANGE}")
    found = {each["Device"].split()[0]: each for each in rows(page)}
    for name, mac in (("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)):
        assert (found[name]["Sent"], found[name]["Received"]) == (size(sent(frames, mac)), size(received(frames, mac)))
    assert page.one("p", class_="lead").text.startswith("2 devices sent and received 67.9 kB in 3 days")
    assert {f"/devices/{LAPTOP_MAC}", f"/devices/{TABLET_MAC}"} <= links(page)


def test_each_has_a_strip_and_its_parties(browser: TestClient) -> None:
    page = read(browser, f"/devices?{RANGE}")
    assert len(page.all("svg", class_="spark")) == 2
    bars = [each.attributes["aria-label"] for each in page.all("svg", class_="bar")]
    assert len(bars) == 2
    assert all("%" in bar and "in the house" in bar for bar in bars)


def test_found_by_name_address_and_mac(browser: TestClient) -> None:
    for text, name in (("ADAS", "adas-laptop"), (TABLET, "bobs-tablet"), (TABLET_MAC, "bobs-tablet")):
        page = read(browser, f"/devices?{RANGE}&q={text}")
        assert _names(page) == [name]
        assert "1 of 2 devices" in page.text
    nobody = read(browser, f"/devices?{RANGE}&q=zzz")
    assert _names(nobody) == []
    assert "No device is so" in nobody.text


def test_sorted_and_filters_kept(browser: TestClient) -> None:
    assert _names(read(browser, f"/devices?{RANGE}&sort=name")) == ["adas-laptop", "bobs-tablet"]
    assert _names(read(browser, f"/devices?{RANGE}&sort=seen")) == ["adas-laptop", "bobs-tablet"]
    assert _names(read(browser, f"/devices?{RANGE}&sort=nonsense"))[0] == _names(read(browser, f"/devices?{RANGE}"))[0]
    page = read(browser, f"/devices?{RANGE}&q=tab&sort=name")
    asked = [each.attributes["href"] for each in page.one("nav", class_="sorts").all("a")]
    assert all("range=2023-11-15..2023-11-17" in address for address in asked)
    assert all("q=tab" in address for address in asked[:-1])


def test_by_room_and_owner(three_days: tuple[Path, Path], tmp_path: Path) -> None:
    browser = client(three_days[0], owner=tmp_path / "owner.db")
    post(browser, f"/devices/{TABLET_MAC}/say", about="room", value="Kitchen")
    post(browser, f"/devices/{TABLET_MAC}/say", about="owner", value="Bob")
    assert _names(read(browser, f"/devices?{RANGE}&room=Kitchen")) == ["bobs-tablet"]
    assert _names(read(browser, f"/devices?{RANGE}&owner=Bob&room=Kitchen")) == ["bobs-tablet"]
    assert _names(read(browser, f"/devices?{RANGE}&room=Cellar")) == []
    options = [each.text for each in read(browser, f"/devices?{RANGE}").one("select", name="room").all("option")]
    assert options == ["Every room", "Kitchen"]


def test_by_party(browser: TestClient) -> None:
    assert _names(read(browser, f"/devices?{RANGE}&party=unknown")) == ["adas-laptop"], (
        "who has a destination without a name"
    )
    assert _names(read(browser, f"/devices?{RANGE}&party=platform")) == []


def test_who_was_silent_is_folded_away(browser: TestClient) -> None:
    page = read(browser, "/devices?range=2023-11-20")
    assert "Silent, 20 November 2023 2" in page.one("details", class_="fold").one("summary").text
    assert sorted(_names(page)) == ["adas-laptop", "bobs-tablet"]


def test_who_only_came_by_is_folded_away_until_it_has_a_name(tmp_path: Path) -> None:
    guest = "da:a1:19:00:00:05"  # a made-up MAC
    frames = [*talk(START_US, "www.example.com"), *talk(START_US + 5 * DAY, "www.example.com", port=40001)]
    frames += talk(START_US + 2 * DAY, "www.example.com", client="192.168.1.55", mac=guest, port=40002)
    browser = client(imported(tmp_path / "h.db", write(tmp_path / "c.pcap", frames)))
    fold = read(browser, "/devices?range=30d").one("details", class_="fold")
    assert fold.one("summary").text == "Came by for a short time 1"
    assert fold.one("a", class_="device-name").attributes["href"].startswith(f"/devices/{guest}")
    post(browser, f"/devices/{guest}/say", about="name", value="Guest room")
    assert read(browser, "/devices?range=30d").all("details", class_="fold") == []


def test_one_device_that_was_seen_for_a_moment_is_no_visitor(tmp_path: Path) -> None:
    seen = talk(START_US, "www.example.com", client="192.168.1.55", mac="da:a1:19:00:00:05")
    browser = client(imported(tmp_path / "h.db", write(tmp_path / "c.pcap", seen)))
    page = read(browser, "/devices")
    assert page.one("p", class_="lead").text.startswith("One device sent and received")
    assert page.all("details", class_="fold") == []
    assert read(browser, "/devices/da:a1:19:00:00:05").one("h1").text == "Unknown device (00:05)", "nothing but a flow"


def test_names_are_text(tmp_path: Path) -> None:
    frames = [dhcp_request(START_US, NASTY), *talk(START_US + SECOND, server="203.0.113.9")]
    frames += talk(START_US + DAY, client=TABLET, mac=TABLET_MAC, server="203.0.113.9")
    database = imported(tmp_path / "h.db", write(tmp_path / "c.pcap", frames))
    browser = client(database)
    for address in ("/devices?range=7d", "/devices/02:00:00:00:00:10?range=7d", "/search?q=script"):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "\u202e" not in answer.text
    unnamed = read(browser, "/devices?range=7d")
    assert any(name.startswith("Unknown device") for name in _names(unnamed)), "who says nothing has a name, too"


def test_nothing_yet(tmp_path: Path) -> None:
    assert "Nothing captured yet" in read(client(tmp_path / "none.db"), "/devices").text
