"""TLS and DTLS handshakes in the clear: hellos, and the records and fragments they come in.

Rule 1: a message counts when all of its bytes are there; a hello cut by the capture is read only on request (`cut`).
Rule 2: the fixed part of a hello must be whole and consistent; of its extensions, what stands before a break is kept.
Rule 3: what a break hides is said to be unknown ("" for version and JA4), never guessed from what happened to be left.
Rule 4: plaintext ends at the first ChangeCipherSpec, application data or fatal alert; behind it nothing is read, so
        ciphertext is never taken for a handshake message.
Rule 5: `_hello.c`, where it was built, answers for what is whole and usual; what it leaves, and its results, are the
        business of the functions here, which know everything (`native=False` asks them alone).
"""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from daemon.decode import tls_extensions as ext
from daemon.decode.cursor import DecodeError
from daemon.decode.ja4 import code_list, ja4, known_ja4
from daemon.decode.text import free_text
from daemon.decode.tls_ciphers import cipher_name

try:
    from daemon.decode import _hello
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE = 1, 2, 11

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA, _HEARTBEAT = 20, 21, 22, 23, 24
_CONTENT = frozenset((_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA, _HEARTBEAT))
_MAX_RECORD = 16384 + 2048  # RFC 5246 section 6.2.3
# IANA "TLS HandshakeType": another first byte is ciphertext, for example a Finished where the capture began too late.
_MESSAGE_TYPES = frozenset((0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 67, 203, 254))

# RFC 8446 section 4.1.3: the random of a HelloRetryRequest is SHA-256("HelloRetryRequest").
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_RECORD = Struct("!BHH").unpack_from
_V2_HEADER = Struct("!HHHH").unpack_from


class ClientHello(NamedTuple):
    """What a client asks for. `version` and `ja4` are "" where a cut or broken hello hides what decides them.

    `ech` is `ech` for an encrypted_client_hello of the outer form, `esni` for its predecessor. A client that knows no
    key of the server sends GREASE in the same form (RFC 9849 section 6.2), and no observer can tell the two apart: the
    name beside it may still be the true one.
    """

    name: str | None  # server_name; None where none, or an empty one, was sent
    alpn: tuple[str, ...]
    version: str  # the highest offered: `TLS1.3`, `SSL3.0`, `DTLS1.2`, else `0x....`
    random: bytes  # 32 bytes (16 to 32 in an SSLv2-compatible hello): tells a retransmission from a new handshake
    ech: str | None
    ja4: str


class ServerHello(NamedTuple):
    """What the server chose. `retry`: a HelloRetryRequest, which chooses too, but another ServerHello follows."""

    version: str
    cipher: str  # IANA name, else `0x....`
    alpn: str | None  # in the clear up to TLS 1.2 only
    retry: bool


class Flight(NamedTuple):
    """The plaintext handshake messages at the start of one direction of a TLS connection."""

    messages: tuple[bytes, ...]  # whole, each from its type byte, in order
    consumed: int  # bytes of whole records read; a later call starts again with the same stream, grown
    done: bool  # no further plaintext message can follow
    partial: int  # size of the unfinished message as it announces itself, header included; 0: there is none
    tail: bytes = b""  # what is there of it, for `parse_client_hello(tail, cut=True)` when no more will come


def looks_like_client_hello(buf: bytes) -> bool:
    """Whether the bytes may start a TLS record, or an SSLv2-compatible one, with a ClientHello. Needs six of them."""
    if len(buf) < 6:
        return False
    if buf[0] == _HANDSHAKE:
        # An empty first fragment leaves the type byte to the next record.
        return buf[1] == 3 and buf[2] <= 4 and (buf[5] == CLIENT_HELLO or buf[3:5] == b"\0\0")
    return _is_v2_hello(buf)


def _is_v2_hello(buf: bytes) -> bool:
    # RFC 5246 appendix E.2: two length bytes with the top bit set, type 1, a version from 3.0 on.
    return buf[0] & 0x80 != 0 and buf[2] == CLIENT_HELLO and buf[3] == 3 and buf[4] <= 3


def parse_records(stream: bytes | bytearray, limit: int = 65536, *, native: bool = NATIVE) -> Flight | None:
    """Handshake messages of a stream that begins at a TLS record; None: not one record header is there yet.

    Fragments are joined over any number of records (RFC 8446 section 5.1). `limit` bounds one message, and all of them
    together give or take a record. Raises DecodeError if the stream is not TLS.
    """
    if len(stream) < 5:
        return None
    if native:
        found = _hello.parse_records(stream, limit)
        if found is not None:
            return Flight(*found)
    return _flight(bytes(stream), limit)


