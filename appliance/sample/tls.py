"""TLS handshakes of the programs that live in a home: browsers, Apple's stack, OpenSSL, mbed TLS.

Rules:
1. The visible part of a handshake is exact (RFC 8446, RFC 5246; GREASE of RFC 8701; the hybrid X25519MLKEM768).
2. What a real peer would encrypt is random bytes of the right length: nobody without the keys can tell.
3. A certificate is real DER, signed with Ed25519 from a fixed key, so that the same words give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
import struct
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

HANDSHAKE, CHANGE_CIPHER, APPLICATION = 22, 20, 23
X25519MLKEM768 = 0x11EC
MLKEM_SHARE = 1216  # ML-KEM-768 encapsulation key 1184 + X25519 share 32


@dataclass(frozen=True, slots=True)
class Stack:
    """What a TLS library offers: cipher suites, groups, signature schemes, versions, all in its order."""

    ciphers: str
    groups: tuple[int, ...]
    signatures: str
    versions: tuple[int, ...]
    grease: bool = False
    shuffle: bool = False  # Chrome permutes its extensions since version 110
    ech: bool = False
    session_id: bool = True
    alpn: tuple[str, ...] = ("h2", "http/1.1")


_MODERN = "130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035"
_SIGNATURES = "0403080404010503080505010806060102010203"
STACKS = {
    "chrome": Stack(
        _MODERN, (X25519MLKEM768, 29, 23, 24), "04030804040105030805050108060601", (0x0304, 0x0303),
        grease=True, shuffle=True, ech=True,
    ),
    "apple": Stack(
        "130113021303c02cc02bcca9c030c02fcca8c00ac009c014c013009d009c0035002f",
        (X25519MLKEM768, 29, 23, 24, 25), _SIGNATURES, (0x0304, 0x0303), grease=True,
    ),
    "openssl3": Stack(
        "130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067", (29, 23, 30, 25, 24), _SIGNATURES,
        (0x0304, 0x0303), alpn=("http/1.1",),
    ),
    "openssl1": Stack(
        "c02cc030009fcca9cca8ccaac02bc02f009ec024c028c023c027009d009c003d003c0035002f00ff", (29, 23, 30, 25, 24),
        _SIGNATURES, (0x0303,), session_id=False, alpn=(),
    ),
    "mbedtls": Stack(
        "c02cc030c0adc0afc02bc02fc0acc0aec00ac014c009c013009dc09d009cc09c0035002f00ff", (23, 24, 25),
        "0603050304030401", (0x0303,), session_id=False, alpn=(),
    ),
    "schannel": Stack(
        "13021301c02cc02bc030c02fc024c023c028c027c00ac009c014c013009d009c003d003c0035002f", (29, 23, 24), _SIGNATURES,
        (0x0304, 0x0303),
    ),
}  # fmt: skip


def vector(data: bytes, size: int) -> bytes:
    """`data` behind its length in `size` bytes (RFC 8446 section 3.4)."""
    return len(data).to_bytes(size, "big") + data


def extension(kind: int, data: bytes) -> bytes:
    """One extension (RFC 8446 section 4.2)."""
    return struct.pack(">HH", kind, len(data)) + data


def handshake(kind: int, body: bytes) -> bytes:
    """One handshake message (RFC 8446 section 4)."""
    return bytes([kind]) + vector(body, 3)


def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """One record (RFC 8446 section 5.1); at most 2**14 bytes."""
    return struct.pack(">BHH", kind, version, len(body)) + body


def application(rng: random.Random, size: int) -> bytes:
    """Encrypted application data: records of at most 8 KiB that together carry `size` bytes."""
    out = b""
    while size > 0:
        part = min(size, 8192)
        out += record(APPLICATION, rng.randbytes(part + 17))
        size -= part
    return out


def _u16s(values: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


def _key_share(stack: Stack, rng: random.Random, grease: tuple[int, ...]) -> bytes:
    shares = b""
    for group in grease:
        shares += struct.pack(">HHB", group, 1, 0)
    if X25519MLKEM768 in stack.groups:
        shares += struct.pack(">HH", X25519MLKEM768, MLKEM_SHARE) + rng.randbytes(MLKEM_SHARE)
    shares += struct.pack(">HH", 29, 32) + rng.randbytes(32)
    return extension(51, vector(shares, 2))


def client_hello(
    stack: Stack,
    name: str,
    rng: random.Random,
    *,
    alpn: tuple[str, ...] | None = None,
    quic: bytes | None = None,
    resumed: bool = False,
) -> bytes:
    """The ClientHello handshake message.

    `quic` holds the transport parameters of a QUIC client (RFC 9001 section 8.2); `resumed` offers a ticket of an
    earlier session, as a pre-shared key where TLS 1.3 is offered (RFC 8446 section 4.2.11).
    """
    modern = 0x0304 in stack.versions
    odd = tuple(0x0A0A + 0x1010 * rng.randrange(16) for _ in range(4)) if stack.grease else ()
    versions = stack.versions[:1] if quic is not None else stack.versions
    offered = stack.alpn if alpn is None else alpn
    extensions = []
    if name:
        extensions.append(extension(0, vector(b"\0" + vector(name.encode(), 2), 2)))
    extensions.append(extension(10, vector(_u16s(odd[:1] + stack.groups), 2)))
    extensions.append(extension(13, vector(bytes.fromhex(stack.signatures), 2)))
    if offered:
        extensions.append(extension(16, vector(b"".join(vector(text.encode(), 1) for text in offered), 2)))
    if quic is None:
        extensions += [extension(23, b""), extension(0xFF01, b"\0"), extension(11, b"\1\0")]
        extensions.append(extension(35, rng.randbytes(176) if resumed and not modern else b""))
        extensions.append(extension(5, b"\1\0\0\0\0"))
    else:
        extensions.append(extension(57, quic))
    if modern:
        extensions.append(extension(43, vector(_u16s(odd[1:2] + versions), 1)))
        extensions.append(extension(45, b"\1\1"))
        extensions.append(_key_share(stack, rng, odd[:1]))
    if stack.ech:
        # GREASE ECH, RFC 9849 section 6.2: outer, HKDF-SHA256 with AES-128-GCM, random config id, key and payload.
        extensions.append(
            extension(
                0xFE0D, b"\0\0\1\0\1" + rng.randbytes(1) + vector(rng.randbytes(32), 2) + vector(rng.randbytes(144), 2)
            )
        )
        extensions.append(extension(27, b"\2\0\2"))
    if stack.shuffle:
        rng.shuffle(extensions)
    if odd:
        extensions.insert(0, extension(odd[2], b""))
        extensions.append(extension(odd[3] if odd[3] != odd[2] else odd[2] ^ 0x1010, b"\0"))
    if resumed and modern:  # must be the last extension
        identity = vector(rng.randbytes(176), 2) + rng.randbytes(4)
        extensions.append(extension(41, vector(identity, 2) + vector(vector(rng.randbytes(32), 1), 2)))
    ciphers = _u16s(odd[:1]) + bytes.fromhex(stack.ciphers)
    session = rng.randbytes(32) if stack.session_id and quic is None else b""
    body = (
        b"\3\3"
        + rng.randbytes(32)
        + vector(session, 1)
        + vector(ciphers, 2)
        + b"\1\0"
        + vector(b"".join(extensions), 2)
    )
    return handshake(1, body)


def server_hello(hello: bytes, rng: random.Random, *, modern: bool, hybrid: bool) -> bytes:
    """The ServerHello that answers `hello`: TLS 1.3 with one key share, or TLS 1.2 with ALPN left out."""
    session = hello[39 : 39 + hello[38]]
    if not modern:
        extensions = extension(0xFF01, b"\0") + extension(23, b"") + extension(11, b"\1\0")
        return handshake(
            2, b"\3\3" + rng.randbytes(32) + vector(rng.randbytes(32), 1) + b"\xc0\x2f\0" + vector(extensions, 2)
        )
    # The server's hybrid share is a ciphertext of 1088 bytes and an X25519 share of 32.
    group, share = (X25519MLKEM768, rng.randbytes(1120)) if hybrid else (29, rng.randbytes(32))
    extensions = extension(51, struct.pack(">HH", group, len(share)) + share) + extension(43, b"\3\4")
    return handshake(2, b"\3\3" + rng.randbytes(32) + vector(session, 1) + b"\x13\x01\0" + vector(extensions, 2))


_BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(2027, 1, 31, tzinfo=dt.UTC)


@functools.lru_cache(maxsize=512)
def certificate(name: str, organisation: str, issuer: str) -> bytes:
    """A DER certificate for `name` and its wildcard sibling, valid through 2026, signed by `issuer`."""
    key = Ed25519PrivateKey.from_private_bytes(issuer.encode().ljust(32, b"\0")[:32])
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        subject.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    parent = name.split(".", 1)[1]
    names = [x509.DNSName(name)] + ([x509.DNSName(f"*.{parent}")] if "." in parent else [])
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(int.from_bytes(name.encode()[:16].ljust(16, b"\1"), "big"))
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, None)
    )
    return made.public_bytes(Encoding.DER)


def old_server_flight(hello: bytes, name: str, organisation: str, rng: random.Random) -> bytes:
    """The records of a TLS 1.2 server: ServerHello, Certificate, ServerKeyExchange, ServerHelloDone (RFC 5246 7.3)."""
    chain = vector(certificate(name, organisation, "Sample Home Issuing CA 1"), 3)
    chain += vector(certificate("ca1.sample-home.example", "Sample Home CA", "Sample Home Root"), 3)
    exchange = b"\3\0\x1d" + vector(rng.randbytes(32), 1) + b"\4\1" + vector(rng.randbytes(256), 2)
    return (
        record(HANDSHAKE, server_hello(hello, rng, modern=False, hybrid=False))
        + record(HANDSHAKE, handshake(11, vector(chain, 3)))
        + record(HANDSHAKE, handshake(12, exchange))
        + record(HANDSHAKE, handshake(14, b""))
    )


def old_server_resumption(hello: bytes, rng: random.Random) -> bytes:
    """What a TLS 1.2 server sends that accepts a ticket: no certificate (RFC 5077 section 3.1)."""
    return record(HANDSHAKE, server_hello(hello, rng, modern=False, hybrid=False)) + old_finish(rng)


def old_client_finish(rng: random.Random) -> bytes:
    """ClientKeyExchange, ChangeCipherSpec and the encrypted Finished of TLS 1.2."""
    return record(HANDSHAKE, handshake(16, vector(rng.randbytes(32), 1))) + old_finish(rng)


def old_finish(rng: random.Random) -> bytes:
    """ChangeCipherSpec and the encrypted Finished of either end of TLS 1.2."""
    return record(CHANGE_CIPHER, b"\1") + record(HANDSHAKE, b"\0" * 8 + rng.randbytes(32))
