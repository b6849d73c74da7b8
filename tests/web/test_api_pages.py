"""What a page shows a program can ask for: every page has its addresses of the API, and these answer."""

from __future__ import annotations

import re
from types import MappingProxyType

import pytest
from starlette.testclient import TestClient

from tests.support.dashboard import client, parsed, read
from tests.support.twomonths import LAPTOP_MAC, RANGE, home
from web.pages import PAGES

# Page -> the addresses that say the same; a page of nobody's traffic (login, keys) has none.
COUNTERPARTS = MappingProxyType(
    {
        "/": ("reports/devices", "reports/companies", "reports/countries", "reports/news", "reports/gaps", "status"),
        "/overview/live": ("reports/slots", "status"),
        "/overview/findings": ("reports/findings",),
        "/overview/watching": ("reports/watching",),
        "/network": ("reports/protocols", "reports/encryption", "reports/reach", "reports/ip-versions", "reports/slots"),
        "/network/names": ("reports/resolvers", "reports/names", "reports/names-by-device"),
        "/network/applications": ("reports/applications",),
        "/network/rates": ("reports/requests",),
        "/destinations": ("reports/companies", "reports/destinations", "reports/sources"),
        "/destinations/{name:path}": ("reports/destination?destination=netflix.com",),
        "/companies": ("reports/companies",),
        "/companies/{name:path}": ("reports/destinations?company=Netflix", "reports/company-devices?company=Netflix",
                                   "reports/months?company=Netflix"),
        "/countries/{code}": ("reports/companies?country=MT", "reports/places?country=MT"),
        "/map": ("reports/countries", "reports/places"),
        "/months": ("reports/months", "reports/month-changes", "reports/changes", "reports/coverage"),
        "/devices": ("devices", "reports/devices", "reports/activity"),
        "/devices/{key}": (f"devices/{LAPTOP_MAC}", f"reports/device-destinations?device={LAPTOP_MAC}",
                           f"reports/device-sources?device={LAPTOP_MAC}", f"reports/night?device={LAPTOP_MAC}",
                           f"reports/device-addresses?device={LAPTOP_MAC}"),
        "/devices/{key}/names": (f"reports/names?device={LAPTOP_MAC}", f"reports/resolvers?device={LAPTOP_MAC}"),
        "/findings": ("reports/findings",),
        "/findings/{name}": ("reports/findings",),
        "/findings/{name}.csv": ("reports/findings",),
        "/captures": ("captures", "reports/captures", "reports/gaps"),
        "/reports": ("reports",),
        "/reports/{name}": ("reports/{name}",),
        "/reports/{name}.csv": ("reports/{name}",),
        "/search": ("search?q=netflix",),
        "/settings": ("sites", "status"),
        "/settings/applications": ("reports/applications",),
    }
)  # fmt: skip
OF_NOBODYS_TRAFFIC = frozenset({"/login", "/setup", "/settings/tokens", "/metrics", "/help", "/help/api"})
FILES = ("/captures/files", "/captures/packets")  # packets, for which the password is asked again
GET = [page for page in PAGES if page.method == "GET" and not page.path.startswith(FILES)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client(home(tmp_path_factory.mktemp("pages"))[0])


def test_no_page_is_without_a_counterpart() -> None:
    assert {page.path for page in GET} - OF_NOBODYS_TRAFFIC == set(COUNTERPARTS)


@pytest.mark.parametrize("page", sorted(COUNTERPARTS))
def test_they_answer_with_what_openapi_describes(browser: TestClient, page: str) -> None:
    described = browser.get("/api/v1/openapi.json").json()["paths"]
    for address in COUNTERPARTS[page]:
        asked = address.replace("{name}", "destinations")
        answer = browser.get(f"/api/v1/{asked}{'&' if '?' in asked else '?'}{RANGE}")
        assert answer.status_code == 200, (asked, answer.text[:300])
        path = asked.partition("?")[0]
        family = path.partition("/")[0]
        assert {f"/api/v1/{path}", f"/api/v1/{family}/{{name}}", f"/api/v1/{family}/{{key}}"} & set(described), asked


def test_a_page_and_its_counterpart_say_the_same(browser: TestClient) -> None:
    said = browser.get(f"/api/v1/reports/destinations?{RANGE}").json()["rows"]
    shown = [row.all("td")[0] for row in read(browser, f"/destinations?by=to&{RANGE}").one("tbody").all("tr")]
    assert [each["destination"] for each in said] == [cell.one("a").text for cell in shown]


ADDRESSES = ("/", "/devices", "/destinations?by=to", "/companies/Netflix", "/map", "/months", "/network", "/captures")


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_line_ends_between_a_number_and_its_unit(browser: TestClient, address: str) -> None:
    html = browser.get(f"{address}{'&' if '?' in address else '?'}{RANGE}").text
    parsed(html)
    text = re.sub(r"<(script|svg).*?</\1>|<[^>]*>", "", html, flags=re.DOTALL)
    assert re.findall(r".{0,20}\d [kMGT]?B\b.{0,9}|.{0,20}\d %.{0,9}", text) == []
