"""The life of a flow: who is the client, when it ends, and what it moved when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.flow.conversation import host_part
from tests.daemon.decode import hellos as h
from tests.daemon.decode import test_dns as d
from tests.support import packets as p
from tests.support.flows import CORES, SECOND, SLOT, Frame, Outcome, Tcp, outcome, timed, watch

START = p.START_US // SLOT * SLOT  # the beginning of a slot
DATA = b"\xde\xad\xbe\xef" * 8


def udp(time_us: int, data: bytes = DATA, *, up: bool = True, ports: tuple[int, int] = (40000, 9999)) -> Frame:
    if up:
        return time_us, p.udp_frame(data, p.HOST, p.SERVER, *ports)
    return time_us, p.ethernet(p.ipv4(p.udp(data, ports[1], ports[0]), p.SERVER, p.HOST), p.ROUTER_MAC, p.HOST_MAC)


def client(found: Outcome) -> str:
    return "client" if found.flow.client.startswith(p.HOST) else "server"


# --- who is the client


def test_sender_of_the_syn_is_the_client() -> None:
    found = watch(Tcp(443, 50000).syn().up(DATA).down(DATA).frames)
    assert client(found) == "client"
    assert found.flow.fact.begun
    assert found.flow.macs == (p.mac_int(p.HOST_MAC), p.mac_int(p.ROUTER_MAC))


def test_syn_ack_comes_first() -> None:
    for frames in (Tcp(443, 50000).segment(1, b"", 0, p.SYN | p.ACK).up(b"", 0).frames,
                   Tcp(443, 50000).segment(1, b"", 0, p.SYN | p.ACK).syn().up(DATA).frames):  # fmt: skip
        found = watch(frames)
        assert client(found) == "client"
        assert found.flow.fact.begun


def test_simultaneous_open_belongs_to_the_first_syn() -> None:
    """RFC 9293 section 3.5, figure 7."""
    flow = Tcp(5000, 5000).segment(1, b"", 0, p.SYN).syn()
    flow.segment(0, b"", 0, p.SYN | p.ACK).segment(1, b"", 0, p.SYN | p.ACK).up(h.openssl_hello("both.example"))
    found = watch(flow.frames)
    assert client(found) == "server"
    assert found.names == ["both.example"]
    assert len(found.flows) == 1


@pytest.mark.parametrize("first", [h.openssl_hello("who.example"), b"GET / HTTP/1.1\r\nHost: who.example\r\n\r\n"])
def test_without_beginning_who_says_hello_is_the_client(first: bytes) -> None:
    flow = Tcp(443, 50000).down(b"").down(b"\x17\x03\x03\0\x20" + bytes(32)).up(first).down(DATA)
    found = watch(flow.frames)
    assert client(found) == "client"
    assert found.names == ["who.example"]
    assert not found.flow.fact.begun


def test_without_beginning_who_asks_a_resolver_is_the_client() -> None:
    found = watch([udp(START, d.ANSWER, up=False, ports=(53, 53)), udp(START + 9, d.QUERY, ports=(53, 53))])
    assert client(found) == "client"


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("ports", "expected"),
    [((40000, 443), "client"), ((443, 40000), "server"), ((50001, 700), "client"), ((700, 50001), "server"),
     ((1023, 1024), "server"), ((853, 443), "server"), ((40000, 50000), "server"), ((50000, 40000), "server")],
)  # fmt: skip
def test_else_ports_then_who_spoke_first(protocol: str, ports: tuple[int, int], expected: str) -> None:
    """The host's other side speaks first in all of them."""
    if protocol == "udp":
        found = watch([udp(START, up=False, ports=ports), udp(START + 5, ports=ports)])
    else:
        found = watch(Tcp(*ports).down(b"", 5).up(b"", 9).frames)
    assert client(found) == expected


def test_protocols_without_ports() -> None:
    ping = p.ethernet(p.ipv4(p.icmp(8, payload=b"ping"), proto=1))
    pong = p.ethernet(p.ipv4(p.icmp(0, payload=b"ping"), p.SERVER, p.HOST, 1), p.ROUTER_MAC, p.HOST_MAC)
    found = watch(timed([ping, pong]))
    fact = found.flow.fact
    assert (found.flow.client, found.flow.server) == (p.HOST, p.SERVER)
    assert (fact.kind.protocol, fact.client_port, fact.server_port, fact.kind.chatter) == ("icmp", None, None, True)
    assert (fact.kind.service, fact.kind.encrypted) == (None, "unknown")


