"""The API's search: the same as the page's, typed, bounded, and deaf to everything that is no plain text."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from tests.support.dashboard import client, read
from tests.support.twomonths import LAPTOP_MAC, NASTY, NETFLIX, home


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return client(home(tmp_path_factory.mktemp("search"))[0])


def found(program: TestClient, text: str, **more: str) -> dict[str, list[dict[str, object]]]:
    answer = program.get("/api/v1/search", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    kinds: dict[str, list[dict[str, object]]] = answer.json()
    return kinds


def test_every_kind_of_thing_is_found(program: TestClient) -> None:
    netflix = found(program, "netflix")
    assert [each["text"] for each in netflix["companies"]] == ["Netflix"]
    assert {each["organisation"] for each in netflix["domains"]} == {"Netflix"}
    assert {each["last_month"] for each in netflix["domains"]} == {"2024-05"}
    assert [each["text"] for each in found(program, NETFLIX[0][:6])["addresses"]] == []  # it has a name
    assert found(program, "malta")["countries"] == [{"code": "MT", "name": "Malta"}]
    assert found(program, "mt")["countries"] == [{"code": "MT", "name": "Malta"}]
    device = found(program, LAPTOP_MAC.upper())["devices"][0]
    assert (device["key"], device["found_by"]) == (LAPTOP_MAC, LAPTOP_MAC)


@pytest.mark.parametrize("text", ["net", "example", "103.6", "land", "02:00"])
def test_it_finds_what_the_page_finds(program: TestClient, text: str) -> None:
    kinds = found(program, text)
    shown = {
        each.one("h2").text.lower(): [item.one("a").text for item in each.all("li")]
        for each in read(program, f"/search?q={text}").one("main").all("section")
    }
    named = {
        kind: [str(hit.get("text", hit.get("name"))) for hit in hits] for kind, hits in kinds.items() if kind != "more"
    }
    assert {kind: names for kind, names in named.items() if names} == shown


def test_at_most_so_many_of_each_and_it_says_so(program: TestClient) -> None:
    kinds = found(program, ".com", limit="1")
    assert len(kinds["domains"]) == 1
    assert list(map(str, kinds["more"])) == ["domains"]
    assert found(program, "netflix")["more"] == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("q=a", 422),
        ("", 422),
        ("q=" + "a" * 254, 422),
        ("q=ab&limit=0", 422),
        ("q=ab&limit=101", 422),
        ("q=ab&site=elsewhere", 404),
    ],
)
def test_what_cannot_be_asked_is_refused(program: TestClient, asked: str, status: int) -> None:
    assert program.get(f"/api/v1/search?{asked}").status_code == status


@pytest.mark.parametrize(
    "text", ["%%", "__", "'; DROP TABLE name; --", "\x00\x00", "\u202egro", "*?[a-z]", "  ", "💥💥"]
)
def test_text_is_no_pattern_and_no_command(program: TestClient, text: str) -> None:
    kinds = found(program, text)
    assert [kind for kind, hits in kinds.items() if hits] == []


def test_a_hostile_name_is_data_and_never_markup(program: TestClient) -> None:
    answer = program.get("/api/v1/search", params={"q": "script"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert NASTY in {each["text"] for each in json.loads(answer.text)["domains"]}


def test_openapi_tells_what_comes_back(program: TestClient) -> None:
    described = program.get("/api/v1/openapi.json").json()
    search = described["paths"]["/api/v1/search"]["get"]
    assert {each["name"] for each in search["parameters"]} == {"q", "site", "limit"}
    reference = search["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    fields = described["components"]["schemas"][reference]["properties"]
    assert set(fields) == {"devices", "companies", "domains", "addresses", "countries", "more"}
