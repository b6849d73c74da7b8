"""QUIC version 1 Initials, protected as RFC 9001 says, and what follows them as a listener sees it.

Rules: Initials are really encrypted, so that only a reader that derives the keys finds the name; Handshake and 1-RTT
packets are random behind a right header, because no listener has their keys.
"""

from __future__ import annotations

import hmac
import itertools
import random
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.sample import tls

_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
_VERSION = b"\0\0\0\1"
SIZE = 1250  # of a client datagram; RFC 9000 section 14.1 asks for at least 1200


def varint(number: int) -> bytes:
    """A variable-length integer below 2**14 (RFC 9000 section 16)."""
    return bytes([number]) if number < 64 else (0x4000 | number).to_bytes(2, "big")


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    # HKDF-Expand-Label (RFC 8446 section 7.1) for at most 32 bytes: a single round of HKDF.
    info = size.to_bytes(2, "big") + tls.vector(b"tls13 " + label, 1) + b"\0"
    return hmac.digest(secret, info + b"\1", "sha256")[:size]


@lru_cache(maxsize=4)
def _keys(connection: bytes, side: bytes) -> tuple[AESGCM, bytes, bytes]:
    secret = _expand(hmac.digest(_SALT, connection, "sha256"), side, 32)
    return AESGCM(_expand(secret, b"quic key", 16)), _expand(secret, b"quic iv", 12), _expand(secret, b"quic hp", 16)


def initial(
    first: bytes, side: bytes, to: bytes, own: bytes, number: int, frames: bytes, *, size: int = 0, token: bytes = b""
) -> bytes:
    """One protected Initial packet.

    `first` is the connection id of the client's first packet, which the keys come from; `side` is `client in` or
    `server in`; `to` and `own` are the ids in the header; `size` pads the packet to that many bytes.
    """
    gcm, iv, header_key = _keys(first, side)
    head = _VERSION + tls.vector(to, 1) + tls.vector(own, 1) + varint(len(token)) + token
    frames = frames.ljust(max(4, size - len(head) - 21), b"\0")  # 1 flag byte, 2 of length, 2 of number, 16 of tag
    length = (0x4000 | (len(frames) + 18)).to_bytes(2, "big")
    counter = number.to_bytes(2, "big")
    header = b"\xc1" + head + length + counter
    nonce = iv[:10] + bytes([iv[10] ^ counter[0], iv[11] ^ counter[1]])
    sealed = gcm.encrypt(nonce, frames, header)
    # RFC 9001 section 5.4.2: the sample begins four bytes after the start of the packet number.
    mask = Cipher(algorithms.AES(header_key), modes.ECB()).encryptor().update(sealed[2:18])  # noqa: S305  as RFC 9001
    hidden = bytes([counter[0] ^ mask[1], counter[1] ^ mask[2]])
    return bytes([0xC1 ^ (mask[0] & 0x0F)]) + header[1:-2] + hidden + sealed


def crypto(offset: int, data: bytes) -> bytes:
    """A CRYPTO frame (RFC 9000 section 19.6)."""
    return b"\x06" + varint(offset) + varint(len(data)) + data


def acknowledge(largest: int) -> bytes:
    """An ACK frame of one packet (RFC 9000 section 19.3)."""
    return b"\x02" + varint(largest) + b"\0\0\0"


def _parameters(own: bytes) -> bytes:
    # RFC 9000 section 18.2: idle timeout, payload size, data limits, stream limits, the client's own connection id.
    numbers = bytes.fromhex(
        "0104800075300302 45c0 0404 80f00000 0504 80600000 0604 80600000 0704 80600000 0802 4064 0902 4067"
    )
    return numbers + b"\x0f" + tls.vector(own, 1)


def client_initials(stack: tls.Stack, name: str, first: bytes, rng: random.Random) -> list[bytes]:
    """The datagrams of a client's hello: one, or two where a post-quantum share does not fit.

    Frames are split as Chrome does it: out of order and mixed with PING and PADDING, so that nobody relies on order.
    """
    hello = tls.client_hello(stack, name, rng, alpn=("h3",), quic=_parameters(b""))
    if len(hello) > 1100:
        early, late = sorted((rng.randrange(40, 300), rng.randrange(700, 1000)))
        pieces = [(0, hello[:early]), (late, hello[late:])]
        datagrams = [
            crypto(*pieces[1]) + b"\1" + crypto(*pieces[0])
            if rng.random() < 0.5
            else b"".join(crypto(*p) for p in pieces),
            b"\1" + crypto(early, hello[early:late]),
        ]
    elif stack.shuffle:
        cuts = [0, *sorted(rng.sample(range(8, len(hello) - 8), 3)), len(hello)]
        frames = [crypto(start, hello[start:end]) for start, end in itertools.pairwise(cuts)] + [
            b"\1",
            b"\0" * 9,
        ]
        rng.shuffle(frames)
        datagrams = [b"".join(frames)]
    else:
        datagrams = [crypto(0, hello)]
    return [initial(first, b"client in", first, b"", n, frames, size=SIZE) for n, frames in enumerate(datagrams, 1)]


def _long(flags: int, to: bytes, own: bytes, rng: random.Random, size: int) -> bytes:
    return bytes([flags]) + _VERSION + tls.vector(to, 1) + tls.vector(own, 1) + varint(size) + rng.randbytes(size)


def server_flight(first: bytes, own: bytes, rng: random.Random) -> list[bytes]:
    """The server's first two datagrams: Initial (ACK, ServerHello) coalesced with Handshake, and more Handshake."""
    share = tls.extension(51, b"\0\x1d" + tls.vector(rng.randbytes(32), 2)) + tls.extension(43, b"\3\4")
    hello = tls.handshake(2, b"\3\3" + rng.randbytes(32) + b"\0\x13\x01\0" + tls.vector(share, 2))
    opening = initial(first, b"server in", b"", own, 0, acknowledge(1) + crypto(0, hello), size=170)
    return [opening + _long(0xE1, b"", own, rng, 1020), _long(0xE5, b"", own, rng, 1190)]


def client_finish(first: bytes, server: bytes, rng: random.Random) -> bytes:
    """The client's acknowledging Initial, coalesced with its Handshake Finished, in one full-size datagram."""
    finish = _long(0xE2, server, b"", rng, 78)
    return initial(first, b"client in", server, b"", 3, acknowledge(0), size=SIZE - len(finish)) + finish


def short(to: bytes, rng: random.Random, size: int) -> bytes:
    """A 1-RTT packet of `size` bytes (RFC 9000 section 17.3.1)."""
    return bytes([0x40 | rng.randrange(64)]) + to + rng.randbytes(max(21, size - 1 - len(to)))
