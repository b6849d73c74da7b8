from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.text import free_text, label_text, name_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"WWW.Example.COM", "www.example.com"),
        (b"example.com.", "example.com"),
        (b"", ""),
        (b".", ""),
        (b"with space.example", "with\\032space.example"),
        (b"b\\c", "b\\092c"),
        (b"nul\0", "nul\\000"),
        ("m\u00fcller.example".encode(), "m\\195\\188ller.example"),
        (b"~!*_-:8080", "~!*_-:8080"),
        (b"\x7f\x20\xff", "\\127\\032\\255"),
    ],
)
def test_name(raw: bytes, text: str) -> None:
    assert name_text(raw) == text


def test_dot_inside_a_label_cannot_pass_for_two_labels() -> None:
    assert label_text(b"A.b") == "a\\046b"
    assert label_text(b"Plain-1") == "plain-1"
    assert label_text(b"\\.") == "\\092\\046"


@given(st.binary(max_size=60))
def test_names_have_one_alphabet(raw: bytes) -> None:
    for text in (name_text(raw), label_text(raw)):
        assert re.fullmatch(r"(?:[!-@\[\]-~]|\\\d{3})*", text), text  # no capitals, no bare backslash
    assert "." not in label_text(raw)


def unescaped(text: str) -> bytes:
    return re.sub(rb"\\(\d{3})", lambda match: bytes([int(match[1])]), text.encode())


@given(st.binary(max_size=60))
def test_nothing_is_lost_but_the_case(raw: bytes) -> None:
    assert unescaped(label_text(raw)) == raw.lower()
    assert unescaped(free_text(raw)) == raw


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Anna's TV (2)", "Anna's TV (2)"),
        ("K\u00fcche \u2014 \u97f3\u58f0".encode(), "K\u00fcche \u2014 \u97f3\u58f0"),
        (b"tab\there", "tab\\009here"),
        ("zero\u200bwidth".encode(), "zero\\226\\128\\139width"),
        (b"latin K\xfcche", "latin K\\252che"),
        (b"a\\b", "a\\092b"),
        (b"\x1b[31m", "\\027[31m"),
    ],
)
def test_free_text(raw: bytes, text: str) -> None:
    assert free_text(raw) == text


def test_free_text_is_bounded() -> None:
    assert free_text(b"x" * 5000) == "x" * 1024
    assert free_text(b"abcdef", 3) == "abc"


@given(st.binary(max_size=100))
def test_free_text_can_be_printed(raw: bytes) -> None:
    assert free_text(raw).isprintable()
