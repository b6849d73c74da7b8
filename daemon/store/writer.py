"""Facts into tables: one batch, one transaction, together with the cursor of the capture they came from.

Rule 1: facts, counters, decoding state and cursor move together or not at all; a capture that moved meanwhile (somebody
        else reads it too) refuses the batch.
Rule 2: the numbers of endpoints and names are looked up or made inside the transaction, and forgotten if it fails.
Rule 3: what a later batch knows better (a flow, a hello) replaces its row; what adds up (slices, frames, spans) is added.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from daemon.decode.dns import Record
from daemon.flow.facts import Endpoints, Facts, FlowKind
from daemon.flow.local import address_text, scope_of
from daemon.identify.answers import holds_until
from daemon.store.blocks import write_blocks
from daemon.store.database import transaction
from daemon.store.errors import Busy, explained

_NAMES_KEPT = 200_000  # texts whose numbers are remembered; a flood of made-up names starts the memory anew

_DIGEST_STEP = 64 << 20  # bytes of a file in which one digest is kept


def _places(count: int, maybe: Collection[int] = ()) -> str:
    """Places of `count` values; where there may be none (`maybe`, counted from 1) a 0 stands for it.

    sqlite3 takes a number as it is, but asks around for more than half a microsecond what a None or a bool could be.
    """
    return ", ".join(f"iif(?{at} IS 0, NULL, ?{at})" if at in maybe else f"?{at}" for at in range(1, count + 1))


_FLOW_FACTS = (
    "kind_id", "client_id", "server_id", "client_port", "server_port", "name_id", "name_source", "end", "begun", "live",
    "sliced", "first_us", "last_us", "packets_up", "packets_down", "bytes_up", "bytes_down",
)  # fmt: skip
# Labels stay where they are, as they are judged anew where they may have changed; a row that is told as it was is not
# written, since of the flows that a live file leaves open few have moved within a minute.
_FLOW = f"""
    INSERT INTO flow VALUES ({_places(18, (7, 8))}, 1, 0, NULL, NULL, NULL, NULL, 0) ON CONFLICT DO UPDATE SET
    {", ".join(f"{column} = excluded.{column}" for column in _FLOW_FACTS)}
    WHERE ({", ".join(_FLOW_FACTS)}) IS NOT ({", ".join(f"excluded.{column}" for column in _FLOW_FACTS)})
"""
_KIND = "INSERT INTO flow_kind VALUES (NULL, ?, ?, ?, ?, ?, ?)"
_SLICE = """
    INSERT INTO flow_slice VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    packets_up = packets_up + excluded.packets_up, packets_down = packets_down + excluded.packets_down,
    bytes_up = bytes_up + excluded.bytes_up, bytes_down = bytes_down + excluded.bytes_down
"""
_FRAME = """
    INSERT INTO frame_slot VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    packets = packets + excluded.packets, bytes = bytes + excluded.bytes
"""
_HELLO = f"INSERT OR REPLACE INTO hello VALUES ({_places(18, range(9, 19))})"
_MESSAGE = f"INSERT INTO dns_message VALUES ({_places(13, (10, 12))})"
_RECORD = "INSERT INTO dns_record VALUES (?, ?, ?, ?, ?, ?, ?)"
_SPAN = (
    "ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)"
)
_HINT = f"INSERT INTO hint VALUES (?, ?, ?, ?, ?, ?, ?, ?) {_SPAN}"
_NETWORK = (
    f"INSERT INTO network VALUES (?, ?, ?, ?, ?, ?, ?) {_SPAN}, lifetime_s = max(lifetime_s, excluded.lifetime_s)"
)
_ROUTER = f"INSERT INTO router VALUES (?, ?, ?, ?, ?, ?) {_SPAN}"
_SEEN = """
    UPDATE endpoint SET first_us = min(coalesce(first_us, ?1), ?1), last_us = max(coalesce(last_us, ?2), ?2),
    sent = max(sent, ?3) WHERE id = ?4
"""
_UNDECODED = """
    INSERT INTO undecoded VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    packets = packets + excluded.packets, bytes = bytes + excluded.bytes
"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a capture is read, and all that is known of the way there; totals are of the whole capture."""

    cursor: int
    digest: str
    packets: int
    wire_bytes: int
    undecoded_packets: int
    undecoded_bytes: int
    first_us: int | None
    last_us: int | None
    link_types: str
    size: int  # of the file on disk
    status: str
    error: str | None
    state: bytes
    clock_offset_us: int = 0  # what packet times have had added
    whole: bool = True  # the flows that are open are in the batch, too


