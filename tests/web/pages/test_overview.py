"""The first page: numbers of the capture, news in words, and what is broken on top."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import SECOND, TABLET_MAC, dhcp_request, lookup, talk, write
from tests.support.dashboard import Element, client, links, read
from tests.support.importing import imported
from tests.support.newweek import LAPTOP_MAC, RANGE, chatter, home, local, octets, told
from tests.support.packets import START_US
from tests.web.test_health import CAPTURE, INGEST
from web.numbers import size
from web.options import ServiceState

Home = tuple[Path, Path]
ADVERTISER = "203.0.113.20"
NASTY = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("overview"))


@pytest.fixture
def browser(week: Home, tmp_path: Path) -> TestClient:
    return client(week[0], owner=tmp_path / "owner.db")


def _section(page: Element, name: str) -> Element:
    return page.one("section", aria_labelledby=name)


def test_the_first_sentence_answers_with_numbers(browser: TestClient, week: Home) -> None:
    frames = [each for each in told(week[1]) if not local(each) and not chatter(each)]
    lead = read(browser, f"/?{RANGE}").one("p", class_="lead").text
    assert lead.startswith(f"2 devices exchanged {size(octets(frames))} with ")
    assert "more than the same time before" in lead
    ads = octets([each for each in frames if ADVERTISER in (each.sender, each.receiver)])
    assert f"third parties, {size(ads)} of it for advertising and tracking" in lead


def test_who_advertises_is_said_with_names_also_of_a_long_time(browser: TestClient, week: Home) -> None:
    ads = octets([each for each in told(week[1]) if ADVERTISER in (each.sender, each.receiver)])
    who = _section(read(browser, f"/?{RANGE}"), "who").one("p", class_="watching")
    assert size(ads) in who.text
    assert {"/companies/Google", f"/devices/{TABLET_MAC}"} <= links_of(who)
    later = _section(read(browser, "/?range=365d"), "who").one("div", hx_trigger="load")
    part = read(browser, later.attributes["hx-get"])
    assert size(ads) in part.text
    none = _section(read(browser, "/?range=2023-11-15..2023-11-20"), "who").one("p", class_="watching")
    assert "None of what third parties exchanged" in none.text


def test_news_stand_there_in_words_with_links(browser: TestClient, week: Home) -> None:
    frames = told(week[1])
    friends = octets([each for each in frames if "203.0.113.30" in (each.sender, each.receiver)])
    new = _section(read(browser, f"/?{RANGE}"), "new")
    assert "New device bobs-tablet was seen for the first time" in new.text
    assert "adas-laptop met Meta (Facebook) , new to the whole home" in new.text
    assert size(friends) in new.text
    assert {f"/devices/{TABLET_MAC}", f"/devices/{LAPTOP_MAC}", "/companies/Meta%20%28Facebook%29"} <= links_of(new)


def test_of_the_first_days_nothing_is_called_new(browser: TestClient) -> None:
    page = read(browser, "/?range=2023-11-15..2023-11-24")
    assert "nothing can be called new yet" in _section(page, "new").text


def test_who_gets_the_data(browser: TestClient, week: Home) -> None:
    frames = told(week[1])
    friends = octets([each for each in frames if "203.0.113.30" in (each.sender, each.receiver)])
    who = _section(read(browser, f"/?{RANGE}"), "who")
    names = {each.one("a").text: each.one("span", class_="number").text for each in who.one("ol").all("li")}
    assert names["Meta (Facebook)"] == size(friends)
    assert len(who.all("svg", class_="bar")) == 1 + len(names)
    parties = {each.text for each in who.all("span", class_="party")}
    assert "third party" in parties


def test_devices_and_health(browser: TestClient, week: Home) -> None:
    page = read(browser, f"/?{RANGE}")
    frames = [each for each in told(week[1]) if not local(each) and not chatter(each)]
    busy = [each.text for each in _section(page, "busy").one("ol").all("li")]
    assert [text.split()[0] for text in busy] == ["adas-laptop", "bobs-tablet"]
    assert size(octets([each for each in frames if each.of(TABLET_MAC)])) in busy[1]
    now = _section(page, "now").text
    assert "no recorder runs on this machine" in now
    assert f"all of {len(told(week[1], new=False))} packets" in now
    assert not page.all("div", class_="banner")


def test_every_link_keeps_the_time(browser: TestClient) -> None:
    page = read(browser, f"/?{RANGE}")
    ours = [
        each.attributes["href"] for each in page.one("main").all("a")
        if each.attributes["href"].startswith(("/devices/", "/companies/", "/reports/", "/findings", "/captures"))
    ]  # fmt: skip
    assert ours
    assert all("range=2023-11-23..2023-11-24" in address for address in ours)


def test_parts_that_a_browser_asks_for_again(browser: TestClient) -> None:
    page = read(browser, f"/?{RANGE}")
    asked = {
        each.attributes["hx-get"]: each.attributes["hx-trigger"]
        for each in page.all("div")
        if "hx-get" in each.attributes
    }
    assert set(asked.values()) == {"every 15s", "load delay:1s"}
    for address in asked:
        part = browser.get(address)
        assert part.status_code == 200
        assert "<html" not in part.text
    live = next(address for address, trigger in asked.items() if trigger == "every 15s")
    now = read(browser, live)
    assert "Recorded until 24 Nov 2023, 12:00" in now.text
    again = browser.get(now.one("div").attributes["hx-get"])
    assert (again.status_code, again.text) == (204, "")  # nothing has changed, and nothing is drawn anew


def _watched(week: Home, tmp_path: Path, *services: ServiceState) -> TestClient:
    newest = max(each.time_us for each in told(week[1]))
    return client(week[0], owner=tmp_path / "owner.db", services=lambda: services, now_us=lambda: newest + SECOND)


def test_a_broken_recorder_stands_on_top_with_the_cure(week: Home, tmp_path: Path) -> None:
    page = read(_watched(week, tmp_path, INGEST), "/")
    (banner,) = page.all("div", class_="banner")
    assert "bad" in banner.attributes["class"]
    assert banner.attributes["role"] == "alert"
    live = page.one("main").one("div", hx_trigger="every 15s").attributes["hx-get"]
    assert "role" not in read(_watched(week, tmp_path, INGEST), live).one("div", class_="banner").attributes
    assert "Nothing is being recorded" in banner.text
    assert "systemctl restart homeport-capture" in banner.one("code").text
    assert "/captures" in links(page)


def test_a_running_recorder_says_what_it_does_now(week: Home, tmp_path: Path) -> None:
    page = read(_watched(week, tmp_path, CAPTURE, INGEST), "/")
    assert not page.all("div", class_="banner")
    now = _section(page, "now").text
    assert "newest packet 12:00:0" in now
    assert "1 device active in the last 15 minutes" in now
    assert "adas-laptop" in now
    assert "Recording wlan0: 1,000 packets, none lost." in now


def test_of_hours_it_is_said_that_companies_are_known_by_days(browser: TestClient) -> None:
    page = read(browser, "/?range=24h")
    assert "known by whole days" in _section(page, "who").text
    assert "known by whole days" not in _section(read(browser, f"/?{RANGE}"), "who").text


def test_nothing_yet(tmp_path: Path) -> None:
    browser = client(tmp_path / "none.db")
    page = read(browser, "/")
    assert "Nothing captured yet" in page.text
    assert "looks again by itself, every 20 seconds" in page.text
    assert browser.get("/").headers["refresh"] == "20", "also without script"
    assert not page.all("div", class_="banner"), "of a laptop nobody demands a recorder"


def test_nothing_yet_says_that_nothing_will_come(tmp_path: Path) -> None:
    dead = ServiceState("capture", running=False, state="", sentence="", silent_seconds=9, numbers={})
    page = read(client(tmp_path / "none.db", services=lambda: [dead]), "/")
    assert "Nothing is being recorded: the recorder does not run." in page.one("div", class_="banner").text


def test_one_device_that_only_asked(tmp_path: Path) -> None:
    database = imported(tmp_path / "h.db", write(tmp_path / "a.pcap", lookup(START_US, "www.example.com")))
    page = read(client(database), "/")
    assert page.one("p", class_="lead").text == "One device was seen (last 7 days); nothing went to the internet."
    assert "Nothing went to the internet" in _section(page, "who").text


def test_hostile_names_are_text(tmp_path: Path) -> None:
    frames = [dhcp_request(START_US, NASTY), *talk(START_US + SECOND, "www.example.com")]
    answer = client(imported(tmp_path / "h.db", write(tmp_path / "a.pcap", frames))).get("/")
    assert answer.status_code == 200
    assert "<img" not in answer.text


def links_of(part: Element) -> set[str]:
    """Paths to which a part of a page leads."""
    return {each.attributes["href"].partition("?")[0] for each in part.all("a")}
