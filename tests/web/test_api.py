"""The API: pages of rows that together are all rows, and answers that OpenAPI describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from daemon.report.registry import KINDS
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.dashboard import client
from tests.support.importing import imported
from tests.support.packets import HOST_MAC, START_US

PLACES = [f"host{number}.example.com" for number in range(12)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop that meets twelve places, and a tablet a day later."""
    folder = tmp_path_factory.mktemp("api")
    first = [dhcp_request(START_US, "adas-thinkpad")]
    for number, name in enumerate(PLACES):
        first += talk(START_US + number * SECOND, name, server=f"203.0.113.{number + 1}", port=40000 + number)
    second = talk(START_US + DAY, PLACES[0], client=TABLET, mac=TABLET_MAC, server="203.0.113.1", port=40099)
    return imported(folder / "h.db", write(folder / "a.pcap", first), write(folder / "b.pcap", second))


@pytest.fixture
def program(database: Path) -> TestClient:
    return client(database)


def all_pages(program: TestClient, path: str, rows: str, limit: int) -> list[Any]:
    found: list[Any] = []
    cursor = None
    for _ in range(100):
        asked = {"limit": str(limit), "range": "7d"}
        if cursor:
            asked["cursor"] = cursor
        answer = program.get(path, params=asked).json()
        assert len(answer[rows]) <= limit
        found += answer[rows]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError("no end")


@pytest.mark.parametrize(
    ("path", "rows"), [("reports/destinations", "rows"), ("devices", "devices"), ("captures", "captures")]
)
def test_pages_add_up_to_everything(program: TestClient, path: str, rows: str) -> None:
    whole = all_pages(program, f"/api/v1/{path}", rows, 1000)
    assert len(whole) >= 2
    assert all_pages(program, f"/api/v1/{path}", rows, 1) == whole


def test_destinations_are_those_that_were_met(program: TestClient) -> None:
    answer = program.get("/api/v1/reports/destinations", params={"range": "7d"}).json()
    assert set(PLACES) <= {value for row in answer["rows"] for value in row.values()}
    assert [column["key"] for column in answer["columns"]] == list(answer["rows"][0])


def test_a_device_with_its_evidence(program: TestClient) -> None:
    found = program.get(f"/api/v1/devices/{HOST_MAC}").json()
    assert (found["name"], found["mac"], found["stations"]) == ("adas-thinkpad", HOST_MAC, [HOST_MAC])
    assert any(each["source"] == "dhcp" and "adas-thinkpad" in each["value"] for each in found["evidence"])
    assert [each["address"] for each in found["addresses"]]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "MS4yLjM", "LTEuMC4x", "é", "MS4w" * 40])
def test_a_cursor_of_ones_own_making_is_refused(program: TestClient, cursor: str) -> None:
    answer = program.get("/api/v1/reports/destinations", params={"cursor": cursor})
    assert answer.status_code == 400 or answer.json()["rows"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("reports/nonsense", 404),
        ("devices/02:00:00:00:00:77", 404),
        ("reports/protocols?site=elsewhere", 404),
        ("devices?limit=0", 422),
        ("devices?limit=999999", 422),
    ],
)
def test_what_cannot_be_answered_says_why(program: TestClient, path: str, status: int) -> None:
    answer = program.get(f"/api/v1/{path}")
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_the_description_knows_every_route_and_parameter(program: TestClient) -> None:
    described = program.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/reports/{name}", "/api/v1/devices", "/api/v1/devices/{key}", "/api/v1/captures"} <= set(described)
    told = {each["name"] for each in described["/api/v1/reports/{name}"]["get"]["parameters"]}
    narrowing = {"party", "country", "company", "destination"}
    assert told == {"name", "range", "site", "device", "limit", "cursor", *narrowing}
    assert {path for path in described if not path.startswith("/api/v1/")} == set()


def test_every_report_is_listed(program: TestClient) -> None:
    assert [each["name"] for each in program.get("/api/v1/reports").json()["reports"]] == [kind.name for kind in KINDS]


def test_status_is_told_before_anything_was_captured(tmp_path: Path) -> None:
    answer = client(tmp_path / "absent.db").get("/api/v1/status")
    assert (answer.status_code, answer.json()["newest_packet_us"]) == (200, None)
