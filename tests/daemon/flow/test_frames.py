"""Frames without IP are counted, and ARP tells who has which address."""

from __future__ import annotations

import pytest

from daemon.decode.columns import Columns
from daemon.decode.slots import SLOT_US
from daemon.flow import frames
from daemon.flow.facts import EndpointKey, Endpoints, Facts, FrameKey
from daemon.flow.frames import FrameCounter
from daemon.flow.local import address_number
from daemon.flow.services import frame_name
from tests.daemon.flow.driver import Seen, chunk
from tests.support import packets as p
from tests.support.flows import NOBODY, SLOT, timed, watch
from tests.support.leaks import left_behind

MAC, ROUTER = p.mac_int(p.HOST_MAC), p.mac_int(p.ROUTER_MAC)
START = p.START_US // SLOT * SLOT


def arp(sender: str = p.HOST, mac: str = p.HOST_MAC, operation: int = 1, src: str = p.HOST_MAC) -> bytes:
    return p.ethernet(p.arp(sender, mac=mac, operation=operation), src, "ff:ff:ff:ff:ff:ff", p.ARP)


@pytest.mark.parametrize(
    ("ethertype", "name"),
    [
        (0x0806, "arp"),
        (0x88CC, "lldp"),
        (0x893A, "ieee1905"),
        (0x888E, "eapol"),
        (0x88E1, "0x88e1"),
        (0x0842, "0x0842"),
    ],
)
def test_counted_by_kind(ethertype: int, name: str) -> None:
    found = watch(timed([p.ethernet(bytes(46), ethertype=ethertype)] * 3))
    assert found.frames == {FrameKey(p.START_US // SLOT * SLOT, MAC, ROUTER, name): [3, 180]}
    assert found.flows == {}


def test_spanning_tree_is_llc() -> None:
    found = watch(timed([p.ieee8023(b"\x42\x42\x03" + bytes(35))]))
    assert [key.protocol for key in found.frames] == ["llc"]


def test_counted_by_slot_sender_and_receiver() -> None:
    one, other = p.ethernet(bytes(46), ethertype=0x88E1), p.ethernet(bytes(46), p.ROUTER_MAC, p.HOST_MAC, 0x88E1)
    found = watch([(START, one), (START + SLOT - 1, one), (START + SLOT, one), (START + 5, other)])
    assert found.frames == {
        FrameKey(START, MAC, ROUTER, "0x88e1"): [2, 120],
        FrameKey(START, ROUTER, MAC, "0x88e1"): [1, 60],
        FrameKey(START + SLOT, MAC, ROUTER, "0x88e1"): [1, 60],
    }


def test_original_length_counts() -> None:
    found = watch([(START, p.ethernet(bytes(46), ethertype=0x88E1)[:20], 60)])
    assert list(found.frames.values()) == [[1, 60]]


def end(mac: int, address: str) -> EndpointKey:
    return EndpointKey(mac, *address_number(address))


def test_arp_sender_has_its_address() -> None:
    found = watch([(START, arp()), (START + 500, arp(operation=2)), (START + 200, arp())])
    assert found.seen == {end(MAC, p.HOST): [START, START + 500, 1]}


def test_arp_of_a_proxy_names_the_one_in_the_message() -> None:
    found = watch([(START, arp(src=p.ROUTER_MAC))])
    assert list(found.seen) == [end(MAC, p.HOST)]


@pytest.mark.parametrize("sender", [NOBODY, "8.8.8.8", "224.0.0.1", "127.0.0.1", "255.255.255.255"])
def test_arp_that_names_nobody_here(sender: str) -> None:
    """A probe (RFC 5227 section 1.1) has no address yet; others are no address of the house."""
    assert watch([(START, arp(sender))]).seen == {}


def test_arp_without_a_sender_or_cut() -> None:
    assert watch([(START, arp(mac="00:00:00:00:00:00"))]).seen == {}
    found = watch([(START, arp()[:30], 42)])
    assert found.seen == {}
    assert list(found.frames.values()) == [[1, 42]]


def test_capture_without_link_addresses() -> None:
    found = watch([(START, p.sll(p.arp(), ethertype=p.ARP))], link=113)
    assert list(found.seen) == [end(MAC, p.HOST)]
    assert [key[1:] for key in found.frames] == [(MAC, -1, "arp")]


# --- in C


c_only = pytest.mark.skipif(not frames.NATIVE, reason="daemon/flow/_core.c is not built")
MIXED = [
    Seen(START + 5, arp()),
    Seen(START - 1, arp(operation=2)),
    Seen(START + SLOT, arp()[:30]),
    Seen(START, arp()[:14]),
    Seen(START, p.sll(p.arp("192.168.1.9"), ethertype=p.ARP), link=113),
    Seen(START, p.ethernet(bytes(46), ethertype=0x88E1)),
    Seen(START, p.ieee8023(b"\x42\x42\x03" + bytes(35))),
    Seen(START, p.tcp_frame(b"no frame of this kind")),
    Seen(-1, p.ethernet(bytes(46), p.ROUTER_MAC, p.HOST_MAC, 0x88E1)),
]


def counted(buf: bytearray, columns: Columns, *, native: bool) -> tuple[object, ...]:
    facts, endpoints = Facts(), Endpoints()
    FrameCounter(endpoints, native=native).add(buf, columns, facts)
    return facts.frames, {endpoints.keys[end]: span for end, span in facts.seen.items()}


@c_only
def test_c_counts_the_same() -> None:
    buf, columns = chunk(MIXED)
    assert counted(buf, columns, native=True) == counted(buf, columns, native=False)
    assert counted(buf, columns, native=True)[1]


@c_only
def test_c_gives_back_what_it_takes() -> None:
    buf, columns = chunk(MIXED)

    def run(times: int) -> None:
        for _ in range(times):
            counted(buf, columns, native=True)

    references, grown = left_behind(run, 100, [buf, columns, FrameKey, frame_name])
    assert references == [0, 0, 0, 0]
    assert grown < 2000


@c_only
def test_c_refuses_columns_that_lie() -> None:
    buf, columns = chunk(MIXED)
    for field in ("frame_offset", "payload_offset"):
        _, lying = chunk(MIXED)
        getattr(lying, field)[0] = len(buf) - 5
        with pytest.raises(ValueError, match="outside of the buffer"):
            counted(buf, lying, native=True)
    from daemon.flow._core import count_frames  # noqa: PLC0415  where it was built

    with pytest.raises(LookupError):
        count_frames(buf, columns, {}, {}, Endpoints(), (FrameKey, nameless, str, SLOT_US))
    with pytest.raises(ValueError, match="slot"):
        count_frames(buf, columns, {}, {}, Endpoints(), (FrameKey, str, str, 0))


def nameless(ethertype: int) -> str:
    raise LookupError(ethertype)
