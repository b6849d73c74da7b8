"""QUIC Initials: headers, payload frames, and what an observer can decrypt of them (RFC 9000, RFC 9001, RFC 9369).

Rule 1: packets of one datagram are found by their own length fields; what is no long header of a known version ends it.
Rule 2: an Initial whose tag held may carry the frames of RFC 9000 section 12.4 and no others; a cut one, whose tag is
        gone, must moreover decrypt to something that begins like a hello.
Rule 3: `_hello.c`, where it was built, reads what is whole, usual and of versions 1 and 2, with the same results
        (`native=False` does without).
"""

from __future__ import annotations

from typing import NamedTuple

from daemon.decode import quic_keys
from daemon.decode.cursor import DecodeError

try:
    from daemon.decode import _hello
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

MAX_FRAMES = 256  # CRYPTO frames of one packet; Chromium scatters a hello over about ten

_SALTS = quic_keys.SALTS
_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO, _CLOSE = 0x00, 0x01, 0x02, 0x03, 0x06, 0x1C
_GOOGLE_CRYPTO = 0x08  # T050 and T051 kept Google's frame types


class Header(NamedTuple):
    """The unprotected part of an Initial (RFC 9000 section 17.2.2). Positions are offsets in the datagram."""

    version: int
    dcid: bytes
    scid: bytes
    token: bytes
    start: int
    number: int  # where the protected packet number starts
    end: int  # by its own length field; beyond the datagram where the capture cut it


class Initial(NamedTuple):
    """A decrypted Initial. `fragments`: offset and data of its CRYPTO frames."""

    version: int
    dcid: bytes
    scid: bytes
    token: bytes
    fragments: tuple[tuple[int, bytes], ...]


def is_client_initial(buf: bytes) -> bool:
    """Whether a datagram begins with an Initial of a version we can decrypt; its keys tell which side sent it."""
    if len(buf) < 7 or buf[0] < 0x80:
        return False
    version = int.from_bytes(buf[1:5], "big")
    return version in _SALTS and buf[0] & 0x30 == _initial_type(version) and buf[5] <= 20


def _initial_type(version: int) -> int:
    return 0x10 if version == quic_keys.V2 else 0x00  # RFC 9369 section 3.2 against RFC 9000 section 17.2


def _varint(buf: bytes, pos: int) -> tuple[int, int]:
    """RFC 9000 section 16: the value and the position behind it. IndexError where the bytes end: callers turn it."""
    first = buf[pos]
    if first < 0x40:
        return first, pos + 1
    width = 1 << (first >> 6)
    end = pos + width
    if end > len(buf):
        raise IndexError
    return int.from_bytes(buf[pos:end], "big") & ((1 << (8 * width - 2)) - 1), end


def parse_headers(datagram: bytes, *, native: bool = NATIVE) -> list[Header]:
    """The Initials among the coalesced packets of a datagram (RFC 9000 section 12.2).

    Packets of other types are stepped over; what cannot be a long header of the same version ends the walk. Raises
    DecodeError if the first one is broken.
    """
    if native:
        known = _hello.parse_headers(datagram)
        if known is not None:
            return [Header(*fields) for fields in known]
    found: list[Header] = []
    pos = 0
    while pos + 7 <= len(datagram) and datagram[pos] >= 0x80:
        try:
            header, kind = _long_header(datagram, pos)
        except (DecodeError, IndexError) as exc:
            if pos == 0:
                raise DecodeError("QUIC header ends early") from exc
            break  # padding behind the last packet: RFC 9000 section 12.2 has receivers drop it
        if kind == _initial_type(header.version):
            found.append(header)
        pos = header.end
    return found


def _long_header(datagram: bytes, start: int) -> tuple[Header, int]:
    version = int.from_bytes(datagram[start + 1 : start + 5], "big")
    kind = datagram[start] & 0x30
    if version not in _SALTS:
        raise DecodeError("unknown QUIC version")
    pos = start + 6 + datagram[start + 5]
    dcid = datagram[start + 6 : pos]
    scid = datagram[pos + 1 : pos + 1 + datagram[pos]]
    pos += 1 + datagram[pos]
    if len(dcid) > 20 or len(scid) > 20 or pos > len(datagram):  # RFC 9000 section 17.2
        raise DecodeError("QUIC connection id too long")
    token = b""
    if kind == _initial_type(version):
        size, pos = _varint(datagram, pos)
        token = datagram[pos : pos + size]
        pos += size
    elif (kind - _initial_type(version)) & 0x30 == 0x30:
        raise DecodeError("QUIC Retry has no length")
    size, pos = _varint(datagram, pos)
    return Header(version, dcid, scid, token, start, pos, pos + size), kind


