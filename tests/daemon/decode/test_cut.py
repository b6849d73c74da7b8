from __future__ import annotations

import pytest

from daemon.decode.columns import SPARE
from daemon.decode.cut import Address, Choice, Party, Wish
from daemon.decode.cut_flows import Conversation, Flows
from daemon.decode.framing import open_scanner
from tests.support.captures import START_US, pcap
from tests.support.packets import (
    ARP,
    HOST,
    HOST6,
    HOST_MAC,
    ROUTER_MAC,
    SERVER,
    SERVER6,
    VLAN,
    address,
    ethernet,
    ipv4,
    ipv6,
    mac_int,
    sll,
    tcp,
    udp,
    vlan,
)

UDP, TCP = 17, 6
ALWAYS = (0, 1 << 60)


def number(text: str) -> int:
    return int.from_bytes(address(text), "big")


def chosen(wish: Wish, frames: list[bytes], link: int = 1, captured: int | None = None) -> list[int]:
    """Places of the frames that are wanted; they are a millisecond apart."""
    data = pcap([frame[:captured] for frame in frames], link=link)
    buf = bytearray(data) + bytes(SPARE)
    records = open_scanner(data).scan(buf, 0, len(data), 0, final=True)
    assert len(records.offset) == len(frames)
    found: list[int] = Choice(wish).mark(buf, records).nonzero()[0].tolist()
    return found


HELLO = ethernet(ipv4(udp(b"hi", 5000, 53)))
ANSWER = ethernet(ipv4(udp(b"ho", 53, 5000), src=SERVER, dst=HOST), src=ROUTER_MAC, dst=HOST_MAC)
OTHER = ethernet(ipv4(udp(b"hm", 5001, 53), src="192.168.1.11"), src="02:00:00:00:00:11")
SIX = ethernet(ipv6(udp(b"hi", 5000, 53)))
WHO = ethernet(bytes(28), src=HOST_MAC, dst="ff:ff:ff:ff:ff:ff", ethertype=ARP)
TAGGED = ethernet(vlan(ipv4(tcp(b"x", 5000, 443), proto=TCP)), ethertype=VLAN)
ALL = [HELLO, ANSWER, OTHER, SIX, WHO, TAGGED]


def test_nothing_wished_is_everything() -> None:
    assert chosen(Wish(), ALL) == [0, 1, 2, 3, 4, 5]


def test_a_span_has_its_beginning_and_not_its_end() -> None:
    assert chosen(Wish(START_US + 1000, START_US + 3000), ALL) == [1, 2]
    assert chosen(Wish(since_us=START_US + 4000), ALL) == [4, 5]
    assert chosen(Wish(until_us=START_US), ALL) == []


def test_a_device_by_its_mac_whatever_it_says() -> None:
    assert chosen(Wish(device=Party(frozenset({mac_int(HOST_MAC)}))), ALL) == [0, 1, 3, 4, 5]
    assert chosen(Wish(device=Party(frozenset({0x020000000011}))), ALL) == [2]
    assert chosen(Wish(device=Party(frozenset({1}))), ALL) == []
    assert chosen(Wish(device=Party()), ALL) == []


def test_an_address_does_not_make_a_device_where_there_is_a_mac() -> None:
    held = (Address(4, number(HOST), ALWAYS),)
    assert chosen(Wish(device=Party(frozenset({7}), held)), ALL) == []


def test_a_frame_too_short_for_a_mac_is_nobody_s() -> None:
    assert chosen(Wish(device=Party(frozenset({mac_int(HOST_MAC)}))), [HELLO, HELLO[:11]]) == [0]


@pytest.mark.parametrize("span", [ALWAYS, (START_US + 1000, START_US + 1000)])
def test_without_a_mac_the_address_of_that_time_tells(span: tuple[int, int]) -> None:
    sent = sll(ipv4(udp(b"hi", 5000, 53)), src=HOST_MAC)
    got = sll(ipv4(udp(b"ho", 53, 5000), src=SERVER, dst=HOST), src=ROUTER_MAC)
    frames = [sent, got, got, sll(ipv4(udp(b"x", 1, 2), src=HOST), src="02:00:00:00:00:77")]
    device = Party(frozenset({mac_int(HOST_MAC)}), (Address(4, number(HOST), span),))
    # The last one was sent by somebody else's MAC under this address.
    assert chosen(Wish(device=device), frames, link=113) == ([0, 1, 2] if span == ALWAYS else [0, 1])


