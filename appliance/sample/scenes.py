"""The scenes of a busy day's slice: scripted handshakes in Python, bodies of conversations in numpy.

Rules: a scene appends rows in its own logical order and states how much it weighs; `make` shares the packets that are
left among the bodies, so that a slice has exactly as many as asked for.
"""

from __future__ import annotations

import random

import numpy as np

from appliance.sample import dns, http, lan, quic, small, tls, wire
from appliance.sample.bodies import SHARES, Body, spread
from appliance.sample.columns import (
    FLAGS,
    HEADERS,
    LENGTH,
    PLAIN,
    QUIC_SHORT,
    TCP,
    TIME,
    TLS_RECORD,
    UDP,
    WIREGUARD,
    Ends,
    Ints,
    Packets,
    number,
    repeat,
)
from appliance.sample.crowd import GATEWAY4, GATEWAY6, GATEWAY_MAC, Crowd, Member, Resolver, Site
from appliance.sample.wire import ACK, FIN, PSH, RST, SYN, End

# Conversations (of chatter and fragments: frames and datagrams) per million packets.
MIX = {
    "lookup": 15_000, "lookup_tcp": 45, "secure": 5_200, "quick": 1_900, "plain": 220, "refused": 1_200, "media": 500,
    "clock": 600, "chatter": 8_000, "fragments": 20,
}  # fmt: skip
_VIGIL = (TLS_RECORD, TLS_RECORD, TLS_RECORD, QUIC_SHORT, WIREGUARD)


class Vigils:
    """Conversations that last all day. Their sequence numbers go on from slice to slice."""

    def __init__(self, crowd: Crowd, rng: random.Random) -> None:
        self.ends: list[tuple[bytes, tuple[bytes, bytes], tuple[int, int], int, tuple[int, int, int]]] = []
        self.marks: list[int] = []
        for place in range(24):
            mark = _VIGIL[place % 5]
            member, site = crowd.members[place], crowd.sites[place]
            both = (member.address4, site.addresses4[0])
            if member.address6 and site.addresses6:
                both = (member.address6, site.addresses6[0])
            ports = (20_000 + place, 51_820 if mark == WIREGUARD else 443)
            extra = (int(member.stamps), rng.getrandbits(32), rng.getrandbits(32))
            transport = TCP if mark == TLS_RECORD else UDP
            self.ends.append((member.mac + GATEWAY_MAC, both, ports, transport, extra))
            self.marks.append(mark)

    def join(self, ends: Ends) -> list[int]:
        """Add them to a slice's conversations; returns their rows there."""
        return [ends.add(*vigil) for vigil in self.ends]

    def go_on(self, rows: list[int], following: Ints) -> None:
        """Remember where each end's sequence numbers stand after a slice."""
        self.ends = [
            (*vigil[:4], (vigil[4][0], int(following[row, 0]), int(following[row, 1])))
            for vigil, row in zip(self.ends, rows, strict=True)
        ]