@dataclass(slots=True)
class FactWriter:
    """Writes the batches of one capture, from where `cursor` and `state` say that it stands."""

    db: sqlite3.Connection
    path: Path
    site_id: int
    capture_id: int
    endpoints: Endpoints
    cursor: int
    state: bytes | None
    _ends: list[int] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)
    _kinds: dict[FlowKind, int] = field(default_factory=dict)

    def commit(self, facts: Facts, position: Position, undecoded: Mapping[str, tuple[int, int]]) -> None:
        """Write one batch. Raises StoreError; then nothing of the batch is in the database."""
        with explained(self.path):
            try:
                with transaction(self.db):
                    self._claim(position, _earliest(facts))
                    self._write(facts, undecoded)
                    write_blocks(self.db, self.capture_id, facts.blocks)
            except BaseException:
                self._ends.clear()
                self._names.clear()
                self._kinds.clear()
                raise
        self.cursor, self.state = position.cursor, position.state
        if len(self._names) > _NAMES_KEPT:
            self._names.clear()

    def most_undecoded(self, more: Mapping[str, tuple[int, int]]) -> str:
        """Why most of the packets that the capture lost could not be decoded, those of the next batch included."""
        with explained(self.path):
            rows = self.db.execute("SELECT reason, packets FROM undecoded WHERE capture_id = ?", (self.capture_id,))
            lost: dict[str, int] = dict(rows.fetchall())
        for reason, (packets, _) in more.items():
            lost[reason] = lost.get(reason, 0) + packets
        return max(sorted(lost), key=lost.__getitem__)

    def renumber(self, endpoints: Endpoints) -> None:
        """The decoder numbers its ends anew."""
        self.endpoints = endpoints
        self._ends.clear()

    def _claim(self, to: Position, fresh_us: int | None) -> None:
        """Move the capture on; `fresh_us` is the earliest packet time of the batch."""
        fresh_us = to.last_us if fresh_us is None else fresh_us
        moved = self.db.execute(
            "UPDATE capture SET cursor = ?, digest = ?, packets = ?, bytes = ?, undecoded_packets = ?, undecoded_bytes = ?,"
            " first_us = ?, last_us = ?, link_types = ?, size = ?, status = ?, error = ?, state = ?,"
            " clock_offset_us = ?, fresh_us = CASE WHEN settled = cursor THEN ? WHEN settled = -2 THEN min(fresh_us, ?) END,"
            " settled = CASE WHEN ? THEN -3 WHEN settled IN (cursor, -2) THEN -2 ELSE -1 END"
            " WHERE id = ? AND cursor = ? AND state IS ?",
            (
                to.cursor, to.digest, to.packets, to.wire_bytes, to.undecoded_packets, to.undecoded_bytes, to.first_us,
                to.last_us, to.link_types, to.size, to.status, to.error, to.state,
                to.clock_offset_us, fresh_us, fresh_us, not to.whole, self.capture_id, self.cursor, self.state,
            ),
        ).rowcount  # fmt: skip
        if moved != 1:
            raise Busy(
                "Another import is reading the same capture into this database; let it finish. Nothing was added."
            )
        # A file that is followed is committed to each minute: of those digests the last one of a step is enough.
        if self.cursor // _DIGEST_STEP == to.cursor // _DIGEST_STEP:
            self.db.execute(
                "DELETE FROM capture_digest WHERE capture_id = ? AND cursor = ?", (self.capture_id, self.cursor)
            )
        self.db.execute(
            "INSERT OR REPLACE INTO capture_digest VALUES (?, ?, ?)", (self.capture_id, to.cursor, to.digest)
        )

    def _write(self, facts: Facts, undecoded: Mapping[str, tuple[int, int]]) -> None:
        db, capture = self.db, self.capture_id
        ends = self._number_ends()
        name = self._number_names(facts)
        base = capture << 40
        kind = self._number_kinds({flow.kind for flow in facts.flows})
        db.executemany(
            _FLOW,
            [
                (base + number, kind[what], ends[client], ends[server], client_port, server_port,
                 name[said] if said else 0, source or 0, *others)
                for number, what, client, server, client_port, server_port, said, source, *others
                in sorted(facts.flows, key=itemgetter(0))  # by number, hence by id: a quarter less work for SQLite
            ],
        )  # fmt: skip
        db.executemany(_SLICE, [(base + piece.number, *piece[1:]) for piece in facts.slices])
        db.executemany(
            _HELLO,
            [
                (base + number, place, seen_us, ends[client], client_port, ends[server], server_port, source,
                 0 if said is None else name[said], *[0 if each is None else each for each in others])
                for number, place, seen_us, client, client_port, server, server_port, source, said, *others in facts.hellos
            ],
        )  # fmt: skip
        self._write_dns(facts, ends, name)
        db.executemany(_FRAME, [(capture, *key, *cell) for key, cell in facts.frames.items()])
        site = self.site_id
        db.executemany(_HINT, [(site, *hint, *span) for hint, span in facts.hints.items()])
        db.executemany(
            _NETWORK,
            [(site, n.prefix, n.source, n.day, *span, n.lifetime_s) for n, span in facts.networks.items()],
        )
        db.executemany(_ROUTER, [(site, *router, *span) for router, span in facts.routers.items()])
        db.executemany(_SEEN, [(*span, ends[end]) for end, span in facts.seen.items()])
        db.executemany(_UNDECODED, [(capture, reason, *count) for reason, count in undecoded.items()])

    def _write_dns(self, facts: Facts, ends: list[int], name: dict[str, int]) -> None:
        first = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM dns_message").fetchone()[0]
        capture = self.capture_id
        self.db.executemany(
            _MESSAGE,
            [
                (at, capture, seen_us, ends[client], ends[resolver], transport, int(response), name[said], kind,
                 0 if rcode is None else rcode, answers, *(_holds(seen_us, transport, records) if answers else _NEVER))
                for at, (seen_us, client, resolver, transport, response, said, kind, rcode, answers, records)
                in enumerate(facts.dns, first)
            ],
        )  # fmt: skip
        self.db.executemany(
            _RECORD,
            [
                (at, number, section, name[owner], kind, ttl, value)
                for at, message in enumerate(facts.dns, first)
                if message.records
                for number, (section, owner, kind, ttl, value) in enumerate(message.records)
            ],
        )

    def _number_ends(self) -> list[int]:
        ends = self._ends
        for mac, version, address in self.endpoints.keys[len(ends) :]:
            row = (self.site_id, mac, version, address_text(version, address), scope_of(version, address))
            ends.append(
                _number(
                    self.db,
                    "INSERT INTO endpoint (site_id, mac, version, address, scope) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    row,
                    "SELECT id FROM endpoint WHERE site_id = ? AND mac = ? AND address = ?",
                    (row[0], mac, row[3]),
                )
            )
        return ends

    def _number_names(self, facts: Facts) -> dict[str, int]:
        known = self._names
        wanted: set[str] = {flow.name for flow in facts.flows if flow.name is not None}
        wanted.update([hello.name for hello in facts.hellos if hello.name is not None])
        wanted.update([message.name for message in facts.dns])
        wanted.update([record.name for message in facts.dns for record in message.records])
        for text in wanted - known.keys():
            known[text] = _number(
                self.db,
                "INSERT INTO name (text) VALUES (?) ON CONFLICT DO NOTHING",
                (text,),
                "SELECT id FROM name WHERE text = ?",
                (text,),
            )
        return known

    def _number_kinds(self, wanted: Set[FlowKind]) -> Mapping[FlowKind, int]:
        """The ids of kinds of flows; made where they are new."""
        known = self._kinds
        if not wanted <= known.keys():  # another process may have made some meanwhile
            known.update((FlowKind(*row[1:]), row[0]) for row in self.db.execute("SELECT * FROM flow_kind"))
        for kind in sorted(wanted - known.keys(), key=repr):
            known[kind] = int(self.db.execute(_KIND, kind).lastrowid or 0)
        return known


