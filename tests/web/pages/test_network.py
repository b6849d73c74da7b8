"""The pages of the network: their numbers are those of the capture, with and without script."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import SECOND, TABLET_MAC, dhcp_request, lookup, talk, write
from tests.support.dashboard import Element, client, links, read, rows
from tests.support.importing import imported
from tests.support.newweek import (
    BURST,
    LAPTOP_MAC,
    RANGE,
    SPAN,
    chatter,
    home,
    local,
    octets,
    told,
)
from tests.support.packets import START_US
from web.numbers import count, size

Home = tuple[Path, Path]
NASTY = "<b>x</b>\u202e"


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("network"))


@pytest.fixture
def browser(week: Home, tmp_path: Path) -> TestClient:
    return client(week[0], owner=tmp_path / "owner.db")


def _section(page: Element, name: str) -> Element:
    return page.one("section", aria_labelledby=name)


def _table(part: Element) -> dict[str, list[str]]:
    """The rows of a part's table by their first cell."""
    return {
        cells[0]: cells[1:]
        for row in part.one("tbody").all("tr") if (cells := [cell.text for cell in row.all("td")])
    }  # fmt: skip


def test_every_page_answers_in_words_and_leads_to_the_others(browser: TestClient) -> None:
    ways = ("/network", "/network/names", "/network/applications", "/network/rates")
    for address in ways:
        page = read(browser, f"{address}?{RANGE}")
        assert len(page.one("p", class_="lead").text) > 30
        there = {each.attributes["href"] for each in page.one("nav", class_="ways").all("a")}
        assert there == {f"{way}?{RANGE}" for way in ways}
        assert page.one("nav", class_="ways").all("a", aria_current="page")


