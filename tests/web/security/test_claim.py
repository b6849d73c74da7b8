"""An unclaimed box shows its set-up page and nothing else; whoever has its code becomes its owner, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from daemon.store import accounts, audit
from daemon.store.settings import HOME_NAME, TIME_ZONE, read_settings
from tests.support.dashboard import parsed, read
from tests.support.guarded import FROM_US, PASSWORD, Clock, asked, guarded, log_in, own
from tests.support.importing import homeport

WORDS = {"password": PASSWORD, "again": PASSWORD, "home": "Nest", "zone": "Europe/Berlin"}


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    return tmp_path / "owner.db"


@pytest.fixture
def browser(tmp_path: Path, owner: Path) -> TestClient:
    return guarded(tmp_path / "h.db", owner)


def code_of(owner: Path) -> str:
    return str(asked(owner, lambda db: accounts.show_code(db, 1)))


def test_whoever_has_the_code_becomes_the_owner(browser: TestClient, owner: Path) -> None:
    assert browser.get("/").headers["location"] == "/setup"
    form = read(browser, "/setup").one("form")
    assert {field.attributes["name"] for field in form.all("input") if "name" in field.attributes} == {"code", *WORDS}
    code = code_of(owner)
    answer = browser.post("/setup", data={"code": f" {code.lower().replace('-', ' ')} ", **WORDS}, headers=FROM_US)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Nest" in read(browser, "/settings").text
    assert asked(owner, read_settings) == {HOME_NAME: "Nest", TIME_ZONE: "Europe/Berlin"}
    assert asked(owner, lambda db: audit.latest(db, 9)[0].what) == audit.CLAIMED
    browser.cookies.clear()
    assert log_in(browser).status_code == 303


def test_a_claimed_box_cannot_be_claimed_again(browser: TestClient, owner: Path) -> None:
    code = code_of(owner)
    own(owner)
    answer = browser.post(
        "/setup", data={"code": code, **WORDS, "password": "x" * 12, "again": "x" * 12}, headers=FROM_US
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert browser.get("/setup").headers["location"] == "/login"
    assert log_in(browser).status_code == 303, "the password is as it was"


WRONG = [
    ({"code": "AAAA-BBBB-CCCC-DDDD"}, "not the code"),
    ({"code": ""}, "not the code"),
    ({"again": PASSWORD + "r"}, "not the same"),
    ({"password": "short", "again": "short"}, "at least 10"),
    ({"password": "1234567890", "again": "1234567890"}, "guessed first"),
    ({"password": "Password123!", "again": "Password123!"}, "guessed first"),
    ({"zone": "Mars/Olympus"}, "time zone"),
    ({"home": "x" * 65}, "64"),
]


def test_what_is_wrong_is_said_and_nobody_is_owner(browser: TestClient, owner: Path) -> None:
    code = code_of(owner)
    for change, complaint in WRONG:
        answer = browser.post("/setup", data={"code": code, **WORDS, **change}, headers=FROM_US)
        assert answer.status_code in (400, 403), change
        page = parsed(answer.text)
        assert complaint in page.one("p", role="alert").text
        assert page.one("input", name="home").attributes["value"] == {**WORDS, **change}["home"]
        assert PASSWORD not in answer.text
        assert not asked(owner, accounts.is_claimed)


def test_codes_cannot_be_tried_out(tmp_path: Path, owner: Path) -> None:
    clock = Clock()
    browser = guarded(tmp_path / "h.db", owner, clock)
    code = code_of(owner)
    answers = [
        browser.post("/setup", data={"code": "AAAA-AAAA-AAAA-AAAA", **WORDS}, headers=FROM_US).status_code
        for _ in range(7)
    ]
    assert answers == [403] * 5 + [429] * 2
    assert browser.post("/setup", data={"code": code, **WORDS}, headers=FROM_US).status_code == 429
    clock.later(61)
    assert browser.post("/setup", data={"code": code, **WORDS}, headers=FROM_US).status_code == 303


def test_without_a_code_that_was_shown_no_code_is_right(browser: TestClient, owner: Path) -> None:
    for code in ("", "AAAA-AAAA-AAAA-AAAA"):
        assert browser.post("/setup", data={"code": code, **WORDS}, headers=FROM_US).status_code == 403
    assert not owner.exists(), "asking makes no file"


def test_the_verb_shows_a_code_that_counts(tmp_path: Path, owner: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = []
    for _ in range(2):
        assert homeport("claim", "--owner", owner) == 0
        codes.append(capsys.readouterr().out.strip())
    assert owner.stat().st_mode & 0o777 == 0o660, "the dashboard, of the same group, writes it"
    browser = guarded(tmp_path / "h.db", owner)
    assert browser.post("/setup", data={"code": codes[0], **WORDS}, headers=FROM_US).status_code == 403
    assert browser.post("/setup", data={"code": codes[1], **WORDS}, headers=FROM_US).status_code == 303
    assert homeport("claim", "--owner", owner) == 3
    assert "has an owner already" in capsys.readouterr().err
    assert browser.get("/settings").status_code == 200
    assert homeport("claim", "--owner", owner, "--reset") == 0
    assert len(capsys.readouterr().out.strip()) == len(codes[0])
    assert browser.get("/settings").headers["location"] == "/setup", "sessions are gone"
    assert asked(owner, read_settings)[HOME_NAME] == "Nest", "what the owner said is not"
