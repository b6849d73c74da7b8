from __future__ import annotations

import pytest
from hypothesis import given

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import LIMIT, Hint
from daemon.decode.ssdp import parse_ssdp
from tests.support.hostile import every_cut, hostile

NOTIFY = (
    b"NOTIFY * HTTP/1.1\r\n"
    b"HOST: 239.255.255.250:1900\r\n"
    b"Location:http://192.168.1.20:80/description.xml\r\n"
    b"SERVER:  Linux/3.14 UPnP/1.0 Lamp/2.1 \r\n"
    b"NTS: ssdp:alive\r\n"
    b"NT: upnp:rootdevice\r\n"
    b"USN: uuid:1234::upnp:rootdevice\r\n\r\n"
)
SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\n"
    b"HOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\n'
    b"ST: urn:dial-multiscreen-org:service:dial:1\r\n"
    b"USER-AGENT: Browser/1.0\r\n"
    b"CPFN.UPNP.ORG: Anna's phone\r\n\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nEXT:\r\nST: upnp:rootdevice\r\nUSN: uuid:1234\r\nSERVER: a/1 UPnP/1.0 b/2\r\n\r\n"


def test_notify_describes_its_sender() -> None:
    parsed = parse_ssdp(NOTIFY)
    assert parsed.method == "notify"
    assert parsed.headers[0] == ("host", "239.255.255.250:1900")
    assert parsed.hints == (
        Hint("ssdp", "location", "http://192.168.1.20:80/description.xml"),
        Hint("ssdp", "server", "Linux/3.14 UPnP/1.0 Lamp/2.1"),
        Hint("ssdp", "nt", "upnp:rootdevice"),
        Hint("ssdp", "usn", "uuid:1234::upnp:rootdevice"),
    )


def test_search_says_who_asks_and_not_what_for() -> None:
    parsed = parse_ssdp(SEARCH)
    assert parsed.method == "m-search"
    assert ("st", "urn:dial-multiscreen-org:service:dial:1") in parsed.headers
    assert parsed.hints == (Hint("ssdp", "user_agent", "Browser/1.0"), Hint("ssdp", "friendly_name", "Anna's phone"))


def test_answer() -> None:
    parsed = parse_ssdp(ANSWER)
    assert parsed.method == "response"
    assert parsed.headers[0] == ("ext", "")
    assert [hint.key for hint in parsed.hints] == ["st", "usn", "server"]


def test_bare_line_feeds_and_lines_without_colon() -> None:
    parsed = parse_ssdp(b"NOTIFY * HTTP/1.1\nnonsense\nNT: a\n\nUSN: behind the headers\n")
    assert parsed.headers == (("nt", "a"),)


def test_equal_headers_give_one_hint() -> None:
    assert parse_ssdp(b"NOTIFY * HTTP/1.1\r\nNT: a\r\nNT: a\r\n\r\n").hints == (Hint("ssdp", "nt", "a"),)


@pytest.mark.parametrize(
    "wrong", [b"", b"NOTIFY * HTTP/1.1", b"NOTIFY /x HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 404 No\r\n"]
)
def test_not_ssdp(wrong: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_ssdp(wrong)


def test_values_and_headers_are_bounded() -> None:
    parsed = parse_ssdp(b"NOTIFY * HTTP/1.1\r\n" + b"NT: " + b"\xff" * 5000 + b"\r\n" + b"A: b\r\n" * 1000 + b"\r\n")
    assert len(parsed.headers) <= 32
    assert len(parsed.hints[0].value) <= LIMIT
    assert parsed.hints[0].value.endswith("\\255")


def test_a_cut_line_is_dropped() -> None:
    whole = set(parse_ssdp(NOTIFY).headers)
    for cut in every_cut(NOTIFY):
        if b"\n" in cut:
            assert set(parse_ssdp(cut).headers) <= whole
        else:
            with pytest.raises(DecodeError):
                parse_ssdp(cut)


@given(hostile([NOTIFY, SEARCH, ANSWER]))
def test_hostile_bytes(wire: bytes) -> None:
    try:
        parsed = parse_ssdp(wire)
    except DecodeError:
        return
    assert all(0 < len(hint.value) <= LIMIT for hint in parsed.hints)
