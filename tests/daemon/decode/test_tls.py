from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.tls import (
    CERTIFICATE,
    CLIENT_HELLO,
    SERVER_HELLO,
    ClientHello,
    Flight,
    looks_like_client_hello,
    parse_client_hello,
    parse_dtls_client_hello,
    parse_records,
    parse_server_hello,
)
from tests.daemon.decode import hellos
from tests.daemon.decode.hellos import alpn, client_hello, codes, extension, records, sni, vector, versions

REAL = hellos.openssl_hello()
REAL_MESSAGE = REAL[5:]


def flight(stream: bytes, limit: int = 65536) -> Flight:
    found = parse_records(stream, limit)
    assert found is not None
    return found


def dtls_record(message: bytes, epoch: int = 0, version: int = 0xFEFD) -> bytes:
    return b"\x16" + codes(version, epoch) + bytes(6) + vector(2, message)


def dtls_fragment(message: bytes, start: int, end: int, sequence: int = 0) -> bytes:
    body = message[4:]
    return message[:4] + codes(sequence) + start.to_bytes(3, "big") + (end - start).to_bytes(3, "big") + body[start:end]


# ---- ClientHello


def test_a_real_hello_is_read_whole() -> None:
    hello = parse_client_hello(REAL_MESSAGE)
    assert hello.name == "www.example.com"
    assert hello.alpn == ("h2", "http/1.1")
    assert hello.version == "TLS1.3"
    assert hello.random == REAL_MESSAGE[6:38]
    assert hello.ech is None
    assert hello.ja4.startswith("t13d")
    assert hello.ja4[8:10] == "h2"


def test_two_real_hellos_differ_by_random_and_agree_in_ja4() -> None:
    other = parse_client_hello(hellos.openssl_hello()[5:])
    first = parse_client_hello(REAL_MESSAGE)
    assert first.random != other.random
    assert first.ja4 == other.ja4


def test_a_real_hello_without_name_and_protocol() -> None:
    hello = parse_client_hello(hellos.openssl_hello(None, ())[5:])
    assert (hello.name, hello.alpn) == (None, ())
    assert hello.ja4[3] == "i"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (sni(b"Shop.Example.COM."), "shop.example.com"),
        (sni(b"a b\xff\\.example"), "a\\032b\\255\\092.example"),
        (sni(b""), None),
        (sni(b"."), None),
        (sni(b"first.example", b"second.example"), "first.example"),
        (sni(b"type-one", kind=1), None),
        (extension(0, vector(2, b"\x01\x00\x01x" + b"\x00" + vector(2, b"host.example"))), "host.example"),
        (extension(0), None),
        (extension(0, b"\x00\x00"), None),
        (extension(0, b"\x00\x09\x00\x00\xffshort"), None),
        (sni(b"one.example") + sni(b"two.example"), "one.example"),
        (sni(b"x" * 300), "x" * 255),
        (b"", None),
    ],
)
def test_server_name_entries(sent: bytes, name: str | None) -> None:
    assert parse_client_hello(client_hello(sent)).name == name


def test_the_name_is_found_between_hundreds_of_extensions() -> None:
    many = b"".join(extension(0x5000 + n, b"filler") for n in range(300))
    hello = parse_client_hello(client_hello(many + sni(b"deep.example") + many))
    assert hello.name == "deep.example"
    assert hello.ja4[6:8] == "99"


