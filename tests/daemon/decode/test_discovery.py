from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import LIMIT, Hint, bounded, hint_text, mdns_hints
from daemon.decode.dns import parse_message
from tests.support.hostile import hostile


def wire_name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"


CAST = (b"_googlecast", b"_tcp", b"local")
LIVING = (b"Living Room", *CAST)
HOST = (b"lamp-1", b"local")


def record(name: bytes, kind: int, data: bytes, ttl: int = 120) -> bytes:
    return name + kind.to_bytes(2, "big") + b"\x80\x01" + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data


def ptr(owner: tuple[bytes, ...], target: tuple[bytes, ...], ttl: int = 4500) -> bytes:
    return record(wire_name(*owner), 12, wire_name(*target), ttl)


def srv(owner: tuple[bytes, ...], target: tuple[bytes, ...]) -> bytes:
    return record(wire_name(*owner), 33, b"\x00\x00\x00\x00\x1f\x49" + wire_name(*target))


def txt(owner: tuple[bytes, ...], *strings: bytes) -> bytes:
    return record(wire_name(*owner), 16, b"".join(bytes([len(s)]) + s for s in strings))


def message(
    *answers: bytes, authority: tuple[bytes, ...] = (), additional: tuple[bytes, ...] = (), flags: int = 0x8400
) -> bytes:
    counts = b"".join(n.to_bytes(2, "big") for n in (0, len(answers), len(authority), len(additional)))
    return b"\x00\x00" + flags.to_bytes(2, "big") + counts + b"".join(answers + authority + additional)


def hints(wire: bytes) -> list[tuple[str, str]]:
    found = mdns_hints(parse_message(wire))
    assert all(hint.source == "mdns" for hint in found)
    return [(hint.key, hint.value) for hint in found]


FULL = message(
    ptr(CAST, LIVING),
    additional=(
        txt(LIVING, b"id=abc123", b"md=Google Home Mini", b"FN=Anna's \xc3\xa4 speaker", b"ve=05", b"flag"),
        srv(LIVING, HOST),
        record(wire_name(*HOST), 1, bytes([192, 168, 1, 20])),
    ),
)


def test_answer_describes_its_sender() -> None:
    assert hints(FULL) == [
        ("service", "_googlecast._tcp"),
        ("instance", "living room"),
        ("txt.id", "abc123"),
        ("txt.md", "Google Home Mini"),
        ("txt.fn", "Anna's ä speaker"),
        ("hostname", "lamp-1"),
    ]


def test_query_with_known_answers_says_nothing() -> None:
    assert hints(FULL[:2] + b"\x00\x00" + FULL[4:]) == []


def test_authority_section_says_nothing() -> None:
    assert hints(message(authority=(record(wire_name(*HOST), 1, bytes(4)),))) == []


def test_good_bye_says_nothing() -> None:
    assert hints(message(ptr(CAST, LIVING, ttl=0))) == []


def test_list_of_services() -> None:
    assert hints(message(ptr((b"_services", b"_dns-sd", b"_udp", b"local"), (b"_hap", b"_tcp", b"local")))) == [
        ("service", "_hap._tcp")
    ]


def test_subtype_is_no_instance() -> None:
    owner = (b"_printer", b"_sub", b"_http", b"_tcp", b"local")
    assert hints(message(ptr(owner, (b"Office.1", b"_http", b"_tcp", b"local")))) == [
        ("service", "_http._tcp"),
        ("instance", "office.1"),
    ]


def test_reverse_names_and_other_domains_say_nothing() -> None:
    assert hints(message(ptr((b"20", b"1", b"168", b"192", b"in-addr", b"arpa"), HOST))) == []
    assert hints(message(record(wire_name(b"example", b"com"), 1, bytes(4)))) == []


@pytest.mark.parametrize(
    "owner",
    [
        (b"local",),
        (b"_tcp", b"local"),
        (b"Printer", b"_ipp", b"_tcp", b"example"),
        (b"Printer", b"_ipp", b"_sctp", b"local"),
        (b"Printer", b"ipp", b"_tcp", b"local"),
    ],
)
def test_names_that_are_no_service_of_the_house(owner: tuple[bytes, ...]) -> None:
    assert hints(message(txt(owner, b"ve=1"))) == []
    assert hints(message(ptr(owner, (b"Office", *owner)))) == []


def test_what_sort_of_accessory_only_homekit_tells() -> None:
    for service, said in ((b"_hap", [("txt.ci", "5")]), (b"_other", [])):
        owner = (b"Lamp", service, b"_tcp", b"local")
        assert hints(message(txt(owner, b"ci=5"))) == [("instance", "lamp"), *said]


@pytest.mark.parametrize("key", ["modelid", "model_number", "rpMd", "usb_MDL", "serialNumber", "usb_MFG"])
def test_ways_to_tell_model_maker_and_number(key: str) -> None:
    owner = (b"Thing", b"_thing", b"_tcp", b"local")
    assert hints(message(txt(owner, f"{key}=X-200".encode()))) == [
        ("instance", "thing"),
        (f"txt.{key.lower()}", "X-200"),
    ]


def test_md_of_raop_is_no_model() -> None:
    owner = (b"0011@Kitchen", b"_raop", b"_tcp", b"local")
    assert hints(message(txt(owner, b"md=0,1,2", b"am=Speaker1,1"))) == [
        ("instance", "0011@kitchen"),
        ("txt.am", "Speaker1,1"),
    ]


def test_device_info_has_a_model_and_no_srv() -> None:
    assert hints(message(txt((b"Study", b"_device-info", b"_tcp", b"local"), b"model=Mac14,2"))) == [
        ("instance", "study"),
        ("txt.model", "Mac14,2"),
    ]


def test_said_twice_counts_once() -> None:
    assert hints(message(ptr(CAST, LIVING), ptr(CAST, LIVING))) == hints(message(ptr(CAST, LIVING)))


def test_number_of_hints_is_bounded() -> None:
    many = [record(wire_name(b"host%d" % n, b"local"), 1, bytes(4)) for n in range(200)]
    assert len(hints(message(*many))) == 64


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"lamp", "lamp"),
        (b"\xff", "\\255"),
        (b"a" * 300, "a" * 256),
        ("ä".encode() * 200, "ä" * 128),
        (b"a" + "ä".encode() * 200, "a" + "ä" * 127),  # not cut inside a character
        (b"\xff" * 300, "\\255" * 64),
    ],
)
def test_hint_text(raw: bytes, text: str) -> None:
    assert hint_text(raw) == text


@given(st.binary(max_size=600))
def test_any_bytes_are_bounded_text(raw: bytes) -> None:
    text = hint_text(raw)
    assert len(text) <= LIMIT
    assert text.isprintable() or not text


@given(st.integers(0, 300))
def test_bounded_never_ends_inside_an_escape(lead: int) -> None:
    text = bounded("a" * lead + "\\255" * 80)
    assert len(text) <= LIMIT
    assert text.strip("a").replace("\\255", "") == ""


@given(hostile([FULL, message(ptr(CAST, LIVING), srv(LIVING, HOST))]))
def test_hostile_bytes(wire: bytes) -> None:
    try:
        parsed = parse_message(wire)
    except DecodeError:
        return
    for hint in mdns_hints(parsed):
        assert isinstance(hint, Hint)
        assert 0 < len(hint.value) <= LIMIT
