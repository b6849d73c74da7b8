from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns_names import HEADER, Names, read_name
from daemon.decode.text import label_text

PAD = bytes(HEADER)  # names begin behind the message's header


def wire(*labels: bytes) -> bytes:
    return b"".join([bytes([len(label)]) + label for label in labels])


def read(body: bytes, pos: int = 0) -> tuple[str, int]:
    text, end = read_name(PAD + body, HEADER + pos, {})
    return text, end - HEADER


def test_plain_name_is_lower_case_without_final_dot() -> None:
    assert read(b"\x03WWW\x07Example\x03com\x00rest") == ("www.example.com", 17)


def test_root_is_the_empty_name() -> None:
    assert read(b"\x00") == ("", 1)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"Living Room", "living\\032room"),
        (b"a.b", "a\\046b"),
        (b"a\\b", "a\\092b"),
        (b"\x00\xff", "\\000\\255"),
        ("Küche".encode(), "k\\195\\188che"),
    ],
)
def test_odd_bytes_in_a_label_are_escaped(label: bytes, text: str) -> None:
    assert read(wire(label, b"_tcp", b"local") + b"\0")[0] == f"{text}._tcp.local"


def test_dot_in_a_label_beside_an_escape_of_the_same_length_is_not_a_separator() -> None:
    assert read(wire(b".", b"") + b"\0")[0] == "\\046"
    assert read(wire(b"a", b".") + b"\0")[0] == "a.\\046"


def test_pointer_continues_at_an_earlier_name() -> None:
    body = wire(b"example", b"com") + b"\0" + wire(b"mail") + b"\xc0\x0c" + b"\xc0\x19" + b"\xc0\x14"
    names: Names = {}
    texts, pos = [], HEADER
    for _ in range(4):
        text, pos = read_name(PAD + body, pos, names)
        texts.append(text)
    assert texts == ["example.com", "mail.example.com", "mail.example.com", "com"]
    assert pos == HEADER + len(body)


def test_names_read_the_same_with_and_without_what_was_read_before() -> None:
    body = wire(b"b", b"c") + b"\0" + wire(b"a") + b"\xc0\x0c" + wire(b"z") + b"\xc0\x11" + b"\xc0\x15"
    names: Names = {}
    starts = [0, 5, 9, 13]
    assert [read(body, start) for start in starts] == [
        (text, end - HEADER) for text, end in (read_name(PAD + body, HEADER + start, names) for start in starts)
    ]
    assert read(body, 13)[0] == "z.a.b.c"


@pytest.mark.parametrize(
    ("case", "body"),
    [
        ("to itself", b"\xc0\x0c"),
        ("forward", b"\xc0\x0e\x01a\x00"),
        ("into its own labels", b"\x01a\xc0\x0c"),
        ("into the header", b"\x01a\xc0\x04"),
        ("far outside", b"\xff\xff"),
    ],
)
def test_pointer_that_does_not_lead_back_is_refused(case: str, body: bytes) -> None:
    with pytest.raises(DecodeError, match="lead back"):
        read(body)


def test_two_pointers_in_a_circle_are_refused() -> None:
    with pytest.raises(DecodeError, match="lead back"):
        read(b"\x01a\xc0\x10\x01b\xc0\x0c", 4)


def test_forward_pointer_is_refused_even_to_a_name_that_is_known() -> None:
    with pytest.raises(DecodeError, match="lead back"):
        read_name(PAD + b"\xc0\x0e\x01a\x00", HEADER, {HEADER + 2: ("a", 3)})


@pytest.mark.parametrize("first", [0x40, 0x41, 0x7F, 0x80, 0xBF])
def test_extended_label_types_are_refused(first: int) -> None:
    with pytest.raises(DecodeError, match="extended"):
        read(bytes([first]) + bytes(80))


def test_name_of_255_octets_is_the_longest() -> None:
    longest = wire(*[b"x" * 62] * 4) + wire(b"y") + b"\0"
    assert len(longest) == 255
    assert read(longest)[0] == ".".join(["x" * 62] * 4 + ["y"])
    with pytest.raises(DecodeError, match="255"):
        read(wire(*[b"x" * 62] * 4) + wire(b"yy") + b"\0")


def test_pointers_do_not_get_around_the_limit_of_255_octets() -> None:
    body = wire(*[b"x" * 62] * 4) + b"\0" + wire(b"y") + b"\xc0\x0c" + wire(b"yy") + b"\xc0\x0c"
    names: Names = {}
    for known in ({}, names):
        assert len(read_name(PAD + body, HEADER + 253, known)[0]) == 253
        with pytest.raises(DecodeError, match="255"):
            read_name(PAD + body, HEADER + 257, known)


def test_long_chain_of_pointers_is_refused_but_a_long_name_by_pointers_is_not() -> None:
    name = b"\x01a\x00" + b"".join([b"\x01a" + (0xC000 | target).to_bytes(2, "big") for target in _chain(126)])
    assert read(name, len(name) - 4)[0] == ".".join("a" * 127)
    only_pointers = b"\x00" + b"".join([(0xC000 | HEADER + max(0, 2 * i - 1)).to_bytes(2, "big") for i in range(300)])
    assert read(only_pointers, 201) == ("", 203)
    with pytest.raises(DecodeError, match="too many"):
        read(only_pointers, 599)


def _chain(count: int) -> list[int]:
    return [HEADER] + [HEADER + 3 + 4 * i for i in range(count - 1)]


def test_name_that_the_buffer_cuts_is_an_index_error_for_the_caller_to_translate() -> None:
    whole = wire(b"www", b"example") + b"\xc0\x0c"
    for size in range(len(whole)):
        with pytest.raises(IndexError):
            read(whole[:size])


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=20).filter(lambda x: sum(map(len, x)) + len(x) < 255))
def test_every_name_reads_as_its_labels_do(labels: list[bytes]) -> None:
    body = wire(*labels) + b"\0"
    assert read(body + b"\xff") == (".".join([label_text(label) for label in labels]), len(body))


@given(st.binary(max_size=300), st.integers(0, 300))
def test_arbitrary_bytes_give_a_name_or_one_of_the_two_errors(body: bytes, pos: int) -> None:
    try:
        text, end = read(body, pos)
    except (DecodeError, IndexError):
        return
    assert pos < end <= len(body)
    assert text == text.lower()
    assert all(0x21 <= ord(c) <= 0x7E for c in text)
