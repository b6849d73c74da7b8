"""What the inspectors of datagrams have in common: each datagram stands alone, so what TCP needs to order them is unused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daemon.flow.conversation import Talk
    from daemon.flow.facts import Facts


class DatagramInspector:
    """Passes every datagram that says anything to `datagram`, which the kinds of inspectors fill in."""

    __slots__ = ()

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
        """Take one datagram sent by `side`, as daemon.flow.inspector.Inspector asks for it."""
        del flags, seq, missing
        if payload:
            self.datagram(flow, facts, side, time_us, payload)

    def datagram(self, flow: Talk, facts: Facts, side: int, time_us: int, payload: bytes) -> None:
        """Take the bytes of one datagram sent by `side`; never none."""
        raise NotImplementedError