def _flight(stream: bytes, limit: int) -> Flight:
    pos = 0
    messages: list[bytes] = []
    if _is_v2_hello(stream):
        size = (stream[0] & 0x7F) << 8 | stream[1]
        pos = 2 + size
        if size > limit:
            raise DecodeError("SSLv2-compatible hello beyond the limit")
        if len(stream) < pos:
            return Flight((), 0, done=False, partial=size, tail=stream[2:])
        messages.append(stream[2:pos])
    fragments, pos, done = _join_fragments(stream, pos, limit)
    start, size = 0, len(fragments)
    while start < size:
        if fragments[start] not in _MESSAGE_TYPES:
            return Flight(tuple(messages), pos, done=True, partial=0)
        end = start + 4
        if end <= size:
            end += int.from_bytes(fragments[start + 1 : end], "big")
        if end - start > limit:
            if not messages:
                raise DecodeError("handshake message beyond the limit")
            return Flight(tuple(messages), pos, done=True, partial=0)
        if end > size:
            return Flight(tuple(messages), pos, done, end - start, fragments[start:])
        messages.append(fragments[start:end])
        start = end
    return Flight(tuple(messages), pos, done, 0)


def _join_fragments(stream: bytes, pos: int, limit: int) -> tuple[bytes, int, bool]:
    """Handshake bytes of the records from `pos`, end of the last whole record, and whether plaintext ended there."""
    fragments: list[bytes] = []
    total, size = 0, len(stream)
    while pos + 5 <= size and total <= limit:
        content, version, length = _RECORD(stream, pos)
        if content not in _CONTENT or not 0x0300 <= version <= 0x0304 or length > _MAX_RECORD:
            if pos == 0:
                raise DecodeError("not a TLS record")
            return b"".join(fragments), pos, True
        end = pos + 5 + length
        if content == _HANDSHAKE:
            # Plaintext needs no tag to be checked, so a message is read before the record around it has all arrived.
            fragments.append(stream[pos + 5 : end])
            total += length
        if end > size and content not in (_CHANGE_CIPHER_SPEC, _APPLICATION_DATA):
            break
        if content == _ALERT:
            # Some servers warn (unrecognized_name) before their hello. Fatal, close_notify and ciphertext end it.
            if length != 2 or stream[pos + 5] != 1 or stream[pos + 6] == 0:
                return b"".join(fragments), end, True
        elif content in (_CHANGE_CIPHER_SPEC, _APPLICATION_DATA):
            return b"".join(fragments), min(end, size), True
        pos = end
    return b"".join(fragments), pos, total > limit


def parse_client_hello(
    message: bytes, transport: str = "t", *, cut: bool = False, native: bool = NATIVE
) -> ClientHello:
    """A ClientHello handshake message, from its type byte (RFC 8446 section 4.1.2, RFC 5246 sections 7.4.1.2 and E.2).

    `transport`: `t` TCP, `q` QUIC, `d` DTLS (whose hello has a cookie, RFC 6347 section 4.2.1; the message header has
    four bytes here too, without the fragment fields). `cut`: the capture ends inside the message; then what is known is
    returned if server_name was reached, else DecodeError. Always raises DecodeError if the fixed part is not whole.
    """
    if native:
        found = _hello.parse_client_hello(message, transport)
        if found is not None:
            name, alpn, version, nonce, ech, raw = found
            return ClientHello(name, alpn, ext.version_name(version), nonce, ech, known_ja4(raw))
    try:
        return _client_hello(message, transport, cut=cut)
    except (IndexError, error) as exc:
        raise DecodeError("ClientHello ends early") from exc


def _client_hello(message: bytes, transport: str, *, cut: bool) -> ClientHello:
    if message[0] != CLIENT_HELLO:
        raise DecodeError("not a ClientHello")
    size = 4 + int.from_bytes(message[1:4], "big")
    if size <= len(message):
        cut = False
    else:
        if transport == "t" and _is_v2_hello(b"\x80\0" + message[:4]):
            return _v2_client_hello(message)
        if not cut:
            raise DecodeError("ClientHello is not whole")
        size = len(message)
    ciphers_pos = 39 + message[38]
    if transport == "d":
        ciphers_pos += 1 + message[ciphers_pos]
    ciphers_end = ciphers_pos + 2 + (message[ciphers_pos] << 8 | message[ciphers_pos + 1])
    extensions_pos = ciphers_end + 1 + message[ciphers_end]  # behind the compression methods
    if extensions_pos > size or message[38] > 32:
        raise DecodeError("ClientHello fields pass its end")
    bodies, order, whole = ext.parse_extensions(message, extensions_pos, size)
    if cut and ext.SERVER_NAME not in bodies:
        raise DecodeError("ClientHello is cut before its name")
    versions = bodies.get(ext.SUPPORTED_VERSIONS)
    highest = -1
    if versions is not None:
        highest = ext.highest_version(versions)
    elif whole:
        highest = message[4] << 8 | message[5]
    protocols = ext.protocol_names(bodies.get(ext.ALPN, b""))
    encrypted = bodies.get(ext.ENCRYPTED_CLIENT_HELLO)
    fingerprint = ""
    if whole:
        ciphers = code_list(message[ciphers_pos + 2 : ciphers_end])
        signatures = code_list(bodies.get(ext.SIGNATURE_ALGORITHMS, b"")[2:])
        fingerprint = ja4(transport, highest, order, ciphers, protocols, signatures)
    return ClientHello(
        ext.server_name(bodies.get(ext.SERVER_NAME, b""), cut=cut),
        tuple([free_text(protocol) for protocol in protocols]),
        ext.version_name(highest),
        message[6:38],
        # Outer form: RFC 9849 section 5. The inner form never travels in the clear.
        "ech" if encrypted and encrypted[0] == 0 else "esni" if ext.ENCRYPTED_SERVER_NAME in bodies else None,
        fingerprint,
    )


