"""libpcap through pcapy-ng. What a refusal says needs no right; the rest listens on the loopback interface, as root."""

from __future__ import annotations

import os
import socket
import time

import pytest

from daemon.capture import interface as module
from daemon.capture.interface import MOST, Interface, Wanted, interfaces, refusal
from daemon.capture.own import MOST_DEVICES
from daemon.capture.records import records_of
from daemon.capture.source import FilterError, InterfaceError, LostError
from daemon.capture.swap import program_of
from daemon.decode.levels import Levels

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
NOTHING = ("192.0.2.250",)  # an address that no packet here has


def listen(expression: str = "", *, batches: bool = True, ports: tuple[int, ...] = ()) -> Interface:
    return Interface(Wanted("lo", expression, ports), lambda: NOTHING, batches=batches)


def send(number: int, port: int, size: int = 100) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for n in range(number):
            out.sendto(n.to_bytes(2, "big").ljust(size, b"\0"), ("127.0.0.1", port))


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (-5, LostError, "there is no interface wlan7; there are "),
        (-8, InterfaceError, "CAP_NET_RAW"),
        (-11, InterfaceError, "CAP_NET_RAW"),
        (-9, LostError, "wlan7 is down"),
        (-1, InterfaceError, "cannot capture"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, kind: type[InterfaceError], words: str) -> None:
    error = refusal("wlan7", status)
    assert type(error) is kind
    assert words in str(error)
    assert status != -5 or "lo" in str(error)


def test_there_is_a_loopback_interface() -> None:
    assert "lo" in interfaces()


@needs_root
@pytest.mark.parametrize("batches", [True, False], ids=["batches", "one by one"])
def test_packets_come_whole_and_in_order(batches: bool) -> None:
    port = 40_001 + batches
    source = listen(f"udp dst port {port}", batches=batches)
    began_us = time.time_ns() // 1000
    send(MOST + 40, port)
    seen: list[int] = []
    datas: list[bytes] = []
    deadline = time.monotonic() + 5
    partial = []
    while len(seen) < MOST + 40 and time.monotonic() < deadline:
        source.wait(0.2)
        batch, drained = source.take()
        partial.append(drained)
        seen += batch.times_us()
        datas += [
            batch.data[start : start + length]
            for start, length in zip(batch.heads[2::4], batch.heads[3::4], strict=True)
        ]
        assert len(records_of(batch, 64).ends) == len(batch)
    source.close()
    assert [int.from_bytes(data[42:44], "big") for data in datas] == list(range(MOST + 40))
    assert {len(data) for data in datas} == {142}
    assert began_us - 1_000_000 < min(seen) <= max(seen) <= time.time_ns() // 1000
    assert not all(partial), "more than a batch was there"


@needs_root
def test_a_filter_that_nobody_understands_is_said() -> None:
    with pytest.raises(FilterError, match=r"'tcp pork' is not understood.*syntax"):
        listen("tcp pork")


@needs_root
def test_what_the_box_serves_is_left_out_and_follows_its_addresses() -> None:
    addresses: list[tuple[str, ...]] = [NOTHING]
    source = Interface(Wanted("lo", "tcp", (22,)), lambda: addresses[0])
    first = source.expression
    assert NOTHING[0] in first
    assert first.endswith("and (tcp)")
    source.tend()
    assert source.expression == first
    addresses[0] = ("2001:db8::7",)
    source.tend()
    assert "2001:db8::7" in source.expression
    assert NOTHING[0] not in source.expression
    source.close()


@needs_root
def test_as_many_addresses_as_a_box_may_have_fit_into_a_filter() -> None:
    many = tuple(f"2001:db8::{n:x}" for n in range(200))
    source = Interface(Wanted("lo", "", (22, 80, 443, 8080)), lambda: many)
    assert source.expression
    source.close()


@needs_root
def test_drops_are_counted_from_one_question_to_the_next_also_where_the_counter_wraps() -> None:
    source = listen("udp dst port 40009")
    assert source.drops() == (0, 0)
    source._seen = ((1 << 32) - 3, 0)
    assert source.drops() == (3, 0)
    source.close()


