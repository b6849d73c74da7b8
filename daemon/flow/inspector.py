"""Which inspector looks into a conversation: a table by IP protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from daemon.decode.packet import ICMPV6, TCP, UDP
from daemon.flow.hello import Hello
from daemon.flow.icmpv6 import Icmpv6Inspector
from daemon.flow.tally import FlowKey, Pair
from daemon.flow.tcp import TcpInspector
from daemon.flow.udp import make_udp, restore_udp

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts


class Inspector(Protocol):
    """Reads the payloads of one conversation. `wants` is a mask of the ends (1, 2) whose payloads it asks for."""

    wants: int

    def packet(
        self,
        flow: Talk,
        facts: Facts,
        side: int,
        time_us: int,
        flags: int,
        seq: int,
        payload: bytes,
        missing: int,
    ) -> None:
        """Take one payload sent by `side`."""
        ...

    def state(self) -> list[Any]:
        """Plain values to go on from."""
        ...


_MAKE: dict[int, Callable[[tuple[int, int], Pair], Inspector]] = {
    TCP: TcpInspector,
    UDP: make_udp,
    ICMPV6: Icmpv6Inspector,
}
_RESTORE: dict[int, Callable[[list[Any], dict[int, Hello]], Inspector]] = {
    TCP: TcpInspector.restore,
    UDP: restore_udp,
    ICMPV6: Icmpv6Inspector.restore,
}


def make_inspector(key: FlowKey, isn: Pair) -> Inspector | None:
    """A fresh inspector for a flow of this key; None where there is nothing to look for.

    `isn` are the sequence numbers at which the ends' data begin, -1 where that was not seen.
    """
    make = _MAKE.get(key[1])
    return make((key[4], key[6]), isn) if make else None


def restore_inspector(key: FlowKey, state: list[Any], hellos: dict[int, Hello]) -> Inspector | None:
    """The inspector that `state()` described; `hellos` are those of its flow, by index."""
    restore = _RESTORE.get(key[1])
    return restore(state, hellos) if restore else None