class Slice:
    """The packets between two times of the day, and the conversations and messages that they refer to."""

    def __init__(self, crowd: Crowd, resolver: Resolver, rng: random.Random, begin_us: int, end_us: int) -> None:
        self.crowd, self.rng, self._resolver = crowd, rng, resolver
        self.begin_us, self.end_us = begin_us, end_us
        self.ends, self.messages = Ends(), list[bytes]()
        self._rows: list[tuple[int, int, int, int, int, int, int, int]] = []
        self._bodies: list[Body] = []
        self._numbers = np.random.default_rng(rng.getrandbits(64))

    def make(self, quota: int, vigils: Vigils, last_us: int) -> Packets:
        """Exactly `quota` packets, all later than `last_us`, in strict order of time."""
        for scene, per_million in MIX.items():
            act = getattr(self, f"_{scene}")
            for _ in range(int(per_million * quota / 1e6 + self.rng.random())):
                act()
        rows_of_vigils = vigils.join(self.ends)
        secure = [body for body in self._bodies if body[3] == TLS_RECORD]
        closing = secure[: len(secure) * 6 // 7]  # the others stay open
        left = max(0, quota - len(self._rows) - 3 * len(closing) - quota // 500)
        parts = [
            self._spread([body for body in self._bodies if body[3] == mark], int(left * share))
            for mark, share in SHARES.items()
        ]
        watch = [(row, self.begin_us, 1.0 / (rank + 1), vigils.marks[rank]) for rank, row in enumerate(rows_of_vigils)]
        parts.append(self._spread(watch, left - sum(map(len, parts))))
        body = np.concatenate(parts)
        self._close(closing, body)
        scripted = np.array(self._rows, np.int64).reshape(-1, 8)
        packets, following = number(np.concatenate((scripted, body)), self.ends)
        vigils.go_on(rows_of_vigils, following)
        packets = self._disturb(packets, max(0, quota - len(packets.rows)))
        packets = Packets(packets.rows[:quota], packets.seq[:quota], packets.ack[:quota])
        # Two packets never share a microsecond: ties are pushed on by as little as it takes.
        steps = np.arange(quota)
        packets.rows[:, TIME] = np.maximum.accumulate(np.maximum(packets.rows[:, TIME], last_us + 1) - steps) + steps
        return packets

    def _spread(self, bodies: list[Body], total: int) -> Ints:
        return spread(bodies, total, self.end_us, self.ends, self._numbers)

    def _disturb(self, packets: Packets, count: int) -> Packets:
        """Send `count` TCP packets with data a second time; without any, whatever there is."""
        carriers = np.nonzero((packets.rows[:, FLAGS] != 0) & (packets.rows[:, LENGTH] > 0))[0]
        source = carriers if len(carriers) else np.arange(len(packets.rows))
        return repeat(packets, self._numbers.choice(source, count), 35_000)

    def _row(
        self, time_us: int, owner: int, up: int, length: int, flags: int = 0, message: bytes = b"", shift: int = 0
    ) -> None:
        place = -1
        if message:
            place = len(self.messages)
            self.messages.append(message)
        self._rows.append((time_us, owner, up, length, flags, place, shift, PLAIN))

    def _when(self) -> int:
        return self.begin_us + int(self.rng.random() * max(1, self.end_us - self.begin_us - 90_000_000))

    def _member(self) -> Member:
        return self.rng.choices(self.crowd.members, cum_weights=self.crowd.member_weights)[0]

    def _site(self) -> Site:
        return self.rng.choices(self.crowd.sites, cum_weights=self.crowd.site_weights)[0]

    def _meet(self, member: Member, far: tuple[bytes, bytes], port: int, transport: int) -> int:
        """A conversation of a member with a far end: its address by IPv4, and by IPv6 or nothing."""
        over6 = bool(member.address6 and far[1]) and self.rng.random() < 0.6
        both = (member.address6, far[1]) if over6 else (member.address4, far[0])
        own = self.rng.randrange(32_768, 61_000)
        extra = (int(member.stamps), self.rng.getrandbits(32), self.rng.getrandbits(32))
        return self.ends.add(member.mac + GATEWAY_MAC, both, (own, port), transport, extra)

    def _meet_site(self, member: Member, site: Site, port: int, transport: int) -> int:
        return self._meet(member, (site.addresses4[0], (site.addresses6 or (b"",))[0]), port, transport)

    def _room(self, owner: int) -> int:
        """Payload bytes of a full TCP segment."""
        _, version, stamps = self.ends.kinds[owner]
        return 1514 - int(HEADERS[(4 if version == 6 else 0) + 1 + stamps])

    def _open(self, owner: int, clock: int, rtt: int) -> int:
        self._row(clock, owner, 1, 0, SYN)
        self._row(clock + rtt, owner, 0, 0, SYN | ACK)
        self._row(clock + rtt + 80, owner, 1, 0, ACK)
        return clock + rtt + 160

    def _lookup(self) -> None:
        rng = self.rng
        query, answer = self._resolver.exchange(
            self._site(), rng.choice((dns.A, dns.A, dns.AAAA, dns.AAAA, dns.HTTPS)), rng.getrandbits(16)
        )
        owner, clock = self._meet(self._member(), (GATEWAY4, GATEWAY6), 53, UDP), self._when()
        self._row(clock, owner, 1, len(query), 0, query)
        self._row(clock + rng.randrange(400, 40_000), owner, 0, len(answer), 0, answer)

    def _lookup_tcp(self) -> None:
        query, answer = self._resolver.exchange(self._site(), dns.A, self.rng.getrandbits(16))
        owner = self._meet(self._member(), (GATEWAY4, GATEWAY6), 53, TCP)
        clock = self._open(owner, self._when(), 900)
        self._row(clock, owner, 1, len(query) + 2, PSH | ACK, tls.vector(query, 2))
        self._row(clock + 18_000, owner, 0, len(answer) + 2, PSH | ACK, tls.vector(answer, 2))
        self._finish(owner, clock + 19_000)

    def _finish(self, owner: int, clock: int) -> None:
        self._row(clock, owner, 1, 0, FIN | ACK)
        self._row(clock + 12_000, owner, 0, 0, FIN | ACK)
        self._row(clock + 12_100, owner, 1, 0, ACK)

    def _secure(self) -> None:
        rng, member, site = self.rng, self._member(), self._site()
        stack = tls.STACKS[member.stack]
        owner = self._meet_site(member, site, 443, TCP)
        rtt = rng.randrange(8_000, 50_000)
        clock = self._open(owner, self._when(), rtt)
        hello = tls.client_hello(stack, site.name, rng)
        record, room = tls.record(tls.HANDSHAKE, hello, 0x0301), self._room(owner)
        swapped = rng.random() < 0.04
        for at in range(0, len(record), room):
            part = record[at : at + room]
            self._row(clock + at, owner, 1, len(part), PSH | ACK, part, 2_000 if swapped and not at else 0)
        clock += rtt + 2_500
        self._row(clock, owner, 0, 0, ACK)
        if 0x0304 in stack.versions:
            first = tls.server_hello(hello, rng, modern=True, hybrid=tls.X25519MLKEM768 in stack.groups)
            rest = 2_300
            first = tls.record(tls.HANDSHAKE, first) + tls.record(tls.CHANGE_CIPHER, b"\1")
            flight = first + b"\x17\3\3" + rest.to_bytes(2, "big")
        else:
            flight, rest = tls.old_server_flight(hello, site.name, "", rng), 0
        for at in range(0, len(flight) + rest, room):
            size = min(room, len(flight) + rest - at)
            self._row(clock + 90 + at, owner, 0, size, PSH | ACK, flight[at : at + size])
        clock += 6_000
        reply = tls.record(tls.CHANGE_CIPHER, b"\1") + b"\x17\3\3\0\x35" if rest else tls.old_client_finish(rng)
        self._row(clock, owner, 1, len(reply) + (53 if rest else 0), PSH | ACK, reply)
        self._bodies.append((owner, clock + 200, min(rng.paretovariate(1.05), 3000.0), TLS_RECORD))

    def _quick(self) -> None:
        rng, member, site = self.rng, self._member(), self._site()
        owner, clock = self._meet_site(member, site, 443, UDP), self._when()
        first, own = rng.randbytes(8), rng.randbytes(8)
        stack = tls.STACKS["chrome" if rng.random() < 0.45 else "openssl3"]
        for number_, datagram in enumerate(quic.client_initials(stack, site.name, first, rng)):
            self._row(clock + number_ * 120, owner, 1, len(datagram), 0, datagram)
        for number_, datagram in enumerate(quic.server_flight(first, own, rng)):
            self._row(clock + 21_000 + number_ * 150, owner, 0, len(datagram), 0, datagram)
        last = quic.client_finish(first, own, rng)
        self._row(clock + 22_000, owner, 1, len(last), 0, last)
        self._bodies.append((owner, clock + 23_000, min(rng.paretovariate(1.05), 3000.0), QUIC_SHORT))

    def _plain(self) -> None:
        site, rng = self._site(), self.rng
        owner = self._meet_site(self._member(), site, 80, TCP)
        clock = self._open(owner, self._when(), 16_000)
        ask = http.request(
            "GET", f"/{rng.randrange(999)}", {"Host": site.name, "User-Agent": "sample/1.0", "Accept": "*/*"}
        )
        body = http.answer("200 OK", {"Content-Type": "application/octet-stream"}, b"s" * rng.randrange(20, 900))
        self._row(clock, owner, 1, len(ask), PSH | ACK, ask)
        self._row(clock + 17_000, owner, 0, len(body), PSH | ACK, body)
        self._finish(owner, clock + 18_000)

    def _refused(self) -> None:
        owner, clock = (
            self._meet_site(self._member(), self._site(), self.rng.choice((443, 80, 22, 7000)), TCP),
            self._when(),
        )
        self._row(clock, owner, 1, 0, SYN)
        if self.rng.random() < 0.5:
            self._row(clock + 14_000, owner, 0, 0, RST | ACK)

    def _media(self) -> None:
        member, site = self._member(), self._site()
        owner, clock = self._meet_site(member, site, 51_820, UDP), self._when()
        hello = small.wireguard_hello(self.rng, 7)
        answer = small.wireguard_answer(self.rng, 8, 7)
        self._row(clock, owner, 1, len(hello), 0, hello)
        self._row(clock + 15_000, owner, 0, len(answer), 0, answer)
        self._bodies.append((owner, clock + 16_000, min(self.rng.paretovariate(1.05), 3000.0), WIREGUARD))

    def _clock(self) -> None:
        owner, clock = self._meet_site(self._member(), self._site(), 123, UDP), self._when()
        ask = small.ntp_request(clock)
        self._row(clock, owner, 1, 48, 0, ask)
        self._row(clock + 19_000, owner, 0, 48, 0, small.ntp_answer(ask, clock + 9_000))

    def _chatter(self) -> None:
        member, rng = self._member(), self.rng
        own, gateway = End(member.mac, member.address4, 5353), End(GATEWAY_MAC, GATEWAY4)
        local, router = End(member.mac, member.link_local), End(GATEWAY_MAC, bytes.fromhex("fe80") + bytes(13) + b"\1")
        question = dns.message(0, 0, (dns.Question(rng.choice(("_airplay._tcp.local", "_hap._tcp.local")), dns.PTR),))
        frame = rng.choice(
            (
                lambda: lan.arp(1, own, gateway),
                lambda: lan.arp(2, gateway, own),
                lambda: lan.neighbour_solicitation(local, router.address),
                lambda: lan.neighbour_advertisement(router, local, router=True),
                lambda: lan.mdns(own, question),
                lambda: lan.ssdp_search(own, "ssdp:all"),
                lambda: lan.echo(own, gateway, 9, rng.randrange(9), reply=False),
            )
        )()
        self._row(self._when(), 0, 1, len(frame), 0, frame)

    def _fragments(self) -> None:
        member, clock = self._member(), self._when()
        own, far = End(member.mac, member.address4, 40_000), End(GATEWAY_MAC, self._site().addresses4[0], 40_002)
        payload = small.rtp(96, 1, 7, 9, self.rng.randbytes(2600))
        for number_, frame in enumerate(wire.fragments4(own, far, payload, ident=self.rng.getrandbits(16))):
            self._row(clock + number_ * 40, 0, 1, len(frame), 0, frame)

    def _close(self, closing: list[Body], body: Ints) -> None:
        """Let the given conversations end after their last packet."""
        ends = np.zeros(len(self.ends.macs), np.int64)
        np.maximum.at(ends, body[:, 1], body[:, TIME])
        for owner, start, _, _ in closing:
            self._finish(owner, max(int(ends[owner]), start) + 4_000)
