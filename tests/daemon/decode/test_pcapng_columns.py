from __future__ import annotations

from daemon.decode.pcapng_blocks import Interface
from daemon.decode.pcapng_columns import NO_INTERFACE, Epoch, Section, Walk, packets_of
from tests.support.captures import START_US, enhanced, simple


def test_blocks_are_read_under_the_section_and_interfaces_of_their_place() -> None:
    little, big = enhanced(b"abc"), enhanced(b"defg", START_US + 1, 1, order=">")
    sections = [Section("<", [Interface(1)]), Section(">", [Interface(5), Interface(113)])]
    walk = Walk([0, len(little)], sections, [Epoch(0, 0, 1), Epoch(1, 1, 2)], len(little + big), "")
    columns, good, problem = packets_of(little + big, walk, 0)
    assert (columns.link.tolist(), columns.captured.tolist(), good, problem) == ([1, 113], [3, 4], 2, "")


def test_nothing_is_taken_from_the_first_bad_block_on() -> None:
    parts = [enhanced(b"a"), simple(b"b"), enhanced(b"c", number=1), enhanced(b"d")]
    offsets = [len(b"".join(parts[:i])) for i in range(4)]
    walk = Walk(offsets, [Section("<", [Interface(1)])], [Epoch(0, 0, 1)], 0, "")
    columns, good, problem = packets_of(b"".join(parts), walk, 0)
    assert (len(columns.offset), good, problem) == (2, 2, NO_INTERFACE)


def test_a_simple_packet_before_any_time_has_the_time_handed_in() -> None:
    walk = Walk([0], [Section("<", [Interface(1)])], [Epoch(0, 0, 1)], 0, "")
    assert packets_of(simple(b"abc"), walk, 42)[0].time_us.tolist() == [42]
