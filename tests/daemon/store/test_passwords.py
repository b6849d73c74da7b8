"""Passwords and tokens are kept so that the file of the box tells nobody what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.store.passwords import (
    LONGEST,
    check_password,
    code_digest,
    digest_of,
    fits,
    hashed,
    new_code,
    new_token,
)
from daemon.store.words import BadWordError


def cheap(password: str) -> str:
    return hashed(password, log_n=4, p=1)


@given(st.text(max_size=200))
def test_a_password_fits_what_was_kept_of_it(password: str) -> None:
    assert fits(password, cheap(password))
    assert not fits(password + "x", cheap(password))


def test_the_same_password_is_never_kept_alike() -> None:
    assert cheap("one two three") != cheap("one two three")


def test_an_accent_may_be_composed_or_not() -> None:
    assert fits("cafe\u0301 au lait", cheap("caf\u00e9 au lait"))


def test_costs_are_those_that_are_asked_of_a_password_today() -> None:
    name, log_n, r, p, salt, digest = hashed("correct horse").split("$")
    assert (name, int(log_n), int(r), int(p)) == ("scrypt", 14, 8, 5)
    assert (1 << int(log_n)) * int(r) * 128 <= 16 << 20, "what one trial takes of a small Pi's memory"
    assert len(salt) == 24
    assert len(digest) == 44


@pytest.mark.parametrize(
    "kept", ["", "x", "scrypt$14$8$5$!$!", "scrypt$99$8$1$AAAA$AAAA", "md5$1$1$1$AAAA$AAAA", "scrypt$a$b$c$d$e"]
)
def test_nothing_fits_what_is_no_kept_password(kept: str) -> None:
    assert not fits("anything", kept)
    assert not fits("", kept)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "x7!kP0q?mW", "ein Satz mit Wörtern", "🦊🐢🐙🦉🐝🐳🦀🐍🐞🦋", "a b c d e f"]
)
def test_good_passwords_are_taken(password: str) -> None:
    assert check_password(password) == password


@pytest.mark.parametrize(
    "password",
    ["", "short", "123456789", "1234567890", "9876543210", "abcdefghijkl", "qwertyuiop", "aaaaaaaaaaaa", "abababababab",
     "password12", "PASSWORD!!", "Homeport2026", "raspberry1", "    hello    ", "0000000000", "x" * (LONGEST + 1)],
)  # fmt: skip
def test_bad_ones_are_refused_with_a_sentence(password: str) -> None:
    with pytest.raises(BadWordError, match="password"):
        check_password(password)


def test_a_code_can_be_typed_in_any_way() -> None:
    code = new_code()
    assert len(code.replace("-", "")) == 16
    assert (
        code_digest(code) == code_digest(code.lower().replace("-", " ")) == code_digest(f" {code.replace('-', '')}\n")
    )
    assert code_digest(code) != code_digest(code[:-1] + ("A" if code[-1] != "A" else "B"))


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token("homeport_") for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) == 9 + 43 for token in made)
    assert len({digest_of(token) for token in made}) == 100
