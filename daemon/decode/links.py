"""From a captured frame to the network packet inside it: link types, tags and shims.

Rule 1: the numbers are LINKTYPE_ values of the capture file (https://www.tcpdump.org/linktypes.html). Of a link type
        that is not in SUPPORTED nothing is guessed; LINK_NAMES lets a message say what it was.
Rule 2: MACs are those of the outermost link header. Linux cooked captures carry only the sender's, and only on
        Ethernet-like interfaces (ARPHRD 1) is it a MAC.
Rule 3: tags and shims (802.1Q, QinQ, MPLS, PPPoE, LLC/SNAP, in any order, at most MAX_SHIMS) are taken off until IP or
        something that is no shim. A shim that is cut or broken stays: the frame counts under the shim's own ethertype.
Rule 4: `Link.ethertype` is an IEEE number, or 0 for 802.3 with an LLC header that names no ethertype.

Header layouts come from dpkt's `__hdr_fmt__`. Its classes themselves are not used: they parse all upper layers at once,
by well-known port, and raise on odd ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from daemon.decode.layouts import Layout
from daemon.decode.packet import NO_MAC, TUNNELS

IPV4 = 0x0800
IPV6 = 0x86DD
VLAN = 0x8100
PPPOE_SESSION = 0x8864
PPP = 0x880B
MPLS = 0x8847
LLC = 0  # what Packet calls an 802.3 frame without SNAP

SMALLEST_ETHERTYPE = 0x0600  # below it the field is an 802.3 length (IEEE 802.3 section 3.2.6)
MAX_SHIMS = 8
MAX_LABELS = 16

SUPPORTED = {
    0: "NULL",
    1: "ETHERNET",
    9: "PPP",
    12: "RAW",  # the number of DLT_RAW on most systems, found in files although 101 is the registered one
    14: "RAW",  # likewise on OpenBSD
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    101: "RAW",
    104: "C_HDLC",
    108: "LOOP",
    113: "LINUX_SLL",
    228: "IPV4",
    229: "IPV6",
    276: "LINUX_SLL2",
}
LINK_NAMES = SUPPORTED | {
    3: "AX25",
    6: "IEEE802_5",
    7: "ARCNET_BSD",
    8: "SLIP",
    10: "FDDI",
    100: "ATM_RFC1483",
    105: "IEEE802_11",
    107: "FRELAY",
    117: "PFLOG",
    119: "IEEE802_11_PRISM",
    122: "IP_OVER_FC",
    123: "SUNATM",
    127: "IEEE802_11_RADIOTAP",
    129: "ARCNET_LINUX",
    138: "APPLE_IP_OVER_IEEE1394",
    163: "IEEE802_11_AVS",
    **{number: f"USER{number - 147}" for number in range(147, 163)},
    166: "PPP_PPPD",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4_WITHFCS",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    220: "USB_LINUX_MMAPPED",
    227: "CAN_SOCKETCAN",
    230: "IEEE802_15_4_NOFCS",
    239: "NFLOG",
    240: "NETANALYZER",
    242: "IPOIB",
    249: "USBPCAP",
    251: "BLUETOOTH_LE_LL",
    252: "WIRESHARK_UPPER_PDU",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    256: "BLUETOOTH_LE_LL_WITH_PHDR",
    258: "PKTAP",
    266: "USB_DARWIN",
    272: "NORDIC_BLE",
    283: "IEEE802_15_4_TAP",
}

_ETHERNET = Layout("ethernet", "Ethernet", ">6s6sH")
_TAG = Layout("ethernet", "VLANtag8021Q", ">HH")
_SLL = Layout("sll", "SLL")
_SLL2 = Layout("sll2", "SLL2")
_PPPOE = Layout("pppoe", "PPPoE")

_ARPHRD_ETHER = 1
_FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}  # AF_INET; AF_INET6 of Linux, NetBSD, FreeBSD, Darwin
_PPP_PROTOCOLS = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS}  # RFC 1332, RFC 5072, RFC 3032 section 4.3
_BY_VERSION = {4: IPV4, 6: IPV6}


class Link(NamedTuple):
    """What lies behind the link header."""

    ethertype: int
    data: bytes  # behind the ethertype, with whatever padding the link added
    src_mac: int = NO_MAC
    dst_mac: int = NO_MAC
    tunnel: int = 0  # index into TUNNELS: "mpls" if a label stack was taken off


def parse_link(frame: bytes, link: int) -> Link | None:
    """Take the link header off; `link` is a LINKTYPE number. None if it is unsupported or the frame is too short."""
    reader = _READERS.get(link)
    return None if reader is None else reader(frame)


def resolve(ethertype: int, data: bytes, src_mac: int = NO_MAC, dst_mac: int = NO_MAC) -> Link:
    """Take tags and shims off until IP or something that is none."""
    tunnel = 0
    for _ in range(MAX_SHIMS):
        shim = _SHIMS.get(ethertype) if ethertype >= SMALLEST_ETHERTYPE else _ieee8023
        inner = None if shim is None else shim(ethertype, data)
        if inner is None:
            break
        if ethertype in _MPLS_TYPES:
            tunnel = TUNNELS.index("mpls")
        ethertype, data = inner
        if ethertype == LLC:
            break
    return Link(ethertype if ethertype >= SMALLEST_ETHERTYPE else LLC, data, src_mac, dst_mac, tunnel)


def by_version(packet: bytes) -> int | None:
    """The ethertype of an IP packet that comes without one."""
    return _BY_VERSION.get(packet[0] >> 4) if packet else None


def parse_ppp(data: bytes) -> tuple[int, bytes] | None:
    """Ethertype and packet of a PPP frame, None if it is not IP; address and control (RFC 1662) may be left out."""
    if data[:2] == b"\xff\x03":
        data = data[2:]
    # A first byte that is odd is the whole protocol field, compressed (RFC 1661 section 6.5).
    size = 1 if data and data[0] & 1 else 2
    if len(data) < size:
        return None
    ethertype = _PPP_PROTOCOLS.get(int.from_bytes(data[:size], "big"))
    return None if ethertype is None else (ethertype, data[size:])


# --- shims: (ethertype, bytes behind it) -> (inner ethertype, bytes behind that), None where nothing can be taken off


def _vlan(_: int, data: bytes) -> tuple[int, bytes] | None:
    if len(data) < _TAG.size:
        return None
    ethertype: int = _TAG.unpack_from(data)[1]
    return ethertype, data[_TAG.size :]


def _mpls(_: int, data: bytes) -> tuple[int, bytes] | None:
    for label in range(4, 4 * MAX_LABELS + 1, 4):
        if len(data) <= label:
            return None
        if data[label - 2] & 1:  # bottom of stack; what follows has no ethertype (RFC 3032 section 2.2)
            ethertype = by_version(data[label:])
            return None if ethertype is None else (ethertype, data[label:])
    return None


def _pppoe(_: int, data: bytes) -> tuple[int, bytes] | None:
    if len(data) < _PPPOE.size:
        return None
    version_type, code, _, length = _PPPOE.unpack_from(data)
    if version_type != 0x11 or code != 0:  # RFC 2516 section 4
        return None
    return parse_ppp(data[_PPPOE.size : _PPPOE.size + length])


def _ieee8023(length: int, data: bytes) -> tuple[int, bytes] | None:
    """802.3: the field was a length. SNAP with an ethertype's OUI is taken off (RFC 1042; 0x0000f8 is 802.1H's)."""
    data = data[:length] if length else data
    if data[:6] in (b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8") and len(data) >= 8:
        ethertype = int.from_bytes(data[6:8], "big")
        if ethertype >= SMALLEST_ETHERTYPE:
            return ethertype, data[8:]
    return LLC, data


_MPLS_TYPES = frozenset((MPLS, 0x8848))
_SHIMS: dict[int, Callable[[int, bytes], tuple[int, bytes] | None]] = {
    VLAN: _vlan,
    0x88A8: _vlan,  # 802.1ad service tag
    0x9100: _vlan,  # QinQ before 802.1ad
    MPLS: _mpls,
    0x8848: _mpls,
    PPPOE_SESSION: _pppoe,
}


# --- link headers


def _ethernet(frame: bytes) -> Link | None:
    if len(frame) < _ETHERNET.size:
        return None
    dst, src, ethertype = _ETHERNET.unpack_from(frame)
    return resolve(ethertype, frame[_ETHERNET.size :], int.from_bytes(src, "big"), int.from_bytes(dst, "big"))


def _null(frame: bytes) -> Link | None:
    """BSD loopback: an address family in the byte order of the recording host (NULL) or the network's (LOOP)."""
    head = frame[:4]
    family = min(int.from_bytes(head, "big"), int.from_bytes(head, "little"))
    ethertype = _FAMILIES.get(family) if len(head) == 4 else None
    return None if ethertype is None else Link(ethertype, frame[4:])


