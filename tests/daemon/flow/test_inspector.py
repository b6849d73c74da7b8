from __future__ import annotations

import json

import pytest

from daemon.decode.packet import ICMPV6, TCP, UDP
from daemon.flow.icmpv6 import Icmpv6Inspector
from daemon.flow.inspector import Inspector, make_inspector, restore_inspector
from daemon.flow.tally import INSPECTED, FlowKey, Pair
from daemon.flow.tcp import TcpInspector
from daemon.flow.udp import DnsInspector, MessageInspector, UdpInspector


def made(which: FlowKey, isn: Pair) -> Inspector:
    inspector = make_inspector(which, isn)
    assert inspector is not None
    return inspector


def key(protocol: int, ports: tuple[int, int] = (40000, 443)) -> FlowKey:
    return 4, protocol, 0, 1, ports[0], 2, ports[1]


MADE = [
    (key(TCP), TcpInspector),
    (key(TCP, (53, 40000)), TcpInspector),
    (key(UDP), UdpInspector),
    (key(UDP, (5353, 5353)), DnsInspector),
    (key(UDP, (68, 67)), MessageInspector),
    (key(ICMPV6, (-1, -1)), Icmpv6Inspector),
]


@pytest.mark.parametrize(("which", "kind"), MADE)
def test_inspector_by_protocol(which: FlowKey, kind: type) -> None:
    assert which[1] in INSPECTED
    inspector = made(which, (-1, -1))
    assert type(inspector) is kind
    assert inspector.wants == 3


@pytest.mark.parametrize(("which", "kind"), MADE)
def test_state_is_json_and_comes_back(which: FlowKey, kind: type) -> None:
    inspector = made(which, (7, -1))
    state = json.loads(json.dumps(inspector.state()))
    again = restore_inspector(which, state, {})
    assert again is not None
    assert type(again) is kind
    assert again.state() == inspector.state()
    assert again.wants == inspector.wants


@pytest.mark.parametrize("protocol", [1, 2, 47, 50, 132])
def test_nothing_to_look_for(protocol: int) -> None:
    which = key(protocol, (-1, -1))
    assert which[1] not in INSPECTED
    assert make_inspector(which, (-1, -1)) is None
    assert restore_inspector(which, [], {}) is None
