"""What is set on the dashboard is checked, kept, and called like the key of the configuration that it stands for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.config import KEYS
from daemon.store.owner import open_owner
from daemon.store.settings import SETTINGS, night_of, read_settings, set_each, settings_at
from daemon.store.words import BadWordError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "owner.db")) as connection:
        yield connection


def test_what_was_set_holds_until_it_is_taken_back(db: sqlite3.Connection, tmp_path: Path) -> None:
    set_each(db, {"home.name": " Nest ", "site.time_zone": "Europe/Berlin", "retention.detail_days": "7"}, "web", 1)
    held = {"home.name": "Nest", "site.time_zone": "Europe/Berlin", "retention.detail_days": 7}
    assert read_settings(db) == settings_at(tmp_path / "owner.db") == held
    set_each(db, {"home.name": "", "retention.detail_days": None}, "web", 2)
    assert read_settings(db) == {"site.time_zone": "Europe/Berlin"}
    assert settings_at(tmp_path / "absent.db") == settings_at(None) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("home.name", "x" * 65), ("home.name", "a\u202eb"), ("home.name", "a\x1bb"), ("site.time_zone", "Mars/Olympus"),
        ("site.time_zone", "../../etc/passwd"), ("site.time_zone", "/etc/localtime"), ("night.from", "24"),
        ("night.from", "-1"),
        ("night.until", "six"), ("retention.detail_days", "0"), ("retention.detail_days", "3651"),
        ("retention.detail_mib", "15"),
        ("retention.detail_days", "\u0667"), ("retention.detail_days", "1e3"), ("retention.detail_days", "9" * 5000),
        ("capture.keep_gib", "1.5"), ("store.database", "x.db"), ("web.hosts", "evil"), ("", "x"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_all_else_with_it(db: sqlite3.Connection, key: str, value: str) -> None:
    with pytest.raises(BadWordError):
        set_each(db, {"night.until": "7", key: value}, "web", 1)
    assert read_settings(db) == {}


def test_what_no_longer_makes_sense_counts_as_not_said(db: sqlite3.Connection) -> None:
    for key, value in (("site.time_zone", "Mars/Olympus"), ("later.key", "1"), ("retention.detail_days", "x")):
        db.execute("INSERT INTO setting VALUES (?, ?, 1, 'web')", (key, value))
    assert read_settings(db) == {}


def test_settings_that_stand_for_keys_take_what_the_keys_take() -> None:
    for name, setting in SETTINGS.items():
        assert setting.is_key == (name in KEYS), name
        for text in ("0", "1", "15", "16", "3650", "3651", "36500", "36501", "1048576", "1048577"):
            if setting.is_key and KEYS[name].type == "number":
                try:
                    taken = setting.read(text) == int(text)
                except ValueError:
                    taken = False
                assert taken == (KEYS[name].about.check(int(text)) == ""), (name, text)


def test_night_has_hours_also_where_nobody_set_them() -> None:
    assert night_of({}) == (22, 6)
    assert night_of({"night.from": 23, "night.until": 5}) == (23, 5)
