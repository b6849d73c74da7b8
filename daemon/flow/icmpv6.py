"""Router advertisements: prefixes that are on this link, who routes, and whom to ask for names (RFC 4861, RFC 8106)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daemon.decode.cursor import DecodeError
from daemon.decode.ndp import parse_router_advertisement
from daemon.flow.datagram import DatagramInspector
from daemon.flow.facts import RESOLVER, HintFact, RouterFact, network, widen
from daemon.flow.local import LEAST_PREFIX

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts
    from daemon.flow.hello import Hello

_ROUTER_ADVERTISEMENT = 134
_LINK_LOCAL = 0xFE80 >> 6  # the first ten bits, RFC 4291 section 2.5.6
_BOTH = 3


class Icmpv6Inspector(DatagramInspector):
    """Without state: every message stands alone."""

    __slots__ = ("wants",)

    def __init__(self, ports: tuple[int, int], isn: tuple[int, int]) -> None:
        del ports, isn  # ICMPv6 has none
        self.wants = _BOTH

    def datagram(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """Read a router advertisement; every other message is traffic only."""
        if payload[0] != _ROUTER_ADVERTISEMENT or not _is_link_local(flow, side):
            return
        try:
            said = parse_router_advertisement(payload)
        except DecodeError:
            return  # broken advertisements announce nothing; the packet stays counted
        for prefix in said.prefixes:
            wide = int(prefix.network.rpartition("/")[2]) < LEAST_PREFIX
            if (prefix.on_link or prefix.autonomous) and not wide:
                network(facts, prefix.network, "ra", min(prefix.valid_s, 0x7FFFFFFF), time_us)
        mac, address = flow.sender(side)
        facts.hint([HintFact(mac, address, "ra", RESOLVER, resolver) for resolver in said.resolvers], time_us)
        if said.lifetime_s:
            widen(facts.routers, RouterFact(said.mac if said.mac >= 0 else mac, address, "ra"), time_us)

    def state(self) -> list[Any]:
        """Nothing to keep."""
        return []

    @classmethod
    def restore(cls, state: list[Any], hellos: dict[int, Hello]) -> Icmpv6Inspector:
        """As new."""
        del state, hellos
        return cls((-1, -1), (-1, -1))


# Serves every flow: the core in C gives it to those in which nobody advertises.
STATELESS = Icmpv6Inspector((-1, -1), (-1, -1))


def _is_link_local(flow: Talk, side: int) -> bool:
    """RFC 4861 section 6.1.2: an advertisement from any other address is none."""
    return flow.key[3 + 2 * side] >> 118 == _LINK_LOCAL
