"""Conversations that go on in the next file: the later part takes the earlier one's orientation and name.

Rule 1: parts belong together if they are of one site and series, have the same ends and protocol, the earlier was cut by
        the end of its file, the later did not open with a SYN, and no silence that ends a flow lies between.
Rule 2: parts are taken in order of packet time, so that the order in which files were read does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from daemon.flow.tally import SECOND

_IDLE_US = {"tcp": 3600 * SECOND, "udp": 180 * SECOND}
_OTHER_IDLE_US = 60 * SECOND


class Part(NamedTuple):
    """A flow as one file has it."""

    flow_id: int
    client: tuple[str, int | None]  # address and port
    server: tuple[str, int | None]
    protocol: str
    tunnel: str | None
    begun: bool
    cut: bool
    first_us: int
    last_us: int
    name_id: int | None

    def key(self) -> tuple[object, ...]:
        """What parts of one flow have in common, whichever end is called the client."""
        return self.protocol, self.tunnel, frozenset((self.client, self.server))


class Continued(NamedTuple):
    """What a later part takes over."""

    flow_id: int
    turned: bool
    name_id: int | None  # None: it has a name of its own, or there is none to take
    head: int | None = None  # where nobody has a name: the flow with which it all began


class _Tail(NamedTuple):
    client: tuple[str, int | None]
    last_us: int
    name_id: int | None
    head: int


def _when(part: Part) -> tuple[int, int, str, int, str, int, bool, bool, int]:
    """Order by time; the ends (-1: a protocol without ports) and all the rest decide between those of one instant."""
    (client, client_port), (server, server_port) = part.client, part.server
    ports = (-1 if client_port is None else client_port, -1 if server_port is None else server_port)
    rest = part.begun, part.cut, -1 if part.name_id is None else part.name_id
    return part.first_us, part.last_us, client, ports[0], server, ports[1], *rest


def stitch(parts: Iterable[Part]) -> list[Continued]:
    """Link the parts of one series; the answer has an entry for every part that goes on from another."""
    tails: dict[tuple[object, ...], _Tail] = {}
    out: list[Continued] = []
    for part in sorted(parts, key=_when):
        key = part.key()
        before = tails.get(key)
        client, name_id, head = part.client, part.name_id, part.flow_id
        if before is not None and not part.begun:
            silence = part.first_us - before.last_us
            if 0 <= silence <= _IDLE_US.get(part.protocol, _OTHER_IDLE_US):
                client = before.client
                taken = before.name_id if name_id is None else None
                name_id = name_id if name_id is not None else taken
                head = before.head
                out.append(Continued(part.flow_id, client != part.client, taken, head if name_id is None else None))
        if part.cut:
            tails[key] = _Tail(client, part.last_us, name_id, head)
        else:
            tails.pop(key, None)
    return out
