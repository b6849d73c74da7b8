"""The inner walk of the flow table: rows of columns to open conversations. What is done with them is the table's.

Rule 1: rows are taken in file order, as far as that shows: silence, FIN or RST and a new SYN end a conversation
        (`conversation`, rule 2), a row then begins the next.
Rule 2: this core takes rows by groups with numpy. A group is added by its sums when nothing in it can end a flow; else it
        is walked row by row. Both give the same (a test compares them with `walk_all`).
Rule 3: the core written in C (`_core.c`), where it could be built, gives the same as this one, which is its oracle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from daemon.decode.columns import Columns, link_addresses, payload_bytes
from daemon.decode.packet import ACK, FIN, RST, SYN, TCP
from daemon.decode.records import Buffer
from daemon.decode.slots import SLOT_US
from daemon.flow.conversation import Conversation, Talk
from daemon.flow.facts import DnsFact, Endpoints, Facts, FlowFact, HelloFact
from daemon.flow.tally import CLOSED_IDLE_US, IDLE_US, OTHER_IDLE_US, FlowKey

if TYPE_CHECKING:
    from daemon.decode.groups import Groups

try:
    from daemon.flow._core import Core as _NativeCore
    from daemon.flow._core import Packed
    from daemon.flow._core import Tally as _NativeTally
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = True

    class NativeConversation(Talk, _NativeTally):
        """A flow under way whose counters are kept in C."""

        __slots__ = ()


CoreName = Literal["auto", "c", "numpy", "walk"]

# What the fields of facts are that C keeps (`_packed.h`), a letter each: number, n (one or none), truth (b), other.
FLOW_SHAPE, HELLO_SHAPE, DNS_SHAPE = "ioiinnoooiiiiiiiii", "iiiininooooooooooo", "iiioboooio"


def fresh_facts(name: CoreName) -> Facts:
    """No facts yet; those that the core of this name tells in great numbers are packed, where it can."""
    if not (NATIVE and name in ("auto", "c")):
        return Facts()
    return Facts(
        flows=Packed(FlowFact, FLOW_SHAPE), hellos=Packed(HelloFact, HELLO_SHAPE), dns=Packed(DnsFact, DNS_SHAPE)
    )


class FlowCore(Protocol):
    """Open conversations by key, fed by chunks of rows. What they say goes to `facts`, whose `seen` is whole once others
    have taken their place; `begun` numbers the next."""

    facts: Facts
    begun: int

    def __len__(self) -> int:
        """How many are open."""

    def add(self, buf: Buffer, columns: Columns) -> None:
        """Take the rows of a chunk."""

    def open(self) -> Iterable[Talk]:
        """All open conversations in the order in which they began."""

    def expire(self, clock_us: int, /) -> None:
        """End those whose silence has ended them by this time."""

    def insert(self, flow: Talk, /) -> None:
        """A conversation that was open when decoding stopped; it was made by `conversation_of` this core."""

    def remove(self, flow: Talk, end: str, /) -> None:
        """End a conversation from outside."""

    def renumber(self, endpoints: Endpoints, /) -> None:
        """Number ends by these from now on."""


def make_core(
    name: CoreName, endpoints: Endpoints, facts: Facts, conversation: type[Any] | None = None
) -> tuple[FlowCore, type[Talk]]:
    """The core of this name, and the class of its conversations, which `conversation` may extend.

    `c`, `numpy`, `walk` (numpy, every row by itself) or `auto`, the fastest there is. Raises RuntimeError where the one
    in C is asked for by name and is not built.
    """
    if NATIVE and name in ("auto", "c"):
        made = conversation or NativeConversation
        return _NativeCore(endpoints, facts, made), made
    if name == "c":
        raise RuntimeError(
            "daemon.flow._core is not built: `python hatch_build.py` builds it where there is a C compiler"
        )
    kind = conversation or Conversation
    return NumpyCore(endpoints, facts, kind, walk_all=name == "walk"), kind


class NumpyCore:
    """Open conversations by key, fed by groups of rows."""

    def __init__(
        self, endpoints: Endpoints, facts: Facts, conversation: type[Conversation], *, walk_all: bool = False
    ) -> None:
        from daemon.decode.groups import group  # noqa: PLC0415  the core in C needs none of it

        self.facts = facts
        self.begun = 0
        self._group = group
        self._endpoints = endpoints
        self._conversation = conversation
        self._walk_all = walk_all
        self._flows: dict[FlowKey, Conversation] = {}

    def __len__(self) -> int:
        return len(self._flows)

    def open(self) -> Iterable[Talk]:
        """All open conversations."""
        return list(self._flows.values())

    def expire(self, clock_us: int, /) -> None:
        """End those whose silence has ended them by this time."""
        for flow in [flow for flow in self._flows.values() if clock_us - flow.last_us > flow.idle_us]:
            self.remove(flow, "idle")

    def insert(self, flow: Any, /) -> None:  # noqa: ANN401  a conversation of this core
        """A conversation that was open when decoding stopped."""
        self._flows[flow.key] = flow

    def remove(self, flow: Any, end: str, /) -> None:  # noqa: ANN401  as above
        """End a conversation from outside."""
        del self._flows[flow.key]
        flow.release(self.facts, end, live=False)

    def renumber(self, endpoints: Endpoints, /) -> None:
        """Number ends by these from now on."""
        self._endpoints = endpoints

    def add(self, buf: Buffer, columns: Columns) -> None:
        """Take the rows of a chunk."""
        groups = self._group(buf, columns)
        if groups is None:
            return
        view = memoryview(buf)
        for index, (key, side) in enumerate(_keys(columns, groups)):
            flow = self._flows.get(key)
            if flow is not None and groups.head_us[index] - flow.last_us > flow.idle_us:
                self.remove(flow, "idle")
                flow = None
            if self._walk_all or _order_matters(groups, index, key[1], flow):
                self._walk(buf, view, columns, groups, index, key, side)
            else:
                self._sum(buf, view, columns, groups, index, key, side)

    def _begin(self, buf: Buffer, columns: Columns, row: int, key: FlowKey, side: int) -> Conversation:
        macs = link_addresses(buf, columns, row)
        flow = self._flows[key] = self._conversation(self.begun, key, side, int(columns.time_us[row]))
        self.begun += 1
        flow.meet(self._endpoints, self.facts.seen, side, *macs)
        return flow

    def _sum(
        self, buf: Buffer, view: memoryview, columns: Columns, groups: Groups, index: int, key: FlowKey, side: int
    ) -> None:
        """Add a group by its sums, then show the payloads that are wanted."""
        flow = self._flows.get(key)
        fresh = -1
        if flow is None:
            flow = self._begin(buf, columns, groups.first_row[index], key, side)
            fresh = side
        forth, size_forth = groups.packets_forth[index], groups.bytes_forth[index]
        back, size_back = groups.packets[index] - forth, groups.bytes[index] - size_forth
        news = (back and not flow.packets[1 - side]) or (not flow.packets[side] and fresh < 0)
        if news and not self._meet(buf, columns, groups, index, flow, side, fresh):
            self._walk(buf, view, columns, groups, index, key, side)
            return
        packets, sizes = ((back, forth), (size_back, size_forth)) if side else ((forth, back), (size_forth, size_back))
        slot = groups.head_us[index] // SLOT_US
        flow.count(slot, packets, sizes, groups.first_us[index], groups.last_us[index])
        if groups.flags[index] & (SYN | FIN | RST):
            self._flags(columns, groups, index, flow, side)
        if groups.notables[index] or (flow.wants and groups.payloads[index]):
            self._show(view, columns, groups, index, flow, side)

    def _meet(
        self, buf: Buffer, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int, fresh: int
    ) -> bool:
        """The first packet of an end that had not sent yet; False where it is not behind the MAC that was sent to so far:
        then payloads have to be shown before and after it."""
        start, stop = groups.start[index], groups.stop[index]
        rows, same = groups.order[start:stop], groups.same[start:stop]
        for end, chosen in ((side, same), (1 - side, ~same)):
            if not flow.packets[end] and end != fresh and chosen.any():
                macs = link_addresses(buf, columns, int(rows[int(chosen.argmax())]))
                if macs[0] != flow.macs[end]:
                    return False
                flow.meet(self._endpoints, self.facts.seen, end, *macs)
        return True

    def _flags(self, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int) -> None:
        start, stop = groups.start[index], groups.stop[index]
        rows, same = groups.order[start:stop], groups.same[start:stop]
        flags = columns.tcp_flags[rows]
        for at in ((flags & (SYN | FIN | RST)) != 0).nonzero()[0].tolist():
            flow.flags(side if same[at] else 1 - side, int(flags[at]), int(columns.tcp_seq[rows[at]]))

    def _show(
        self, view: memoryview, columns: Columns, groups: Groups, index: int, flow: Conversation, side: int
    ) -> None:
        """Payloads that are wanted, in file order."""
        start, stop = groups.start[index], groups.stop[index]
        rows = groups.order[start:stop]
        worth = (columns.payload_size[rows] > 0) | (columns.missing[rows] > 0)
        if not flow.wants:  # a notable one may open it again
            worth[: int(groups.notable[start:stop].argmax())] = False
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
                payload = payload_bytes(view, columns, row)
                flow.wants = flow.inspect(self.facts, end, time_us, flags, seq, payload, missing)

    def _walk(
        self, buf: Buffer, view: memoryview, columns: Columns, groups: Groups, index: int, key: FlowKey, side: int
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
                self.remove(flow, "idle")
                flow = None
            if flow is not None and flow.closed and flags & (SYN | ACK) == SYN:
                self.remove(flow, "cut")  # said by its FIN or RST: the word given here is not used
                flow = None
            if flow is None:
                flow = self._begin(buf, columns, row, key, end)
            elif not flow.packets[end]:
                flow.meet(self._endpoints, self.facts.seen, end, *link_addresses(buf, columns, row))
            packets, sizes = ((0, 1), (0, size)) if end else ((1, 0), (size, 0))
            flow.count(time_us // SLOT_US, packets, sizes, time_us, time_us)
            seq, missing = int(columns.tcp_seq[row]), int(columns.missing[row])
            if flags & (SYN | FIN | RST):
                flow.flags(end, flags, seq)
            if (columns.payload_size[row] > 0 or missing) and (notable[at] or flow.wants >> end & 1):
                payload = payload_bytes(view, columns, row)
                flow.wants = flow.inspect(self.facts, end, time_us, flags, seq, payload, missing)


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
    """Whether its sums are not enough: something in the group may end a flow, its rows lie in several slots, or a SYN says
    where data begin after some were there."""
    if groups.several_slots[index] or groups.late_opens[index]:
        return True
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
