"""Passwords are tried slowly, sessions are new at each login and end, and cookies stay where they belong."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.store import accounts, audit, sessions
from daemon.store.settings import read_settings
from tests.support.dashboard import parsed, read
from tests.support.guarded import FROM_US, PASSWORD, Clock, asked, guarded, let_in, log_in, own, send
from web.security.gate import COOKIE

HOUR, DAY = 3600, 86_400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    return own(tmp_path / "owner.db")


@pytest.fixture
def browser(tmp_path: Path, owner: Path, clock: Clock) -> TestClient:
    return guarded(tmp_path / "h.db", owner, clock)


def test_the_password_opens_and_leads_to_where_one_wanted_to_go(browser: TestClient) -> None:
    answer = browser.get("/settings?range=30d")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/settings%3Frange%3D30d")
    form = read(browser, answer.headers["location"])
    wanted = form.one("input", name="next").attributes["value"]
    answer = log_in(browser, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings?range=30d")
    assert read(browser, "/settings").one("button", aria_label="Log out")


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\tx",
        "/\r\nx: y",
        "/é",
    ],
)
def test_nobody_is_led_away(browser: TestClient, wanted: str) -> None:
    assert log_in(browser, next=wanted).headers["location"] == "/"


def test_the_cookie_is_for_this_box_alone(browser: TestClient) -> None:
    cookie = SimpleCookie(log_in(browser).headers["set-cookie"])[COOKIE]
    assert len(cookie.value) >= 43, "256 bits"
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"], cookie["domain"]) == (
        True,
        "strict",
        "/",
        "",
    )


def test_over_tls_the_cookie_never_leaves_without_tls(tmp_path: Path, owner: Path) -> None:
    browser = guarded(tmp_path / "h.db", owner)
    browser.base_url = "https://127.0.0.1:8443"
    answer = browser.post("/login", data={"password": PASSWORD}, headers={"origin": "https://127.0.0.1:8443"})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_session_from_before_the_login_is_not_the_one_after(browser: TestClient, owner: Path) -> None:
    browser.cookies.set(COOKIE, "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    fresh = SimpleCookie(log_in(browser).headers["set-cookie"])[COOKIE].value
    assert fresh != "chosen-by-somebody-else"
    browser.cookies.clear()
    browser.cookies.set(COOKIE, "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    assert browser.get("/settings").status_code == 303


def test_a_second_login_ends_the_session_that_the_browser_had(browser: TestClient, owner: Path) -> None:
    log_in(browser)
    first = browser.cookies[COOKIE]
    log_in(browser)
    assert browser.cookies[COOKIE] != first
    browser.cookies.clear()
    browser.cookies.set(COOKIE, first, domain="127.0.0.1", path="/")
    assert browser.get("/settings").status_code == 303


def test_nothing_that_opens_the_box_stands_in_its_file(browser: TestClient, owner: Path) -> None:
    log_in(browser)
    token = send(browser, "/settings/tokens", _csrf(browser), name="p", scopes="read")
    shown = parsed(token.text).one("pre", id="token").text
    code = asked(owner, lambda db: accounts.reset(db) and accounts.show_code(db, 1))
    kept = b"".join(path.read_bytes() for path in owner.parent.glob("owner.db*"))
    for secret in (PASSWORD, browser.cookies[COOKIE], shown, code):
        assert secret.encode() not in kept


def test_logout_ends_the_session_and_not_only_the_cookie(browser: TestClient, owner: Path) -> None:
    csrf = let_in(browser, owner)
    stolen = browser.cookies[COOKIE]
    answer = send(browser, "/logout", csrf)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    browser.cookies.set(COOKIE, stolen, domain="127.0.0.1", path="/")
    assert browser.get("/settings").status_code == 303


def test_logout_everywhere_ends_all_of_them(tmp_path: Path, browser: TestClient, owner: Path, clock: Clock) -> None:
    phone = guarded(tmp_path / "h.db", owner, clock)
    let_in(phone, owner)
    csrf = let_in(browser, owner)
    assert phone.get("/settings").status_code == 200
    send(browser, "/logout", csrf, everywhere="yes")
    assert phone.get("/settings").status_code == browser.get("/settings").status_code == 303


def test_a_single_browser_is_logged_out_from_the_settings(
    tmp_path: Path, browser: TestClient, owner: Path, clock: Clock
) -> None:
    phone = guarded(tmp_path / "h.db", owner, clock, address="192.168.1.77")
    let_in(phone, owner)
    csrf = let_in(browser, owner)
    page = read(browser, "/settings")
    (other,) = page.all("form", action="/settings/session")
    assert (
        send(
            browser, "/settings/session", csrf, session=other.one("input", name="session").attributes["value"]
        ).status_code
        == 303
    )
    assert phone.get("/settings").status_code == 303
    assert browser.get("/settings").status_code == 200


def test_a_session_ends_by_itself(browser: TestClient, owner: Path, clock: Clock) -> None:
    let_in(browser, owner, clock.now_us)
    for _ in range(4):
        clock.later(6 * DAY)
        assert browser.get("/settings").status_code == 200, "used within a week"
    clock.later(6.5 * DAY)
    assert browser.get("/settings").status_code == 303, "30 days are over"
    let_in(browser, owner, clock.now_us)
    clock.later(7 * DAY + HOUR)
    assert browser.get("/settings").status_code == 303, "a week without use"


def test_five_wrong_tries_and_then_longer_and_longer(browser: TestClient, clock: Clock) -> None:
    for _ in range(5):
        assert log_in(browser, "wrong").status_code == 403
    waits = []
    for _ in range(4):
        answer = log_in(browser, PASSWORD)
        assert answer.status_code == 429, "not even the right one"
        assert "Try again in" in parsed(answer.text).text
        waits.append(int(answer.headers["retry-after"]))
        clock.later(waits[-1])
        assert log_in(browser, "wrong").status_code == 403
    assert waits == [60, 120, 240, 480]
    clock.later(960)
    assert log_in(browser).status_code == 303


def test_a_device_with_many_addresses_tries_no_more_often(tmp_path: Path, owner: Path, clock: Clock) -> None:
    first = guarded(tmp_path / "h.db", owner, clock, address="fd00::1:1")
    tried = [
        TestClient(first.app, base_url=str(first.base_url), client=(f"10.0.{n // 250}.{n % 250}", 1))
        for n in range(200)
    ]
    answers = [log_in(each, "wrong").status_code for each in tried]
    assert answers.count(403) == 30
    assert answers[30:] == [429] * 170
    same_net = [TestClient(first.app, base_url=str(first.base_url), client=(f"fd00::{n}:1", 1)) for n in range(2, 9)]
    clock.later(61)
    assert [log_in(each, "wrong").status_code for each in same_net] == [403] * 5 + [429] * 2, "one /64 is one device"


def test_who_was_let_in_is_not_locked_out_by_others(tmp_path: Path, owner: Path, clock: Clock) -> None:
    mine = guarded(tmp_path / "h.db", owner, clock)
    assert log_in(mine).status_code == 303
    for n in range(40):
        log_in(TestClient(mine.app, base_url=str(mine.base_url), client=(f"10.1.0.{n}", 1)), "wrong")
    stranger = TestClient(mine.app, base_url=str(mine.base_url), client=("10.2.0.1", 1), follow_redirects=False)
    assert log_in(stranger).status_code == 429
    assert log_in(mine).status_code == 303


def test_changing_the_password_logs_all_others_out(
    tmp_path: Path, browser: TestClient, owner: Path, clock: Clock
) -> None:
    phone = guarded(tmp_path / "h.db", owner, clock)
    let_in(phone, owner)
    csrf = let_in(browser, owner)
    new = "seven green umbrellas"
    for old, password, again in (
        ("wrong", new, new),
        (PASSWORD, new, "other words here"),
        (PASSWORD, "short", "short"),
    ):
        answer = send(browser, "/settings/password", csrf, old=old, password=password, again=again)
        assert answer.status_code in (400, 403)
        assert parsed(answer.text).one("p", role="alert").text
    assert asked(owner, lambda db: accounts.password_fits(db, PASSWORD))
    assert send(browser, "/settings/password", csrf, old=PASSWORD, password=new, again=new).status_code == 303
    assert phone.get("/settings").status_code == 303
    assert browser.get("/settings").status_code == 200
    assert asked(owner, lambda db: accounts.password_fits(db, new))
    assert asked(owner, lambda db: audit.latest(db, 1)[0].what) == audit.PASSWORD


def test_there_is_no_way_to_log_in_by_get(browser: TestClient, owner: Path) -> None:
    browser.get(f"/login?password={PASSWORD}")
    assert asked(owner, lambda db: sessions.standing_sessions(db, 0)) == []
    assert read_settings(None) == {}


def test_htmx_is_led_to_the_login_with_its_whole_page(browser: TestClient) -> None:
    answer = browser.get("/settings", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=/settings")


def _csrf(browser: TestClient) -> str:
    return read(browser, "/settings").one("input", name="csrf").attributes["value"]


def test_the_form_names_its_origin(browser: TestClient) -> None:
    assert browser.post("/login", data={"password": PASSWORD}, headers=FROM_US).status_code == 303
