from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from appliance import dashboard, sample
from appliance.config import Config
from appliance.dashboard import options_of
from daemon.store.owner import open_owner, say
from tests.appliance.conftest import Homeport
from web.app import create_app


@pytest.fixture(autouse=True)
def small_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo of eight days with little traffic: what it shows is the same, it is only quicker."""
    whole = sample.write_home
    monkeypatch.setattr(sample, "write_home", lambda folder: whole(folder, months=1, scale=0.05, newest=8))


def test_shows_devices_destinations_services_and_months(homeport: Homeport, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ran = homeport("demo", "--no-serve", "--folder", folder)
    assert ran.code == 0, ran.err
    for title in ("Devices, by traffic", "Destinations, by traffic", "Services, by traffic", "Months"):
        assert title in ran.out
    assert f"export destinations --db {folder}/homeport.db" in ran.out
    assert "The dashboard" not in ran.out
    with closing(sqlite3.connect(folder / "homeport.db")) as connection:
        assert connection.execute("SELECT count(*) FROM devices").fetchone()[0] >= 8
        (name,) = connection.execute("SELECT domain FROM destinations WHERE domain IS NOT NULL LIMIT 1").fetchone()
        countries = {row[0] for row in connection.execute("SELECT country FROM destinations")}
    assert name
    assert {"DE", "IE", "US"} <= countries


def test_then_shows_the_same_home_on_the_dashboard(
    homeport: Homeport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []

    def serve(config: Config, host: str, port: int, *, is_open: bool, ready: Callable[[str], None]) -> None:
        if not pages:
            pages.append("")
            raise OSError(errno.EADDRINUSE, "somebody listens there")
        ready(f"http://{host}:{port}/")
        with TestClient(create_app(options_of(config, is_open=is_open)), base_url="http://127.0.0.1") as browser:
            pages.append(browser.get("/devices").text)

    monkeypatch.setattr(dashboard, "serve", serve)
    ran = homeport("demo", "--folder", tmp_path / "demo")
    assert ran.code == 0, ran.err
    assert "Port 8080 is taken" in ran.err
    assert "The dashboard of the sample home is at http://127.0.0.1:0/" in ran.out
    assert "Kitchen speaker" in pages[1]


def test_again_starts_afresh(homeport: Homeport, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = homeport("demo", "--no-serve", "--folder", folder)
    (folder / "captures" / "left-over.pcap").write_bytes(b"from an older version")
    second = homeport("demo", "--no-serve", "--folder", folder)
    assert second.code == 0
    assert second.out == first.out


def test_folder_of_somebody_else_is_not_touched(homeport: Homeport, tmp_path: Path) -> None:
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "mine.pcap").write_bytes(b"precious")
    ran = homeport("demo", "--no-serve", "--folder", tmp_path)
    assert ran.code == 2
    assert "it was not touched" in ran.err
    assert (tmp_path / "captures" / "mine.pcap").read_bytes() == b"precious"


def test_words_that_were_said_before_are_kept(homeport: Homeport, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert homeport("demo", "--no-serve", "--folder", folder).code == 0
    with closing(open_owner(folder / "owner.db")) as db:
        say(db, "home", "8c:79:f5:a0:6e:38", "name", "The big screen", "command line", 1)
    again = homeport("demo", "--no-serve", "--folder", folder)
    assert again.code == 0, again.err
    assert "The big screen" in again.out
    assert "Anna's phone" in again.out