@needs_root
def test_no_such_interface() -> None:
    with pytest.raises(LostError, match=r"there is no interface hp-none; there are .*lo"):
        Interface(Wanted("hp-none"))


@needs_root
def test_addresses_that_cannot_be_read_at_the_start_are_said_and_later_waited_for() -> None:
    answers: list[tuple[str, ...] | None] = [None]

    def addresses() -> tuple[str, ...]:
        if answers[0] is None:
            raise PermissionError("no /proc")
        return answers[0]

    with pytest.raises(InterfaceError, match="--no-exclude-own"):
        Interface(Wanted("lo", "", (22,)), addresses)
    answers[0] = NOTHING
    source = Interface(Wanted("lo", "", (22,)), addresses)
    answers[0] = None
    source.tend()
    assert NOTHING[0] in source.expression
    source.close()


LOOPBACK_MAC = bytes(6)
STRANGERS = tuple(b"\x02" + number.to_bytes(5, "big") for number in range(MOST_DEVICES + 1))


def came(source: Interface, port: int) -> list[int]:
    """The numbers of packets that came to a port, each once (the loopback interface shows both directions)."""
    found: dict[int, None] = {}
    deadline = time.monotonic() + 0.6
    while time.monotonic() < deadline:
        source.wait(0.1)
        batch, _ = source.take()
        kept = batch.kept if batch.kept is not None else batch.heads[3::4]
        for start, length in zip(batch.heads[2::4], kept, strict=True):
            frame = batch.data[start : start + length]
            if frame[36:38] == port.to_bytes(2, "big"):
                found[int.from_bytes(frame[42:44], "big") if length > 42 else -1] = None
    return list(found)


@needs_root
@pytest.mark.parametrize("off", [(LOOPBACK_MAC,), (*STRANGERS, LOOPBACK_MAC)], ids=["by the kernel", "behind the last"])
def test_who_is_off_does_not_come_and_comes_again(off: tuple[bytes, ...]) -> None:
    source = listen("udp port 47113")
    try:
        send(2, 47113)
        assert came(source, 47113) == [0, 1]
        source.heed(Levels(off))
        assert "ether host" not in source.expression, "what the sidecar says names nobody"
        send(3, 47113)
        assert came(source, 47113) == []
        source.heed(Levels((), (LOOPBACK_MAC,)))
        send(1, 47113)
        assert came(source, 47113) == [-1], "headers alone"
        source.heed(Levels())
        send(1, 47113)
        assert came(source, 47113) == [0]
    finally:
        source.close()


@needs_root
def test_packets_that_waited_when_the_level_changed_are_left_out_too() -> None:
    source = listen("udp port 47114")
    try:
        send(5, 47114)
        time.sleep(0.3)  # until the kernel has put them where libpcap takes them from
        source.heed(Levels((LOOPBACK_MAC,)))
        assert came(source, 47114) == []
    finally:
        source.close()


@needs_root
def test_the_kernel_itself_leaves_out_as_many_as_the_filter_has_room_for() -> None:
    source = Interface(Wanted("lo"), lambda: tuple(f"2001:db8::{n:x}" for n in range(100)), levels=Levels(STRANGERS))
    try:
        before = program_of(source._handle)
        assert before is not None
        assert len(before) // 8 > 8 * MOST_DEVICES
        source.heed(Levels(STRANGERS[:1]))
        after = program_of(source._handle)
        assert after is not None
        assert len(after) < len(before)
    finally:
        source.close()


@needs_root
def test_an_interface_without_macs_is_not_recorded_while_somebody_is_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = listen()
    try:
        source._link = 101  # raw IP, as a tunnel has it
        source.heed(Levels())
        with pytest.raises(LostError, match="shows no MACs"):
            source.heed(Levels((LOOPBACK_MAC,)))
    finally:
        source.close()
    monkeypatch.setattr(module, "ETHERNET", 113)
    with pytest.raises(LostError, match="nothing is recorded here"):
        Interface(Wanted("lo"), lambda: NOTHING, levels=Levels((), (LOOPBACK_MAC,)))