@pytest.mark.parametrize(
    ("extensions", "legacy", "version"),
    [
        (b"", 0x0303, "TLS1.2"),
        (b"", 0x0301, "TLS1.0"),
        (b"", 0x0300, "SSL3.0"),
        (None, 0x0302, "TLS1.1"),
        (versions(0x0304, 0x0303), 0x0303, "TLS1.3"),
        (versions(0x0303, 0x0304), 0x0301, "TLS1.3"),
        (versions(0x3A3A, 0x0303), 0x0303, "TLS1.2"),  # GREASE
        (versions(0x7F1C, 0x0303), 0x0303, "TLS1.3-draft28"),
        (versions(0x7F1C, 0x0304), 0x0303, "TLS1.3"),
        (versions(0xFB1A), 0x0303, "TLS1.3-draft26"),
        (versions(), 0x0303, ""),
        (b"", 0x0909, "0x0909"),
    ],
)
def test_highest_offered_version(extensions: bytes | None, legacy: int, version: str) -> None:
    assert parse_client_hello(client_hello(extensions, version=legacy)).version == version


def test_alpn_is_text_and_bounded() -> None:
    hello = parse_client_hello(client_hello(alpn(b"h3", b"\x0a\x0a", *[b"p%d" % n for n in range(60)])))
    assert hello.alpn[:3] == ("h3", "\\010\\010", "p0")
    assert len(hello.alpn) == 32


@pytest.mark.parametrize(
    ("sent", "ech"),
    [
        (extension(0xFE0D, b"\x00\x00\x01\x00\x01\x07"), "ech"),
        (extension(0xFE0D, b"\x01"), None),  # the inner form cannot be seen on the wire
        (extension(0xFE0D), None),
        (extension(0xFFCE, b"\x13\x01"), "esni"),
        (b"", None),
    ],
)
def test_encrypted_names_are_marked(sent: bytes, ech: str | None) -> None:
    hello = parse_client_hello(client_hello(sni(b"outer.example") + sent))
    assert (hello.name, hello.ech) == ("outer.example", ech)


def test_what_stands_before_a_broken_extension_is_kept_and_the_rest_is_unknown() -> None:
    broken = parse_client_hello(client_hello(sni(b"kept.example") + codes(43, 500) + b"\x02"))
    assert broken.name == "kept.example"
    assert broken.ja4 == ""
    assert parse_client_hello(client_hello(sni(b"kept.example") + codes(10, 500) + b"\x02")).version == ""


def test_a_cut_hello_is_read_only_when_asked_and_only_if_the_name_was_reached() -> None:
    message = client_hello(extension(10, b"groups") + sni(b"cut.example") + versions(0x0304) + alpn(b"h2"))
    name_end = message.index(b"cut.example") + len(b"cut.example")
    for size in range(len(message)):
        with pytest.raises(DecodeError):
            parse_client_hello(message[:size])
        if size < name_end:
            with pytest.raises(DecodeError):
                parse_client_hello(message[:size], cut=True)
        else:
            hello = parse_client_hello(message[:size], cut=True)
            assert (hello.name, hello.ja4) == ("cut.example", "")
            assert hello.version in ("", "TLS1.3")
    assert parse_client_hello(message, cut=True) == parse_client_hello(message)
    assert parse_client_hello(client_hello(), cut=True) == parse_client_hello(client_hello())


