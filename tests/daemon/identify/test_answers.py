"""Names for addresses: what a device was told, when, and for how long it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify.answers import LEAST_US, MOST_US, SECOND, Answer, AnswerBook, hinted_addresses

SPEAKER, PHONE, GUEST = 1, 2, 3
SONOS, SPOTIFY, NEWS = 10, 20, 30  # names
CDN = "203.0.113.5"
HOUR = 3600 * SECOND


def at(seconds: float, asker: int, name_id: int, ttl_s: int = 60, address: str = CDN) -> Answer:
    return Answer(int(seconds * SECOND), str(name_id), ttl_s, asker, address, name_id)


def test_one_address_of_a_cdn_for_two_brands_and_two_devices() -> None:
    book = AnswerBook([at(0, SPEAKER, SONOS), at(1, PHONE, SPOTIFY)])
    assert book.name(SPEAKER, CDN, 2 * SECOND) == (SONOS, "dns")
    assert book.name(PHONE, CDN, 2 * SECOND) == (SPOTIFY, "dns")


def test_one_device_two_brands_at_one_address_the_latest_answer_counts() -> None:
    book = AnswerBook([at(100, PHONE, SPOTIFY), at(0, PHONE, SONOS)])
    assert book.name(PHONE, CDN, 50 * SECOND) == (SONOS, "dns")
    assert book.name(PHONE, CDN, 100 * SECOND) == (SPOTIFY, "dns")
    assert book.name(PHONE, CDN, 150 * SECOND) == (SPOTIFY, "dns")


def test_address_that_is_given_to_another_name_an_hour_later() -> None:
    book = AnswerBook([at(0, PHONE, SONOS), at(3600, PHONE, NEWS)])
    assert book.name(PHONE, CDN, 10 * SECOND) == (SONOS, "dns")
    assert book.name(PHONE, CDN, 1800 * SECOND) is None
    assert book.name(PHONE, CDN, 3610 * SECOND) == (NEWS, "dns")


@pytest.mark.parametrize(("ttl_s", "holds_s"), [(0, 300), (1, 300), (300, 300), (301, 301), (86400, 86400)])
def test_an_answer_holds_for_its_ttl_but_at_least_five_minutes(ttl_s: int, holds_s: int) -> None:
    book = AnswerBook([at(1000, PHONE, NEWS, ttl_s)])
    assert book.name(PHONE, CDN, (1000 + holds_s) * SECOND) == (NEWS, "dns")
    assert book.name(PHONE, CDN, (1000 + holds_s) * SECOND + 1) is None
    assert book.name(PHONE, CDN, 1000 * SECOND - 1) is None
    assert LEAST_US == 300 * SECOND


def test_no_answer_holds_for_ever() -> None:
    book = AnswerBook([at(0, PHONE, NEWS, 0xFFFFFFFF)])
    assert book.name(PHONE, CDN, MOST_US) == (NEWS, "dns")
    assert book.name(PHONE, CDN, MOST_US + 1) is None


def test_own_answer_before_the_rest_of_the_house() -> None:
    book = AnswerBook([at(0, PHONE, SPOTIFY, 600), at(100, SPEAKER, SONOS)])
    assert book.name(PHONE, CDN, 150 * SECOND) == (SPOTIFY, "dns")
    assert book.name(GUEST, CDN, 150 * SECOND) == (SONOS, "house")
    assert book.name(PHONE, CDN, 10 * HOUR) is None


def test_own_answer_that_ran_out_gives_way_to_the_houses() -> None:
    book = AnswerBook([at(0, PHONE, SPOTIFY), at(400, SPEAKER, SONOS)])
    assert book.name(PHONE, CDN, 450 * SECOND) == (SONOS, "house")


def test_older_answer_may_hold_longer() -> None:
    book = AnswerBook([at(0, PHONE, NEWS, 86400), at(100, PHONE, SPOTIFY, 60)])
    assert book.name(PHONE, CDN, 200 * SECOND) == (SPOTIFY, "dns")
    assert book.name(PHONE, CDN, 5 * HOUR) == (NEWS, "dns")


def test_older_answer_holds_longer_behind_many_short_ones() -> None:
    busy = [at(100 + number, PHONE, SPOTIFY) for number in range(200)]
    assert AnswerBook([at(0, PHONE, NEWS, 86400), *busy]).name(PHONE, CDN, 5 * HOUR) == (NEWS, "dns")


def test_address_nobody_asked_for() -> None:
    assert AnswerBook([]).name(PHONE, CDN, 0) is None
    assert AnswerBook([at(0, PHONE, NEWS)]).name(PHONE, "192.0.2.1", 0) is None


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1", ["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        ('1 svc.example. ipv4hint="192.0.2.1"', ["192.0.2.1"]),
        ("0 alias.example", []),
        ("1 . alpn=h3 port=443", []),
        ("", []),
        ("1", []),
    ],
)
def test_addresses_of_https_records(value: str, addresses: list[str]) -> None:
    assert hinted_addresses(value) == addresses


ANSWERS = st.lists(
    st.builds(at, st.integers(0, 2000), st.sampled_from((SPEAKER, PHONE)), st.sampled_from((SONOS, NEWS)),
              st.sampled_from((0, 60, 900)), st.sampled_from((CDN, "192.0.2.1"))),
    max_size=20,
)  # fmt: skip


@given(ANSWERS, st.integers(0, 3500), st.data())
def test_the_latest_answer_that_still_holds_counts(answers: list[Answer], second: int, data: st.DataObject) -> None:
    time_us = second * SECOND
    holds = [
        each
        for each in answers
        if each.address == CDN and each.seen_us <= time_us <= each.seen_us + max(each.ttl_s * SECOND, LEAST_US)
    ]
    named = AnswerBook(data.draw(st.permutations(answers))).name(PHONE, CDN, time_us)
    own = [each for each in holds if each.asker == PHONE]
    if not holds:
        assert named is None
    else:
        latest = max(each.seen_us for each in own or holds)
        assert named is not None
        assert named[0] in {each.name_id for each in own or holds if each.seen_us == latest}
        assert named[1] == ("dns" if own else "house")
    assert named == AnswerBook(answers).name(PHONE, CDN, time_us)
