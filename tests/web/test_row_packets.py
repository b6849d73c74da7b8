"""From a number on a page to its packets, as a person goes: a tap on the number, a tap on the button."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dpkt
import pytest
from starlette.testclient import TestClient

from daemon.report.registry import REPORTS
from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.dashboard import Element, client, read, rows
from tests.support.packets import HOST_MAC
from tests.support.twomonths import COUNTRIES, JUNE, MAY, META, NETFLIX, RANGE, home

Chosen = Callable[[dpkt.ethernet.Ethernet], bool]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return home(tmp_path_factory.mktemp("taps"))


@pytest.fixture
def browser(house: tuple[Path, Path], tmp_path: Path) -> TestClient:
    return client(house[0], owner=tmp_path / "owner.db")


def behind(element: Element) -> str:
    """Where the first number in it leads."""
    return element.one("a", class_="behind").attributes["href"]


def downloaded(browser: TestClient, number: str) -> list[bytes]:
    """What the button gives on the page to which a number leads."""
    assert urlsplit(number).path == "/captures"
    page = read(browser, number)
    button = next(each for each in page.all("a") if each.text == "Download these packets")
    answer = browser.get(button.attributes["href"])
    assert answer.status_code == 200, answer.text[:300]
    return [frame for _, frame in dpkt.pcap.Reader(io.BytesIO(answer.content))]


def recorded(path: Path, chosen: Chosen, since_us: int = MAY, until_us: int = JUNE) -> list[bytes]:
    """Frames of a time for which `chosen` holds, by dpkt alone."""
    with path.open("rb") as file:
        return [
            frame for seconds, frame in dpkt.pcap.Reader(file)
            if since_us <= float(seconds) * 1_000_000 < until_us and chosen(dpkt.ethernet.Ethernet(frame))
        ]  # fmt: skip


def with_address(*addresses: str) -> Chosen:
    wanted = {dpkt.utils.inet_to_str(bytes(map(int, each.split(".")))) for each in addresses}
    return lambda ether: (
        isinstance(ether.data, dpkt.ip.IP)
        and not wanted.isdisjoint(map(dpkt.utils.inet_to_str, (ether.data.src, ether.data.dst)))
    )


def on_port(protocol: type[Any], port: int) -> Chosen:
    def chosen(ether: dpkt.ethernet.Ethernet) -> bool:
        layer: Any = ether.data.data  # dpkt makes its fields as it runs
        return isinstance(layer, protocol) and port in (layer.sport, layer.dport)

    return chosen


def with_mac(mac: str) -> Chosen:
    return lambda ether: bytes.fromhex(mac.replace(":", "")) in (ether.src, ether.dst)


def row_with(page: Element, text: str) -> Element:
    """The first row or item of a list that begins with this text."""
    return next(each for tag in ("tr", "li") for each in page.all(tag) if each.text.startswith(text))


def test_a_country_s_row_on_the_map(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/map?{RANGE}")
    found = downloaded(browser, behind(row_with(page, "Ireland")))
    assert found == recorded(house[1], with_address(*COUNTRIES["IE"]))
    assert len(found) > 10


def test_the_rows_of_a_country_s_page(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/countries/US?{RANGE}")
    netflix = recorded(house[1], with_address(NETFLIX[0]))
    assert downloaded(browser, behind(row_with(page, "Netflix"))) == netflix
    button = next(each for each in page.all("a") if each.text == "The packets behind it")
    assert downloaded(browser, button.attributes["href"]) == netflix  # and not of the whole home


def test_a_protocol_s_row(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/network?{RANGE}")
    board = page.one("section", aria_labelledby="protocols")
    for name, protocol, port in (("https", dpkt.tcp.TCP, 443), ("dns", dpkt.udp.UDP, 53), ("dhcp", dpkt.udp.UDP, 67)):
        assert downloaded(browser, behind(row_with(board, name))) == recorded(house[1], on_port(protocol, port))


def test_the_same_of_one_device(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/network?{RANGE}&device={TABLET_MAC}")
    number = behind(row_with(page.one("section", aria_labelledby="protocols"), "https"))
    https, mine = on_port(dpkt.tcp.TCP, 443), with_mac(TABLET_MAC)
    assert downloaded(browser, number) == recorded(house[1], lambda ether: https(ether) and mine(ether))


def test_a_company_and_a_device_of_it(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/companies/Netflix?{RANGE}")
    laptop = next(each for each in page.one("tbody").all("tr") if "adas-laptop" in each.text)
    assert downloaded(browser, behind(laptop)) == recorded(house[1], with_address(NETFLIX[0]))
    months = page.one("details", class_="as-table")
    found = [downloaded(browser, behind(row)) for row in months.one("tbody").all("tr")]
    theirs = with_address(*NETFLIX)
    assert found == [recorded(house[1], theirs), recorded(house[1], theirs, 0, MAY)]


def test_what_holds_is_said_and_can_be_left_out(browser: TestClient) -> None:
    address = f"/captures?{RANGE}&country=IE&service=https&ip_version=4&device={TABLET_MAC}&company=Nobody"
    page = read(browser, address)
    held = [each.one("strong").text for each in page.one("ul", id="only").all("li")[1:]]
    assert held == ["of Nobody", "in Ireland", "https", "IPv4"]
    assert page.one("select", id="by-country").one("option", selected="").attributes["value"] == "IE"
    line = page.one("pre", id="ssh-line").text
    assert "--company Nobody --country IE --service https --ip-version 4" in line
    without = next(each for each in page.one("ul", id="only").all("a") if "Ireland" in each.attributes["aria-label"])
    asked = parse_qs(urlsplit(without.attributes["href"]).query)
    assert "country" not in asked
    assert (asked["service"], asked["device"], asked["ip_version"]) == (["https"], [TABLET_MAC], ["4"])


def test_several_companies_hours_and_networks_are_said_and_kept(browser: TestClient) -> None:
    words = (
        "company=Netflix&company=Meta+(Facebook)&hours=23-6&network=AS15169&purpose=watching&name=a.example&port=443"
    )
    page = read(browser, f"/captures?{RANGE}&{words}")
    held = {each.one("strong").text: each.one("a") for each in page.one("ul", id="only").all("li")[1:]}
    assert list(held) == [
        "of the row a.example alone", "of Netflix", "of Meta (Facebook)", "in network AS15169",
        "for advertising and tracking", "between 23:00 and 06:00 of each day", "of port 443 of the server",
    ]  # fmt: skip
    without = parse_qs(urlsplit(held["of Netflix"].attributes["href"]).query)
    assert (without["company"], without["hours"], without["network"]) == (["Meta (Facebook)"], ["23-6"], ["AS15169"])
    form = page.one("section", id="packets").one("form")
    hidden = [(each.attributes["name"], each.attributes["value"]) for each in form.all("input", type="hidden")[1:]]
    assert hidden == [
        ("name", "a.example"), ("company", "Netflix"), ("company", "Meta (Facebook)"), ("network", "AS15169"),
        ("port", "443"),
    ]  # fmt: skip
    assert form.one("input", id="by-hours").attributes["value"] == "23-6"
    assert form.one("select", id="by-purpose").one("option", selected="").attributes["value"] == "watching"
    line = page.one("pre", id="ssh-line").text
    assert "--name a.example --company Netflix --company 'Meta (Facebook)' --network AS15169" in line
    assert "--purpose watching --hours 23-6 --port 443" in line


def test_what_is_new_leads_to_all_of_its_companies(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/?{RANGE}")
    met = next(each for each in page.one("section", aria_labelledby="new").all("li") if "bobs-tablet met" in each.text)
    assert downloaded(browser, behind(met)) == recorded(house[1], with_address(META))


def test_a_network_of_a_country(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, "/countries/IE?range=2024-05-12..2024-05-12")
    places = next(each for each in page.all("section") if each.all("h2") and each.one("h2").text == "Places")
    assert downloaded(browser, behind(places.one("li"))) == recorded(house[1], with_address(META))


def test_a_step_of_a_chart_and_a_way_of_a_destination(browser: TestClient, house: tuple[Path, Path]) -> None:
    steps = read(browser, f"/network?{RANGE}").one("details", class_="as-table").one("tbody")
    day = next(row for row in steps.all("tr") if row.text.startswith("Sat 11 May"))
    day_us = MAY + 10 * 86_400_000_000
    assert downloaded(browser, behind(day)) == recorded(house[1], lambda _: True, day_us, day_us + 86_400_000_000)
    ways = read(browser, f"/destinations/graph.facebook.com?{RANGE}")
    assert downloaded(browser, behind(ways.one("dl"))) == recorded(house[1], with_address(META))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("country=FR", "There is nothing to download: no recording has packets of that."),
        ("ip_version=6", "There is nothing to download: no recording has packets of that."),
        ("country=IE&device=" + HOST_MAC, "There is nothing to download: no recording has packets of that."),
        ("company=Nobody", "Nothing that is known here went to Nobody."),
        ("asked=nowhere.example", "Nobody here asked for nowhere.example."),
        ("country=Atlantis", "There is no country 'Atlantis'; say a code"),
        ("scope=%3Cb%3E", "Scope '<b>' cannot be; it is one of: internet, local, chatter"),
        ("hours=night", "'night' are no hours of the day; say the first and the end: 23-6"),
        ("network=%3Cb%3E", "There is no network '<b>'; say its number (AS15169)"),
        ("hours=3-4", "There is nothing to download: no recording has packets of that."),
    ],
)
def test_nothing_is_said_to_be_nothing(browser: TestClient, words: str, sentence: str) -> None:
    assert sentence in read(browser, f"/captures/packets?{RANGE}&{words}", 404).text
    assert read(browser, f"/captures?{RANGE}&{words}").one("h1").text == "Captures"


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_number_of_a_table_leads_to_packets_that_there_are(browser: TestClient, name: str) -> None:
    page = read(browser, f"/reports/{name}?{RANGE}")
    led = {each.attributes["href"] for each in page.all("a", class_="behind")}
    for number in sorted(led)[:3]:
        assert downloaded(browser, number)
    if name in ("countries", "companies", "destinations", "protocols", "devices", "reach", "months"):
        assert len(led) >= len(rows(page)) - 1


def test_numbers_of_nobody_lead_nowhere(browser: TestClient) -> None:
    page = read(browser, f"/reports/destinations?{RANGE}")
    forgotten = [row for row in page.all("tr") if row.text.startswith("\N{EN DASH}")]
    assert not any(row.all("a", class_="behind") for row in forgotten)


def test_an_address_s_meta_is_that_of_its_row(browser: TestClient, house: tuple[Path, Path]) -> None:
    page = read(browser, f"/destinations?{RANGE}&by=to")
    assert downloaded(browser, behind(row_with(page, "graph.facebook.com"))) == recorded(house[1], with_address(META))
