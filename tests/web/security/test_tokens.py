"""A token opens the API and the metrics as far as its scope goes, changes nothing, and can be taken back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from daemon.store import access_tokens, audit
from tests.support.dashboard import parsed, read
from tests.support.guarded import NOW_US, Clock, asked, guarded, let_in, own, send
from web.options import Options
from web.security.gate import Session, admission

API = ("/api/v1/reports", "/metrics")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    return own(tmp_path / "owner.db")


@pytest.fixture
def browser(tmp_path: Path, owner: Path, clock: Clock) -> TestClient:
    return guarded(tmp_path / "h.db", owner, clock)


@pytest.fixture
def program(browser: TestClient) -> TestClient:
    return TestClient(browser.app, base_url=str(browser.base_url), follow_redirects=False)


def made(browser: TestClient, owner: Path, scopes: str = "read") -> str:
    answer = send(browser, "/settings/tokens", let_in(browser, owner), name="Prometheus", scopes=scopes)
    assert answer.status_code == 200
    return str(parsed(answer.text).one("pre", id="token").text)


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_program_with_a_token_reads(browser: TestClient, program: TestClient, owner: Path) -> None:
    token = made(browser, owner)
    for path in API:
        assert program.get(path).status_code == 401
        assert program.get(path, headers=bearing(token)).status_code == 200
        assert program.get(path, headers={"authorization": f"bearer  {token} "}).status_code == 200


def test_the_token_is_shown_once(browser: TestClient, owner: Path) -> None:
    token = made(browser, owner)
    page = read(browser, "/settings/tokens")
    assert token not in page.text
    assert "Prometheus" in page.text


def test_it_opens_no_page_and_changes_nothing(browser: TestClient, program: TestClient, owner: Path) -> None:
    token = made(browser, owner, "read+packets")
    for path in ("/", "/settings", "/settings/tokens", "/reports"):
        assert program.get(path, headers=bearing(token)).status_code == 303
    for path in ("/settings/home", "/logout", "/api/v1/reports"):
        assert program.post(path, headers=bearing(token), data={"home.name": "x"}).status_code in (303, 401, 405)


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer ", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer é"])
def test_anything_else_is_no_token(browser: TestClient, program: TestClient, owner: Path, said: str) -> None:
    token = made(browser, owner)
    for path in API:
        answer = program.get(path, headers=[(b"authorization", said.format(token).encode())])
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_taken_back_it_opens_nothing(browser: TestClient, program: TestClient, owner: Path) -> None:
    token = made(browser, owner)
    number = read(browser, "/settings/tokens").one("input", name="token").attributes["value"]
    assert send(browser, "/settings/tokens/revoke", let_in(browser, owner), token=number).status_code == 303
    assert program.get("/metrics", headers=bearing(token)).status_code == 401
    done = [line.what for line in asked(owner, lambda db: audit.latest(db, 9))]
    assert done == [audit.TOKEN_GONE, audit.TOKEN_MADE]
    assert send(browser, "/settings/tokens/revoke", let_in(browser, owner), token=number).status_code == 400


def test_its_last_use_is_kept(browser: TestClient, program: TestClient, owner: Path, clock: Clock) -> None:
    token = made(browser, owner)
    clock.later(3600)
    program.get("/metrics", headers=bearing(token))
    clock.later(10)
    program.get("/metrics", headers=bearing(token))
    (kept,) = asked(owner, access_tokens.standing_tokens)
    assert kept.used_us == NOW_US + 3600 * 1_000_000, "to a few minutes: reading wears out no SD card"


def test_only_the_wider_scope_takes_packets(browser: TestClient, owner: Path) -> None:
    options: Options = browser.app.state.options  # type: ignore[attr-defined]  # the client knows only that it is an application

    async def who(token: str) -> Session:
        said = [(b"authorization", f"Bearer {token}".encode())]
        asked_for = {"type": "http", "method": "GET", "path": "/api/v1/packets", "query_string": b"", "headers": said}
        return await admission(options)(False)(Request(asked_for))  # noqa: FBT003  what it takes is one word

    for scopes, wide in (("read", False), ("read+packets", True)):
        session = asyncio.run(who(made(browser, owner, scopes)))
        assert (session.confirmed, "packets" in session.scopes) == (wide, wide)


@pytest.mark.parametrize(
    ("name", "scopes"), [("", "read"), ("x" * 65, "read"), ("a\x00b", "read"), ("x", "write"), ("x", "")]
)
def test_what_is_no_token_is_not_made(browser: TestClient, owner: Path, name: str, scopes: str) -> None:
    answer = send(browser, "/settings/tokens", let_in(browser, owner), name=name, scopes=scopes)
    assert answer.status_code == 400
    assert parsed(answer.text).one("p", role="alert").text
    assert asked(owner, access_tokens.standing_tokens) == []
