"""Which stretches of a capture may have packets that are wanted, as far as its blocks are described.

Rule: what is left out has none for certain; a stretch that is read may have none.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from daemon.decode.cut import Wish
from daemon.decode.cut_flows import Span
from daemon.decode.sketch import Block, has_any
from daemon.ingest.hours import HoursOfDay
from daemon.store.behind import Held


class Stretch(NamedTuple):
    """Bytes from `begin` to `end` (None: the file's), and what the scanner knew there (None: what the file header says)."""

    begin: int
    end: int | None
    scanner: str | None


def stretches_of(
    blocks: Sequence[Block], held: Held, wish: Wish, marks: Sequence[Sequence[int]], hours: HoursOfDay | None = None
) -> list[Stretch]:
    """What to read of a capture: blocks that may have wanted packets, and what no block describes.

    Of each of `marks` one mark at least is in a block with wanted packets.
    """
    out: list[Stretch] = []
    only_flows = wish.carried is None or wish.carried.frames == frozenset()
    flows = [each for each in (wish.flows, wish.messages) if each is not None]
    spans = [each.times() for each in flows if only_flows]
    if not blocks or blocks[0].begin > 0:
        out.append(Stretch(0, blocks[0].begin if blocks else None, None))
    for block in blocks:
        if not _timely(block, wish, spans, hours) or not all(has_any(block.sketch, some) for some in marks):
            continue
        if out and out[-1].end == block.begin:
            out[-1] = out[-1]._replace(end=block.end)
        else:
            out.append(Stretch(block.begin, block.end, block.scanner))
    behind_cursor = held.status == "live" and (wish.until_us is None or wish.until_us > held.last_us)
    if blocks and behind_cursor and not flows:
        if out and out[-1].end == blocks[-1].end:
            out[-1] = out[-1]._replace(end=None)
        else:
            out.append(Stretch(blocks[-1].begin, None, blocks[-1].scanner))
    return out


def _timely(block: Block, wish: Wish, spans: Sequence[Sequence[Span]], hours: HoursOfDay | None) -> bool:
    if not block.packets:
        return False
    if wish.since_us is not None and block.last_us < wish.since_us:
        return False
    if wish.until_us is not None and block.first_us >= wish.until_us:
        return False
    if hours is not None and not hours.any(block.first_us, block.last_us):
        return False
    return all(_ran(of, block) for of in spans)


def _ran(spans: Sequence[Span], block: Block) -> bool:
    place = bisect_left(spans, block.first_us, key=lambda span: span[1])  # the first that ends late enough
    return place < len(spans) and spans[place][0] <= block.last_us
