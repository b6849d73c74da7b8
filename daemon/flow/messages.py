"""Datagrams that are messages by their port: DNS and its kin, DHCP, SSDP, NetBIOS. One handler a port, by table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from daemon.decode.cursor import DecodeError
from daemon.decode.dhcp import parse_dhcp
from daemon.decode.dhcpv6 import parse_dhcpv6
from daemon.decode.discovery import Hint, mdns_hints
from daemon.decode.dns import parse_message
from daemon.decode.netbios import parse_datagram, parse_name_service
from daemon.decode.ssdp import parse_ssdp
from daemon.flow.facts import RESOLVER, DnsFact, HintFact, RouterFact, network, widen
from daemon.flow.local import LEAST_PREFIX, address_number

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts

_MULTICAST_DNS = ("mdns", "llmnr")
DNS_PORTS = {53: "udp", 5353: "mdns", 5355: "llmnr"}  # -> as facts call the transport
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'


def dns_message(flow: Talk, facts: Facts, side: int, time_us: int, raw: bytes, transport: str) -> bool:
    """Read one DNS message sent by `side`; whether it was one."""
    try:
        message = parse_message(raw)
    except DecodeError:
        return False
    _, response, _, rcode, _, questions, records = message
    asker = 1 - side if response else side
    if transport in _MULTICAST_DNS:
        flow.recognised(transport)
    elif flow.asker < 0 or not flow.confirmed:  # most flows have one question and one answer
        flow.recognised("dns")
        flow.asked(asker)
    ends = flow.ends
    client, resolver = ends[asker], ends[1 - asker]
    if not response:
        for name, kind in questions:
            facts.dns.append(_new(DnsFact, (time_us, client, resolver, transport, False, name, kind, None, 0, ())))
        return True
    name, kind = questions[0] if questions else ("", "")
    answers = len(records)
    if answers and records[-1][0] != "answer":  # other sections stand behind it
        answers = [record[0] for record in records].count("answer")
    fact = time_us, client, resolver, transport, True, name, kind, rcode, answers, records
    facts.dns.append(_new(DnsFact, fact))
    if transport == "mdns":
        _hint(flow, facts, side, time_us, mdns_hints(message))
    return True


def _hint(flow: Talk, facts: Facts, side: int, time_us: int, hints: Collection[Hint]) -> None:
    if not hints:  # most say nothing of themselves: they ask
        return
    mac, address = flow.sender(side)
    facts.hint([HintFact(mac, address, *hint) for hint in hints], time_us)


def _dhcp(flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
    message = parse_dhcp(payload)
    flow.recognised("dhcp")
    address = message.client_address or message.your_address or message.requested_address
    if message.from_client:
        mac = message.mac if message.mac >= 0 else flow.macs[side]
        facts.hint([HintFact(mac, address, *hint) for hint in message.hints], time_us)
        return
    lease = message.lease_seconds or 86400  # an INFORM's answer has no lease: taken as a day
    if message.subnet_mask and message.your_address:
        prefix = _network(message.your_address, message.subnet_mask)
        if prefix:
            network(facts, prefix, "dhcp", lease, time_us)
    for router in message.routers:
        widen(facts.routers, RouterFact(-1, router, "dhcp"), time_us)
    _hint(flow, facts, side, time_us, [Hint("dhcp", RESOLVER, resolver) for resolver in message.resolvers])


def _network(address: str, mask: str) -> str | None:
    """`192.168.1.0/24` from an address and a contiguous mask; None for a mask that is none (RFC 950 allows others)."""
    bits = address_number(mask)[1]
    length = bits.bit_count()
    if bits != (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF or not 8 <= length <= 30:
        return None
    base = address_number(address)[1] & bits
    return f"{base >> 24}.{base >> 16 & 255}.{base >> 8 & 255}.{base & 255}/{length}"


def _dhcpv6(flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
    message = parse_dhcpv6(payload)
    flow.recognised("dhcpv6")
    for prefix, length, valid in message.prefixes:
        if length < LEAST_PREFIX:
            continue
        network(facts, f"{prefix}/{length}", "dhcpv6", min(valid, 0x7FFFFFFF), time_us)
    resolvers = () if message.from_client else message.resolvers
    said = message.hints if message.from_client else [Hint("dhcpv6", RESOLVER, resolver) for resolver in resolvers]
    _hint(flow, facts, side, time_us, said)


def _ssdp(flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
    message = parse_ssdp(payload)
    flow.recognised("ssdp")
    _hint(flow, facts, side, time_us, message.hints)


def _netbios(
    service: str, parse: Callable[[bytes], tuple[Hint, ...]]
) -> Callable[[Talk, Facts, int, int, bytes], None]:
    def handle(flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        hints = parse(payload)
        flow.recognised(service)
        _hint(flow, facts, side, time_us, hints)

    return handle


# They raise DecodeError, or answer False, where a datagram is not what its port promises.
HANDLERS: dict[int, Callable[[Talk, Facts, int, int, bytes], bool | None]] = {
    **{port: partial(dns_message, transport=transport) for port, transport in DNS_PORTS.items()},
    67: _dhcp,
    68: _dhcp,
    546: _dhcpv6,
    547: _dhcpv6,
    1900: _ssdp,
    137: _netbios("netbios-ns", parse_name_service),
    138: _netbios("netbios-dgm", parse_datagram),
}
