"""One device's day: its addresses, its ports, what it looks up, and what it then says.

Rules:
1. A `Diary` is filled by habits and chatter in any order; frames carry their times and are sorted at the end.
2. Everything it claims to have said (`Said`) lies in its frames as protocol bytes; another reader can confirm it.
3. A name is looked up before it is used, unless the answer is still fresh.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from appliance.sample import dns, lan, tls, wire
from appliance.sample.chance import chance
from appliance.sample.device import Device
from appliance.sample.devices import GATEWAY_MAC
from appliance.sample.places import PLACES, Place, addresses
from appliance.sample.talk import Datagrams, Tcp
from appliance.sample.wire import End, Frame

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NET4 = bytes([192, 168, 50])
LINK = bytes.fromhex("fe80000000000000")
DOMAIN = "home.arpa"
_FIRST_PORT, _PORTS, _STRIDE = 49_152, 14_848, 4_099  # the stride is prime, so that every port has its turn


class Said(NamedTuple):
    """Something that the frames carry: `kind` is `tls`, `quic`, `http`, `dns` or `dhcp`; `client` a packed address."""

    kind: str
    time_us: int
    client: bytes
    text: str


def text_of(address: bytes) -> str:
    """The usual text of a packed address."""
    return str(ipaddress.ip_address(address))


class Diary:
    """What one device does on one day, from `begin_us` to the end of the day that starts at `day_us`.

    `share` is how much of what goes on all day happens in a home that is made quieter than the whole one.
    """

    def __init__(
        self, device: Device, seed: int, day_us: int, begin_us: int, prefix: bytes, share: float = 1.0
    ) -> None:
        self.device, self.share = device, share
        self.day_us, self.begin_us, self.prefix = day_us, begin_us, prefix
        self.rng = chance("device", seed, device.key, day_us)
        self.frames: list[Frame] = []
        self.said: list[Said] = []
        self.address4 = NET4 + bytes([device.host])
        self.link_local = lan.eui64(device.mac, LINK) if device.ip6 != "private" else self._opaque(seed, LINK)
        self.address6 = self._global(seed) if device.ip6 else b""
        self.gateway4 = NET4 + b"\1"
        self.gateway6 = prefix + bytes(7) + b"\1"
        self._port = self.rng.randrange(_PORTS)
        self._fresh: dict[str, int] = {}
        self._met: set[str] = set()

    def _opaque(self, seed: int, prefix: bytes) -> bytes:
        return lan.private_address(chance("link", seed, self.device.key), prefix)

    def _global(self, seed: int) -> bytes:
        if self.device.ip6 == "eui64":
            return lan.eui64(self.device.mac, self.prefix)
        return lan.private_address(chance("address", seed, self.device.key, self.day_us), self.prefix)

    def some_time(self, hours: tuple[int, int]) -> int:
        """A time within the hours in which the device is at home, in microseconds since the epoch."""
        first, last = max(hours[0], self.device.present[0]), min(hours[1], self.device.present[1])
        begin = max(self.begin_us, self.day_us + first * HOUR)
        return begin + int(self.rng.random() * max(SECOND, self.day_us + last * HOUR - 20 * SECOND - begin))

    def port(self) -> int:
        """An ephemeral port; thousands of others come before it returns."""
        self._port = (self._port + _STRIDE) % _PORTS
        return _FIRST_PORT + self._port

    def own(self, version: int, port: int = 0) -> End:
        """The device's end of a conversation."""
        return End(self.device.mac, self.address6 if version == 6 else self.address4, port)

    def gateway(self, version: int, port: int = 0) -> End:
        """The access point's end."""
        return End(GATEWAY_MAC, self.gateway6 if version == 6 else self.gateway4, port)

    def add(self, time_us: int, data: bytes) -> None:
        """Keep one frame."""
        self.frames.append(Frame(time_us, data))

    def claim(self, kind: str, time_us: int, client: bytes, text: str) -> None:
        """Remember what was said."""
        self.said.append(Said(kind, time_us, client, text))

    def met_before(self, place: Place) -> bool:
        """Whether the device had a TLS session with that place today; from now on it had."""
        known = place.name in self._met
        self._met.add(place.name)
        return known

    def version_for(self, place: Place) -> int:
        """6 where both ends have it and luck wants it, else 4."""
        return 6 if self.address6 and addresses(place, 6) and self.rng.random() < 0.7 else 4

    def reach(self, place: Place, time_us: int, port: int, version: int = 0) -> tuple[End, End, int]:
        """Look the place up; returns own end, far end (behind the gateway) and when to begin."""
        version = version or self.version_for(place)
        begin = time_us
        if not place.name.startswith("@"):
            begin = self.look_up(place, time_us)
        far = self.rng.choice(addresses(place, version))
        return self.own(version, self.port()), End(GATEWAY_MAC, far, port), begin

    def tcp(self, place: Place, time_us: int, port: int) -> Tcp:
        """An opened TCP connection to a place."""
        own, far, begin = self.reach(place, time_us, port)
        talk = Tcp(own, far, begin, self.rng, stamps=not self.device.windows)
        talk.open()
        return talk

    def datagrams(self, place: Place, time_us: int, port: int, version: int = 0) -> Datagrams:
        """A UDP conversation with a place."""
        own, far, begin = self.reach(place, time_us, port, version)
        return Datagrams(own, far, begin, self.rng)

    def look_up(self, place: Place, time_us: int) -> int:
        """Ask for a place's addresses unless the last answer still holds; returns when the answer is there."""
        if time_us < self._fresh.get(place.name, 0):
            return time_us
        self._fresh[place.name] = time_us + place.ttl * SECOND
        done = self.ask(place, dns.A, time_us)
        if self.address6:
            done = max(done, self.ask(place, dns.AAAA, time_us + 90))
        if self.device.stack in ("chrome", "apple") and place.tls:
            self.ask(place, dns.HTTPS, time_us + 160)
        return done + self.rng.randrange(300, 2500)

    def ask(self, place: Place, kind: int, time_us: int) -> int:
        """One question to the resolver and its answer, over TCP now and then; returns the time of the answer."""
        records, authority = _records(place, kind)
        over6 = bool(self.address6) and not self.device.resolver and self.rng.random() < 0.4
        server = self.gateway(6 if over6 else 4, 53)
        if self.device.resolver:
            server = End(GATEWAY_MAC, addresses(PLACES[self.device.resolver], 4)[0], 53)
        ident = self.rng.getrandbits(16)
        question = (dns.Question(place.name, kind),)
        query = dns.message(ident, dns.QUERY, question, additional=(dns.EDNS,))
        answer = dns.message(ident, dns.ANSWER, question, records, authority, (dns.EDNS,))
        own = self.own(6 if over6 else 4, self.port())
        talk = Datagrams(own, server, time_us, self.rng)
        talk.up(query)
        talk.turn()
        if self.rng.random() < 0.015:
            talk.down(
                dns.message(ident, dns.ANSWER | 0x0200, question, additional=(dns.EDNS,))
            )  # TC: ask again over TCP
            done = self._ask_tcp(End(own.mac, own.address, self.port()), server, talk.clock, query, answer)
        else:
            done = talk.clock
            talk.down(answer)
        self.frames += talk.frames
        for item in records:
            self.claim("dns", done, own.address, f"{item.name} {item.kind} {_value(item)}")
        return done

    def _ask_tcp(self, own: End, server: End, time_us: int, query: bytes, answer: bytes) -> int:
        talk = Tcp(own, server, time_us, self.rng)
        talk.open()
        talk.up(tls.vector(query, 2))
        done = talk.clock
        talk.down(tls.vector(answer, 2))
        talk.close()
        self.frames += talk.frames
        return done

    def ask_in_vain(self, name: str, time_us: int) -> None:
        """A question about a name that does not exist."""
        talk = Datagrams(self.own(4, self.port()), self.gateway(4, 53), time_us, self.rng)
        ident, question = self.rng.getrandbits(16), (dns.Question(name, dns.A),)
        talk.up(dns.message(ident, dns.QUERY, question))
        talk.turn()
        talk.down(dns.message(ident, dns.NXDOMAIN, question, authority=(dns.soa(name.partition(".")[2]),)))
        self.frames += talk.frames

    def quote(self, frame: bytes, sender: End, time_us: int) -> None:
        """A port-unreachable error from far away that quotes an IPv4 frame of ours (RFC 792)."""
        body = struct.pack(">I", 0) + frame[14 : 14 + 28]
        error = wire.icmp4_message(3, body, code=3)
        self.add(time_us, wire.packet(sender, self.own(4), wire.ICMP, error, ttl=55))


def _records(place: Place, kind: int) -> tuple[tuple[dns.Record, ...], tuple[dns.Record, ...]]:
    """The answer section for a place, and the authority section where the end of the chain has no such record."""
    records, owner = [], place.name
    for target in place.chain:
        records.append(dns.Record(owner, dns.CNAME, 300, (target,)))
        owner = target
    if kind == dns.HTTPS:
        found: list[tuple[bytes | str, ...]] = [dns.https(("h3", "h2"), addresses(place, 4))] if place.https else []
    else:
        found = [(address,) for address in addresses(place, 4 if kind == dns.A else 6)]
    records += [dns.Record(owner, kind, place.ttl, data) for data in found]
    return tuple(records), () if found else (dns.soa(".".join(owner.split(".")[-2:])),)


def _value(item: dns.Record) -> str:
    if item.kind in (dns.A, dns.AAAA):
        return text_of(b"".join(part for part in item.data if isinstance(part, bytes)))
    return "".join(part for part in item.data if isinstance(part, str)) or "."
