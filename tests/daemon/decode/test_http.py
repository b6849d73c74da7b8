from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.http import MAX_HEAD, Request, RequestReader, looks_like_request, parse_request

GET = b"GET /index.html HTTP/1.1\r\nHost: Www.Example.COM:8080\r\nUser-Agent: Camera/1.0 (\xc3\xa9)\r\nDNT: 1\r\n\r\n"
POST = (
    b"POST /up HTTP/1.1\r\nhost: api.example\r\nContent-Length: 30\r\n\r\n" + b"GET /not HTTP/1.1\r\nHost: no\r\n\r\n"
)
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: chunks.example\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
    b"1E;ext=1\r\nGET /not HTTP/1.1\r\nHost: no\r\n\r\n\r\n"
    b"00a\r\n0123456789\r\n0\r\nTrailer: x\r\nHost: trailer.example\r\n\r\n"
)
LAST = b"HEAD / HTTP/1.0\r\n\r\n"
STREAM = GET + POST + CHUNKED + b"\r\n" + GET + LAST
HOSTS = ["www.example.com:8080", "api.example", "chunks.example", "www.example.com:8080", ""]


def read(stream: bytes) -> Request:
    found = parse_request(stream)
    assert found is not None
    return found[0]


def hosts(*pieces: bytes) -> list[str]:
    reader = RequestReader()
    return [request.host for piece in pieces for request in reader.feed(piece)]


# ---- one request


def test_a_request() -> None:
    assert parse_request(b"....." + GET + b"next", 5) == (
        Request("GET", "/index.html", "www.example.com:8080", "Camera/1.0 (é)"),
        5 + len(GET),
    )


def test_every_cut_needs_more() -> None:
    for end in range(len(GET)):
        assert parse_request(GET[:end]) is None


@pytest.mark.parametrize(
    ("head", "host"),
    [
        (b"GET / HTTP/1.1\nHost: lf.example\n\n", "lf.example"),
        (b"GET / HTTP/1.1\r\nHost: mixed.example\n\r\n", "mixed.example"),
        (b"GET / HTTP/1.1\r\nHost: \r\n folded.example\r\nX: y\r\n\r\n", "folded.example"),
        (b"GET / HTTP/1.1\r\nHost : blank.example\r\n\r\n", "blank.example"),
        (b"GET / HTTP/1.1\r\nHost: first.example\r\nHost: second.example\r\n\r\n", "first.example"),
        (b"GET / HTTP/1.1\r\nHost: odd\xff name.example.\r\n\r\n", "odd\\255\\032name.example"),
        (b"GET / HTTP/1.1\r\nX-Host: x\r\n\r\n", ""),
        (b"GET / HTTP/1.0\r\n\r\n", ""),
        (b"GET http://user@proxy.example:81/path?a@b HTTP/1.1\r\n\r\n", "proxy.example:81"),
        (b"GET http://target.example?q HTTP/1.1\r\nHost: field.example\r\n\r\n", "field.example"),
        (b"CONNECT tunnel.example:443 HTTP/1.1\r\n\r\n", "tunnel.example:443"),
        (b"GET /?u=http://other.example/ HTTP/1.1\r\n\r\n", ""),
        (b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", "239.255.255.250:1900"),
        (b"GET / HTTP/1.1\r\nHost: " + b"h" * 5000 + b"\r\n\r\n", "h" * 261),
    ],
)
def test_host(head: bytes, host: str) -> None:
    assert read(head).host == host


def test_long_fields_are_bounded() -> None:
    request = read(b"GET /" + b"t" * 9000 + b" HTTP/1.1\r\nUser-Agent: " + b"u" * 9000 + b"\r\n\r\n")
    assert (len(request.target), len(request.user_agent)) == (1024, 1024)


@pytest.mark.parametrize(
    "head",
    [
        b"OPTIONS rtsp://cam/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n",
    ],
)
def test_other_heads_are_refused(head: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_request(head)


@pytest.mark.parametrize(
    ("buf", "expected"),
    [
        (b"GET /", True),
        (b"SUBSCRIBE /evt HTTP/1.1", True),
        (b"PROPFIND / ", True),
        (b"GET", False),
        (b" GET / ", False),
        (b"GETS / ", False),
        (b"", False),
        (b"\x16\x03\x01\x02\x00\x01", False),
    ],
)
def test_looks_like_request(buf: bytes, expected: bool) -> None:
    assert looks_like_request(buf) is expected


# ---- a stream of them


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_segmentation_and_any_interruption_give_the_same_requests(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(STREAM)]
    reader, found = RequestReader(), []
    for start, end in pairwise(ends):
        found += reader.feed(STREAM[start:end])
        reader = RequestReader.from_state(json.loads(json.dumps(reader.state())))
    assert [request.host for request in found] == HOSTS


def test_byte_by_byte() -> None:
    assert hosts(*[STREAM[n : n + 1] for n in range(len(STREAM))]) == HOSTS


def test_bytes_missing_inside_a_body_are_skipped_by_its_length() -> None:
    reader = RequestReader()
    assert len(reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"b" * 100)) == 1
    reader.gap(4000)
    assert reader.feed(b"GET /not HTTP/1.1\r\nHost: no\r\n\r\n".ljust(900, b"b")) == []
    assert [request.host for request in reader.feed(GET)] == ["www.example.com:8080"]


def test_bytes_missing_beyond_a_body_lose_the_place() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    reader.gap(11)
    assert len(reader.feed(GET)) == 1


def test_bytes_missing_inside_a_chunk_are_skipped_by_its_length() -> None:
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n")
    reader.gap(0x40)
    assert [request.host for request in reader.feed(b"\r\n0\r\n\r\n" + GET)] == ["www.example.com:8080"]


def test_after_a_gap_in_the_headers_reading_goes_on_at_a_segment_that_is_a_request() -> None:
    reader = RequestReader()
    reader.feed(GET[:40])
    reader.gap(20)
    assert reader.feed(GET[60:] + GET) == []
    assert [request.host for request in reader.feed(GET)] == ["www.example.com:8080"]


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(GET),
        b"Content-Length: -1\r\n",
        b"Content-Length: 9999999999999999\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n+5\r\nabcde\r\n",
    ],
)
def test_where_the_length_cannot_be_known_reading_goes_on_at_the_next_segment(fields: bytes) -> None:
    first = b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"
    assert hosts(first + GET + GET, b"more body", GET) == ["a", "www.example.com:8080"]


