"""Every address of the application, found by asking the application: none says anything to a stranger, none changes
anything because it was looked at."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from tests.daemon.ingest.scenes import evening, write
from tests.support.dashboard import BASE
from tests.support.guarded import guarded, let_in, log_in, own
from tests.support.importing import imported
from web.security.headers import HEADERS

PUBLIC = {"/login", "/setup", "/healthz", "/api/v1/openapi.json"}
SECRETS = ("laptop", "example", "192.168.1.1", "203.0.113", "02:00:00", "2001:db8", "Device")
FILLED = {  # parameters of addresses -> what stands there in this home
    "key": "02:00:00:00:00:10", "name": "protocols", "number": "1", "code": "DE", "month": "2023-11", "path": "x",
}  # fmt: skip
OTHERWISE = {"/destinations/": "www.example.com", "/companies/": "IANA"}  # where `name` is something else


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("routes")
    return imported(folder / "h.db", write(folder / "day.pcap", evening()))


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    return tmp_path / "owner.db"


@pytest.fixture
def browser(database: Path, owner: Path) -> Iterator[TestClient]:
    with guarded(database, owner) as client:
        yield client


def addresses(client: TestClient) -> list[tuple[str, str]]:
    """(method, path) of every page and every answer of the API, with parameters filled in."""
    app = client.app
    assert isinstance(app, FastAPI)
    pages = [
        (method, route.path) for route in app.routes if isinstance(route, APIRoute) for method in route.methods or ()
    ]
    api = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    assert len(pages) > 20
    assert api
    return [(method, filled(path)) for method, path in [*pages, *api]]


def filled(path: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1].partition(":")[0]
        return next((word for start, word in OTHERWISE.items() if path.startswith(start)), FILLED.get(name, "1"))

    return re.sub(r"\{([^}]+)\}", value, path)


@pytest.mark.parametrize("claimed", [False, True])
def test_a_stranger_is_told_nothing(browser: TestClient, owner: Path, claimed: bool) -> None:
    first = "/login" if claimed else "/setup"
    if claimed:
        own(owner)
    for method, path in addresses(browser):
        answer = browser.request(method, path, headers={"origin": BASE})
        said = f"{method} {path}: {answer.status_code}"
        for secret in SECRETS:
            assert secret not in answer.text.replace("example.org", "").replace('"2001:db8', ""), (
                f"{said} tells {secret}"
            )
        if path in PUBLIC:
            assert answer.status_code in (200, 303, 403), said
        elif path.startswith(("/api/", "/metrics")):
            assert answer.status_code == 401, said
        else:
            assert answer.status_code == 303, said
            assert answer.headers["location"].partition("?")[0] == first, said


def test_only_the_listed_addresses_are_public(browser: TestClient, owner: Path) -> None:
    own(owner)
    app = browser.app
    assert isinstance(app, FastAPI)
    open_to_all = {path for method, path in addresses(browser) if browser.request(method, path).status_code == 200}
    assert open_to_all == PUBLIC - {"/setup", "/api/v1/openapi.json"}
    assert browser.get("/api/v1/openapi.json").status_code == 200


def test_looking_changes_nothing(browser: TestClient, database: Path, owner: Path) -> None:
    own(owner)
    let_in(browser, owner)
    before = contents(owner), contents(database)
    for method, path in addresses(browser):
        if method == "GET":
            for query in ("", "?range=365d", "?csrf=x&name=y&undo=1&value=z&act=remove"):
                answer = browser.get(path + query)
                assert answer.status_code < 500, f"{path}{query}"
    assert (contents(owner), contents(database)) == before


def test_every_answer_tells_the_browser_what_to_refuse(browser: TestClient, owner: Path) -> None:
    own(owner)
    let_in(browser, owner)
    paths = [path for method, path in addresses(browser) if method == "GET"]
    for path in (*paths, "/static/homeport.css", "/nothing/here", "/static/../web/app.py", "/static/%2e%2e/app.py"):
        answer = browser.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, path
        assert "server" not in answer.headers
    policy = HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_every_change_wants_a_session_and_its_token(browser: TestClient, database: Path, owner: Path) -> None:
    own(owner)
    let_in(browser, owner)
    before = contents(owner), contents(database)
    changing = [path for method, path in addresses(browser) if method not in ("GET", "HEAD")]
    assert len(changing) > 8
    for path in changing:
        if path not in ("/login", "/setup"):
            answer = browser.post(path, data={"value": "x", "name": "x", "act": "remove"}, headers={"origin": BASE})
            assert answer.status_code == 403, path
    assert (contents(owner), contents(database)) == before


def test_an_address_that_is_none_says_so(browser: TestClient, owner: Path) -> None:
    own(owner)
    assert log_in(browser).status_code == 303
    answer = browser.get("/nothing/here")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert browser.get("/api/v1/nothing").json() == {"detail": "Not Found"}
    assert browser.put("/settings").status_code == 405


def contents(path: Path) -> str:
    """All rows of a database, but for when a session was used."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA query_only = 1")
        lines = [line for line in db.iterdump() if not line.startswith('INSERT INTO "session"')]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