def _v2_client_hello(message: bytes) -> ClientHello:
    """RFC 5246 appendix E.2: type, version, three lengths, 3-byte suites, session id, challenge; it carries no name."""
    version, ciphers, session, challenge = _V2_HEADER(message, 1)
    end = 9 + ciphers + session + challenge
    if end > len(message) or ciphers % 3 or not 16 <= challenge <= 32:
        raise DecodeError("not an SSLv2-compatible ClientHello")
    return ClientHello(None, (), ext.version_name(version), message[end - challenge : end], None, "")


def parse_server_hello(message: bytes, *, native: bool = NATIVE) -> ServerHello:
    """A ServerHello handshake message, from its type byte (RFC 8446 section 4.1.3). Raises DecodeError."""
    if native:
        found = _hello.parse_server_hello(message)
        if found is not None:
            version, cipher, alpn, retry = found
            return ServerHello(ext.version_name(version), cipher_name(cipher), alpn, retry)
    try:
        return _server_hello(message)
    except (IndexError, error) as exc:
        raise DecodeError("ServerHello ends early") from exc


def _server_hello(message: bytes) -> ServerHello:
    if message[0] != SERVER_HELLO:
        raise DecodeError("not a ServerHello")
    end = 4 + int.from_bytes(message[1:4], "big")
    if end > len(message) or message[38] > 32:
        raise DecodeError("ServerHello is not whole")
    pos = 39 + message[38]
    if pos + 3 > end:
        raise DecodeError("ServerHello fields pass its end")
    bodies = ext.parse_extensions(message, pos + 3, end).bodies
    version = message[4:6]
    chosen = bodies.get(ext.SUPPORTED_VERSIONS, b"")
    if len(chosen) == 2:
        version = chosen
    protocols = ext.protocol_names(bodies.get(ext.ALPN, b""))
    return ServerHello(
        ext.version_name(int.from_bytes(version, "big")),
        cipher_name(message[pos] << 8 | message[pos + 1]),
        free_text(protocols[0]) if protocols else None,
        message[6:38] == _RETRY_RANDOM,
    )


def parse_dtls_client_hello(datagram: bytes) -> ClientHello | None:
    """The ClientHello that a datagram of DTLS 1.0 to 1.3 begins with (RFC 6347 section 4.2.2, RFC 9147 section 5.2).

    Joins the fragments that lie in this datagram; None: some of them do not. Raises DecodeError: not such a hello.
    """
    try:
        return _dtls_client_hello(datagram)
    except (IndexError, error) as exc:
        raise DecodeError("DTLS record ends early") from exc


def _dtls_client_hello(datagram: bytes) -> ClientHello | None:
    body = bytearray()
    pos, size, sequence = 0, -1, -1
    while pos + 13 <= len(datagram):
        content, version, epoch = _RECORD(datagram, pos)
        end = pos + 13 + (datagram[pos + 11] << 8 | datagram[pos + 12])
        plain = content == _HANDSHAKE and epoch == 0 and version in (0xFEFF, 0xFEFD, 0x0100)
        if not plain or end > len(datagram) or end - pos < 25 or datagram[pos + 13] != CLIENT_HELLO:
            break
        message = datagram[pos + 13 : end]
        offset, length = int.from_bytes(message[6:9], "big"), int.from_bytes(message[9:12], "big")
        header = int.from_bytes(message[1:4], "big"), message[4] << 8 | message[5]
        if size < 0:
            size, sequence = header
        if (size, sequence) != header or offset > len(body) or 12 + length != len(message):
            break
        body[offset : offset + length] = message[12:]
        pos = end
    if size < 0:
        raise DecodeError("not a DTLS ClientHello")
    if len(body) < size:
        return None
    return parse_client_hello(bytes((CLIENT_HELLO,)) + size.to_bytes(3, "big") + bytes(body), "d")
