"""One capture, from bytes to batches of facts; it can stop behind any record and go on in another process.

Rule 1: a file is decoded alone; its state starts empty.
Rule 2: what looks at the whole flow table happens before the first record that reaches over a multiple of EPOCH bytes of
        the file, wherever chunks and commits fall, so that the facts do not depend on them. Chunks end there where they
        can: a chunk in two parts costs more than one. Where a flood may fill the table it is looked at each STEP bytes.
Rule 3: memory is bounded by the buffer, the flow table and one batch.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from daemon.decode import bare, walk
from daemon.decode.columns import Columns, Survey, decode_columns
from daemon.decode.cursor import DecodeError
from daemon.decode.fragments import Fragments
from daemon.decode.framing import LOOKAHEAD, Damage, Records, Scanner, entry_state, open_scanner, restore_scanner
from daemon.decode.links import LINK_NAMES, SUPPORTED
from daemon.decode.packet import UNDECODED
from daemon.decode.records import Buffer
from daemon.decode.sketch import Sketcher
from daemon.flow import core as cores
from daemon.flow.core import CoreName
from daemon.flow.facts import Endpoints, Facts
from daemon.flow.table import OPEN, FlowTable
from daemon.ingest.pane import Pane
from daemon.ingest.source import RollingDigest, Source

STEP = 1 << 20
EPOCH = 4 * STEP
_ROWS = 24_000  # records in a chunk: enough to make numpy's fixed costs small, few enough for the caches
_SLACK = 128 << 10  # bytes of records before the end of an epoch that are left to the next chunk
_LEAST, _MOST = 1 << 20, EPOCH + _SLACK  # bytes of a chunk
_BATCH = 50_000  # facts in a batch
_STRIDE = 384 << 20  # bytes after which there is one anyway: not much to read again after a kill, and a sign of life
_UNPACKED = 1 << 16  # bytes of a state at a time
_ENDPOINTS = 100_000  # ends remembered before those of closed flows are forgotten

_COMPACT = json.JSONEncoder(separators=(",", ":"), check_circular=False)  # json.dumps makes one for each flow

BROKEN = "headers cut or broken"


@dataclass(slots=True)
class Totals:
    """Counters of a capture up to the cursor."""

    cursor: int = 0
    packets: int = 0
    bytes: int = 0
    undecoded_packets: int = 0
    undecoded_bytes: int = 0
    first_us: int | None = None
    last_us: int | None = None
    step: int = 0  # of STEP bytes: that in which the last record ends
    damage: int = 0  # places where records were lost
    error: str | None = None  # the first of them
    clock_offset_us: int = 0  # added to every packet time: the file began before its clock was set


class Batch(NamedTuple):
    """Facts since the last batch, and where the capture now stands. `done`: no more will come from this reading."""

    facts: Facts
    undecoded: dict[str, tuple[int, int]]
    totals: Totals
    torn: str | None
    done: bool


class CaptureDecoder:
    """Reads one source. `final` says that the file will not grow while it is read."""

    def __init__(
        self,
        source: Source,
        *,
        final: bool = True,
        thorough: bool = False,
        core: CoreName = "auto",
        clock_offset_us: int = 0,
    ) -> None:
        self._source = source
        self._final = final
        self._thorough = thorough
        self.endpoints = Endpoints()
        # Where C makes the columns and C reads them, they need not be numpy's.
        self._bare = core in ("auto", "c") and cores.NATIVE and walk.NATIVE is not None
        self.scanner: Scanner = open_scanner(source.head(), barely=self._bare)
        self.totals = Totals(clock_offset_us=clock_offset_us)
        self._table = FlowTable(self.endpoints, core=core)
        self._fragments = Fragments()
        self._digest = RollingDigest()
        self._sketcher = Sketcher()
        self._undecoded: dict[str, tuple[int, int]] = {}
        self._torn: str | None = None
        self.slow_rows = 0

    def resume(self, state: bytes) -> None:
        """Go on where `state()` was taken; the source must have the same bytes up to there."""
        lines = _lines(state)
        head = json.loads(next(lines))
        totals = head["totals"]
        if "epoch" in totals:  # as states had it before there were steps
            totals["step"] = (totals.pop("epoch") + 1) * EPOCH // STEP - 1
        self.totals = Totals(**totals)
        self.scanner = restore_scanner(head["scanner"], barely=self._bare)
        self._fragments = Fragments.from_state(head["fragments"])
        self._table.restore({**head["table"], "flows": map(json.loads, lines)})
        start = head["digest"]["position"]
        self._source.seek(start)
        partial = bytearray(self.totals.cursor - start)
        self._digest = RollingDigest.restore(head["digest"], memoryview(partial)[: _fill(self._source, partial, 0)])

    def state(self) -> bytes:
        """All that decoding needs to go on behind the cursor: compressed lines of JSON, one a flow.

        They are made and unpacked one by one: all of them together take as much memory again as the flows.
        """
        packer = zlib.compressobj(1)
        head = {
            "totals": {field.name: getattr(self.totals, field.name) for field in fields(Totals)},
            "scanner": self.scanner.state(),
            "fragments": self._fragments.state(),
            "digest": self._digest.state(),
            "table": self._table.clock(),
        }
        parts = [packer.compress(json.dumps(head).encode() + b"\n")]
        parts.extend(packer.compress(_COMPACT.encode(flow).encode() + b"\n") for flow in self._table.flow_states())
        parts.append(packer.flush())
        return b"".join(parts)

    def digest(self) -> str:
        """Identity of the bytes up to the cursor."""
        return self._digest.hexdigest()

    def batches(self, hurry: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Decode to the end of the source, batch by batch; the last has every flow that is still open.

        `hurry` is asked at each chunk whether the batch should end there.
        """
        most = max(_MOST, LOOKAHEAD)
        pane, window = Pane(self._source, most), _LEAST
        batched = self.totals.cursor
        while True:
            before = self._digest.copy()
            begin, needed = self.totals.cursor, entry_state(self.scanner)
            hashed = self._look(pane, begin, window)
            filled, ended = pane.filled, pane.ended
            records = self.scanner.scan(pane.view, 0, filled, begin, ended and self._final)
            self._take(pane.view, records)
            consumed = records.consumed
            self._hash(before, pane.view, hashed, consumed)
            pane.check()
            self._note(records.damage, consumed)
            self._sketcher.stand(begin, self.totals.cursor, needed)
            if ended and (consumed in (0, filled) or not self._final or not len(records.offset)):
                break
            if not consumed:  # the record at hand, or the search behind damage, needs more than a window
                if filled == most:
                    raise DecodeError(f"nothing can be read at byte {self.totals.cursor}")  # scanners promise otherwise
                window = min(2 * window, most)
                continue
            window = _window(self.totals.cursor, consumed, len(records.offset))
            enough = self._table.facts.size() >= max(_BATCH, len(self._table))
            if enough or self.totals.cursor - batched >= _STRIDE or hurry():
                batched = self.totals.cursor
                yield self._batch(done=False)
        self._table.finish("cut" if self._final else "open")
        yield self._batch(done=True)

    def _look(self, pane: Pane, begin: int, window: int) -> int:
        """Bring a window before our eyes; how many of its bytes are hashed.

        Pieces are hashed, and walked over, as they come, while they are in the nearest cache: half as dear as later. The
        end is left, since it seldom is the end of a record.
        """
        hashed = 0
        for filled in pane.fill(begin, window):
            if filled - _SLACK > hashed:
                self._digest.update(pane.view[hashed : filled - _SLACK])
                hashed = filled - _SLACK
                self.scanner.ahead(pane.view, hashed, begin)
        pane.check()
        return hashed

    def _hash(self, before: RollingDigest, view: memoryview, hashed: int, consumed: int) -> None:
        """Bring the digest to the cursor. `hashed` bytes of the buffer are in it, or none in the digest of `before`."""
        if consumed < hashed:  # not as far as usual: damage, or a record of many bytes
            self._digest, hashed = before, 0
        self._digest.update(view[hashed:consumed])

    def _batch(self, *, done: bool) -> Batch:
        undecoded, self._undecoded = self._undecoded, {}
        facts = self._table.take_facts()
        facts.blocks = self._sketcher.take()
        return Batch(facts, undecoded, replace(self.totals), self._torn, done)

    def forget_endpoints(self) -> Endpoints | None:
        """After a batch is written: drop the ends of closed flows where they have become many; the new numbering, if so."""
        if len(self.endpoints) < _ENDPOINTS:
            return None
        self.endpoints = Endpoints()
        self._table.renumber(self.endpoints)
        return self.endpoints

    def _take(self, buf: Buffer, records: Records) -> None:
        """Decode the records of a scan, with a tidy wherever an epoch begins between two of them."""
        if self.totals.clock_offset_us:  # here, and not in the scanner: that compares times with those of the file
            records = records._replace(time_us=bare.shifted(records.time_us, self.totals.clock_offset_us))
        start, base, rows, steps = 0, self.totals.cursor, len(records.offset), EPOCH // STEP
        last = (_end(records, rows - 1) + base - 1) // STEP if rows else 0
        while start < rows:
            step = (_end(records, start) + base - 1) // STEP
            self._arrive(step)
            stop = rows if step // steps == last // steps else _behind(records, base, step, steps)
            if len(self._table) + stop - start > OPEN:
                stop = _behind(records, base, step, 1)
            self._decode(buf, _slice(records, start, stop))
            self.totals.step = (_end(records, stop - 1) + base - 1) // STEP
            start = stop

    def _arrive(self, step: int) -> None:
        """The next record ends in this step."""
        steps = EPOCH // STEP
        if step // steps > self.totals.step // steps:
            self._table.tidy()
        elif step > self.totals.step:
            self._table.trim()

    def _decode(self, buf: Buffer, records: Records) -> None:
        columns = decode_columns(buf, records, self._fragments, thorough=self._thorough)
        self.slow_rows += columns.slow_rows
        survey = columns.survey()
        self._count(columns, survey)
        self._sketcher.add(buf, columns, survey.first_us, survey.last_us, cooked=survey.cooked > 0)
        self._table.add(buf, columns, survey)

    def _count(self, columns: Columns, survey: Survey) -> None:
        totals, first, last = self.totals, survey.first_us, survey.last_us
        totals.first_us = first if totals.first_us is None else min(first, totals.first_us)
        totals.last_us = last if totals.last_us is None else max(last, totals.last_us)
        totals.packets += len(columns)
        totals.bytes += survey.bytes
        if not survey.undecoded:
            return
        lost = bare.places(columns.kind, UNDECODED)
        by_link: defaultdict[int, list[int]] = defaultdict(list)
        for link, size in zip(bare.values(columns.link, lost), bare.values(columns.wire, lost), strict=True):
            by_link[link].append(size)
        for link, sizes in sorted(by_link.items()):
            packets, size = len(sizes), sum(sizes)
            totals.undecoded_packets += packets
            totals.undecoded_bytes += size
            reason = (
                BROKEN if link in SUPPORTED else f"link type {link} ({LINK_NAMES.get(link, 'unknown')}) is not decoded"
            )
            before = self._undecoded.get(reason, (0, 0))
            self._undecoded[reason] = (before[0] + packets, before[1] + size)

    def _note(self, damage: tuple[Damage, ...], consumed: int) -> None:
        """Where the file is damaged. A torn end is not damage of the capture: it may still be completed."""
        totals = self.totals
        totals.cursor += consumed
        for each in damage:
            if each.offset >= totals.cursor:
                self._torn = f"{each.reason} at byte {each.offset}"
                continue
            totals.damage += 1
            if totals.error is None:
                totals.error = f"{each.reason} at byte {each.offset}; {each.skipped} bytes skipped"

    def link_types(self) -> str:
        """Names of the link types announced so far."""
        return ",".join(LINK_NAMES.get(link, str(link)) for link in self.scanner.link_types)


