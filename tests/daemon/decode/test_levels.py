"""The list that tells the recorder whom to leave out: read whole or not at all, whatever stands in the file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.levels import MOST, MOST_BYTES, Levels, LevelsError, format_levels, levels_of, parse_levels

TV, RADIO, PHONE = (bytes.fromhex(f"02000000000{number}") for number in (1, 2, 3))
MACS = st.binary(min_size=6, max_size=6).map(lambda mac: bytes([mac[0] & 0xFE]) + mac[1:])


@given(off=st.lists(MACS, max_size=20), no_names=st.lists(MACS, max_size=20))
def test_what_is_written_is_read(off: list[bytes], no_names: list[bytes]) -> None:
    levels = levels_of(off, no_names)
    assert parse_levels(format_levels(levels)) == levels
    assert set(levels.off) == set(off)
    assert set(levels.no_names) == set(no_names) - set(off), "the stricter wish counts"


@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_list_or_a_reason(data: bytes) -> None:
    try:
        levels = parse_levels(data)
    except LevelsError:
        return
    assert parse_levels(format_levels(levels)) == levels


@given(cut=st.integers(0, 200))
def test_half_of_a_list_is_none(cut: int) -> None:
    whole = format_levels(Levels((TV,), (RADIO, PHONE)))
    if cut < len(whole):
        with pytest.raises(LevelsError):
            parse_levels(whole[:cut])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([], "fields"),
        ({"format": 1, "off": []}, "fields"),
        ({"format": 2, "off": [], "no_names": []}, "another version"),
        ({"format": True, "off": [], "no_names": []}, "another version"),
        ({"format": 1, "off": {}, "no_names": []}, "no list"),
        ({"format": 1, "off": ["02:00:00:00:00:0x"], "no_names": []}, "no MAC"),
        ({"format": 1, "off": ["02:00:00:00:00:01\n"], "no_names": []}, "no MAC"),
        ({"format": 1, "off": [7], "no_names": []}, "no MAC"),
        ({"format": 1, "off": ["01:00:5e:00:00:fb"], "no_names": []}, "group"),
        ({"format": 1, "off": ["ff:ff:ff:ff:ff:ff"], "no_names": []}, "group"),
        ({"format": 1, "off": [TV.hex(":")] * 2, "no_names": []}, "twice"),
        ({"format": 1, "off": [TV.hex(":")], "no_names": [TV.hex(":")]}, "two things"),
        ({"format": 1, "off": [f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(MOST + 1)], "no_names": []}, "most"),
    ],
)  # fmt: skip
def test_what_is_no_list(said: object, why: str) -> None:
    with pytest.raises(LevelsError, match=why):
        parse_levels(json.dumps(said).encode() + b"\n")


def test_a_list_that_is_too_large_or_too_deep_is_none() -> None:
    for data in (b" " * MOST_BYTES + b"\n", b"[" * 50_000 + b"\n", b'{"format":' + b"9" * 5000 + b"}\n"):
        with pytest.raises(LevelsError):
            parse_levels(data)


def test_groups_are_never_listed_and_lists_are_bounded() -> None:
    assert levels_of([b"\xff" * 6], [b"\x01\x00\x5e\x00\x00\xfb"]) == Levels()
    many = [b"\x02" + number.to_bytes(5, "big") for number in range(MOST + 5)]
    assert levels_of(many, []).off == tuple(many[:MOST])
    assert len(format_levels(levels_of(many, (b"\x04" + mac[1:] for mac in many)))) <= MOST_BYTES


def test_digest_tells_lists_apart_and_names_nobody() -> None:
    one, other = Levels((TV,)), Levels((), (TV,))
    assert one.digest != other.digest
    assert TV.hex() not in one.digest
    assert not Levels()
    assert one
