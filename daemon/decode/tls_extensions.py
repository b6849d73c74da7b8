"""The extensions of a TLS hello: the block, and the few bodies that say something about name, version and protocol.

Rule 1: one broken extension ends the reading, and what stood before it is kept: a name that was sent is a fact even if
        something after it is malformed. `whole` says whether the block was read to its end.
Rule 2: of two extensions of one type the first counts (RFC 8446 section 4.2 forbids the second).
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.ja4 import GREASE
from daemon.decode.text import name_text

SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS = 0x0000, 0x000D, 0x0010, 0x002B
ENCRYPTED_CLIENT_HELLO, ENCRYPTED_SERVER_NAME = 0xFE0D, 0xFFCE

_READ = frozenset(
    (SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS, ENCRYPTED_CLIENT_HELLO, ENCRYPTED_SERVER_NAME)
)

MAX_NAME = 255  # RFC 1035 section 2.3.4: a host name cannot be longer, so the rest of an absurd one is not kept
MAX_PROTOCOLS = 32  # of ALPN; real clients offer two or three

_HEADER = Struct("!HH").unpack_from
_NAMES = {
    0x0300: "SSL3.0",
    0x0301: "TLS1.0",
    0x0302: "TLS1.1",
    0x0303: "TLS1.2",
    0x0304: "TLS1.3",
    0x0100: "DTLS1.0",  # OpenSSL before 0.9.8f, and Cisco AnyConnect to this day
    0xFEFF: "DTLS1.0",
    0xFEFD: "DTLS1.2",
    0xFEFC: "DTLS1.3",
}


class Extensions(NamedTuple):
    """An extensions block."""

    bodies: dict[int, bytes]  # the first of each type named above; one that the bytes' end cuts, as far as it goes
    order: list[int]  # types as sent
    whole: bool


def parse_extensions(message: bytes, pos: int, size: int) -> Extensions:
    """The block from `pos` to `size`; its absence is allowed (RFC 5246 section 7.4.1.2)."""
    bodies: dict[int, bytes] = {}
    order: list[int] = []
    if pos + 2 > size:
        return Extensions(bodies, order, whole=pos == size)
    end = pos + 2 + (message[pos] << 8 | message[pos + 1])
    pos += 2
    whole = end <= size
    if not whole:
        end = size
    while pos < end:
        if pos + 4 > end:
            return Extensions(bodies, order, whole=False)
        code, length = _HEADER(message, pos)
        pos += 4
        stop = pos + length
        if stop > end:
            whole = False
            stop = end
        order.append(code)
        if code in _READ and code not in bodies:
            bodies[code] = message[pos:stop]
        pos = stop
    return Extensions(bodies, order, whole)


def server_name(body: bytes, *, cut: bool) -> str | None:
    """RFC 6066 section 3: a list of typed names, of which host_name (0) is the only type ever defined.

    None: no name, or an empty one. `cut`: the capture may have ended inside the body; if it did, DecodeError.
    """
    pos = 2
    while pos + 3 <= len(body):
        end = pos + 3 + (body[pos + 1] << 8 | body[pos + 2])
        if end > len(body):
            break
        if body[pos] == 0:
            return name_text(body[pos + 3 : min(end, pos + 3 + MAX_NAME)]) or None
        pos = end
    if cut and len(body) < 2 + int.from_bytes(body[:2], "big"):
        raise DecodeError("hello is cut inside its name")
    return None


def protocol_names(body: bytes) -> list[bytes]:
    """RFC 7301 section 3.1: length-prefixed names behind the length of the list; the first `MAX_PROTOCOLS` of them."""
    names: list[bytes] = []
    pos = 2
    while pos < len(body) and len(names) < MAX_PROTOCOLS:
        end = pos + 1 + body[pos]
        if end > len(body):
            break
        names.append(body[pos + 1 : end])
        pos = end
    return names


def highest_version(body: bytes) -> int:
    """The newest version of a client's supported_versions (RFC 8446 section 4.2.1), GREASE aside; -1: none.

    TLS 1.3 proper wins over its drafts (0x7fXX); DTLS counts downwards (RFC 9147 section 5.3).
    """
    offered = [code for a, b in zip(body[1::2], body[2::2], strict=False) if (code := a << 8 | b) not in GREASE]
    if 0x0304 in offered:
        return 0x0304
    datagram = [code for code in offered if code >> 8 == 0xFE]
    return min(datagram) if datagram else max(offered, default=-1)


def version_name(code: int) -> str:
    """`TLS1.2`, `DTLS1.2`, `TLS1.3-draft28`, else `0x....`; "" for an unknown one (negative)."""
    if code < 0:
        return ""
    if code >> 8 in (0x7F, 0xFB):  # the drafts' own numbers, and Facebook's for the same drafts
        return f"TLS1.3-draft{code & 0xFF}"
    return _NAMES.get(code) or f"0x{code:04x}"
