"""DNS answers of any shape, for tests of naming: chains of aliases, service records, several in one message."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from ipaddress import ip_address

from tests.support import packets as p
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC

ROUTER = "192.168.1.1"
TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SVCB": 64, "HTTPS": 65}

Record = tuple[str, str, str]  # owner, type, value
Frame = tuple[int, bytes]


def wire_name(name: str) -> bytes:
    """A name as labels, without compression (RFC 1035 section 3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def service(value: str) -> bytes:
    """`1 . ipv4hint=192.0.2.1,192.0.2.2 ech=AEX+...`: an SVCB or HTTPS record of hints and keys (RFC 9460 section 2.2)."""
    priority, target, *parameters = value.split(" ")
    out = struct.pack("!H", int(priority)) + wire_name(target)
    for parameter in parameters:
        key, _, text = parameter.partition("=")
        if key == "ech":
            body = b64decode(text)
        else:
            body = b"".join(ip_address(address).packed for address in text.split(","))
        out += struct.pack("!HH", {"ipv4hint": 4, "ech": 5, "ipv6hint": 6}[key], len(body)) + body
    return out


def ech_config(*public_names: str) -> str:
    """An ECHConfigList in base64 (RFC 9849 section 4), with a key that nobody has."""
    configs = b""
    for number, name in enumerate(public_names):
        contents = struct.pack("!BHH", number, 0x0020, 32) + bytes(32) + struct.pack("!HHHB", 4, 1, 1, 64)
        contents += bytes([len(name)]) + name.encode() + struct.pack("!H", 0)
        configs += struct.pack("!HH", 0xFE0D, len(contents)) + contents
    return b64encode(struct.pack("!H", len(configs)) + configs).decode()


def data(kind: str, value: str) -> bytes:
    """The data of a record."""
    if kind in ("A", "AAAA"):
        return ip_address(value).packed
    return wire_name(value) if kind == "CNAME" else service(value)


def message(name: str, kind: str, records: tuple[Record, ...], ttl: int = 300) -> bytes:
    """An answer to a question for `kind` records of `name`."""
    out = struct.pack("!6H", 7, 0x8180, 1, len(records), 0, 0) + wire_name(name) + struct.pack("!HH", TYPES[kind], 1)
    for owner, sort, value in records:
        body = data(sort, value)
        out += wire_name(owner) + struct.pack("!HHIH", TYPES[sort], 1, ttl, len(body)) + body
    return out


def told(
    at: int, name: str, *records: Record, kind: str = "A", client: str = HOST, mac: str = HOST_MAC, ttl: int = 300
) -> list[Frame]:
    """The router answers a device's question for `name`."""
    body = p.udp(message(name, kind, records, ttl), 53, 40054)
    return [(at, p.ethernet(p.ipv4(body, ROUTER, client, 17), src=ROUTER_MAC, dst=mac))]


def chain(address: str, *names: str) -> tuple[Record, ...]:
    """The aliases of each name in turn, and the last one's address."""
    aliases = [(names[at], "CNAME", names[at + 1]) for at in range(len(names) - 1)]
    return (*aliases, (names[-1], "AAAA" if ":" in address else "A", address))
