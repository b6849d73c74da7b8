"""Lists of ECH configurations: whose names they show, and what breaks them."""

from __future__ import annotations

from base64 import b64decode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.ech import public_names
from tests.support.answers import ech_config

LIST = b64decode(ech_config("front.example"))


def test_public_names_in_their_order_and_once() -> None:
    assert public_names(LIST) == ("front.example",)
    assert public_names(b64decode(ech_config("Front.Example.", "b.example", "front.example"))) == (
        "front.example",
        "b.example",
    )


def test_configuration_of_another_version_is_passed_over() -> None:
    other = b"\xfe\x0a" + LIST[4:]  # a draft's number, and behind it whatever that draft said
    both = other + LIST[2:]
    assert public_names(len(other).to_bytes(2, "big") + other) == ()
    assert public_names(len(both).to_bytes(2, "big") + both) == ("front.example",)


def test_empty_list_and_nameless_configuration_have_no_name() -> None:
    assert public_names(b"\0\0") == ()
    assert public_names(b64decode(ech_config(""))) == ()


def test_list_that_breaks_off_anywhere_is_refused() -> None:
    for size in range(len(LIST)):
        with pytest.raises(DecodeError):
            public_names(LIST[:size])
    with pytest.raises(DecodeError, match="behind"):
        public_names(LIST + b"\0")


def test_absurd_list_is_read_in_part_only() -> None:
    assert len(public_names(b64decode(ech_config(*(f"n{number}.example" for number in range(200)))))) == 16


@given(st.binary(max_size=200))
def test_any_bytes_are_names_or_refused(raw: bytes) -> None:
    with suppress(DecodeError):
        assert all(name == name.lower() for name in public_names(raw))
