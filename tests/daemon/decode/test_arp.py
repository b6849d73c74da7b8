from __future__ import annotations

import pytest
from hypothesis import given

from daemon.decode.arp import REPLY, REQUEST, Arp, parse_arp
from daemon.decode.cursor import DecodeError
from tests.support.hostile import every_cut, hostile

REPLY_WIRE = bytes.fromhex("0001 0800 06 04 0002 020000000010 c0a8010a 020000000001 c0a80101")
REQUEST_WIRE = bytes.fromhex("0001 0800 06 04 0001 020000000010 00000000 000000000000 c0a8010a")


def test_reply() -> None:
    assert parse_arp(REPLY_WIRE) == Arp(0x020000000010, "192.168.1.10", "192.168.1.1", REPLY)


def test_probe_claims_nothing_yet() -> None:
    assert parse_arp(REQUEST_WIRE) == Arp(0x020000000010, "0.0.0.0", "192.168.1.10", REQUEST)  # noqa: S104 - no bind


def test_padding_is_ignored() -> None:
    assert parse_arp(REPLY_WIRE + bytes(18)) == parse_arp(REPLY_WIRE)


def test_ieee_802_hardware() -> None:
    assert parse_arp(b"\x00\x06" + REPLY_WIRE[2:]).sender_mac == 0x020000000010


@pytest.mark.parametrize("start", ["0018080006040002", "000186dd06040002", "0001080008040002", "0001080006100002"])
def test_other_hardware_or_protocol(start: str) -> None:
    with pytest.raises(DecodeError):
        parse_arp(bytes.fromhex(start) + REPLY_WIRE[8:])


def test_cut_at_every_length() -> None:
    for cut in every_cut(REPLY_WIRE):
        with pytest.raises(DecodeError):
            parse_arp(cut)


@given(hostile([REPLY_WIRE, REQUEST_WIRE]))
def test_hostile_bytes(wire: bytes) -> None:
    try:
        parsed = parse_arp(wire)
    except DecodeError:
        return
    assert 0 <= parsed.sender_mac < 1 << 48
