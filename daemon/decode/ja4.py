"""JA4, the fingerprint of a TLS client, as FoxIO publishes it (technical_details/JA4.md, BSD-3-Clause).

Rule 1: GREASE values (RFC 8701) count nowhere.
Rule 2: the order of suites and extensions is not part of the fingerprint, the order of signature algorithms is.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from struct import pack, unpack_from

GREASE = frozenset(n << 12 | 0x0A00 | n << 4 | 0x0A for n in range(16))  # RFC 8701 section 2
_GREASE_ALPN = frozenset(code.to_bytes(2, "big") for code in GREASE)
_SERVER_NAME, _ALPN = 0x0000, 0x0010

_VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}
_EMPTY = "000000000000"
_ALPHANUMERIC = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def code_list(raw: bytes) -> list[int]:
    """A list of 16-bit code points as it stands in a hello; an odd last byte is dropped."""
    return list(unpack_from(f"!{len(raw) // 2}H", raw))


def ja4(
    transport: str,
    version: int,
    extensions: list[int],
    ciphers: list[int],
    alpn: list[bytes],
    signatures: list[int],
) -> str:
    """The fingerprint, for example `t13d1516h2_8daaf6152771_e5627efa2ab1`.

    `transport`: `t` TCP, `q` QUIC, `d` DTLS. `version`: highest offered, as on the wire. `extensions`: their types,
    `ciphers`, `signatures`: code points, `alpn`: protocol names; all as sent, in the hello's order, GREASE included.
    """
    return _hashed(raw_ja4(transport, version, extensions, ciphers, alpn, signatures))


def raw_ja4(
    transport: str,
    version: int,
    extensions: list[int],
    ciphers: list[int],
    alpn: list[bytes],
    signatures: list[int],
) -> str:
    """The fingerprint before its lists are hashed (FoxIO's JA4_r): `t13d1516h2_002f,0035,..._0005,000a,..._0403,...`."""
    suites = sorted([code for code in ciphers if code not in GREASE])
    kinds = sorted([code for code in extensions if code not in GREASE])
    # The first part has said all that counts of these two.
    hashed = [code for code in kinds if code not in (_SERVER_NAME, _ALPN)]
    listed = _hex(hashed)
    algorithms = [code for code in signatures if code not in GREASE]
    if algorithms:
        listed = f"{listed}_{_hex(algorithms)}"
    return (
        f"{transport}{_VERSIONS.get(version, '00')}{'d' if _SERVER_NAME in kinds else 'i'}"
        f"{min(len(suites), 99):02}{min(len(kinds), 99):02}{_alpn_ends(alpn)}_{_hex(suites)}_{listed}"
    )


def _hashed(raw: str) -> str:
    first, suites, listed = raw.split("_", 2)
    extensions = listed.partition("_")[0]  # without any, signature algorithms do not count either
    return f"{first}_{_hash(suites) if suites else _EMPTY}_{_hash(listed) if extensions else _EMPTY}"


# A home has some dozens of clients. The keys are those of `_hello.c`, which bounds them to 3 KB.
known_ja4 = lru_cache(maxsize=1024)(_hashed)


def _hex(codes: list[int]) -> str:
    """Four lower-case hex digits each, comma between."""
    return pack(f"!{len(codes)}H", *codes).hex(",", 2)


def _hash(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()[:12]


def _alpn_ends(protocols: list[bytes]) -> str:
    """First and last character of the first protocol; of its hex form where either is not alphanumeric."""
    for first in protocols:
        if first in _GREASE_ALPN:
            continue
        if not first:
            break
        if first[0] in _ALPHANUMERIC and first[-1] in _ALPHANUMERIC:
            return chr(first[0]) + chr(first[-1])
        return f"{first[0] >> 4:x}{first[-1] & 15:x}"
    return "00"