def test_quoted_packets_in_icmp_errors_are_no_traffic() -> None:
    quoted = p.ipv4(p.udp(d.QUERY, 40000, 53))
    error = p.ethernet(p.ipv4(p.icmp(3, 3, quoted), p.SERVER, p.HOST, 1), p.ROUTER_MAC, p.HOST_MAC)
    found = watch(timed([error]))
    assert found.flow.fact.kind.protocol == "icmp"
    assert found.dns == []


def test_what_goes_to_many_is_chatter_unless_it_is_a_service() -> None:
    group = p.ethernet(p.ipv4(p.udp(DATA, 5000, 5001), dst="239.1.2.3"), dst="01:00:5e:01:02:03")
    rtp = p.ethernet(p.ipv4(p.udp(DATA, 5000, 443), dst="239.1.2.4"), dst="01:00:5e:01:02:04")
    everyone = p.ethernet(p.ipv4(p.udp(DATA, 5000, 443), dst="255.255.255.255"), dst="ff:ff:ff:ff:ff:ff")
    found = watch(timed([group, rtp, everyone, udp(0)[1]]))
    assert [found.flows[i].fact.kind.chatter for i in range(4)] == [True, False, True, False]
    assert found.flows[0].macs[1] == -1  # a group's address belongs to nobody


# --- when it ends


def alternating(protocol: str, gap_s: float) -> Sequence[Frame]:
    gap = int(gap_s * SECOND)
    if protocol == "udp":
        return [udp(START), udp(START + gap)]
    if protocol == "icmp":
        return timed([p.ethernet(p.ipv4(p.icmp(), proto=1))] * 2, gap)
    return Tcp().up(DATA).wait(gap_s - 0.001).up(DATA).frames


@pytest.mark.parametrize(("protocol", "idle_s"), [("tcp", 3600), ("udp", 180), ("icmp", 60)])
def test_silence_ends_a_flow(protocol: str, idle_s: int) -> None:
    assert watch(alternating(protocol, idle_s)).ends == ["cut"]
    assert watch(alternating(protocol, idle_s + 0.001)).ends == ["idle", "cut"]


@pytest.mark.parametrize(("protocol", "idle_s"), [("tcp", 3600), ("udp", 180), ("icmp", 60)])
def test_silence_at_the_end_of_the_file_counts_too(protocol: str, idle_s: int) -> None:
    other = Tcp(client="192.168.1.99")
    for more, end in ((0, "cut"), (1, "idle")):
        first = alternating(protocol, 1)
        other = Tcp(client="192.168.1.99", start_us=first[-1][0] + idle_s * SECOND + more).syn()
        assert watch([*first, *other.frames]).flows[0].fact.end == end


def test_fin_and_rst_end_a_flow_after_ten_seconds() -> None:
    def flow() -> Tcp:
        return Tcp().open().up(DATA)

    assert watch(flow().fin().wait(9).down(b"", 0).frames).ends == ["fin"]
    assert watch(flow().fin().wait(11).down(b"", 0).frames).ends == ["fin", "cut"]
    assert watch(flow().close().frames).ends == ["fin"]
    assert watch(flow().rst().wait(9).down(b"", 0).frames).ends == ["rst"]
    assert watch(flow().close().rst().frames).ends == ["rst"]
    assert watch(flow().frames).ends == ["cut"]


def test_half_closed_flow_goes_on_while_there_is_no_gap() -> None:
    flow = Tcp().open().up(DATA).fin(0)
    for _ in range(20):
        flow.wait(9.9).down(DATA)
    found = watch(flow.fin(1).frames)
    assert found.ends == ["fin"]
    assert found.flow.fact.packets_down == 22
    later = watch(flow.wait(10.5).down(DATA).frames)
    assert later.ends == ["fin", "cut"]
    assert later.flows[1].client == later.flows[0].client  # by its ports: this one has no SYN


def test_syn_behind_a_fin_is_the_next_flow_at_once() -> None:
    flow = Tcp().open().up(DATA).close()
    again = Tcp(isn=(70_000, 80_000), start_us=flow.clock_us).open().up(DATA)
    found = watch([*flow.frames, *again.frames])
    assert found.ends == ["fin", "cut"]
    assert [found.flows[i].fact.packets_up for i in (0, 1)] == [4, 3]
    assert sorted(found.flows) == [0, 1]


def test_syn_ack_behind_an_rst_is_not_the_next_flow() -> None:
    flow = Tcp().syn().rst(0).segment(1, b"", 0, p.SYN | p.ACK)
    assert watch(flow.frames).ends == ["rst"]


