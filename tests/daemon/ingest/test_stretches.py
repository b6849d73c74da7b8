"""Which stretches of a capture are read: those that may have wanted packets, joined, and what no block describes."""

from __future__ import annotations

from daemon.decode.cut import Wish
from daemon.decode.sketch import Block
from daemon.ingest.hours import HoursOfDay
from daemon.ingest.stretches import stretches_of
from daemon.store.behind import Held
from tests.daemon.ingest.scenes import HOUR

HELD = Held(1, "day.pcap", "", "Ethernet", "done", 400, 40, 0, 4 * HOUR, 0, None, closed=False)
BLOCKS = [
    Block(number * 100, number * 100 + 100, 10, number * HOUR, (number + 1) * HOUR - 1, b"", f"at {number}")
    for number in range(4)
]


def read(
    blocks: list[Block], wish: Wish | None = None, held: Held = HELD, hours: str = ""
) -> list[tuple[int, int | None]]:
    """Begin and end of what is read."""
    first, _, end = hours.partition("-")
    wanted = HoursOfDay((int(first), int(end)), "UTC") if hours else None
    return [(begin, stop) for begin, stop, _ in stretches_of(blocks, held, wish or Wish(), [], wanted)]


def test_neighbours_are_one_stretch() -> None:
    assert read(BLOCKS) == [(0, 400)]
    assert read(BLOCKS, Wish(since_us=HOUR, until_us=3 * HOUR)) == [(100, 300)]


def test_hours_leave_out_what_lies_between_them() -> None:
    assert read(BLOCKS, hours="1-2") == [(100, 200)]
    assert read(BLOCKS, hours="3-1") == [(0, 100), (300, 400)]
    assert read(BLOCKS, hours="5-23") == []


def test_what_no_block_describes_is_read() -> None:
    assert read([]) == [(0, None)]
    assert read(BLOCKS[2:], hours="5-6") == [(0, 200)]


def test_a_file_that_grows_is_read_to_its_end() -> None:
    live = HELD._replace(status="live")
    assert read(BLOCKS, held=live) == [(0, None)]
    assert read(BLOCKS, held=live, hours="1-2") == [(100, 200), (300, None)]
    assert read([Block(0, 100, 0, 0, 0, b"", None), *BLOCKS[1:]]) == [(100, 400)]