_NEVER = (0, 0)
_UNICAST = ("udp", "tcp")
_ADDRESS, _ALIAS, _SERVICE = ("A", "AAAA"), "CNAME", ("HTTPS", "SVCB")


def _holds(seen_us: int, transport: str, records: Iterable[Record]) -> tuple[int, int]:
    """Until when the answers of a message may name an address (0: never), and what in it tells where to ask next.

    As `daemon.store.answers` reads them: 1 aliases, as there is no address, and service records; 2 only the latter.
    """
    if transport not in _UNICAST:
        return _NEVER
    ttl, addresses, aliases, services = -1, False, False, False
    for section, _, kind, each, _ in records:
        if section != "answer":
            continue
        if kind in _ADDRESS:
            addresses = True
        elif kind == _ALIAS:
            aliases = True
        elif kind in _SERVICE:
            services = True
        else:
            continue
        ttl = max(ttl, each)
    if ttl < 0:
        return _NEVER
    leads = 1 if not addresses and (aliases or services) else 2 if services else 0
    return holds_until(seen_us, ttl), leads


def _earliest(facts: Facts) -> int | None:
    """The time of the first packet of a batch; of the flows that it has, some began long before."""
    return min((block.first_us for block in facts.blocks if block.packets), default=None)


def _number(db: sqlite3.Connection, insert: str, row: Iterable[Any], select: str, key: Iterable[Any]) -> int:
    """The id of a row that is inserted unless it is there."""
    made = db.execute(insert, tuple(row))
    if made.rowcount == 1 and made.lastrowid is not None:
        return made.lastrowid
    return int(db.execute(select, tuple(key)).fetchone()[0])
