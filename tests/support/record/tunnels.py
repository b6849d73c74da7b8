"""Recipes of packets inside packets.

The recording kernel knows VXLAN; it has no 802.1Q, PPPoE, GRE or IP-in-IP. For those, `Wrapper` moves packets between
a TUN or TAP device and frames that it sends itself: the wrapping (a few bytes of header) is made by the recipe, what is
inside comes from real stacks. The kernel answers some outer packets with ICMP errors, which quote them: left in.
"""

from __future__ import annotations

import fcntl
import ipaddress
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.lab import CLIENT_MAC, CLIENT_V4, CLIENT_V6, OTHER_MAC, OTHER_V4, OTHER_V6, Lab, Namespace, addresses
from tests.support.record.names import API, dnsmasq, web
from tests.support.record.studio import Recipe, Take, curl

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000
Wrap = Callable[[bytes, bytes, bytes], bytes]  # inner packet, own MAC, other MAC -> frame
Unwrap = Callable[[bytes], bytes | None]  # frame -> inner packet, None if it is something else


class Wrapper:
    """One end of a tunnel: device `name` in `machine`, whose packets leave eth0 wrapped, and the reverse."""

    def __init__(
        self, machine: Namespace, name: str, kind: int, macs: tuple[str, str], wrap: Wrap, unwrap: Unwrap
    ) -> None:

        own, other = (bytes.fromhex(mac.replace(":", "")) for mac in macs)
        self._macs, self._wrap, self._unwrap = (own, other), wrap, unwrap
        with machine.entered():
            self._device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(self._device, TUNSETIFF, struct.pack("16sH22x", name.encode(), kind | IFF_NO_PI))
            self._link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        machine.run("ip", "link", "set", name, "up", "mtu", "1400")  # a device that is down reads as an error
        self._link.bind(("eth0", 0))
        # the kernel takes an outermost 802.1Q tag out of a received frame and says it beside (PACKET_AUXDATA)
        self._link.setsockopt(263, 8, 1)
        self._stop, self._stopper = os.pipe()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._stopper, b"x")
        self._thread.join()
        for descriptor in (self._device, self._stop, self._stopper):
            os.close(descriptor)
        self._link.close()

    def _work(self) -> None:
        while True:
            ready, _, _ = select.select([self._device, self._link.fileno(), self._stop], [], [])
            if self._stop in ready:
                return
            if self._device in ready:
                self._link.send(self._wrap(os.read(self._device, 2048), *self._macs))
            if self._link.fileno() in ready and (inner := self._unwrap(self._frame())) is not None:
                os.write(self._device, inner)

    def _frame(self) -> bytes:
        frame, beside, _, address = self._link.recvmsg(2048, 64)
        if address[2] == socket.PACKET_OUTGOING:
            return b""
        for level, kind, data in beside:
            if (level, kind) == (263, 8):
                status, _, _, _, _, tag, protocol = struct.unpack("=IIIHHHH", data[:20])
                if status & 0x10:  # TP_STATUS_VLAN_VALID
                    return frame[:12] + struct.pack("!HH", protocol, tag) + frame[12:]
        return frame


# --- wrappings


def _tags(head: bytes) -> tuple[Wrap, Unwrap]:
    """Ethernet inside Ethernet, with these tags behind the addresses (IEEE 802.1Q)."""
    return (
        lambda inner, _own, _other: inner[:12] + head + inner[12:],
        lambda frame: frame[:12] + frame[12 + len(head) :] if frame[12 : 12 + len(head)] == head else None,
    )


def _pppoe(session: int) -> tuple[Wrap, Unwrap]:
    """IP inside PPPoE (RFC 2516 section 4; PPP protocols 0x0021 and 0x0057)."""

    def wrap(inner: bytes, own: bytes, other: bytes) -> bytes:
        protocol = b"\x00\x21" if inner[0] >> 4 == 4 else b"\x00\x57"
        return other + own + b"\x88\x64\x11\x00" + struct.pack("!HH", session, len(inner) + 2) + protocol + inner

    def unwrap(frame: bytes) -> bytes | None:
        return frame[22 : 20 + int.from_bytes(frame[18:20], "big")] if frame[12:14] == b"\x88\x64" else None

    return wrap, unwrap