def test_bytes_behind_the_message_do_not_belong_to_it() -> None:
    assert parse_client_hello(REAL_MESSAGE + sni(b"other.example")) == parse_client_hello(REAL_MESSAGE)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"\x02" + client_hello()[1:],
        b"\x01\x00\x00\x00",
        client_hello()[:38] + b"\x21" + client_hello()[39:],  # a session id of 33 bytes
        client_hello()[:71] + b"\xff\xff" + client_hello()[73:],  # more suites than bytes
    ],
)
def test_broken_fixed_parts_are_refused(message: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_client_hello(message)


def test_an_sslv2_compatible_hello_is_recognised() -> None:
    challenge = bytes(range(16))
    body = b"\x01\x03\x01" + codes(6, 0, 16) + b"\x00\x00\x2f\x01\x00\x80" + challenge
    stream = codes(0x8000 | len(body)) + body
    assert looks_like_client_hello(stream)
    found = flight(stream + b"\x16\x03\x01")
    assert found.messages == (body,)
    assert parse_client_hello(body) == ClientHello(None, (), "TLS1.0", challenge, None, "")
    assert flight(stream[:20]).partial == len(body)


# ---- records


def test_real_records_give_the_message() -> None:
    assert flight(REAL) == Flight((REAL_MESSAGE,), len(REAL), done=False, partial=0)


def test_one_byte_records_and_empty_ones_join() -> None:
    stream = records(REAL_MESSAGE, *[1] * (len(REAL_MESSAGE) - 1))
    assert flight(stream).messages == (REAL_MESSAGE,)
    with_empty = records(b"") + records(REAL_MESSAGE[:9]) + records(b"") + records(REAL_MESSAGE[9:])
    assert looks_like_client_hello(with_empty)
    assert flight(with_empty).messages == (REAL_MESSAGE,)


@given(st.lists(st.integers(0, 200), max_size=20), st.integers(0, 2000))
def test_any_split_into_records_and_any_cut_of_the_stream(sizes: list[int], end: int) -> None:
    stream = records(REAL_MESSAGE, *sizes)
    assert flight(stream).messages == (REAL_MESSAGE,)
    part = parse_records(stream[:end])
    if end < 5:
        assert part is None
    elif end < len(stream):
        assert part is not None
        assert part.messages == ()
        assert REAL_MESSAGE.startswith(part.tail)
        assert part.partial in (0, 4, len(REAL_MESSAGE))


def test_an_unfinished_message_announces_its_size_and_shows_what_is_there() -> None:
    found = flight(REAL[:200])
    assert (found.messages, found.done, found.partial) == ((), False, len(REAL_MESSAGE))
    assert found.tail == REAL_MESSAGE[:195]


@pytest.mark.parametrize(
    "behind",
    [
        b"\x14\x03\x03\x00\x01\x01",
        b"\x17\x03\x03\x40\x00cipher",
        b"\x15\x03\x01\x00\x02\x02\x28",  # fatal handshake_failure
        b"\x15\x03\x01\x00\x02\x01\x00",  # close_notify
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_plaintext_ends(behind: bytes) -> None:
    found = flight(REAL + behind + records(client_hello(sni(b"ciphertext.example"))))
    assert found.messages == (REAL_MESSAGE,)
    assert found.done


def test_a_warning_before_the_hello_does_not_end_plaintext() -> None:
    warning = b"\x15\x03\x01\x00\x02\x01\x70"  # unrecognized_name
    found = flight(warning + REAL)
    assert found.messages == (REAL_MESSAGE,)
    assert not found.done


@pytest.mark.parametrize(
    "stream", [b"GET / HTTP/1.1", b"\x16\x02\x01\x00\x05hello", b"\x16\x03\x01\xff\xff....", b"\0" * 9]
)
def test_other_protocols_are_not_tls(stream: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_records(stream)


def test_messages_beyond_the_limit_are_refused() -> None:
    with pytest.raises(DecodeError, match="limit"):
        parse_records(records(b"\x01\x0f\xff\xffxx"))
    with pytest.raises(DecodeError, match="limit"):
        parse_records(REAL, limit=100)


def test_ciphertext_in_handshake_records_is_no_message() -> None:
    assert flight(records(b"\xd9\x8f\x11\x00 encrypted Finished")) == Flight((), 28, done=True, partial=0)


# ---- ServerHello


def test_a_real_tls12_server_flight() -> None:
    sent, received = hellos.handshake(ssl.TLSVersion.TLSv1_2)
    found = flight(received)
    kinds = [message[0] for message in found.messages]
    assert kinds[:2] == [SERVER_HELLO, CERTIFICATE]
    assert found.done
    hello = parse_server_hello(found.messages[0])
    assert (hello.version, hello.alpn, hello.retry) == ("TLS1.2", "http/1.1", False)
    assert hello.cipher.startswith("TLS_ECDHE_ECDSA_WITH_")
    client = flight(sent)
    assert client.messages[0][0] == CLIENT_HELLO
    assert client.done


def test_a_real_tls13_server_flight_shows_the_hello_only() -> None:
    _, received = hellos.handshake(ssl.TLSVersion.TLSv1_3)
    found = flight(received)
    assert [message[0] for message in found.messages] == [SERVER_HELLO]
    assert found.done
    hello = parse_server_hello(found.messages[0])
    assert (hello.version, hello.cipher, hello.alpn) == ("TLS1.3", "TLS_AES_256_GCM_SHA384", None)


def server_hello(cipher: int, extensions: bytes | None = None, random: bytes = bytes(32)) -> bytes:
    body = b"\x03\x03" + random + b"\x00" + codes(cipher) + b"\x00"
    if extensions is not None:
        body += vector(2, extensions)
    return b"\x02" + vector(3, body)


def test_server_hello_fields() -> None:
    assert parse_server_hello(server_hello(0xC02F)).cipher == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert parse_server_hello(server_hello(0xEEEE)).cipher == "0xeeee"
    assert parse_server_hello(server_hello(0x1301, extension(43, b"\x7f\x17"))).version == "TLS1.3-draft23"
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    assert parse_server_hello(server_hello(0x1301, extension(43, b"\x03\x04"), retry)).retry
    with pytest.raises(DecodeError):
        parse_server_hello(server_hello(0x1301)[:-1])
    with pytest.raises(DecodeError):
        parse_server_hello(client_hello())


# ---- DTLS


def test_dtls_hello_with_cookie() -> None:
    message = client_hello(sni(b"cam.example") + alpn(b"webrtc"), (0xC02B,), 0xFEFD, cookie=b"C" * 20)
    size = len(message) - 4
    hello = parse_dtls_client_hello(dtls_record(dtls_fragment(message, 0, size)))
    assert hello is not None
    assert (hello.name, hello.version, hello.alpn) == ("cam.example", "DTLS1.2", ("webrtc",))
    assert hello.ja4.startswith("dd2d0102wc_")


def test_dtls_fragments_in_one_datagram_join_and_missing_ones_are_waited_for() -> None:
    message = client_hello(versions(0xFEFD, 0xFEFC), version=0xFEFD, cookie=b"")
    size = len(message) - 4
    first, second = (dtls_record(dtls_fragment(message, *part)) for part in ((0, 30), (30, size)))
    hello = parse_dtls_client_hello(first + second)
    assert hello is not None
    assert hello.version == "DTLS1.3"
    assert parse_dtls_client_hello(first) is None
    assert parse_dtls_client_hello(second) is None


@pytest.mark.parametrize("datagram", [b"", REAL, dtls_record(b"\x02" + bytes(40)), dtls_record(b"\x01" * 60, epoch=1)])
def test_other_datagrams_are_not_dtls_hellos(datagram: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_dtls_client_hello(datagram)


# ---- hostile


@given(st.binary(max_size=400))
def test_arbitrary_bytes_raise_nothing_else(buf: bytes) -> None:
    looks_like_client_hello(buf)
    for parse in (parse_records, parse_client_hello, parse_server_hello, parse_dtls_client_hello):
        for head in (b"", b"\x01", b"\x02", b"\x16\x03\x01", b"\x16\xfe\xfd\0\0"):
            with suppress(DecodeError):
                parse(head + buf)


@given(st.integers(0, len(REAL_MESSAGE) - 1), st.integers(0, 255), st.booleans(), st.sampled_from("tqd"))
def test_mutated_hellos_raise_nothing_else(at: int, value: int, cut: bool, transport: str) -> None:
    mutated = REAL_MESSAGE[:at] + bytes([value]) + REAL_MESSAGE[at + 1 :]
    try:
        hello = parse_client_hello(mutated, transport, cut=cut)
    except DecodeError:
        return
    assert hello.name is None or len(hello.name) <= 4 * 255
