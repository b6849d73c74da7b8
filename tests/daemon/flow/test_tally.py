"""What is counted of a conversation, in Python and in C: the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.packet import ACK, FIN, ICMPV6, SYN, TCP, UDP
from daemon.flow.core import NATIVE
from daemon.flow.facts import Endpoints
from daemon.flow.tally import FlowKey, Tally

if NATIVE:
    from daemon.flow._core import Tally as NativeTally

    CLASSES: tuple[type[Tally], ...] = (Tally, NativeTally)
else:
    CLASSES = (Tally,)

KEY: FlowKey = (4, TCP, 0, 0x0A000001, 40000, 0x0A000002, 443)
LIVE = True
MAC, ROUTER, GROUP = 0x020000000001, 0x020000000002, 0x01005E000001

keys = st.tuples(
    st.sampled_from([4, 6]), st.sampled_from([1, TCP, UDP, ICMPV6, 132, -1]), st.integers(0, 255),
    st.integers(0, (1 << 128) - 1), st.integers(-1, 65535), st.integers(0, (1 << 128) - 1), st.integers(-1, 65535),
)  # fmt: skip
groups = st.sampled_from([0xE0000001, 0xEFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0xF0000000, 0xFF02 << 112, 0xFE << 120, 0])


def shown(tally: Tally) -> dict[str, Any]:
    """All that can be read of it."""
    return {name: getattr(tally, name) for name in (*Tally.__slots__, "sliced")}


@pytest.mark.parametrize("kind", CLASSES)
def test_a_new_one_has_counted_nothing(kind: type[Tally]) -> None:
    tally = kind(7, KEY, 1, 99)
    assert shown(tally) == shown(Tally(7, KEY, 1, 99))
    assert (tally.packets, tally.ends, tally.slices, tally.wants, tally.idle_us) == (
        (0, 0),
        (-1, -1),
        None,
        3,
        3600_000_000,
    )


@pytest.mark.skipif(not NATIVE, reason="not built here")
@given(keys, groups, st.integers(0, 1))
def test_both_know_the_same_of_a_key(key: FlowKey, group: int, side: int) -> None:
    key = (*key[:5], group, key[6])
    one, other = (kind(1, key, side, 5) for kind in CLASSES)
    assert shown(one) == shown(other)
    for end in (0, 1):
        assert one.port(end) == other.port(end) == key[4 + 2 * end]
        if key[0] == 6 or key[3 + 2 * end] < 1 << 32:
            assert one.group(end) == other.group(end)
            assert one.traits(1 - end) == other.traits(1 - end)
        assert one.row(end, "kind", "cut", LIVE) == other.row(end, "kind", "cut", LIVE)


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_learnt_stays(kind: type[Tally]) -> None:
    tally = kind(0, KEY, 0, 5)
    tally.name, tally.name_source, tally.service, tally.confirmed = "a.example", "tls", "https", True
    tally.asker, tally.hello_count, tally.closed, tally.begun, tally.syn = 1, 3, FIN, True, 0
    tally.packets, tally.bytes, tally.macs, tally.ends, tally.isn = (1, 2), (60, 120), (MAC, -1), (4, 5), (SYN, ACK)
    tally.slot, tally.slices = 9, {8: [1, 1, 60, 60]}
    assert tally.row(1, None, "fin", not LIVE) == (
        0, None, 5, 4, 443, 40000, "a.example", "tls", "fin", True, False, True, 5, 5, 2, 1, 120, 60,
    )  # fmt: skip
    assert tally.slices == {8: [1, 1, 60, 60]}
    tally.slices = None
    assert not tally.sliced


@pytest.mark.parametrize("kind", CLASSES)
def test_both_ends_are_seen(kind: type[Tally]) -> None:
    tally = kind(0, KEY, 0, 50)
    tally.ends, tally.packets, tally.first_us, tally.last_us = (3, 4), (1, 0), 40, 60
    spans = {3: [45, 70, 0]}
    tally.seen(spans)
    assert spans == {3: [40, 70, 1], 4: [50, 50, 0]}
    tally.ends = (-1, 4)
    tally.packets = (0, 2)
    tally.seen(spans)
    assert spans[4] == [40, 60, 1]


def test_an_end_that_comes_from_elsewhere_was_sought_there() -> None:
    endpoints, tally = Endpoints(), Tally(0, KEY, 0, 50)
    spans: dict[int, list[int]] = {}
    tally.meet(endpoints, spans, 0, MAC, ROUTER)
    assert (tally.ends, tally.macs, spans) == ((0, 1), (MAC, ROUTER), {})
    tally.meet(endpoints, spans, 1, MAC + 9, MAC)
    assert (tally.ends, tally.macs, spans) == ((0, 2), (MAC, MAC + 9), {1: [50, 50, 0]})
    many = Tally(0, KEY, 0, 50)
    many.meet(endpoints, spans, 0, MAC, GROUP)
    assert many.macs == (MAC, -1)


@pytest.mark.skipif(not NATIVE, reason="not built here")
def test_wrong_values_are_refused() -> None:
    tally = CLASSES[1](0, KEY, 0, 5)
    for name, value in {"slices": [], "packets": (1,), "macs": 3, "ends": ("a", "b"), "first_us": "x"}.items():
        with pytest.raises(TypeError):
            setattr(tally, name, value)
    for call in (tally.port, tally.group):
        with pytest.raises(ValueError, match="0 or 1"):
            call(2)
    with pytest.raises(ValueError, match="0 or 1"):
        tally.row(-1, None, "", LIVE)
    spans: Any = []
    with pytest.raises(TypeError):
        tally.seen(spans)
    with pytest.raises(AttributeError):
        del tally.packets
