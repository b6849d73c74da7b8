"""Which packets of a batch are written, and how much of each: the owner's levels, applied. Pure, bounded, no exception.

Rule 1: of a device that is recorded without names every packet stays, with its time, its addresses and its true length,
        and ends behind its transport header. Names are in what comes after that.
Rule 2: where it is not certain what follows, less stays: of a fragment, a tunnel, a protocol that is not TCP, UDP or ICMP,
        and of frames that are not IP (LLDP says who somebody is) the headers that were understood. ARP is all addresses.
Rule 3: a length that a packet claims is believed only as far as the packet goes, and headers are walked a few at most.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from daemon.capture.records import Batch

_MAC, _ETHERNET = 6, 14
_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")  # IEEE 802.1Q and 802.1ad, and what was used before that
_MOST_TAGS = 2
_IPV4, _IPV6, _ARP = b"\x08\x00", b"\x86\xdd", b"\x08\x06"
_ARP_SIZE = 28  # RFC 826, with Ethernet and IPv4 addresses
_IPV4_LEAST, _IPV6_SIZE = 20, 40
_TCP, _UDP, _ICMP, _ICMPV6 = 6, 17, 1, 58
_TCP_LEAST, _DATAGRAM = 20, 8  # a UDP header, and of an ICMP message its type and checksum: then errors quote packets
_FRAGMENT = 44
_OPTIONS = frozenset((0, 43, 60, 135, 139, 140))  # IPv6 extension headers that tell their length in 8 bytes (RFC 6564)
_MOST_HEADERS = 8
_LATER = 0x1FFF  # RFC 791: where in its packet a fragment belongs; not at the beginning


def shaped(batch: Batch, off: AbstractSet[bytes], no_names: AbstractSet[bytes]) -> Batch:
    """The batch without packets from or to MACs in `off`, and of those in `no_names` only headers kept."""
    data, heads = batch.data, batch.heads
    starts, lengths = heads[2::4], heads[3::4]
    dropped: set[int] = set()
    kept: array[int] | None = None
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        to, sender = data[start : start + _MAC], data[start + _MAC : start + 2 * _MAC]
        if to in off or sender in off:
            dropped.add(number)
        elif to in no_names or sender in no_names:
            kept = kept if kept is not None else lengths[:]
            kept[number] = headers_end(data, start, length)
    whole = Batch(data, heads, kept)
    return whole.those(number for number in range(len(whole)) if number not in dropped) if dropped else whole


def headers_end(data: bytes, start: int, length: int) -> int:
    """How many bytes of an Ethernet frame, `length` bytes of `data` from `start`, are headers; see the rules."""
    frame = data[start : start + min(length, _MOST_BYTES)]
    at = _ETHERNET
    kind = frame[at - 2 : at]
    for _ in range(_MOST_TAGS):
        if kind not in _TAGS:
            break
        at += 4
        kind = frame[at - 2 : at]
    reach = _REACH.get(kind)
    end = at if reach is None else reach(frame, at)
    return min(end, length)


def _arp(_frame: bytes, at: int) -> int:
    return at + _ARP_SIZE


def _ipv4(frame: bytes, at: int) -> int:
    if len(frame) < at + _IPV4_LEAST or frame[at] >> 4 != 4:
        return at
    size = (frame[at] & 15) * 4
    if size < _IPV4_LEAST:
        return at
    later = int.from_bytes(frame[at + 6 : at + 8], "big") & _LATER
    return at + size if later else _transport(frame, at + size, frame[at + 9])


def _ipv6(frame: bytes, at: int) -> int:
    if len(frame) < at + _IPV6_SIZE or frame[at] >> 4 != 6:
        return at
    protocol = frame[at + 6]
    at += _IPV6_SIZE
    for _ in range(_MOST_HEADERS):
        if protocol not in _OPTIONS and protocol != _FRAGMENT:
            return _transport(frame, at, protocol)
        if len(frame) < at + 8:
            return at
        later = protocol == _FRAGMENT and int.from_bytes(frame[at + 2 : at + 4], "big") >> 3
        size = 8 if protocol == _FRAGMENT else 8 + frame[at + 1] * 8
        protocol = frame[at]
        at += size
        if later:
            return at
    return at


def _transport(frame: bytes, at: int, protocol: int) -> int:
    if protocol == _TCP and len(frame) >= at + _TCP_LEAST:
        return at + max(_TCP_LEAST, (frame[at + 12] >> 4) * 4)
    if protocol in (_UDP, _ICMP, _ICMPV6):
        return at + _DATAGRAM
    return at


_MOST_BYTES = _ETHERNET + 4 * _MOST_TAGS + _IPV6_SIZE + _MOST_HEADERS * 2048 + 60  # no header begins further behind
_REACH: dict[bytes, Callable[[bytes, int], int]] = {_ARP: _arp, _IPV4: _ipv4, _IPV6: _ipv6}