def _checksum(header: bytes) -> bytes:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")


def in_ip(protocol: int, outer: tuple[str, str], head: Callable[[bytes], bytes], size: int) -> tuple[Wrap, Unwrap]:
    """Packets behind an IPv4 or IPv6 header with this protocol number and `size` bytes of tunnel header."""
    here, there = (ipaddress.ip_address(a).packed for a in outer)

    def wrap(inner: bytes, own: bytes, other: bytes) -> bytes:
        body = head(inner) + inner
        if len(here) == 16:
            return (
                other + own + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + here + there + body
            )
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + here + there
        return other + own + b"\x08\x00" + ip[:10] + _checksum(ip) + ip[12:] + body

    def unwrap(frame: bytes) -> bytes | None:
        if len(here) == 16:
            mine = frame[12:14] == b"\x86\xdd" and frame[20] == protocol and frame[38:54] == here
            return frame[54 + size :] if mine else None
        mine = frame[12:14] == b"\x08\x00" and frame[23] == protocol and frame[30:34] == here
        return frame[34 + size : 14 + int.from_bytes(frame[16:18], "big")] if mine else None

    return wrap, unwrap


def _in_udp(port: int, outer: tuple[str, str], head: Callable[[bytes], bytes], size: int) -> tuple[Wrap, Unwrap]:
    """Packets behind IPv4, UDP (without checksum, RFC 768) and `size` bytes of tunnel header."""
    wrap, unwrap = in_ip(
        17, outer, lambda inner: struct.pack("!HHHH", port, port, 8 + size + len(inner), 0) + head(inner), 8 + size
    )
    return wrap, lambda frame: unwrap(frame) if frame[36:38] == port.to_bytes(2, "big") else None


def gre_header(inner: bytes) -> bytes:
    """RFC 2784 section 2.1, no options."""
    return b"\0\0" + (b"\x08\0" if inner[0] >> 4 == 4 else b"\x86\xdd")


def _gtp(inner: bytes) -> bytes:
    """3GPP TS 29.281 section 5.1: G-PDU of tunnel 7."""
    return struct.pack("!BBHI", 0x30, 255, len(inner), 7)


# --- recipes

INNER4, INNER6 = ("10.42.0.1", "10.42.0.2"), ("fd42::1", "fd42::2")


def talk(
    take: Take, device: str, tunnel: str | None, families: tuple[int, ...] = (4, 6), port: int = 48000
) -> list[str]:
    """A question and a page over a device that exists on both machines; the names asked."""
    client, other = take.lab.client, take.lab.other
    asked = []
    for machine, side in ((client, 0), (other, 1)):
        machine.run("ip", "link", "set", device, "up", "mtu", "1400")
        machine.run("sysctl", "-qw", f"net.ipv6.conf.{device}.accept_dad=0", f"net.ipv6.conf.{device}.accept_ra=0")
        wanted = [f"{INNER4[side]}/24"] * (4 in families) + [f"{INNER6[side]}/64"] * (6 in families)
        addresses(machine, device, *wanted)
    dnsmasq(other, f"interface={device}", "bind-dynamic")
    web(other)
    for family, (me, peer) in ((4, INNER4), (6, INNER6)):
        if family not in families:
            continue
        name = f"{'six' if family == 6 else 'four'}.{tunnel or device}.vendor.example"
        client.run("dig", "+tries=1", "+time=2", "-b", f"{me}#{port}", f"@{peer}", API, "A")
        local = curl(client, peer, f"http://{name}/status")
        client.run("ping", "-c", "1", "-W", "2", peer)
        asked.append(API)
        take.flow("udp", me, port, peer, 53, ip_version=family, service="dns", tunnel=tunnel)
        take.flow("tcp", me, local, peer, 80, ip_version=family, service="http", tunnel=tunnel, server_name=name)
        take.expect(
            "hellos", "client_address server_address name", [[me, peer, name]], match="some", where={"source": "http"}
        )
    for machine in (client, other):
        machine.run("ip", "address", "flush", "dev", device)
    return asked


