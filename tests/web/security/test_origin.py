"""What a stranger's page makes a browser send changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from daemon.store.settings import read_settings
from tests.support.dashboard import BASE
from tests.support.guarded import asked, guarded, let_in, own
from web.security.limits import MOST_BYTES
from web.security.origin import OURS, STRANGE, UNSAID, came_from

NAME = {"home.name": "theirs"}


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own(tmp_path_factory.mktemp("origin") / "owner.db")


@pytest.fixture(scope="module")
def browser(owner: Path) -> TestClient:
    return guarded(owner.with_name("h.db"), owner)


@pytest.fixture(autouse=True)
def nothing_was_said(owner: Path, browser: TestClient) -> None:
    """One application for all tests: each begins as if nobody had been there."""
    browser.cookies.clear()
    asked(owner, lambda db: db.executescript("DELETE FROM setting; DELETE FROM session"))


def unchanged(owner: Path) -> bool:
    return bool(asked(owner, read_settings) == {})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1:8080.evil.example"},
        {"origin": "https://127.0.0.1"},
        {"origin": "chrome-extension://abcdef"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
        {"origin": BASE, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://[::1"},
        {"origin": "http://127.0.0.1:port"},
    ],
)
def test_a_strangers_page_is_refused_even_with_the_right_token(
    browser: TestClient, owner: Path, headers: dict[str, str]
) -> None:
    csrf = let_in(browser, owner)
    for path in ("/settings/home", "/logout", "/login", "/api/v1/reports"):
        answer = browser.post(path, data={**NAME, "csrf": csrf}, headers=headers)
        assert answer.status_code == 403, path
    assert unchanged(owner)
    assert browser.get("/settings").status_code == 200, "still logged in"


@pytest.mark.parametrize("sent", [{}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": "é"}])
def test_without_the_sessions_token_nothing_is_changed(browser: TestClient, owner: Path, sent: dict[str, str]) -> None:
    let_in(browser, owner)
    answer = browser.post("/settings/home", data={**NAME, **sent}, headers={"origin": BASE})
    assert answer.status_code == 403
    assert "Please try again" in answer.text
    assert unchanged(owner)


def test_the_token_of_another_session_does_not_do(browser: TestClient, owner: Path) -> None:
    theirs = let_in(browser, owner)
    let_in(browser, owner)
    assert browser.post("/settings/home", data={**NAME, "csrf": theirs}, headers={"origin": BASE}).status_code == 403
    assert unchanged(owner)


def test_the_token_does_in_the_form_and_in_the_header(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    assert browser.post("/settings/home", data={"home.name": "one", "csrf": csrf}).status_code == 303
    assert browser.post("/settings/home", data={"home.name": "two"}, headers={"x-csrf-token": csrf}).status_code == 303
    assert asked(owner, read_settings) == {"home.name": "two"}


def test_the_page_has_the_token_and_the_token_is_not_the_cookie(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    page = browser.get("/settings").text
    assert csrf in page
    assert browser.cookies["homeport"] not in page


def test_login_and_setup_want_to_be_told_that_the_form_was_ours(browser: TestClient) -> None:
    for path in ("/login", "/setup"):
        assert browser.post(path, data={"password": "x"}).status_code == 403
        assert (
            browser.post(path, data={"password": "x"}, headers={"origin": BASE}).status_code != 403 or path == "/login"
        )


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({"host": "homeport.local", "origin": "http://homeport.local"}, OURS),
        ({"host": "homeport.local", "origin": "http://homeport.local:80"}, OURS),
        ({"host": "[fd00::1]:8080", "origin": "http://[fd00::1]:8080"}, OURS),
        ({"host": "homeport.local", "sec-fetch-site": "same-origin"}, OURS),
        ({"host": "homeport.local", "origin": "http://homeport.local", "sec-fetch-site": "same-origin"}, OURS),
        ({"host": "homeport.local"}, UNSAID),
        ({"host": "homeport.local", "origin": "http://homeport.local:8080"}, STRANGE),
        ({"host": "homeport.local", "origin": "ftp://homeport.local"}, STRANGE),
    ],
)
def test_what_a_browser_says_of_where_it_comes_from(headers: dict[str, str], verdict: str) -> None:
    assert came_from(Headers(headers)) == verdict


def test_a_large_body_is_refused_before_it_is_read(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    answer = browser.post(
        "/settings/home", data={"home.name": "x" * MOST_BYTES, "csrf": csrf}, headers={"origin": BASE}
    )
    assert answer.status_code == 413
    assert "nothing was changed" in answer.text
    chunks = iter([b"home.name=", b"x" * 10])
    assert browser.post("/settings/home", content=chunks, headers={"x-csrf-token": csrf}).status_code == 411
    assert unchanged(owner)


def test_a_form_that_is_none_is_a_sentence(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    broken = {"content-type": "multipart/form-data; boundary=x", "origin": BASE, "x-csrf-token": csrf}
    assert browser.post("/settings/home", content=b"--y\r\nnonsense", headers=broken).status_code in (303, 400)
    file = browser.post("/settings/home", files={"home.name": ("a", b"b")}, headers={"x-csrf-token": csrf})
    assert file.status_code == 400
    assert unchanged(owner)
