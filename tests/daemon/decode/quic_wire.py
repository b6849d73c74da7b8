"""QUIC Initials for tests: protection written from RFC 9001 section 5 on `cryptography`'s HKDF and AES-ECB.

Shares nothing with the code under test (which uses HMAC directly, and CTR in ECB's place), so that the two check each
other; the vectors of RFC 9001 and RFC 9369, appendix A, check both.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

V1, V2, DRAFT_29, MVFST = 0x00000001, 0x6B3343CF, 0xFF00001D, 0xFACEB00E

_SALTS = {
    V1: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899",
    0xFF00001B: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
    0xFF000022: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    MVFST: "c3eef712c72ebb5a11a7d2432bb46365bef9f502",
}


def varint(value: int) -> bytes:
    """RFC 9000 section 16, in the shortest form."""
    for width, prefix in ((1, 0), (2, 1), (4, 2), (8, 3)):
        if value < 1 << (8 * width - 2):
            return (value | prefix << (8 * width - 2)).to_bytes(width, "big")
    raise AssertionError("too large for QUIC")


def crypto(offset: int, data: bytes) -> bytes:
    """A CRYPTO frame."""
    return b"\x06" + varint(offset) + varint(len(data)) + data


def _expand(secret: bytes, label: str, size: int) -> bytes:
    text = b"tls13 " + label.encode()
    info = size.to_bytes(2, "big") + bytes([len(text)]) + text + b"\0"
    return HKDFExpand(SHA256(), size, info).derive(secret)


def initial(
    frames: bytes,
    dcid: bytes = b"original",
    *,
    version: int = V1,
    key_dcid: bytes | None = None,
    scid: bytes = b"",
    token: bytes = b"",
    number: int = 0,
    width: int = 4,
    size: int = 1200,
    server: bool = False,
) -> bytes:
    """An Initial packet padded to `size` bytes, protected by the keys of `key_dcid` (default: its own `dcid`)."""
    extract = HMAC(bytes.fromhex(_SALTS[version]), SHA256())
    extract.update(dcid if key_dcid is None else key_dcid)
    secret = _expand(extract.finalize(), "server in" if server else "client in", 32)
    word = "quicv2" if version == V2 else "quic"
    key, iv, hp = (_expand(secret, f"{word} {name}", length) for name, length in (("key", 16), ("iv", 12), ("hp", 16)))
    first = 0xC0 | (0x10 if version == V2 else 0) | (width - 1)
    head = bytes([first]) + version.to_bytes(4, "big") + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid
    head += varint(len(token)) + token
    padding = max(0, size - len(head) - 2 - width - 16 - len(frames))
    body = frames + bytes(padding)
    head += (len(body) + width + 16 | 0x4000).to_bytes(2, "big") + number.to_bytes(width, "big")
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big"), strict=True))
    sealed = AESGCM(key).encrypt(nonce, body, head)
    mask = Cipher(AES(hp), ECB()).encryptor().update(sealed[4 - width : 20 - width])  # noqa: S305  RFC 9001 section 5.4.3
    hidden = bytes(a ^ b for a, b in zip(head[-width:], mask[1:5], strict=False))
    return bytes([first ^ (mask[0] & 0x0F)]) + head[1:-width] + hidden + sealed
