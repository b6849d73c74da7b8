"""JA4, the fingerprint of a TLS client, as FoxIO publishes it (technical_details/JA4.md, BSD-3-Clause).

Rule 1: GREASE values (RFC 8701) count nowhere.
Rule 2: the order of suites and extensions is not part of the fingerprint, the order of signature algorithms is.
"""

from __future__ import annotations

from hashlib import sha256

_GREASE = frozenset(f"{n:x}a{n:x}a" for n in range(16))
_GREASE_ALPN = frozenset(bytes.fromhex(code) for code in _GREASE)
_GREASE_CODES = frozenset(int(code, 16) for code in _GREASE)
_NO_HASH = frozenset((*_GREASE_CODES, 0x0000, 0x0010))  # server_name and ALPN already stand in the first part

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


def hex_codes(raw: bytes) -> list[str]:
    """A list of 16-bit code points as four lower-case hex digits each, GREASE left out; an odd last byte is dropped."""
    if len(raw) % 2:
        raw = raw[:-1]
    return [code for code in raw.hex(",", 2).split(",") if code not in _GREASE] if raw else []


def ja4(
    transport: str,
    version: int,
    extensions: list[int],
    ciphers: list[str],
    alpn: list[bytes],
    signatures: list[str],
) -> str:
    """The fingerprint, for example `t13d1516h2_8daaf6152771_e5627efa2ab1`.

    `transport`: `t` TCP, `q` QUIC, `d` DTLS. `version`: highest offered, as on the wire. `extensions`: type codes,
    `ciphers` and `signatures`: from `hex_codes`, `alpn`: protocol names as sent; all in the hello's order.
    """
    hashed = [code for code in extensions if code not in _NO_HASH]
    hashed.sort()
    counted = len([code for code in extensions if code not in _GREASE_CODES])
    listed = ",".join([f"{code:04x}" for code in hashed])
    if signatures:
        listed = f"{listed}_{','.join(signatures)}"
    return (
        f"{transport}{_VERSIONS.get(version, '00')}{'d' if 0 in extensions else 'i'}"
        f"{min(len(ciphers), 99):02}{min(counted, 99):02}{_alpn_ends(alpn)}"
        f"_{_hash(','.join(sorted(ciphers))) if ciphers else _EMPTY}_{_hash(listed) if hashed else _EMPTY}"
    )


def _hash(text: str) -> str:
    return sha256(text.encode("ascii"), usedforsecurity=False).hexdigest()[:12]


def _alpn_ends(protocols: list[bytes]) -> str:
    """First and last character of the first protocol; of its hex form where either is not alphanumeric."""
    first = next((name for name in protocols if name not in _GREASE_ALPN), b"")
    if not first:
        return "00"
    if first[0] in _ALPHANUMERIC and first[-1] in _ALPHANUMERIC:
        return chr(first[0]) + chr(first[-1])
    return f"{first[0] >> 4:x}{first[-1] & 15:x}"
