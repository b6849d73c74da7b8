"""From every number that the dashboard shows of the sample home to its packets: a tap on it, and one on the button there.

Rule 1: a row of a table or of a list that tells bytes, packets, connections or questions has its packets one tap away; a
        number in a sentence two, behind what its panel means. A table that cannot is named here, with the reason.
Rule 2: what a cut holds is what the row says, to the packet, and of bytes to the last digit that is shown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from daemon.report.registry import KINDS
from daemon.store.database import read_database
from tests.support.dashboard import client, read
from tests.support.sample_home import SampleHome, shared_home
from tests.support.taps import Number, Said, held, numbers_of, said_of
from web.pages import PAGES

TV = "8c:79:f5:a0:6e:38"
FINDING = "the newest finding"
WALKED: dict[str, tuple[str, ...]] = {  # pages with numbers of traffic
    "/": ("/", "/?range=7d"),
    "/overview/live": ("/overview/live",),
    "/overview/watching": ("/overview/watching",),
    "/network": ("/network", f"/network?device={TV}"),
    "/network/names": ("/network/names",),
    "/network/applications": ("/network/applications", "/network/applications?application=Netflix"),
    "/network/rates": ("/network/rates",),
    "/destinations": ("/destinations", "/destinations?by=to", "/destinations?by=from"),
    "/destinations/{name:path}": ("/destinations/ib.adnxs.com", "/destinations/78.133.51.223"),
    "/companies/{name:path}": ("/companies/Google",),
    "/countries/{code}": ("/countries/US",),
    "/map": ("/map",),
    "/months": ("/months",),
    "/devices": ("/devices",),
    "/devices/{key}": (f"/devices/{TV}",),
    "/devices/{key}/names": (f"/devices/{TV}/names",),
    "/findings": ("/findings",),
    "/findings/{name}": (FINDING,),
    "/overview/findings": ("/overview/findings",),
    "/captures": ("/captures",),
    "/search": ("/search?q=net",),
    "/reports/{name}": (
        *(f"/reports/{kind.name}" for kind in KINDS),
        "/reports/destination?destination=ib.adnxs.com",
        "/reports/news?range=7d",
    ),
}
NUMBERLESS = {  # files, forms, what leads to another page, and words about Homeport
    "/captures/files/{number}", "/captures/packets", "/reports/{name}.csv", "/findings/{name}.csv", "/metrics", "/login",
    "/setup", "/help", "/help/api", "/settings", "/settings/tokens", "/settings/applications", "/reports", "/companies",
}  # fmt: skip
FAR = {  # address of a page -> why its rows have no packets of their own
    "/reports/places": "a place is that of an address on a day, which no packet tells; a country's page has its networks",
    "/reports/coverage": "why a name is known is told of months; the destinations themselves have their packets",
    "/reports/gaps": "what is missing has no packets",
}
OTHERWISE = {  # pages of which a cut holds more than the row says, and why
    "/reports/device-sources": "it tells what was received, and packets go both ways",
    "/reports/findings": "a finding counts what is odd about a destination, and its packets show the rest as well",
    "/reports/destination": "rows differ in how a name is known, which no packet tells",
    "/reports/ip-versions": "what another device of the house began is counted there, and is its packets, too",
    "/findings": "as the report of findings",
    FINDING: "as the report of findings",
}
_A_PAGE = 2  # rows whose packets are counted


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SampleHome:
    return shared_home(tmp_path_factory)


@pytest.fixture(scope="module")
def browser(home: SampleHome) -> Iterator[TestClient]:
    with closing(client(home.database)) as found:
        yield found


def addresses(browser: TestClient) -> Iterator[str]:
    """All that are walked, the finding by its own."""
    for address in (each for some in WALKED.values() for each in some):
        if address != FINDING:
            yield address
        else:
            links = (each.attributes["href"] for each in read(browser, "/findings").all("a"))
            yield next(link for link in links if re.match(r"/findings/[a-z]+-[0-9a-f]", link))


def kind_of(address: str) -> str:
    """The address as the tables here have it."""
    path = address.partition("?")[0]
    return FINDING if path.startswith("/findings/") else path


@pytest.fixture(scope="module")
def shown(browser: TestClient, home: SampleHome) -> dict[str, list[Number]]:
    """The numbers of every page, when all that is looked for beside pages was found; of one whole day if none is said."""
    read(browser, "/findings")
    browser.app.state.looking.wait()  # type: ignore[attr-defined]  # the application is ours
    day = f"range={last_whole_day(home)}"
    return {address: numbers_of(read(browser, _within(address, day))) for address in addresses(browser)}


def _within(address: str, time: str) -> str:
    return address if "range=" in address else f"{address}{'&' if '?' in address else '?'}{time}"


def test_every_page_is_walked_or_has_no_numbers() -> None:
    pages = {page.path for page in PAGES if page.method == "GET"}
    assert pages - set(WALKED) - NUMBERLESS == set(), "pages at which nobody looks for numbers"
    assert (set(WALKED) | NUMBERLESS) - pages == set(), "pages that are no more"


def test_no_number_is_further_than_two_taps_from_its_packets(shown: dict[str, list[Number]]) -> None:
    far = {
        (address, number.panel, number.heading, number.text)
        for address, numbers in shown.items() if kind_of(address) not in FAR
        for number in numbers if number.link is None and not number.meant
    }  # fmt: skip
    assert far == set(), "rows without a way to their packets (web.row_packets, or `behind` in a template)"


def test_what_is_excused_needs_it(shown: dict[str, list[Number]]) -> None:
    for address in FAR:
        assert all(number.link is None for number in shown[address]), f"{address} can be taken off the list"


def test_there_are_numbers_to_look_at(shown: dict[str, list[Number]]) -> None:
    assert sum(len(numbers) for numbers in shown.values()) > 2000
    for address in ("/", "/network", f"/devices/{TV}", "/countries/US", "/reports/night", "/reports/news?range=7d"):
        assert sum(number.link is not None for number in shown[address]) > 3, address


def test_the_packets_of_a_row_are_as_many_as_it_says(browser: TestClient, shown: dict[str, list[Number]]) -> None:
    """Of one day: of a week each cut takes as many times as long."""
    seen = set()
    for address, numbers in shown.items():
        if kind_of(address) in OTHERWISE or "range=" in address:
            continue
        for link, said in spread(numbers):
            if link not in seen:
                seen.add(link)
                found = held(browser, link)
                assert found, (address, link)
                assert said.packets in (None, found.packets), (address, link)
                assert said.bytes is None or abs(said.bytes - found.bytes) <= said.rounded, (address, link, said, found)
    assert len(seen) > 40


def last_whole_day(home: SampleHome) -> str:
    """The date of the day before the newest packet, by the calendar of the home."""
    with closing(read_database(home.database)) as db:
        newest_us, zone = db.execute(
            "SELECT max(last_us), zone FROM capture k JOIN site s ON s.id = k.site_id"
        ).fetchone()
    return f"{datetime.fromtimestamp(newest_us // 1_000_000, ZoneInfo(zone)) - timedelta(days=1):%Y-%m-%d}"


def spread(numbers: list[Number]) -> Iterator[tuple[str, Said]]:
    """What a few rows of a page say of the packets behind their first link, taken from all over it."""
    rows: dict[int, dict[str, list[Number]]] = defaultdict(lambda: defaultdict(list))
    for number in numbers:
        if number.row and number.link and number.link.startswith("/captures?") and number.panel != "Protocols":
            rows[number.row][number.link].append(number)
    for row in list(rows)[:: max(1, len(rows) // _A_PAGE)][:_A_PAGE]:
        yield next(iter(said_of(rows[row]).items()))