def test_repeated_syn_is_one_flow() -> None:
    flow = Tcp().syn().wait(1).syn().wait(2).syn().wait(4).syn()
    found = watch(flow.frames)
    assert found.ends == ["cut"]
    assert found.flow.fact.packets_up == 4


# --- what it moved when


def test_a_flow_of_one_slot_needs_no_slices() -> None:
    found = watch([udp(START), *[udp(START + SECOND * second, up=False) for second in range(100, 900, 100)]])
    assert found.slices == {}
    assert not found.flow.fact.sliced


def test_slices_over_slots() -> None:
    flow = Tcp(start_us=START + SLOT - 2500).open().up(DATA)  # two packets here, two there
    flow.wait(900).down(DATA * 2).wait(1800).up(DATA * 3).wait(900).close()
    found = watch(flow.frames)
    assert sorted(slot for _, slot in found.slices) == [START + SLOT * i for i in (0, 1, 2, 4, 5)]
    assert found.slices[0, START][:2] == [2, 1]
    assert found.slices[0, START + 2 * SLOT] == [0, 1, 0, 54 + len(DATA) * 2]
    sums_fit(found)


def sums_fit(found: Outcome) -> None:
    for number, flow in found.flows.items():
        cells = [cell for (each, _), cell in found.slices.items() if each == number]
        fact = flow.fact
        assert fact.sliced == bool(cells)
        if cells:
            total = [fact.packets_up, fact.packets_down, fact.bytes_up, fact.bytes_down]
            assert [sum(column) for column in zip(*cells, strict=True)] == total


def test_time_runs_backwards_over_the_edge_of_a_slot() -> None:
    times = [START + SLOT + 10, START + SLOT - 10, START + SLOT + 20, START + SLOT - 20, START - 30]
    found = watch([udp(time, up=time % 20 == 0) for time in times])
    assert {slot: cell[0] + cell[1] for (_, slot), cell in found.slices.items()} == {
        START + SLOT: 2, START: 2, START - SLOT: 1,
    }  # fmt: skip
    fact = found.flow.fact
    assert (fact.first_us, fact.last_us) == (START - 30, START + SLOT + 20)
    sums_fit(found)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-SLOT, 2 * SLOT), st.booleans(), st.sampled_from((40000, 40001)), st.integers(0, 60)),
        min_size=1,
        max_size=14,
    ),
    st.data(),
)
def test_every_packet_counts_once_whatever_the_clock_does(
    rows: list[tuple[int, bool, int, int]], data: st.DataObject
) -> None:
    frames = [udp(START + time, bytes(size), up=up, ports=(port, 9999)) for time, up, port, size in rows]
    stops = data.draw(st.sets(st.integers(1, len(frames)), max_size=3)) - {len(frames)}
    whole = outcome(frames)
    assert outcome(frames, stops=stops) == whole
    for core in CORES:
        assert outcome(frames, core=core) == whole
    facts = [flow.fact for flow in whole.flows.values()]
    assert sum(fact.packets_up + fact.packets_down for fact in facts) == len(frames)
    assert sum(fact.bytes_up + fact.bytes_down for fact in facts) == sum(len(frame[1]) for frame in frames)
    sums_fit(whole)


# --- small things


@pytest.mark.parametrize(
    ("host", "name"),
    [("example.com", "example.com"), ("example.com:8080", "example.com"), ("[2001:db8::1]:80", "2001:db8::1"),
     ("[2001:db8::1]", "2001:db8::1"), ("example.com.:80", "example.com"), (":80", None), ("", None), (None, None),
     ("[]", None), ("192.0.2.1:x", "192.0.2.1:x")],
)  # fmt: skip
def test_host_without_its_port(host: str | None, name: str | None) -> None:
    assert host_part(host) == name


def test_name_of_a_handshake_counts_more_than_a_request() -> None:
    connect = b"CONNECT proxy.example:443 HTTP/1.1\r\nHost: other.example\r\n\r\n"
    found = watch(Tcp(server_port=8080).open().up(connect).up(h.openssl_hello("inner.example")).frames)
    assert (found.flow.fact.name, found.flow.fact.name_source) == ("inner.example", "tls")


def test_where_ends_were_seen() -> None:
    found = watch([udp(START), udp(START + 50), udp(START + 70, up=False)])
    seen = {key.address & 0xFF: (key.mac, span) for key, span in found.seen.items()}
    assert seen[10] == (p.mac_int(p.HOST_MAC), [START, START + 70, 1])
    assert seen[5] == (p.mac_int(p.ROUTER_MAC), [START, START + 70, 1])
    unanswered = watch([udp(START)])
    assert [span[2] for span in unanswered.seen.values()] == [1, 0]
