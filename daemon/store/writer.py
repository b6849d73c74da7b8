"""Facts into tables: one batch, one transaction, together with the cursor of the capture they came from.

Rule 1: facts, counters, decoding state and cursor move together or not at all; a capture that moved meanwhile (somebody
        else reads it too) refuses the batch.
Rule 2: the numbers of endpoints and names are looked up or made inside the transaction, and forgotten if it fails.
Rule 3: what a later batch knows better (a flow, a hello) replaces its row; what adds up (slices, frames, spans) is added.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from daemon.flow.facts import Endpoints, Facts, FlowKind
from daemon.flow.local import address_text, scope_of
from daemon.store.blocks import write_blocks
from daemon.store.database import transaction
from daemon.store.errors import Busy, explained
from daemon.store.image import LEAST, NATIVE, beside, copy_rows, image_of
from daemon.store.rows import Numbers, write_rows

_NAMES_KEPT = 200_000  # texts whose numbers are remembered; a flood of made-up names starts the memory anew

_DIGEST_STEP = 64 << 20  # bytes of a file in which one digest is kept


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
_SPAN = (
    "ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)"
)
_HINT = f"INSERT INTO hint VALUES (?, ?, ?, ?, ?, ?, ?, ?) {_SPAN}"
_NETWORK = (
    f"INSERT INTO network VALUES (?, ?, ?, ?, ?, ?, ?) {_SPAN}, lifetime_s = max(lifetime_s, excluded.lifetime_s)"
)
_ROUTER = f"INSERT INTO router VALUES (?, ?, ?, ?, ?, ?) {_SPAN}"
_END = """
    INSERT INTO endpoint (site_id, mac, version, address, scope, first_us, last_us, sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
"""
_FIND_END = "SELECT id FROM endpoint WHERE site_id = ? AND mac = ? AND address = ?"
_UNSEEN = (None, None, 0)
_SEEN = """
    UPDATE endpoint SET first_us = min(coalesce(first_us, ?1), ?1), last_us = max(coalesce(last_us, ?2), ?2),
    sent = max(sent, ?3) WHERE id = ?4
"""
_UNDECODED = """
    INSERT INTO undecoded VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    packets = packets + excluded.packets, bytes = bytes + excluded.bytes
"""


class Position(NamedTuple):
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


class FactWriter:
    """Writes the batches of one capture, from where `cursor` and `state` say that it stands."""

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        site_id: int,
        capture_id: int,
        endpoints: Endpoints,
        cursor: int,
        state: bytes | None,
    ) -> None:
        self.db, self.path, self.site_id, self.capture_id = db, path, site_id, capture_id
        self.endpoints, self.cursor, self.state = endpoints, cursor, state
        self._ends: list[int] = []
        self._names, self._kinds = _Names(db), _Kinds(db)

    def commit(self, facts: Facts, position: Position, undecoded: Mapping[str, tuple[int, int]]) -> None:
        """Write one batch. Raises StoreError; then nothing of the batch is in the database."""
        quickly = NATIVE and not self.db.in_transaction and facts.size() >= LEAST
        with explained(self.path):
            try:
                with beside(self.db) if quickly else nullcontext(), transaction(self.db):
                    self._claim(position, _earliest(facts))
                    self._write_ends(facts.seen)
                    self._write_rows(facts, quickly=quickly)
                    self._write_others(facts, undecoded)
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

    def _write_ends(self, seen: Mapping[int, Sequence[int]]) -> None:
        made, ends = self._number_ends(seen), self._ends
        self.db.executemany(_SEEN, [(*span, ends[end]) for end, span in seen.items() if end not in made])

    def _write_rows(self, facts: Facts, *, quickly: bool) -> None:
        first = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM dns_message").fetchone()[0]
        self._names.prepare()
        numbers = Numbers(self.capture_id, first, self._kinds, self._ends, self._names)
        image = image_of(facts, numbers) if quickly else None
        if image is None:
            write_rows(self.db, facts, numbers)
        else:
            copy_rows(self.db, image)
        self._names.write()

    def _write_others(self, facts: Facts, undecoded: Mapping[str, tuple[int, int]]) -> None:
        db, capture, site = self.db, self.capture_id, self.site_id
        base = capture << 40
        db.executemany(_SLICE, [(base + piece.number, *piece[1:]) for piece in facts.slices])
        db.executemany(_FRAME, [(capture, *key, *cell) for key, cell in facts.frames.items()])
        db.executemany(_HINT, [(site, *hint, *span) for hint, span in facts.hints.items()])
        db.executemany(
            _NETWORK,
            [(site, n.prefix, n.source, n.day, *span, n.lifetime_s) for n, span in facts.networks.items()],
        )
        db.executemany(_ROUTER, [(site, *router, *span) for router, span in facts.routers.items()])
        db.executemany(_UNDECODED, [(capture, reason, *count) for reason, count in undecoded.items()])

    def _number_ends(self, seen: Mapping[int, Sequence[int]]) -> set[int]:
        """Make rows of ends that the batch has first, with what it saw of them; the numbers of those that were made."""
        db, site, ends = self.db, self.site_id, self._ends
        first = len(ends)
        fresh = [(*key[:2], address_text(*key[1:]), scope_of(*key[1:])) for key in self.endpoints.keys[first:]]
        last = db.execute("SELECT coalesce(max(id), 0) FROM endpoint").fetchone()[0]
        rows = [(site, *end, *seen.get(number, _UNSEEN)) for number, end in enumerate(fresh, first)]
        if db.executemany(_END, rows).rowcount == len(rows):  # none was there: SQLite counts on from the last
            ends.extend(range(last + 1, last + 1 + len(rows)))
        else:
            ends.extend(db.execute(_FIND_END, (site, mac, text)).fetchone()[0] for mac, _, text, _ in fresh)
        return {number for number in range(first, len(ends)) if ends[number] > last}


class _Names(dict[str, int]):
    """The ids of names; one that is not known yet is looked up, or made.

    Where all names of the database are known here (those of a new one are), there is nothing to look up: names are numbered
    at once and written together. `prepare` and `write` stand around what asks for names, in one transaction.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._every = False  # all names of the database are here
        self._made: list[tuple[int, str]] = []  # and these are not there yet

    def prepare(self) -> None:
        """Find out which names there are."""
        self._made.clear()
        self._every = self._db.execute("SELECT coalesce(max(id), 0) FROM name").fetchone()[0] == len(self)

    def write(self) -> None:
        """Write the names that were only numbered."""
        self._db.executemany("INSERT INTO name VALUES (?, ?)", self._made)
        self._made.clear()
        self._every = False

    def __missing__(self, text: str) -> int:
        if self._every:
            known = len(self) + 1
            self._made.append((known, text))
        else:
            made = self._db.execute("INSERT INTO name (text) VALUES (?) ON CONFLICT DO NOTHING", (text,))
            find = "SELECT id FROM name WHERE text = ?"
            known = made.lastrowid or 0 if made.rowcount == 1 else self._db.execute(find, (text,)).fetchone()[0]
        self[text] = known
        return known


class _Kinds(dict[FlowKind, int]):
    """The ids of kinds of flows, likewise."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __missing__(self, kind: FlowKind) -> int:
        last = max(self.values(), default=0)
        others = self._db.execute("SELECT * FROM flow_kind WHERE id > ?", (last,))  # made meanwhile by another process
        for number, *row in others:
            self[FlowKind(*row)] = number
        known = self.get(kind)
        if known is None:
            known = self[kind] = int(self._db.execute(_KIND, kind).lastrowid or 0)
        return known


def _earliest(facts: Facts) -> int | None:
    """The time of the first packet of a batch; of the flows that it has, some began long before."""
    return min((block.first_us for block in facts.blocks if block.packets), default=None)