def test_traffic_over_time_adds_up(browser: TestClient, week: Home) -> None:
    frames = told(week[1])
    page = read(browser, f"/network?{RANGE}")
    time = _section(page, "time")
    plots = [json.loads(each.attributes["data-series"]) for each in time.all("figure", class_="series")]
    assert [plot["scale"] for plot in plots] == ["size", "count"]
    assert sum(sum(line["values"]) for line in plots[0]["lines"]) == octets(frames)
    assert sum(sum(line["values"]) for line in plots[1]["lines"]) == len(frames)
    assert (plots[0]["start"], plots[0]["step"]) == (SPAN // 1_000_000, 900)
    assert time.all("svg", class_="series-svg")  # without script


def test_encryption_and_who_sends_in_the_open(browser: TestClient, week: Home) -> None:
    frames = [each for each in told(week[1]) if not local(each) and not chatter(each)]
    opened = [each for each in frames if {53, 80} & set(each.ports)]
    page = read(browser, f"/network?{RANGE}")
    safe = _section(page, "safe")
    assert size(octets([each for each in frames if 443 in each.ports])) in safe.text
    assert _table(safe)["bobs-tablet"][:2] == ["dns and http", size(octets(opened))]
    assert f"{size(octets(opened))} was not" in page.one("p", class_="lead").text


def test_versions_protocols_and_reach(browser: TestClient, week: Home) -> None:
    frames = told(week[1])
    page = read(browser, f"/network?{RANGE}")
    six = [each for each in frames if each.version == 6 and not chatter(each)]
    assert _table(_section(page, "versions"))["adas-laptop"][0] == size(octets(six))
    by_data, by_packets, by_length = _section(page, "protocols").all("ol", class_="board")
    dns = [each for each in frames if 53 in each.ports]
    assert f"dns {size(octets(dns))}" in by_data.text
    assert f"dns {count(len(dns))}" in by_packets.text
    assert f"dns {size(octets(dns) / len(dns))}" in by_length.text
    reach = _table(_section(page, "reach"))
    inside = [each for each in frames if local(each) and not chatter(each)]
    assert reach["Within the home"][0::2] == [size(octets(inside)), count(len(inside))]
    assert reach["Discovery and control"][2] == count(len([each for each in frames if chatter(each)]))
    assert "all 380 packets" in _section(page, "gaps").text


def test_dns_servers_that_the_home_did_not_give(browser: TestClient, week: Home) -> None:
    asks = Counter(each.receiver for each in told(week[1]) if each.question)
    page = read(browser, f"/network/names?{RANGE}")
    odd = {row["DNS server"]: row for row in rows(page)}
    assert set(odd) == {"8.8.8.8", "203.0.113.53", "dns.google"}
    assert odd["8.8.8.8"]["Questions"] == str(asks["8.8.8.8"])
    assert odd["8.8.8.8"]["Run by"] == "Google"
    assert odd["203.0.113.53"]["Run by"] == "unknown"
    assert "hard-coded" in odd["8.8.8.8"]["How it came to it"]
    assert odd["dns.google"]["Over"] == "HTTPS, hidden (DoH)"
    given = {row["DNS server"]: row for row in rows(page, 1)}
    assert given["192.168.1.1"]["Questions"] == str(asks["192.168.1.1"])
    assert given["192.168.1.1"]["Devices"] == "adas-laptop"


def test_names_asked_for_most_lead_to_their_pages(browser: TestClient, week: Home) -> None:
    asks = Counter(each.question for each in told(week[1]) if each.question)
    page = read(browser, f"/network/names?{RANGE}")
    most = [each.text for each in _section(page, "most").one("ol").all("li")]
    assert len(most) == len(asks)
    assert most[0] == f"clock.example bobs-tablet {asks['clock.example']}"
    assert "/destinations/clock.example" in links(page)
    each = _section(page, "each").one("details")
    assert each.one("summary").text == f"bobs-tablet {asks['clock.example'] + 2}"


def test_applications_over_time(browser: TestClient, week: Home) -> None:
    frames = told(week[1])
    video = octets([each for each in frames if "203.0.113.10" in (each.sender, each.receiver)])
    page = read(browser, f"/network/applications?{RANGE}")
    board = [each.text for each in page.one("ol", class_="lines").all("li")]
    assert board[0] == f"YouTube adas-laptop {size(video)}"
    one = read(browser, f"/network/applications?application=YouTube&{RANGE}")
    assert _table(_section(one, "one").one("table", class_="tight")) == {"adas-laptop": [size(video)]}
    assert "googlevideo.com" in _section(one, "one").text
    assert "It was not used" in read(browser, f"/network/applications?application=Spotify&{RANGE}").text
    assert "no application called Nonsense" in read(browser, "/network/applications?application=Nonsense", 404).text


def test_rates(browser: TestClient) -> None:
    page = read(browser, "/network/rates?range=2023-11-23")
    table = {row["Device"].split()[0]: row for row in rows(page, 1)}
    assert table["bobs-tablet"]["Most in a minute"] == f"{BURST} 20:00"
    (minutes,) = [
        each for each in page.all("a") if each.attributes.get("aria-label") == "bobs-tablet, minute by minute"
    ]
    assert "Only bobs-tablet" in read(browser, minutes.attributes["href"]).text
    plot = json.loads(page.one("figure", class_="series").attributes["data-series"])
    assert (plot["step"], len(plot["lines"][0]["values"]), plot["adds_up"]) == (60, 1440, False)
    assert plot["lines"][0]["values"][20 * 60] == BURST


def test_one_device_in_the_address(browser: TestClient, week: Home) -> None:
    frames = [each for each in told(week[1]) if each.of(TABLET_MAC)]
    page = read(browser, f"/network?{RANGE}&device={TABLET_MAC}")
    assert "Only bobs-tablet" in page.text
    assert page.one("p", class_="lead").text.startswith(f"{size(octets(frames))} moved")
    for address in ("/network/names", "/network/applications", "/network/rates"):
        only = read(browser, f"{address}?{RANGE}&device={TABLET_MAC}")
        assert "Only bobs-tablet" in only.text
        assert f"/devices/{LAPTOP_MAC}" not in links(only)


def test_a_silent_time_is_said_to_be_so(browser: TestClient) -> None:
    for address in ("/network", "/network/names", "/network/applications", "/network/rates"):
        page = read(browser, f"{address}?range=2023-10-01")
        assert any(word in page.one("p", class_="lead").text for word in ("Nothing", "No device", "None of"))


def test_hostile_names_are_text(tmp_path: Path) -> None:
    frames = [
        dhcp_request(START_US, NASTY),
        *lookup(START_US + SECOND, "<script>alert(1)</script>.example", "203.0.113.9"),
    ]
    frames += talk(START_US + 2 * SECOND, "www.example.com", server="203.0.113.9")
    browser = client(imported(tmp_path / "h.db", write(tmp_path / "a.pcap", frames)))
    for address in ("/network", "/network/names", "/network/applications", "/network/rates"):
        text = browser.get(address).text
        assert "<script>alert" not in text
        assert "<b>x" not in text
        assert "\u202e" not in text
