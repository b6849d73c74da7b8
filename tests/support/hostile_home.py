"""A home in which every device says what no device should: each payload of `payloads` in a real packet.

Rule 1: the carriers are those through which text from the network reaches a page: names that are asked for, looked up
        and connected to, and what devices say of themselves over DHCP, mDNS, SSDP and HTTP.
Rule 2: a payload that a carrier cannot hold (a line end in a header) takes one that can.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.daemon.decode.hellos import client_hello, records, sni, versions
from tests.daemon.ingest.scenes import ROUTER, SECOND, Frame, write
from tests.support import packets as p
from tests.support.importing import imported
from tests.support.packets import ROUTER_MAC, START_US
from tests.support.payloads import Payload, payloads

DEVICES = 26
_CAST = b"\x0b_googlecast\x04_tcp\x05local\x00"


class _Device:
    def __init__(self, number: int) -> None:
        self.mac = f"02:00:00:01:00:{number:02x}"
        self.address = f"192.168.1.{20 + number}"


def hostile_home(folder: Path) -> Path:
    """The database of that home."""
    return imported(folder / "homeport.db", write(folder / "hostile.pcap", hostile_frames()))


def hostile_frames() -> list[Frame]:
    """Every payload once, a second apart."""
    frames: list[Frame] = []
    devices = [_Device(number) for number in range(DEVICES)]
    for turn, payload in enumerate(payloads()):
        device, at = devices[turn % DEVICES], START_US + turn * SECOND
        carriers = (
            _CARRIERS
            if payload.octets.isascii() and b"\r" not in payload.octets and b"\n" not in payload.octets
            else _ANY
        )
        frames += carriers[turn // DEVICES % len(carriers)](device, payload, at)
    return frames


def _labels(octets: bytes) -> bytes:
    """The payload as labels of a DNS name below `example.com`, as long as a name can be (RFC 1035 section 2.3.4)."""
    room = octets[:230]
    labels = [room[at : at + 63] for at in range(0, len(room), 63)]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\x07example\x03com\x00"


def _server(payload: Payload) -> str:
    return f"203.0.113.{payload.number % 250 + 1}"


def _port(payload: Payload) -> int:
    return 30_000 + payload.number


def _asked_for(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """A name is looked up, found, and connected to."""
    name = _labels(payload.octets)
    question = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + name + b"\0\1\0\1"
    address = bytes(map(int, _server(payload).split(".")))
    answer = (
        struct.pack("!6H", 7, 0x8180, 1, 1, 0, 0) + name + b"\0\1\0\1" + b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + address
    )
    back = p.ethernet(p.ipv4(p.udp(answer, 53, _port(payload)), ROUTER, device.address), src=ROUTER_MAC, dst=device.mac)
    return [
        (at, p.udp_frame(question, device.address, ROUTER, _port(payload), 53, mac=device.mac)),
        (at + 1000, back),
        *_connect(device, payload, at + 2000, b"x" * 300),
    ]


def _greeted(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """A TLS hello for it (RFC 6066 section 3)."""
    return _connect(device, payload, at, records(client_hello(sni(payload.octets[:250]) + versions(0x0304))))


def _browsed(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """An HTTP request by a browser of that name."""
    return _http(device, payload, at, b"example.com", payload.octets)


def _hosted(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """An HTTP request to a host of that name."""
    return _http(device, payload, at, payload.octets, b"thing/1.0")


def _http(device: _Device, payload: Payload, at: int, host: bytes, agent: bytes) -> list[Frame]:
    request = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: " + agent + b"\r\n\r\n"
    return _connect(device, payload, at, request, 80)


def _connect(device: _Device, payload: Payload, at: int, said: bytes, port: int = 443) -> list[Frame]:
    talk = p.Conversation(
        client=device.address, client_mac=device.mac, client_port=_port(payload), server=_server(payload), server_port=port,
        start_us=at,
    )  # fmt: skip
    return talk.open().send(said).reply(b"y" * 500).close().frames


def _leased(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """It asks for an address under that name (RFC 2132 section 3.14)."""
    return _dhcp(device, at, 12, payload.octets)


def _of_class(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """Its DHCP client is of that class (RFC 2132 section 9.13)."""
    return _dhcp(device, at, 60, payload.octets)


def _dhcp(device: _Device, at: int, code: int, said: bytes) -> list[Frame]:
    body = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x1234, 0, 0) + bytes(16) + p.mac_bytes(device.mac) + bytes(202)
    body += b"\x63\x82\x53\x63\x35\x01\x03" + bytes([code, len(said[:250])]) + said[:250] + b"\xff"
    packet = p.ipv4(p.udp(body, 68, 67), "0.0.0.0", "255.255.255.255")  # noqa: S104  the address of who has none yet
    return [(at, p.ethernet(packet, src=device.mac, dst="ff:ff:ff:ff:ff:ff"))]


def _cast(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """It announces a service instance of that name (RFC 6763 section 4.1)."""
    label = payload.octets[:63]
    target = bytes([len(label)]) + label + _CAST
    return _mdns(device, at, _CAST + struct.pack("!HHIH", 12, 1, 4500, len(target)) + target)


def _friendly(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """It says in a TXT record that this is its friendly name."""
    said = (b"fn=" + payload.octets)[:255]
    body = bytes([len(said)]) + said
    return _mdns(device, at, b"\x05thing" + _CAST + struct.pack("!HHIH", 16, 1, 4500, len(body)) + body)


def _mdns(device: _Device, at: int, record: bytes) -> list[Frame]:
    body = struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + record
    packet = p.ipv4(p.udp(body, 5353, 5353), device.address, "224.0.0.251", ttl=255)
    return [(at, p.ethernet(packet, src=device.mac, dst="01:00:5e:00:00:fb"))]


def _notified(device: _Device, payload: Payload, at: int) -> list[Frame]:
    """It notifies all of a server and a control point of that name (UPnP Device Architecture 2.0, section 1.2)."""
    body = b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\nUSN: uuid:1\r\nSERVER: "
    body += payload.octets + b"\r\nCPFN.UPNP.ORG: " + payload.octets + b"\r\n\r\n"
    packet = p.ipv4(p.udp(body, 40_000, 1900), device.address, "239.255.255.250", ttl=4)
    return [(at, p.ethernet(packet, src=device.mac, dst="01:00:5e:7f:ff:fa"))]


_Carrier = Callable[[_Device, Payload, int], list[Frame]]
_ANY: Sequence[_Carrier] = (_leased, _asked_for, _greeted, _cast, _friendly, _of_class)
_CARRIERS: Sequence[_Carrier] = (*_ANY, _browsed, _notified, _hosted, _greeted, _asked_for)


def marks() -> Iterator[str]:
    """By which each payload is found."""
    return (payload.mark for payload in payloads())
