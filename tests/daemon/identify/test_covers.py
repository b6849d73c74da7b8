"""What devices knew to stand behind a public name, and until when."""

from __future__ import annotations

import pytest

from daemon.identify.covers import KNOWN, CoverBook, Told, offered_names
from tests.support.answers import ech_config

SECOND = 1_000_000
CONFIG = ech_config("front.example")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (f"1 . alpn=h2,h3 ipv4hint=192.0.2.1 ech={CONFIG} ipv6hint=2001:db8::1", ("front.example",)),
        (f'1 . ech="{CONFIG}"', ("front.example",)),
        ("1 . alpn=h2", ()),
        ("0 svc.example", ()),
        ("1 . ech=!!!!", ()),
        ("1 . ech=AAAA", ()),
        (f"1 . ech={CONFIG[:-8]}", ()),
        ("1 . ech=" + "A" * 100_000, ()),
        ("", ()),
    ],
)
def test_public_names_in_a_record(value: str, names: tuple[str, ...]) -> None:
    assert offered_names(value) == names


def test_device_knows_what_it_was_told_as_long_as_that_holds() -> None:
    book = CoverBook(
        [
            Told(100 * SECOND, 600, 1, "a.example", "front.example"),
            Told(200 * SECOND, 60, 1, "b.example", "front.example"),
            Told(200 * SECOND, 600, 2, "c.example", "front.example"),
        ]
    )
    assert book.services(1, "front.example", 99 * SECOND) == frozenset()
    assert book.services(1, "front.example", 100 * SECOND) == {"a.example"}
    assert book.services(1, "front.example", 500 * SECOND) == {"a.example", "b.example"}  # five minutes at least
    assert book.services(1, "front.example", 501 * SECOND) == {"a.example"}
    assert book.services(2, "front.example", 500 * SECOND) == {"c.example"}
    assert book.services(1, "other.example", 500 * SECOND) == frozenset()


def test_service_that_is_its_own_front_is_behind_nothing() -> None:
    book = CoverBook([Told(0, 300, 1, "front.example", "front.example")])
    assert book.services(1, "front.example", 1) == frozenset()


def test_known_covers_are_written_as_names_are() -> None:
    assert "cloudflare-ech.com" in KNOWN
    assert all(name == name.lower().rstrip(".") and "." in name for name in KNOWN)
