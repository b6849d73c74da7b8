"""What is set on the page holds: in the database, for reports, for every verb of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from appliance.config import OWNERS, load_config
from daemon.report.scope import Scope
from daemon.store import audit
from daemon.store.applications import BROUGHT, read_applications
from daemon.store.roster import Resident
from daemon.store.settings import read_settings
from tests.daemon.ingest.scenes import evening, write
from tests.support.dashboard import BASE, client, parsed, post, read
from tests.support.guarded import PASSWORD, Clock, asked, guarded, let_in, own, send
from tests.support.importing import NO_SETTINGS, homeport, imported
from web.options import DataFile
from web.visit import Visit


@pytest.fixture
def owner(tmp_path: Path) -> Path:
    return tmp_path / "owner.db"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[TestClient]:
    files = (
        DataFile("country.mmdb", "country", 200, old=True),
        DataFile("asn.mmdb", "asn", None, old=False, state="absent"),
    )
    held = {"retention.detail_days": "35", "capture.keep_gib": "0"}
    with client(tmp_path / "h.db", data_files=lambda: files, configured=held) as opened:
        yield opened


def test_the_page_needs_no_capture(browser: TestClient) -> None:
    page = read(browser, "/settings")
    assert page.one("h1").text == "Settings"
    assert "nights last from 22:00 to 06:00" in page.text
    assert "Countries country.mmdb 200 days old" in page.text
    assert "absent" in page.text
    assert page.one("input", name="retention.detail_days").attributes["placeholder"] == "35"
    assert page.one("input", name="capture.keep_gib").attributes["placeholder"] == "no limit"


def test_name_zone_and_night_are_kept_and_shown_everywhere(browser: TestClient, owner: Path) -> None:
    said = {"home.name": "Nest <b>", "site.time_zone": "Europe/Berlin", "night.from": "23", "night.until": "5"}
    assert post(browser, "/settings/home", **said).headers["location"] == "/settings?done=home"
    page = read(browser, "/settings?done=home")
    assert page.one("p", role="status").text.startswith("Saved.")
    assert (
        "called Nest <b> . The days of this home are counted in Europe/Berlin, and its nights last from 23:00 to 05:00"
        in page.text
    )
    assert "Nest <b>" in page.one("header").text
    assert asked(owner, read_settings) == {**said, "night.from": 23, "night.until": 5}


def test_what_cannot_be_is_said_above_the_form(browser: TestClient, owner: Path) -> None:
    for address, said in (
        ("/settings/home", {"site.time_zone": "Mars/Olympus"}),
        ("/settings/home", {"night.from": "25"}),
        ("/settings/kept", {"retention.detail_days": "0"}),
    ):
        answer = post(browser, address, **said)
        assert answer.status_code == 400
        assert "nothing was changed" in parsed(answer.text).one("p", role="alert").text
    assert asked(owner, read_settings) == {}
    page = read(browser, '/settings?done=<script>"')
    assert not page.all("p", role="status")


def test_a_form_sets_what_is_its_own_alone(browser: TestClient, owner: Path) -> None:
    post(browser, "/settings/home", **{"retention.detail_days": "7", "store.database": "x", "home.name": "Nest"})
    assert asked(owner, read_settings) == {"home.name": "Nest"}


def test_the_command_line_does_as_the_page_says(browser: TestClient, owner: Path, tmp_path: Path) -> None:
    post(browser, "/settings/kept", **{"retention.detail_days": "7", "capture.keep_gib": "20"})
    given = {"store.database": str(tmp_path / "h.db")}
    config = load_config(given, NO_SETTINGS)
    assert (config.retention.detail_days, config.capture.keep_gib, config.retention.traffic_days) == (7, 20, 92)
    assert config.sources["retention.detail_days"] == OWNERS
    assert config.beneath == {"retention.detail_days": 35, "capture.keep_gib": 0}
    assert load_config({**given, "retention.detail_days": 3}, NO_SETTINGS).retention.detail_days == 3, (
        "a flag is stronger"
    )
    post(browser, "/settings/kept", **{"retention.detail_days": "", "capture.keep_gib": ""})
    assert load_config(given, NO_SETTINGS).sources["retention.detail_days"] == "default"


def test_a_file_beneath_is_weaker_and_shows_what_would_be(tmp_path: Path, browser: TestClient) -> None:
    post(browser, "/settings/kept", **{"retention.detail_days": "7"})
    file = tmp_path / "homeport.toml"
    file.write_text(f'[store]\ndatabase = "{tmp_path / "h.db"}"\n[retention]\ndetail_days = 14\n', "utf-8")
    config = load_config({}, {"HOMEPORT_CONFIG": str(file)})
    assert (config.retention.detail_days, config.beneath["retention.detail_days"]) == (7, 14)


def test_a_file_of_words_that_cannot_be_read_is_told_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "owner.db").write_bytes(b"no database at all" * 100)
    config = load_config({"store.database": str(tmp_path / "h.db")}, NO_SETTINGS)
    assert config.retention.detail_days == 35
    assert "do not hold meanwhile" in capsys.readouterr().err


def test_another_zone_counts_the_past_in_other_days(tmp_path: Path, owner: Path) -> None:
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", evening()))
    followed: list[str] = []
    with client(database, follow=followed.append) as browser:
        post(browser, "/settings/home", **{"site.time_zone": "Pacific/Auckland"})
        post(browser, "/settings/home", **{"site.time_zone": "Pacific/Auckland", "home.name": "Nest"})
        assert followed == ["home"], "only where the zone is another"
        assert homeport("import", tmp_path / "day.pcap", "--db", database) == 0
        assert "counted in Pacific/Auckland" in read(browser, "/settings").text


def test_reports_are_told_of_night_and_applications(
    tmp_path: Path, owner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", evening()))
    scopes: list[Scope] = []
    plain = Visit.scope

    def noted(visit: Visit, device: Resident | None = None) -> Scope:
        scopes.append(plain(visit, device))
        return scopes[-1]

    monkeypatch.setattr(Visit, "scope", noted)
    with client(database) as browser:
        post(browser, "/settings/home", **{"night.from": "23", "night.until": "4"})
        post(
            browser, "/settings/applications", name="School", domains="school.example, *.school.example\nboard.example"
        )
        read(browser, "/reports/protocols")
    assert scopes[-1].night == (23, 4)
    assert scopes[-1].applications == {**BROUGHT, "School": ("school.example", "board.example")}


def test_applications_are_edited_on_their_page(browser: TestClient, owner: Path) -> None:
    assert len(read(browser, "/settings/applications").all("details")) == len(BROUGHT)
    post(browser, "/settings/applications", name="Zoom", domains="zoom.example", act="save")
    post(browser, "/settings/applications", name="Netflix", act="remove", domains="")
    assert asked(owner, read_applications)["Zoom"] == ("zoom.example",)
    page = read(browser, "/settings/applications")
    assert "Netflix" in page.one("section", aria_labelledby="gone-head").text
    for name in ("Zoom", "Netflix"):
        post(browser, "/settings/applications", name=name, act="restore")
    assert asked(owner, read_applications) == dict(BROUGHT)
    for name, domains in (("X", ""), ("X", "no domain!"), ("", "a.example")):
        assert post(browser, "/settings/applications", name=name, domains=domains).status_code == 400


def test_what_was_done_stands_on_the_page_of_a_claimed_box(tmp_path: Path, owner: Path) -> None:
    clock = Clock()
    browser = guarded(tmp_path / "h.db", own(owner), clock)
    csrf = let_in(browser, owner)
    asked(owner, lambda db: audit.note(db, audit.Line(clock.now_us, "owner", "fd00::7", audit.PACKETS, "<i>TV</i>")))
    text = read(browser, "/settings").text
    assert "owner downloaded packets: <i>TV</i> 13 Nov 2025, 02:13 , from fd00::7" in text
    assert send(browser, "/settings/session", csrf, session="x").status_code == 400
    assert send(browser, "/settings/session", csrf, session="9" * 17).status_code == 303


def test_packets_want_the_password_again(tmp_path: Path, owner: Path) -> None:
    clock = Clock()
    database = imported(tmp_path / "h.db", write(tmp_path / "day.pcap", evening()))
    with guarded(database, own(owner), clock) as browser:
        csrf = let_in(browser, owner)
        answer = browser.get("/captures/files/1")
        assert answer.status_code == 403
        form = parsed(answer.text).one("form")
        assert (form.attributes["action"], form.one("input", name="next").attributes["value"]) == (
            "/again",
            "/captures/files/1",
        )
        assert send(browser, "/again", csrf, password="wrong", next="/captures/files/1").status_code == 403  # noqa: S106  meant to be
        assert browser.get("/captures/files/1").status_code == 403
        answer = send(browser, "/again", csrf, password=PASSWORD, next="/captures/files/1")
        assert parsed(answer.text).one("a", class_="main").attributes["href"] == "/captures/files/1"
        assert browser.get("/captures/files/1").content == (tmp_path / "day.pcap").read_bytes()
        (line,) = asked(owner, lambda db: audit.latest(db, 9))
        assert (line.what, line.who, line.address) == (audit.PACKETS, "owner", "192.168.1.20")
        assert "day.pcap" in line.about
        clock.later(301)
        assert browser.get("/captures/files/1").status_code == 403, "five minutes are over"
        assert browser.post("/again", data={"password": PASSWORD}, headers={"origin": BASE}).status_code == 403, (
            "no token"
        )