def test_raw_packets_are_told_by_their_addresses() -> None:
    frames = [ipv4(udp(b"hi", 5000, 53)), ipv4(udp(b"hi", 5000, 53), src="192.168.1.99"), ipv6(udp(b"x", 1, 2))]
    held = (Address(4, number(HOST), ALWAYS), Address(6, number(HOST6), ALWAYS))
    assert chosen(Wish(device=Party(frozenset(), held)), frames, link=101) == [0, 2]


def test_a_remote_by_its_address_in_either_direction() -> None:
    assert chosen(Wish(remotes=frozenset({(4, number(SERVER))})), ALL) == [0, 1, 2, 5]
    assert chosen(Wish(remotes=frozenset({(6, number(SERVER6))})), ALL) == [3]
    assert chosen(Wish(remotes=frozenset({(6, number(SERVER))})), ALL) == []
    assert chosen(Wish(remotes=frozenset({(4, number(SERVER)), (4, number(HOST))})), ALL) == [0, 1, 5]
    assert chosen(Wish(remotes=frozenset({(4, number(SERVER)), (6, number(SERVER6))})), ALL) == []


def test_times_that_somebody_else_knows() -> None:
    assert chosen(Wish(timely=lambda times: times % 2_000 == times[0] % 2_000), ALL) == [0, 2, 4]
    assert chosen(Wish(timely=lambda times: times < 0, remotes=frozenset({(4, number(SERVER))})), ALL) == []


def flow(port: int | None, span: tuple[int, int] = ALWAYS, protocol: int = UDP, server_port: int = 53) -> Flows:
    return Flows.of([Conversation(4, protocol, number(HOST), port, number(SERVER), server_port, span)])


def test_a_flow_is_both_its_directions_in_its_time() -> None:
    assert chosen(Wish(flows=flow(5000)), ALL) == [0, 1]
    assert chosen(Wish(flows=flow(5000, (START_US + 1, ALWAYS[1]))), ALL) == [1]
    assert chosen(Wish(flows=flow(5000, (START_US, START_US))), ALL) == [0]
    assert chosen(Wish(flows=flow(5001)), ALL) == []
    assert chosen(Wish(flows=flow(5000, protocol=TCP)), ALL) == []
    assert chosen(Wish(flows=flow(5000, protocol=TCP, server_port=443)), ALL) == [5]


def test_one_row_for_many_flows_takes_any_port_of_the_client() -> None:
    frames = [ethernet(ipv4(udp(b"hi", port, 53))) for port in (1000, 2000, 3000)]
    frames += [ANSWER, ethernet(ipv4(udp(b"hi", 1000, 54)))]
    assert chosen(Wish(flows=flow(None)), frames) == [0, 1, 2, 3]


def test_flows_without_ports() -> None:
    ping = ethernet(ipv4(bytes(8), proto=1))
    found = Flows.of([Conversation(4, 1, number(HOST), -1, number(SERVER), -1, ALWAYS)])
    assert chosen(Wish(flows=found), [ping, HELLO]) == [0]


def test_when_flows_ran() -> None:
    ends = (4, UDP, 1, 2, 3, 4)
    spans = [(10, 20), (15, 30), (40, 50), (30, 31)]
    assert Flows.of(Conversation(*ends, span) for span in spans).times() == [(10, 31), (40, 50)]
    assert Flows.of([]).times() == []


def test_a_filter_sees_what_the_rest_left() -> None:
    seen = []

    def accepts(link: int, frame: bytes) -> bool:
        seen.append((link, frame))
        return frame == ANSWER

    assert chosen(Wish(until_us=START_US + 2000, accepts=accepts), ALL) == [1]
    assert seen == [(1, HELLO), (1, ANSWER)]


def test_all_that_is_wished_must_hold() -> None:
    wish = Wish(START_US, START_US + 5000, Party(frozenset({mac_int(HOST_MAC)})), frozenset({(4, number(SERVER))}))
    assert chosen(wish, ALL) == [0, 1]
