"""A token opens the API and the metrics as far as its scope goes, changes nothing, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.store import access_tokens, audit
from tests.daemon.ingest.scenes import evening, write
from tests.support.dashboard import parsed, read
from tests.support.guarded import NOW_US, Clock, asked, guarded, let_in, own, send
from tests.support.importing import imported

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


def test_anything_else_is_no_token(browser: TestClient, program: TestClient, owner: Path) -> None:
    token = made(browser, owner)
    for said in ("", "Bearer", "Bearer ", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer é"):
        for path in API:
            answer = program.get(path, headers=[(b"authorization", said.format(token).encode())])
            assert answer.status_code == 401, said
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


def test_only_the_wider_scope_takes_packets(tmp_path: Path, owner: Path) -> None:
    capture = write(tmp_path / "day.pcap", evening())
    with guarded(imported(tmp_path / "h.db", capture), owner) as browser:
        program = TestClient(browser.app, base_url=str(browser.base_url), follow_redirects=False)
        narrow, wide = made(browser, owner), made(browser, owner, "read+packets")
        for path in ("/captures/files/1", "/captures/packets?range=2023-11"):
            assert program.get(path, headers=bearing(narrow)).status_code == 401
            assert program.get(path, headers=bearing(wide)).content[:4] == capture.read_bytes()[:4]
        assert program.get("/captures", headers=bearing(wide)).status_code == 303, "pages are for people"
    lines = asked(owner, lambda db: audit.latest(db, 2))
    assert [(line.who, line.what) for line in lines] == [("token Prometheus", audit.PACKETS)] * 2


def test_what_is_no_token_is_not_made(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    for name, scopes in (("", "read"), ("x" * 65, "read"), ("a\x00b", "read"), ("x", "write"), ("x", "")):
        answer = send(browser, "/settings/tokens", csrf, name=name, scopes=scopes)
        assert answer.status_code == 400
        assert parsed(answer.text).one("p", role="alert").text
    assert asked(owner, access_tokens.standing_tokens) == []
