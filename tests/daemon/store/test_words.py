"""What can be said, in which form it is kept, and which word holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.words import (
    JOIN,
    KEEP_NAMES,
    KIND,
    KINDS,
    LONGEST,
    NAME,
    OWNER,
    ROOM,
    SPLIT,
    BadWordError,
    Word,
    address_key,
    check_key,
    checked,
    checked_by,
    mac_key,
    standing,
)

TV, PHONE = "02:00:00:00:00:10", "02:00:00:00:00:11"


def word(number: int, about: str, value: str | None, key: str = TV, undone_us: int | None = None) -> Word:
    return Word(number, number, "home", key, about, value, 1000 - number, "web", undone_us)


def test_last_word_said_holds_whatever_the_clock_said() -> None:
    words = standing([word(1, NAME, "TV"), word(2, ROOM, "Attic"), word(3, NAME, "Old TV"), word(4, OWNER, "Ada")])
    assert (words.names, words.rooms, words.owners, words.kinds) == ({TV: "Old TV"}, {TV: "Attic"}, {TV: "Ada"}, {})


def test_word_that_was_undone_uncovers_the_one_before_it() -> None:
    assert standing([word(1, NAME, "TV"), word(2, NAME, "Old TV", undone_us=9)]).names == {TV: "TV"}


def test_none_takes_back_what_was_said() -> None:
    assert standing([word(1, KIND, "tv"), word(2, KIND, None)]).kinds == {}


def test_words_come_in_the_order_in_which_they_were_said() -> None:
    words = standing([word(1, NAME, "TV"), word(2, NAME, "Phone", PHONE), word(3, NAME, "Telly")])
    assert list(words.names.items()) == [(PHONE, "Phone"), (TV, "Telly")]


def test_pair_is_joined_or_split_by_the_last_word_about_it() -> None:
    first, second = word(1, JOIN, PHONE), word(2, SPLIT, PHONE)
    assert (standing([first]).joins, standing([first]).splits) == (((TV, PHONE),), ())
    assert (standing([first, second]).joins, standing([first, second]).splits) == ((), ((TV, PHONE),))
    assert standing([first, second, word(3, JOIN, PHONE)]).joins == ((TV, PHONE),)


@pytest.mark.parametrize("text", ["AA-BB-CC-01-02-03", "aabb.cc01.0203", "aa:bb:cc:01:02:03", " AA:bb:CC:01:02:03 "])
def test_mac_in_any_usual_notation(text: str) -> None:
    assert mac_key(text) == "aa:bb:cc:01:02:03"


@pytest.mark.parametrize(
    "text",
    ["", "aa:bb:cc:01:02", "aa:bb:cc:01:02:0g", "aabbcc010203", "aa:bb:cc:01:02:03:04", "aab:bcc:01:02:03:0", "a" * 99],
)
def test_what_is_no_mac(text: str) -> None:
    assert mac_key(text) is None


def test_address_is_canonical_and_without_its_zone() -> None:
    assert address_key("FE80:0:0::1%wlan0") == "fe80::1"
    assert address_key("192.168.1.10") == "192.168.1.10"
    assert address_key("192.168.1.300") is None


@pytest.mark.parametrize("key", [TV, "192.168.1.10", "fe80::1", "folder:Roku TV"])
def test_keys_of_stations(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    "key", ["", "TV", "02-00-00-00-00-10", "02:00:00:00:00:1A", "FE80::1", "folder:a\nb", "folder:" + "x" * 999]
)
def test_what_is_no_key_of_a_station(key: str) -> None:
    with pytest.raises(BadWordError, match="neither a MAC nor an address"):
        check_key(key)


def test_text_is_kept_composed_and_trimmed() -> None:
    assert checked(NAME, "  Cafe\u0301 light ") == "Caf\u00e9 light"
    assert checked(OWNER, "7") == "7"
    assert checked(KIND, " TV ") == "tv"


@pytest.mark.parametrize("value", ["", "   ", "x" * 65, "a\x1b[2Jb", "line\nline", "\u202egnp.exe", "\ud800"])
@pytest.mark.parametrize("about", [NAME, OWNER, ROOM])
def test_text_that_is_refused(about: str, value: str) -> None:
    with pytest.raises(BadWordError, match="wants 1 to 64 printable characters") as refused:
        checked(about, value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("value", ["12", "192.168.1.4", "fe80::7", "aa:bb:cc:01:02:03", "AA-BB-CC-01-02-03"])
def test_name_that_would_be_taken_for_something_else(value: str) -> None:
    with pytest.raises(BadWordError, match="must not look like a number"):
        checked(NAME, value)


def test_unknown_kind_gets_the_nearest_and_all() -> None:
    with pytest.raises(BadWordError, match="no kind 'speeker'; the nearest is speaker") as refused:
        checked(KIND, "speeker")
    assert all(kind in str(refused.value) for kind in KINDS)


def test_unknown_subject() -> None:
    with pytest.raises(BadWordError, match="nothing can be said about 'colour'"):
        checked("colour", "red")


def test_who_speaks() -> None:
    assert checked_by("command line") == "command line"
    for by in ("", "x" * 65, "a\tb"):
        with pytest.raises(BadWordError, match="who speaks"):
            checked_by(by)


@given(st.text(max_size=100), st.sampled_from([NAME, OWNER, ROOM]))
def test_what_is_kept_is_bounded_printable_and_stays_as_it_is(value: str, about: str) -> None:
    try:
        text = checked(about, value)
    except BadWordError as refused:
        text = f"refused: {refused}"[:LONGEST]  # what is said of it must be fit to print, too
    assert 1 <= len(text) <= LONGEST
    assert text.isprintable()
    assert text.startswith("refused: ") or checked(about, text) == text


@given(st.text(max_size=40))
def test_station_key_is_its_own_key(text: str) -> None:
    for key in (mac_key(text), address_key(text)):
        if key is not None:
            check_key(key)


def test_names_are_kept_where_the_last_word_says_yes() -> None:
    said = [word(1, KEEP_NAMES, "yes"), word(2, KEEP_NAMES, "yes", PHONE), word(3, KEEP_NAMES, "no")]
    assert standing(said).keeps_names == {PHONE}
    assert standing(said[:2]).keeps_names == {TV, PHONE}
    assert checked(KEEP_NAMES, " Yes ") == "yes"
    with pytest.raises(BadWordError, match="yes or no"):
        checked(KEEP_NAMES, "sometimes")
