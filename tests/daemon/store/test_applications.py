"""Applications: the sets that Homeport brings, and what the owner makes of them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store.applications import BROUGHT, MOST, changed, read_applications, restore, set_application
from daemon.store.owner import open_owner
from daemon.store.words import BadWordError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_owner(tmp_path / "owner.db")) as connection:
        yield connection


def test_what_homeport_brings_holds_where_nothing_was_said(db: sqlite3.Connection) -> None:
    assert read_applications(db) == read_applications(None) == dict(BROUGHT)
    assert {"Google", "YouTube", "Netflix", "Twitch", "Spotify", "WhatsApp", "Zoom"} <= set(BROUGHT)


def test_no_domain_is_brought_twice_and_all_could_be_said(db: sqlite3.Connection) -> None:
    domains = Counter(domain for found in BROUGHT.values() for domain in found)
    assert [domain for domain, times in domains.items() if times > 1] == []
    for name, found in BROUGHT.items():
        set_application(db, name, found, "web", 1)
    assert read_applications(db) == dict(BROUGHT)


def test_a_set_is_changed_added_taken_away_and_brought_back(db: sqlite3.Connection) -> None:
    set_application(db, "Zoom", ["*.zoom.us.", "ZOOM.example", "zoom.us"], "web", 1)
    set_application(db, "Our school", ["school.example"], "web", 1)
    set_application(db, "Netflix", [], "web", 1)
    found = read_applications(db)
    assert (found["Zoom"], found["Our school"]) == (("zoom.us", "zoom.example"), ("school.example",))
    assert "Netflix" not in found
    assert list(found) == sorted(found, key=str.casefold)
    assert changed(db) == {"Zoom", "Our school", "Netflix"}
    for name in changed(db):
        restore(db, name)
    assert read_applications(db) == dict(BROUGHT)


@pytest.mark.parametrize(
    ("name", "domains"),
    [
        ("", ["a.example"]), (" x", ["a.example"]), ("x" * 65, ["a.example"]), ("a\x00", ["a.example"]),
        ("X", ["localhost"]),
        ("X", ["a b.example"]), ("X", ["-a.example"]), ("X", ["a..example"]), ("X", ["<b>.example"]), ("X", ["a.example/x"]),
        ("X", ["x." * 130 + "example"]), ("X", [f"{n}.example" for n in range(101)]), ("X", ["é.example"]),
    ],
)  # fmt: skip
def test_what_is_no_set_is_refused(db: sqlite3.Connection, name: str, domains: list[str]) -> None:
    with pytest.raises(BadWordError):
        set_application(db, name, domains, "web", 1)
    assert changed(db) == frozenset()


def test_there_are_never_too_many(db: sqlite3.Connection) -> None:
    for number in range(MOST - len(BROUGHT)):
        set_application(db, f"own {number}", ["a.example"], "web", 1)
    with pytest.raises(BadWordError, match=str(MOST)):
        set_application(db, "one more", ["a.example"], "web", 1)
    set_application(db, "Zoom", ["zoom.example"], "web", 1)
