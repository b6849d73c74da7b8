"""Initial packet protection of QUIC: keys that anyone who saw the first packet can derive (RFC 9001 section 5).

Rule 1: a packet that is whole is believed only if its AEAD tag holds.
Rule 2: a packet that the capture cut has no tag left; it is decrypted without, and its reader must judge the plaintext.
Rule 3: `_quic.c`, where it was built, opens whole packets (`native=False` makes keys that do without).
Rule 4: which salt a private version uses is decided by the tag, too: several are tried.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from daemon.decode.cursor import DecodeError

try:
    from daemon.decode import _quic
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_V1_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001 section 5.2
_V2_SALT = bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9")  # RFC 9369 section 3.3.1
_DRAFT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")  # draft-ietf-quic-tls-29 to -32
_DRAFT_23 = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")  # -23 to -28
_DRAFT_22 = bytes.fromhex("7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a")
_T051 = bytes.fromhex("7a4edef4e7ccee5fa4506c19124fc8ccda6e033d")  # Google's QUIC with TLS, Chrome 85 to 88
_T050 = bytes.fromhex("7ff579e5acd072915580304c43a2367c60488310")

V2 = 0x6B3343CF
_PRIVATE = (_DRAFT_23, _V1_SALT, _DRAFT_29)

SALTS: dict[int, tuple[bytes, ...]] = {
    0x00000001: (_V1_SALT,),
    V2: (_V2_SALT,),
    0xFF000016: (_DRAFT_22,),
    **{0xFF000000 | draft: (_DRAFT_23,) for draft in range(23, 29)},
    **{0xFF000000 | draft: (_DRAFT_29,) for draft in range(29, 33)},
    0xFF000021: (_V1_SALT,),
    0xFF000022: (_V1_SALT,),
    0x54303530: (_T050,),
    0x54303531: (_T051,),
    0xFACEB001: (_DRAFT_22,),  # mvfst (Facebook); the later experimental numbers are not documented
    **{0xFACEB000 | number: _PRIVATE for number in range(2, 32)},
    0xABCD0000: (_V1_SALT, _DRAFT_29),  # MsQuic's own numbers
    0xABCD0001: (_V1_SALT, _DRAFT_29),
}


def _label(size: int, text: bytes) -> bytes:
    # RFC 8446 section 7.1: HkdfLabel without context; the last byte is the counter of HKDF-Expand's only block.
    text = b"tls13 " + text
    return size.to_bytes(2, "big") + bytes((len(text),)) + text + b"\x00\x01"


_SIDES = {"client": _label(32, b"client in"), "server": _label(32, b"server in")}
_V1_LABELS = _label(16, b"quic key"), _label(12, b"quic iv"), _label(16, b"quic hp")
_V2_LABELS = _label(16, b"quicv2 key"), _label(12, b"quicv2 iv"), _label(16, b"quicv2 hp")  # RFC 9369 section 3.3.2

# version -> the client's salt and labels, for `_quic.read_hello`, which reads no other versions
CLIENTS = {1: (_V1_SALT, (_SIDES["client"], *_V1_LABELS)), V2: (_V2_SALT, (_SIDES["client"], *_V2_LABELS))}

_INNER, _OUTER = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))


def _pads(key: bytes) -> tuple[bytes, bytes]:
    """RFC 2104 section 2: what a key of at most 64 bytes puts before the inner and the outer message."""
    block = key.ljust(64, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


def _hmac(pads: tuple[bytes, bytes], message: bytes) -> bytes:
    # OpenSSL sets up its own HMAC anew for every key, which takes longer than all of this.
    return sha256(pads[1] + sha256(pads[0] + message).digest()).digest()


class Keys(NamedTuple):
    """What protects the Initials of one side."""

    key: bytes
    nonce: int  # 96 bits
    header: bytes  # the key of header protection
    native: bytes | None  # all of them, for `_quic.open_packet`


@lru_cache(maxsize=128)  # most hellos of today fill two packets
def initial_keys(version: int, salt: bytes, dcid: bytes, side: str, *, native: bool = NATIVE) -> Keys:
    """Keys from the destination connection id of the client's first Initial; `side`: `client` or `server`."""
    labels = _V2_LABELS if version == V2 else _V1_LABELS
    if native:
        made = _quic.keys(salt, dcid, (_SIDES[side], *labels))
        return Keys(made[:16], int.from_bytes(made[16:28], "big"), made[28:44], made)
    initial = _hmac(_pads(salt), dcid)  # HKDF-Extract
    secret = _pads(_hmac(_pads(initial), _SIDES[side]))
    key, nonce, header = [_hmac(secret, label) for label in labels]
    return Keys(key[:16], int.from_bytes(nonce[:12], "big"), header[:16], None)


@lru_cache(maxsize=128)
def _contexts(key: bytes, header: bytes) -> tuple[AESGCM, CipherContext]:
    """AES for the payload and of single blocks for the header."""
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415  slow to import; C does without
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.ciphers.modes import ECB  # noqa: PLC0415  as above

    # ECB of single blocks is what RFC 9001 section 5.4.3 asks for.
    return AESGCM(key), Cipher(AES128(header), ECB()).encryptor()  # noqa: S305  see above


def open_packet(keys: Keys, packet: bytes, number_pos: int, end: int) -> bytes:
    """The plaintext of an Initial; `packet` starts at its first byte, `number_pos` and `end` are offsets in it.

    Where `end` lies behind the packet the capture cut it, and the plaintext is unverified. Raises DecodeError: these
    are not its keys, or there is too little of it.
    """
    sample = packet[number_pos + 4 : number_pos + 20]
    if len(sample) < 16 or end < number_pos + 20:
        raise DecodeError("QUIC packet too short to sample")
    if keys.native is not None and 0 < number_pos < 1 << 16 and end <= len(packet):
        plain = _quic.open_packet(keys.native, packet, number_pos, end)
        if plain is None:
            raise DecodeError("QUIC Initial of other keys")
        return plain
    payload, block = _contexts(keys.key, keys.header)
    mask = block.update(sample)  # RFC 9001 section 5.4.3
    first = packet[0] ^ (mask[0] & 0x0F)
    width = (first & 3) + 1
    number = int.from_bytes(packet[number_pos : number_pos + width], "big") ^ int.from_bytes(mask[1 : 1 + width], "big")
    body = number_pos + width
    # Section 5.3. The first Initials have small numbers, so the truncated one is the whole one (RFC 9000 appendix A.3).
    nonce = (keys.nonce ^ number).to_bytes(12, "big")
    if end > len(packet):
        return _decrypt_unverified(keys.key, nonce, packet[body:])
    header = bytes((first,)) + packet[1:number_pos] + number.to_bytes(width, "big")
    return _decrypt(payload, nonce, packet[body:end], header)


def _decrypt_unverified(key: bytes, nonce: bytes, data: bytes) -> bytes:
    """SP 800-38D section 7.1: GCM encrypts by CTR from block 2."""
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415  see `_contexts`
    from cryptography.hazmat.primitives.ciphers.algorithms import AES128  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.ciphers.modes import CTR  # noqa: PLC0415  as above

    return Cipher(AES128(key), CTR(nonce + b"\x00\x00\x00\x02")).decryptor().update(data)


def _decrypt(payload: AESGCM, nonce: bytes, data: bytes, header: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  see `_contexts`

    try:
        return payload.decrypt(nonce, data, header)
    except InvalidTag as exc:
        raise DecodeError("QUIC Initial of other keys") from exc