def _raw(frame: bytes) -> Link | None:
    """RAW, IPV4 and IPV6: the packet's own version counts, whatever the file header promises."""
    ethertype = by_version(frame)
    return None if ethertype is None else Link(ethertype, frame)


def _ppp(frame: bytes) -> Link | None:
    inner = parse_ppp(frame)
    return Link(PPP, frame) if inner is None else resolve(*inner)


def _ppp_ether(frame: bytes) -> Link | None:
    return resolve(PPPOE_SESSION, frame)


def _c_hdlc(frame: bytes) -> Link | None:
    """Cisco HDLC: address, control, ethertype (RFC 1547 section 4.3.1 describes it)."""
    return resolve(int.from_bytes(frame[2:4], "big"), frame[4:]) if len(frame) >= 4 else None


def _sll(frame: bytes) -> Link | None:
    if len(frame) < _SLL.size:
        return None
    _, hardware, size, sender, protocol = _SLL.unpack_from(frame)
    return _cooked(protocol, frame[_SLL.size :], hardware, sender[:size])


def _sll2(frame: bytes) -> Link | None:
    if len(frame) < _SLL2.size:
        return None
    protocol, _, _, hardware, _, size, sender = _SLL2.unpack_from(frame)
    return _cooked(protocol, frame[_SLL2.size :], hardware, sender[:size])


def _cooked(protocol: int, data: bytes, hardware: int, sender: bytes) -> Link | None:
    src = int.from_bytes(sender, "big") if hardware == _ARPHRD_ETHER and len(sender) == 6 else NO_MAC
    if protocol == 0x0004:  # ETH_P_802_2: an LLC header follows, and its length field was taken off
        return resolve(0, data, src)
    # The other small numbers are Linux's own (CAN, netlink families, 802.11) and no frame of a network that we know.
    return resolve(protocol, data, src) if protocol >= SMALLEST_ETHERTYPE else None


_READERS: dict[int, Callable[[bytes], Link | None]] = {
    0: _null,
    1: _ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    51: _ppp_ether,
    101: _raw,
    104: _c_hdlc,
    108: _null,
    113: _sll,
    228: _raw,
    229: _raw,
    276: _sll2,
}
