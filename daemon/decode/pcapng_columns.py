"""Packets of pcapng blocks as columns; section numbers are draft-ietf-opsawg-pcapng's.

Rule 1: a block is believed when its length stands at both its ends, a packet when its interface was described before it
        and its frame fits into its block. From the first that is not, nothing is taken.
Rule 2: no loop over packets: fields are gathered, each block in its section's byte order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from daemon.decode.later import np
from daemon.decode.pcapng_blocks import ENHANCED, OBSOLETE, SIMPLE, SMALLEST, Interface, to_microseconds
from daemon.decode.records import Buffer, Columns, Ints, gather, no_columns

if TYPE_CHECKING:
    import numpy.typing as npt

BAD_LENGTH = "a block length that cannot be"
TWO_LENGTHS = "a block whose two lengths differ"
NO_INTERFACE = "a packet of an interface that was not described"
BAD_FRAME = "a packet larger than its block"

Bools: TypeAlias = "npt.NDArray[np.bool_]"


class Section(NamedTuple):
    """What holds from a section header on."""

    order: str
    interfaces: list[Interface]  # grows while the section is read


class Epoch(NamedTuple):
    """From which block of a walk on which section and how many of its interfaces are in force."""

    first: int
    section: int
    described: int


class Walk(NamedTuple):
    """Blocks in line, not yet looked into."""

    offsets: list[int]
    sections: list[Section]
    epochs: list[Epoch]
    pos: int  # behind them
    problem: str | None  # what is wrong there; "" where bytes are missing, None where the walk just ended


class _Blocks(NamedTuple):
    """The same as columns: one row a block."""

    offset: Ints
    kind: Ints
    size: Ints
    big: Bools  # big-endian
    base: Ints  # row of the section's first interface in the walk's table of interfaces
    described: Ints  # interfaces of the section by then


def _words(buf: Buffer, offsets: Ints, size: int, big: Bools) -> Ints:
    """As `gather`, each row in its own byte order."""
    words = gather(buf, offsets, size, "<")
    if big.any():
        words[big] = words[big].byteswap()
    return words.astype(np.int64)


def _blocks(buf: Buffer, walk: Walk) -> _Blocks:
    offset = np.array(walk.offsets, np.int64)
    first, section, described = np.array(walk.epochs, np.int64).T
    epoch = np.searchsorted(first, np.arange(len(offset)), "right") - 1
    base = np.cumsum([0] + [len(section.interfaces) for section in walk.sections])
    big = np.array([section.order == ">" for section in walk.sections])[section[epoch]]
    head = _words(buf, offset, 8, big)
    return _Blocks(offset, head[:, 0], head[:, 1], big, base[section[epoch]], described[epoch])


def packets_of(buf: Buffer, walk: Walk, last_us: int) -> tuple[Columns, int, str]:
    """Packets of the blocks walked over, how many blocks are good, and what is wrong with the next ("" for nothing).

    `last_us` is the time of the last packet before; a simple packet block has none of its own (section 4.4).
    """
    blocks = _blocks(buf, walk)
    simple = blocks.kind == SIMPLE
    timed = (blocks.kind == ENHANCED) | (blocks.kind == OBSOLETE)
    packet = timed | simple
    short = (timed & (blocks.size < SMALLEST[ENHANCED])) | (simple & (blocks.size < SMALLEST[SIMPLE]))
    closing = _words(buf, blocks.offset + blocks.size - 4, 4, blocks.big)[:, 0]
    fields = np.zeros((len(blocks.offset), 5), np.int64)  # interface, time high, time low, captured, original
    rows = np.flatnonzero(timed & ~short)
    fields[rows] = _words(buf, blocks.offset[rows] + 8, 20, blocks.big[rows])
    old = blocks.kind == OBSOLETE
    if old.any():  # the interface is 16 bits there, drops the other 16 (section 4.9)
        fields[old, 0] = np.where(blocks.big[old], fields[old, 0] >> 16, fields[old, 0] & 0xFFFF)
    table = [interface for section in walk.sections for interface in section.interfaces]
    unknown = packet & (fields[:, 0] >= blocks.described)
    interface = np.where(packet & ~unknown, blocks.base + fields[:, 0], 0)
    if simple.any():
        _fill_simple(buf, blocks, simple & ~short, fields, np.array([i.snaplen for i in table], np.int64), interface)
    large = timed & (fields[:, 3] > blocks.size - SMALLEST[ENHANCED])

    good, problem = len(blocks.offset), ""
    for wrong, reason in (
        (closing != blocks.size, TWO_LENGTHS),
        (short, BAD_LENGTH),
        (unknown, NO_INTERFACE),
        (large, BAD_FRAME),
    ):
        if wrong[:good].any():
            good, problem = int(wrong.argmax()), reason
    rows = np.flatnonzero(packet[:good])
    if not len(rows):
        return no_columns(), good, problem
    times = _times(fields[rows], interface[rows], table)
    if simple.any():
        latest = np.maximum.accumulate(np.where(timed[rows], np.arange(len(rows)), -1))
        times = np.where(latest >= 0, times[latest], last_us)
    links = np.array([i.link for i in table], np.int32)[interface[rows]]
    offset = blocks.offset[rows] + np.where(simple[rows], 12, 28)
    return Columns(offset, fields[rows, 3], fields[rows, 4], times, links), good, problem


def _fill_simple(buf: Buffer, blocks: _Blocks, simple: Bools, fields: Ints, snaplens: Ints, interface: Ints) -> None:
    """Lengths of simple packet blocks: the captured one follows from the interface's limit and the block (4.4)."""
    original = _words(buf, blocks.offset[simple] + 8, 4, blocks.big[simple])[:, 0]
    limits = snaplens[interface[simple]] if len(snaplens) else np.zeros(len(original), np.int64)
    room = blocks.size[simple] - SMALLEST[SIMPLE]
    fields[simple, 3] = np.minimum(np.minimum(original, room), np.where(limits > 0, limits, room))
    fields[simple, 4] = original


def _times(fields: Ints, interface: Ints, table: list[Interface]) -> Ints:
    """Microseconds of packets, by the clocks of their interfaces."""
    ticks = fields[:, 1].astype(np.uint64) << np.uint64(32) | fields[:, 2].astype(np.uint64)
    clocks: dict[tuple[int, int], int] = {}
    numbers = np.array([clocks.setdefault((i.resolution, i.offset_s), len(clocks)) for i in table], np.int64)
    if len(clocks) == 1:
        return to_microseconds(ticks, table[0])
    clock = numbers[interface]
    by_clock = np.argsort(clock, kind="stable")
    times = np.empty(len(ticks), np.int64)
    for rows in np.split(by_clock, np.flatnonzero(np.diff(clock[by_clock])) + 1):
        times[rows] = to_microseconds(ticks[rows], table[int(interface[rows[0]])])
    return times
