from __future__ import annotations

import pytest
from hypothesis import given

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import LIMIT, Hint
from daemon.decode.netbios import parse_datagram, parse_name_service
from tests.support.hostile import every_cut, hostile

ADDRESS = bytes([192, 168, 1, 30])


def encoded(name: str, suffix: int = 0) -> bytes:
    raw = name.encode("latin-1").ljust(15, b" ") + bytes([suffix])
    return b"\x20" + bytes([half + 0x41 for byte in raw for half in (byte >> 4, byte & 15)]) + b"\x00"


def header(flags: int, questions: int = 0, answers: int = 0, additional: int = 0) -> bytes:
    counts = b"".join(n.to_bytes(2, "big") for n in (questions, answers, 0, additional))
    return b"\x12\x34" + flags.to_bytes(2, "big") + counts


def claim(name: str, suffix: int = 0, opcode: int = 5, group: bool = False) -> bytes:
    record = b"\xc0\x0c\x00\x20\x00\x01\x00\x04\x93\xe0\x00\x06" + (b"\x80\x00" if group else b"\x00\x00") + ADDRESS
    return header(opcode << 11 | 0x0110, 1, 0, 1) + encoded(name, suffix) + b"\x00\x20\x00\x01" + record


def answer(name: str, suffix: int = 0, flags: int = 0x8500, data: bytes = b"\x00\x00" + ADDRESS) -> bytes:
    fixed = b"\x00\x20\x00\x01\x00\x04\x93\xe0" + len(data).to_bytes(2, "big")
    return header(flags, answers=1) + encoded(name, suffix) + fixed + data


def status(*names: tuple[str, int, bool]) -> bytes:
    rows = b"".join(
        name.encode("latin-1").ljust(15, b" ") + bytes([suffix]) + (b"\x84\x00" if group else b"\x04\x00")
        for name, suffix, group in names
    )
    data = bytes([len(names)]) + rows + bytes(46)
    return (
        header(0x8400, answers=1)
        + encoded("*")
        + b"\x00\x21\x00\x01\x00\x00\x00\x00"
        + len(data).to_bytes(2, "big")
        + data
    )


def datagram(name: str, suffix: int = 0, kind: int = 0x11) -> bytes:
    return (
        bytes([kind, 0x02, 0x12, 0x34])
        + ADDRESS
        + b"\x00\x8a\x00\xbb\x00\x00"
        + encoded(name, suffix)
        + encoded("WORKGROUP", 0x1D)
    )


STATUS = status(
    ("ANNA-PC", 0, False),
    ("HOME", 0, True),
    ("ANNA-PC", 0x20, False),
    ("ANNA", 3, False),
    ("\x01\x02__MSBROWSE__\x02", 1, True),
)
QUERY = header(0x0110, 1) + encoded("NAS", 0x20) + b"\x00\x20\x00\x01"


def name(value: str) -> tuple[Hint, ...]:
    return (Hint("netbios", "name", value),)


@pytest.mark.parametrize("opcode", [5, 8, 9, 15])
@pytest.mark.parametrize("suffix", [0x00, 0x20])
def test_registration_and_refresh_say_who_claims(opcode: int, suffix: int) -> None:
    assert parse_name_service(claim("ANNA-PC", suffix, opcode)) == name("ANNA-PC")


def test_group_is_the_workgroup_and_no_name() -> None:
    assert parse_name_service(claim("HOME", group=True)) == (Hint("netbios", "workgroup", "HOME"),)
    assert parse_name_service(claim("HOME", 0x1E, group=True)) == ()


def test_names_of_users_and_services_do_not_count() -> None:
    assert parse_name_service(claim("ANNA", 0x03)) == ()


def test_query_for_somebody_else_is_no_hint() -> None:
    assert parse_name_service(QUERY) == ()


def test_release_says_nothing() -> None:
    assert parse_name_service(claim("ANNA-PC", opcode=6)) == ()


def test_answer_of_the_owner() -> None:
    assert parse_name_service(answer("NAS", 0x20)) == name("NAS")


def test_answer_of_a_name_server_is_about_others() -> None:
    assert parse_name_service(answer("NAS", flags=0x8580)) == ()


def test_answer_for_a_group_or_with_an_error_names_nobody() -> None:
    assert parse_name_service(answer("HOME", data=b"\x80\x00" + ADDRESS)) == ()
    assert parse_name_service(answer("HOME", data=(b"\x00\x00" + ADDRESS) * 2)) == ()
    assert parse_name_service(answer("NAS", flags=0x8503)) == ()


def test_node_status_lists_the_senders_names() -> None:
    assert parse_name_service(STATUS) == (*name("ANNA-PC"), Hint("netbios", "workgroup", "HOME"))


@pytest.mark.parametrize("kind", [0x10, 0x11, 0x12])
def test_datagram_has_its_senders_name(kind: int) -> None:
    assert parse_datagram(datagram("ANNA-PC", 0x20, kind)) == name("ANNA-PC")


def test_odd_bytes_are_escaped() -> None:
    assert parse_name_service(claim("B\xdcRO")) == name("B\\220RO")


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        claim("A")[:13],
        claim("A")[:-5],
        answer("A")[:-7],
        answer("A", data=b""),
        claim("A").replace(b"\x20E", b"\x20Z"),
        header(0x0110 | 3 << 11, 1) + bytes(10),
    ],
)
def test_not_a_name_service_message(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_name_service(wrong)


@pytest.mark.parametrize(
    "wrong", [b"", datagram("A")[:47], datagram("A", kind=0x13), datagram("A").replace(b"\x20E", b"\x1fE")]
)
def test_not_a_datagram(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_datagram(wrong)


def test_cut_messages_name_nobody_else() -> None:
    for message in (claim("ANNA-PC"), answer("ANNA-PC"), STATUS):
        for cut in every_cut(message):
            try:
                found = parse_name_service(cut)
            except DecodeError:
                continue
            assert found == name("ANNA-PC")


@given(hostile([claim("ANNA-PC"), answer("NAS"), STATUS, QUERY, datagram("ANNA-PC")]))
def test_hostile_bytes(wire: bytes) -> None:
    for parse in (parse_name_service, parse_datagram):
        try:
            found = parse(wire)
        except DecodeError:
            continue
        assert all(0 < len(hint.value) <= LIMIT for hint in found)