def open_initial(datagram: bytes, header: Header, dcid: bytes, side: str = "client") -> Initial:
    """The Initial at `header`, by the keys that `dcid` gives. Raises DecodeError if they do not fit."""
    packet = datagram[header.start : header.end]
    cut = header.end > len(datagram)
    crypto = _GOOGLE_CRYPTO if header.version >> 8 == 0x543035 else _CRYPTO
    failure: DecodeError | None = None
    for salt in _SALTS[header.version]:
        keys = quic_keys.initial_keys(header.version, salt, dcid, side)
        try:
            plain = quic_keys.open_packet(keys, packet, header.number - header.start, header.end - header.start)
            fragments = parse_frames(plain, crypto, cut=cut)
        except DecodeError as exc:
            failure = exc
        else:
            return Initial(header.version, header.dcid, header.scid, header.token, fragments)
    raise failure or DecodeError("no salt is known for this QUIC version")


def parse_frames(
    plain: bytes, crypto: int = _CRYPTO, *, cut: bool = False, native: bool = NATIVE
) -> tuple[tuple[int, bytes], ...]:
    """Offset and data of the CRYPTO frames of an Initial's payload (RFC 9000 sections 12.4 and 19).

    Frames that an Initial must not carry raise DecodeError. `crypto`: the version's type number of CRYPTO. `cut`: the
    payload is unverified and ends early; then it must hold a CRYPTO frame, and one at offset 0 must begin like a hello.
    """
    if native and not cut:
        known = _hello.parse_frames(plain, crypto)
        if known is not None:
            return known
    return _frames(plain, crypto, cut=cut)


def _frames(plain: bytes, crypto: int, *, cut: bool) -> tuple[tuple[int, bytes], ...]:
    fragments: list[tuple[int, bytes]] = []
    pos, size = 0, len(plain)
    try:
        while pos < size:
            kind = plain[pos]
            if kind == crypto:
                offset, pos = _varint(plain, pos + 1)
                length, pos = _varint(plain, pos)
                if (pos + length > size and not cut) or len(fragments) >= MAX_FRAMES:
                    raise DecodeError("CRYPTO frame passes its packet, or one too many")
                fragments.append((offset, plain[pos : pos + length]))
                pos += length
            elif kind == _PADDING:
                pos = _skip_padding(plain, pos)
            elif kind == _PING:
                pos += 1
            elif kind in (_ACK, _ACK_ECN):
                pos = _skip_ack(plain, pos)
            elif kind == _CLOSE:
                break  # the reason is all that may follow
            else:
                raise DecodeError("frame that no Initial carries")
    except IndexError as exc:
        if not cut:
            raise DecodeError("QUIC frame ends early") from exc
    if cut and not any(offset or data[:1] in (b"\x01", b"\x02") for offset, data in fragments):
        raise DecodeError("cut QUIC packet does not decrypt to a hello")
    return tuple(fragments)


def _skip_padding(plain: bytes, pos: int) -> int:
    # Doubling steps: Chromium scatters short runs, others pad by a thousand bytes, and neither may cost a long copy.
    step = 64
    while True:
        chunk = plain[pos : pos + step]
        used = len(chunk) - len(chunk.lstrip(b"\0"))
        pos += used
        if used < step:
            return pos
        step *= 2


def _skip_ack(plain: bytes, pos: int) -> int:
    """RFC 9000 section 19.3."""
    ecn = plain[pos] == _ACK_ECN
    pos += 1
    _, pos = _varint(plain, pos)  # largest acknowledged
    _, pos = _varint(plain, pos)  # delay
    ranges, pos = _varint(plain, pos)
    for _ in range(1 + 2 * ranges + 3 * ecn):
        _, pos = _varint(plain, pos)
    return pos
