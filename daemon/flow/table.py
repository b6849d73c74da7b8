"""All conversations of one capture while it is read: chunks of columns in, facts out.

Rule 1: the result depends on the packets and their order alone, never on where a chunk or a commit ends. What looks at
        the whole table (`tidy`) is called at fixed places of the file only.
Rule 2: a group of rows is taken by its sums when nothing in it can end a flow; else it is walked row by row. Both give
        the same facts (a test compares them).
Rule 3: the table is bounded: past OPEN flows the longest silent are let go and end as `cut`.
"""

from __future__ import annotations

from typing import Any

from daemon.decode.columns import Columns, link_addresses, payload_bytes
from daemon.decode.groups import SLOT_US, Groups, group
from daemon.decode.packet import FIN, RST, SYN, TCP
from daemon.flow.conversation import CLOSED_IDLE_US, IDLE_US, OTHER_IDLE_US, Conversation, FlowKey
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.frames import FrameCounter

OPEN = 65536  # flows kept open; a home has a few thousand
_KEEP = OPEN // 2  # left after letting go, so that a flood does not make every tidy a sort
_ACK = 0x10


class FlowTable:
    """The open conversations of a capture. `walk_all` takes every group row by row (the oracle of rule 2)."""

    def __init__(self, endpoints: Endpoints, *, walk_all: bool = False) -> None:
        self.endpoints = endpoints
        self.facts = Facts()
        self.clock_us = 0  # the latest packet time so far
        self._walk_all = walk_all
        self._flows: dict[FlowKey, Conversation] = {}
        self._next = 0
        self._frames = FrameCounter(endpoints)

    def __len__(self) -> int:
        return len(self._flows)

    @property
    def flows_seen(self) -> int:
        """Flows begun so far."""
        return self._next

    def add(self, buf: bytearray, columns: Columns) -> None:
        """Take the rows of a chunk."""
        if not len(columns):
            return
        self.clock_us = max(self.clock_us, int(columns.time_us.max()))
        self._frames.add(buf, columns, self.facts)
        groups = group(buf, columns)
        if groups is not None:
            self._add_groups(buf, columns, groups)

    def _add_groups(self, buf: bytearray, columns: Columns, groups: Groups) -> None:
        flows = self._flows
        view = memoryview(buf)
        for index, (key, side) in enumerate(_keys(columns, groups)):
            flow = flows.get(key)
            head_us = groups.head_us[index]
            if flow is not None and head_us - flow.last_us > flow.idle_us:
                self._close(flow, "idle")
                flow = None
            if self._walk_all or _order_matters(groups, index, key[1], flow):
                self._walk(buf, view, columns, groups, index, key, side)
                continue
            if flow is None:
                flow = self._begin(buf, columns, groups.first_row[index], key, side, head_us)
            self._sum(buf, view, columns, groups, index, flow, side)

    def _begin(self, buf: bytearray, columns: Columns, row: int, key: FlowKey, side: int, time_us: int) -> Conversation:
        flow = self._flows[key] = Conversation(self._next, key, side, time_us)
        self._next += 1
        flow.meet(self.endpoints, side, *link_addresses(buf, columns, row))
        return flow

    def _sum(
        self, buf: bytearray, view: memoryview, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int
    ) -> None:
        """Take a group by its sums, then show the inspector what it wants."""
        forth, size_forth = groups.packets_forth[index], groups.bytes_forth[index]
        back, size_back = groups.packets[index] - forth, groups.bytes[index] - size_forth
        first_us, last_us = groups.first_us[index], groups.last_us[index]
        slot = groups.head_us[index] // SLOT_US
        if (back and not flow.packets[1 - side]) or not flow.packets[side]:
            self._meet(buf, columns, groups, index, flow, side)
        if side:
            flow.count(slot, (back, forth), (size_back, size_forth), first_us, last_us)
        else:
            flow.count(slot, (forth, back), (size_forth, size_back), first_us, last_us)
        flags = groups.flags[index]
        if flags & (SYN | FIN | RST):
            self._flags(columns, groups, index, flow, side)
        if groups.notables[index] or (flow.wants and groups.payloads[index]):
            self._inspect(view, columns, groups, index, flow, side)

    def _meet(self, buf: bytearray, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int) -> None:
        """The first packet of an end that had not sent yet shows its own MAC."""
        start, stop = groups.start[index], groups.stop[index]
        rows, same = groups.order[start:stop], groups.same[start:stop]
        for end, chosen in ((side, same), (1 - side, ~same)):
            if not flow.packets[end] and chosen.any():
                row = int(rows[int(chosen.argmax())])
                flow.meet(self.endpoints, end, *link_addresses(buf, columns, row))

    def _flags(self, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int) -> None:
        start, stop = groups.start[index], groups.stop[index]
        flags = columns.tcp_flags[groups.order[start:stop]]
        same = groups.same[start:stop]
        rows = groups.order[start:stop]
        for at in ((flags & (SYN | FIN | RST)) != 0).nonzero()[0].tolist():
            flow.flags(side if same[at] else 1 - side, int(flags[at]), int(columns.tcp_seq[rows[at]]))

    def _inspect(
        self, view: memoryview, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int
    ) -> None:
        """Show the inspector the payloads that it wants, in file order."""
        start, stop = groups.start[index], groups.stop[index]
        rows = groups.order[start:stop]
        worth = (columns.payload_size[rows] > 0) | (columns.missing[rows] > 0)
        if not flow.wants:
            worth &= groups.notable[start:stop]
        chosen = worth.nonzero()[0]
        rows = rows[chosen]
        take = [
            column.tolist()
            for column in (
                rows, groups.same[start:stop][chosen], groups.notable[start:stop][chosen], columns.time_us[rows],
                columns.tcp_flags[rows], columns.tcp_seq[rows], columns.missing[rows],
            )
        ]  # fmt: skip
        for row, same, notable, time_us, flags, seq, missing in zip(*take, strict=True):
            end = side if same else 1 - side
            if notable or flow.wants >> end & 1:
                flow.inspect(self.facts, end, time_us, flags, seq, payload_bytes(view, columns, row), missing)

    def _walk(
        self, buf: bytearray, view: memoryview, columns: Columns, groups: Groups, index: int, key: FlowKey, side: int
    ) -> None:
        """Take a group row by row: the reference for what ends a flow and begins the next."""
        start, stop = groups.start[index], groups.stop[index]
        same = groups.same[start:stop].tolist()
        notable = groups.notable[start:stop].tolist()
        for at, row in enumerate(groups.order[start:stop].tolist()):
            end = side if same[at] else 1 - side
            time_us, flags, size = int(columns.time_us[row]), int(columns.tcp_flags[row]), int(columns.wire[row])
            flow = self._flows.get(key)
            if flow is not None and time_us - flow.last_us > flow.idle_us:
                self._close(flow, "idle")
                flow = None
            if flow is not None and flow.closed and flags & (SYN | _ACK) == SYN and key[1] == TCP:
                self._close(flow, "cut")  # said by its FIN or RST, so the word given here is not used
                flow = None
            if flow is None:
                flow = self._begin(buf, columns, row, key, end, time_us)
            if not flow.packets[end]:
                flow.meet(self.endpoints, end, *link_addresses(buf, columns, row))
            packets, sizes = ((0, 1), (0, size)) if end else ((1, 0), (size, 0))
            flow.count(time_us // SLOT_US, packets, sizes, time_us, time_us)
            seq, missing = int(columns.tcp_seq[row]), int(columns.missing[row])
            if flags & (SYN | FIN | RST):
                flow.flags(end, flags, seq)
            if (columns.payload_size[row] > 0 or missing) and (notable[at] or flow.wants >> end & 1):
                flow.inspect(self.facts, end, time_us, flags, seq, payload_bytes(view, columns, row), missing)

    def _close(self, flow: Conversation, end: str) -> None:
        del self._flows[flow.key]
        flow.release(self.facts, flow.end_word(end))

    def tidy(self) -> None:
        """Let go of flows whose silence has ended them, and of the longest silent ones where there are too many."""
        clock = self.clock_us
        for flow in [flow for flow in self._flows.values() if clock - flow.last_us > flow.idle_us]:
            self._close(flow, "idle")
        if len(self._flows) > OPEN:
            silent = sorted(self._flows.values(), key=lambda flow: (flow.last_us, flow.number))
            for flow in silent[: len(silent) - _KEEP]:
                self._close(flow, "cut")

    def finish(self, otherwise: str = "cut") -> None:
        """The capture ends here (for now: the flows stay open, so that it may grow). Writes every open flow."""
        clock = self.clock_us
        for flow in self._flows.values():
            word = "idle" if clock - flow.last_us > flow.idle_us else otherwise
            flow.release(self.facts, flow.end_word(word))

    def renumber(self, endpoints: Endpoints) -> None:
        """Number the ends of the open flows anew; those of closed flows are forgotten."""
        self.endpoints = endpoints
        self._frames = FrameCounter(endpoints)
        for flow in self._flows.values():
            flow.renumber(endpoints)

    def take_facts(self) -> Facts:
        """The facts since the last call."""
        facts, self.facts = self.facts, Facts()
        return facts

    def state(self) -> dict[str, Any]:
        """All that is needed to go on in another process, as plain values."""
        return {
            "clock_us": self.clock_us,
            "next": self._next,
            "flows": [flow.state() for flow in self._flows.values()],
        }

    @classmethod
    def restore(cls, state: dict[str, Any], endpoints: Endpoints) -> FlowTable:
        """The table that `state()` described."""
        table = cls(endpoints)
        table.clock_us, table._next = state["clock_us"], state["next"]
        for each in state["flows"]:
            flow = Conversation.restore(each, endpoints)
            table._flows[flow.key] = flow
        return table


def _keys(columns: Columns, groups: Groups) -> list[tuple[FlowKey, int]]:
    """Per group the flow's key, and which end of it sent the group's first row."""
    rows = groups.first_row
    take = [
        column[rows].tolist()
        for column in (
            columns.version, columns.protocol, columns.tunnel, columns.source_hi, columns.source_lo, columns.source_port,
            columns.destination_hi, columns.destination_lo, columns.destination_port,
        )
    ]  # fmt: skip
    out: list[tuple[FlowKey, int]] = []
    for version, protocol, tunnel, shi, slo, sport, dhi, dlo, dport in zip(*take, strict=True):
        source, destination = shi << 64 | slo, dhi << 64 | dlo
        if (source, sport) <= (destination, dport):
            out.append(((version, protocol, tunnel, source, sport, destination, dport), 0))
        else:
            out.append(((version, protocol, tunnel, destination, dport, source, sport), 1))
    return out


def _order_matters(groups: Groups, index: int, protocol: int, flow: Conversation | None) -> bool:
    """Whether something in the group may end a flow, so that its sums are not one flow's."""
    gap = groups.largest_gap_us[index]
    if protocol == TCP:
        closed = flow is not None and flow.closed
        if closed or groups.flags[index] & (FIN | RST):
            if gap > CLOSED_IDLE_US:
                return True
            # One opening at the very start of a new flow ends nothing.
            if groups.openings[index] > (flow is None and groups.opens[index]):
                return True
    return gap > IDLE_US.get(protocol, OTHER_IDLE_US)
