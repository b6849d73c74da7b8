from __future__ import annotations

import random
from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.decode.columns import SPARE, decode_columns
from daemon.decode.cut_flows import Conversation, Flows
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner
from tests.support.captures import START_US, pcap
from tests.support.packets import ARP, ethernet, ipv4, ipv6, tcp, udp

UDP, TCP = 17, 6
HOSTS = {4: ("192.168.1.10", "192.168.1.11", "203.0.113.5"), 6: ("fd00::10", "fd00::11", "2001:db8::5")}
PORTS = (53, 443, 40_000)
STEP_US = 1000


def marked(flows: Flows, frames: list[bytes]) -> list[int]:
    """Places of the frames of the flows; they are a millisecond apart."""
    data = pcap(frames, step_us=STEP_US)
    buf = bytearray(data) + bytes(SPARE)
    records = open_scanner(data).scan(buf, 0, len(data), 0, final=True)
    found: list[int] = flows.mark(decode_columns(buf, records, Fragments())).nonzero()[0].tolist()
    return found


def number(text: str) -> int:
    return int(ip_address(text))


ends = st.tuples(st.sampled_from((4, 6)), st.sampled_from((UDP, TCP)), *[st.integers(0, 2)] * 4)
spans = st.tuples(st.integers(-2, 30), st.integers(0, 12))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(ends, spans, st.booleans()), max_size=12),
    st.lists(ends, min_size=1, max_size=25),
)
def test_the_same_as_looking_at_each_packet(
    wanted: list[tuple[tuple[int, ...], tuple[int, int], bool]], packets: list[tuple[int, ...]]
) -> None:
    flows = [_flow(of, span, loose) for of, span, loose in wanted]
    frames = [_frame(of) for of in packets]
    plain = [
        place for place, of in enumerate(packets) if any(_is_of(each, of, START_US + place * STEP_US) for each in flows)
    ]
    assert marked(Flows.of(flows), frames) == plain


def _flow(of: tuple[int, ...], span: tuple[int, int], loose: bool) -> Conversation:
    version, protocol, client, port, server, server_port = of
    begin = START_US + span[0] * STEP_US
    return Conversation(
        version, protocol, number(HOSTS[version][client]), None if loose else PORTS[port], number(HOSTS[version][server]),
        PORTS[server_port], (begin, begin + span[1] * STEP_US),
    )  # fmt: skip


def _frame(of: tuple[int, ...]) -> bytes:
    version, protocol, source, source_port, target, target_port = of
    layer = (tcp if protocol == TCP else udp)(b"x", PORTS[source_port], PORTS[target_port])
    src, dst = HOSTS[version][source], HOSTS[version][target]
    return ethernet(ipv4(layer, src, dst, protocol) if version == 4 else ipv6(layer, src, dst, protocol))


def _is_of(flow: Conversation, of: tuple[int, ...], time_us: int) -> bool:
    version, protocol, source, source_port, target, target_port = of
    sides = [(number(HOSTS[version][at]), PORTS[port]) for at, port in ((source, source_port), (target, target_port))]
    there = any(
        one[0] == flow.client and flow.client_port in (None, one[1]) and other == (flow.server, flow.server_port)
        for one, other in (sides, sides[::-1])
    )
    return (version, protocol) == flow[:2] and there and flow.span[0] <= time_us <= flow.span[1]


def test_a_frame_without_ip_is_of_no_flow() -> None:
    wanted = Flows.of([Conversation(4, UDP, number(HOSTS[4][0]), None, number(HOSTS[4][2]), 53, (0, 1 << 60))])
    assert marked(wanted, [ethernet(bytes(28), ethertype=ARP)]) == []


@pytest.mark.parametrize("several", [False, True])
def test_thousands_of_flows_take_some_bytes_each(several: bool) -> None:
    chance = random.Random(3)
    wanted = [
        Conversation(4, UDP, chance.getrandbits(32), None if several else 5000, 7, 53, (at, at + 5))
        for at in range(40_000)
    ]
    flows = Flows.of(iter(wanted))
    tables = (flows._exact, flows._loose)
    assert len(flows) == 40_000
    assert sum(column.nbytes for table in tables for column in table) == 24 * 40_000
    assert flows.times() == [(0, 40_004)]


def test_times_of_flows_that_touch_are_one() -> None:
    alike = (4, UDP, 1, 2, 3, 4)
    wanted = [Conversation(*alike, span) for span in ((50, 60), (0, 30), (5, 10), (30, 40))]
    assert Flows.of(wanted).times() == [(0, 40), (50, 60)]
    assert np.array(Flows.of([]).times()).size == 0