def _names(take: Take, asked: list[str]) -> None:
    take.expect("dns_queries", "name type", [[name, "A"] for name in asked])
    take.expect(
        "dns_answers", "name type value", [[API, "A", "203.0.113.10"]], match="some", where={"section": "answer"}
    )


def _wrapped(
    take: Take,
    device: str,
    kind: int,
    pair: Callable[[int], tuple[Wrap, Unwrap]],
    tunnel: str | None,
    families: tuple[int, ...] = (4, 6),
) -> None:
    """Record a talk through two wrappers; `pair(0)` is the client's, `pair(1)` the other's."""
    lab: Lab = take.lab
    mine, theirs = pair(0), pair(1)
    with (
        Wrapper(lab.client, device, kind, (CLIENT_MAC, OTHER_MAC), *mine),
        Wrapper(lab.other, device, kind, (OTHER_MAC, CLIENT_MAC), *theirs),
        take.rolling(),
    ):
        _names(take, talk(take, device, tunnel, families))


def outer_ends(*, v6: bool, side: int) -> tuple[str, str]:
    """Own and other outer address, for side 0 (the client) or 1."""
    ends = (CLIENT_V6, OTHER_V6) if v6 else (CLIENT_V4, OTHER_V4)
    return ends[side], ends[1 - side]


def _nothing(_inner: bytes) -> bytes:
    return b""


def _vxlan(take: Take) -> None:
    lab = take.lab
    for machine, here, there in ((lab.client, CLIENT_V4, OTHER_V4), (lab.other, OTHER_V4, CLIENT_V4)):
        machine.run(
            "ip",
            "link",
            "add",
            "vx0",
            "type",
            "vxlan",
            "id",
            "42",
            "local",
            here,
            "remote",
            there,
            "dstport",
            "4789",
            "dev",
            "eth0",
        )
    with take.rolling():
        _names(take, talk(take, "vx0", "vxlan"))


VLAN, QINQ = struct.pack("!HH", 0x8100, 10), struct.pack("!HHHH", 0x88A8, 20, 0x8100, 10)
RECIPES = (
    Recipe(
        "vlan",
        "802.1Q, VLAN 10: a question, a page and a ping, IPv4 and IPv6.",
        lambda take: _wrapped(take, "tap0", IFF_TAP, lambda _: _tags(VLAN), None),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "qinq",
        "802.1ad VLAN 20 around 802.1Q VLAN 10.",
        lambda take: _wrapped(take, "tap0", IFF_TAP, lambda _: _tags(QINQ), None),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "pppoe",
        "A PPPoE session.",
        lambda take: _wrapped(take, "tun0", IFF_TUN, lambda _: _pppoe(0x1234), None),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "sixinfour",
        "IPv6 in IPv4 (RFC 4213).",
        lambda take: _wrapped(
            take, "tun0", IFF_TUN, lambda side: in_ip(41, outer_ends(v6=False, side=side), _nothing, 0), "6in4", (6,)
        ),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "fourinsix",
        "IPv4 in IPv6 (RFC 2473).",
        lambda take: _wrapped(
            take, "tun0", IFF_TUN, lambda side: in_ip(4, outer_ends(v6=True, side=side), _nothing, 0), "4in6", (4,)
        ),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "gre",
        "GRE over IPv4 (RFC 2784).",
        lambda take: _wrapped(
            take, "tun0", IFF_TUN, lambda side: in_ip(47, outer_ends(v6=False, side=side), gre_header, 4), "gre"
        ),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe(
        "gtp",
        "GTP-U over UDP 2152 (3GPP TS 29.281).",
        lambda take: _wrapped(
            take, "tun0", IFF_TUN, lambda side: _in_udp(2152, outer_ends(v6=False, side=side), _gtp, 8), "gtp"
        ),
        ("dnsmasq", "dig", "curl", "nginx"),
    ),
    Recipe("vxlan", "VXLAN 42 (RFC 7348), by the kernel on both sides.", _vxlan, ("dnsmasq", "dig", "curl", "nginx")),
)