def test_equal_lengths_are_one_length() -> None:
    first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\nContent-Length: 4\r\n\r\nbody"
    assert hosts(first + GET) == ["a", "www.example.com:8080"]


def test_a_tunnel_is_marked_and_its_bytes_are_not_requests() -> None:
    reader = RequestReader()
    assert len(reader.feed(b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n\x16\x03\x01")) == 1
    assert reader.switched
    assert reader.feed(b"\x16\x03\x01\x02\x00\x01") == []
    # The proxy refused, and the client asks again.
    assert len(reader.feed(GET)) == 1
    assert not reader.switched


def test_an_upgrade_stops_the_following_of_lengths() -> None:
    ask = b"GET /ws HTTP/1.1\r\nHost: ws.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert hosts(ask, b"\x82\xfe\x00\x10frame", b"\x82" + GET) == ["ws.example"]


def test_memory_is_bounded() -> None:
    reader = RequestReader()
    for piece in (b"GET / HTTP/1.1\r\nX: ", *[b"x" * 1000] * 100):
        assert reader.feed(piece) == []
        assert len(json.dumps(reader.state())) < 2 * MAX_HEAD + 3000
    reader = RequestReader()
    reader.feed(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000)
    assert len(json.dumps(reader.state())) < 100
    assert [request.host for request in reader.feed(GET)] == ["www.example.com:8080"]


def test_a_server_stream_gives_nothing() -> None:
    assert hosts(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"\r\nmore") == []


@given(st.lists(st.binary(max_size=80), max_size=8), st.integers(0, 500))
def test_arbitrary_bytes_raise_nothing(pieces: list[bytes], missing: int) -> None:
    for head in (
        b"",
        b"GET ",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 90\r\n\r\n",
    ):
        reader = RequestReader()
        reader.feed(head)
        for piece in pieces:
            reader.feed(piece)
            reader.gap(missing)
        with suppress(DecodeError):
            parse_request(head + b"".join(pieces))


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255))
def test_mutated_streams_raise_nothing(at: int, value: int) -> None:
    found = hosts(STREAM[:at] + bytes([value]) + STREAM[at + 1 :])
    assert len(found) <= len(HOSTS) + 2
