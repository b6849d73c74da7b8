"""Addresses and uncompressed names, as several of the small parsers need them.

Rule: these read a whole field that its parser has already cut out; what does not fit is left out, not an error.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET6, inet_ntoa, inet_ntop

from daemon.decode.text import free_text

_MOST_ADDRESSES = 16  # of one list: more than any home announces


@lru_cache(maxsize=4096)
def ipv4_text(raw: bytes) -> str:
    """Four bytes as an address."""
    return inet_ntoa(raw)


@lru_cache(maxsize=4096)
def ipv6_text(raw: bytes) -> str:
    """Sixteen bytes as an address in canonical form (RFC 5952)."""
    return inet_ntop(AF_INET6, raw)


def ipv4_list(raw: bytes) -> tuple[str, ...]:
    """The IPv4 addresses that stand one behind another; an incomplete last one is dropped."""
    whole = min(len(raw) // 4, _MOST_ADDRESSES)
    return tuple([ipv4_text(raw[4 * i : 4 * i + 4]) for i in range(whole)])


def ipv6_list(raw: bytes) -> tuple[str, ...]:
    """The IPv6 addresses that stand one behind another; an incomplete last one is dropped."""
    whole = min(len(raw) // 16, _MOST_ADDRESSES)
    return tuple([ipv6_text(raw[16 * i : 16 * i + 16]) for i in range(whole)])


def wire_name(raw: bytes) -> str:
    """A name in DNS wire form without compression, in the case it was sent in; "" where it is malformed.

    The root label may be missing: RFC 4702 section 2.3.1 and RFC 8415 section 10 allow a partial name.
    """
    labels: list[str] = []
    position = 0
    while position < len(raw) and raw[position]:
        end = position + 1 + raw[position]
        if raw[position] > 63 or end > len(raw):  # RFC 1035 section 2.3.4
            return ""
        labels.append(free_text(raw[position + 1 : end]).replace(".", "\\046"))
        position = end
    return ".".join(labels)