def _lines(packed: bytes) -> Iterator[bytes]:
    """The lines of a state, unpacked a piece at a time. Raises zlib.error where it is none."""
    unpacker = zlib.decompressobj()
    rest = b""
    while not unpacker.eof:
        piece = unpacker.decompress(packed, _UNPACKED)
        if not (piece or unpacker.eof):
            raise zlib.error("the state ends in the middle")
        packed = unpacker.unconsumed_tail
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _fill(source: Source, buf: memoryview | bytearray, filled: int) -> int:
    """Read until the buffer is full or the source has no more; bytes in the buffer."""
    view = memoryview(buf)
    while filled < len(view):
        count = source.read_into(view[filled:])
        if not count:
            break
        filled += count
    return filled


def _end(records: Records, row: int) -> int:
    """Where a record ends in the buffer."""
    return int(records.offset[row]) + int(records.captured[row])


def _behind(records: Records, base: int, step: int, steps: int) -> int:
    """The first row that reaches over the next multiple of so many steps."""
    next_step = (step // steps + 1) * steps * STEP - base
    return bisect_right(range(len(records.offset)), next_step, key=lambda row: _end(records, row))


def _window(cursor: int, consumed: int, records: int) -> int:
    """Bytes of the next chunk: as many as hold about _ROWS records like the last ones, up to the end of the epoch."""
    left = EPOCH - cursor % EPOCH
    if left <= _SLACK:
        left += EPOCH
    return min(max(consumed // max(records, 1) * _ROWS, _LEAST), left)


def _slice(records: Records, start: int, stop: int) -> Records:
    if start == 0 and stop == len(records.offset):
        return records
    part = slice(start, stop)
    return records._replace(
        offset=records.offset[part],
        captured=records.captured[part],
        wire=records.wire[part],
        time_us=records.time_us[part],
        link=records.link[part],
    )
