from __future__ import annotations

import pytest
from hypothesis import given

from daemon.decode.dns_shape import looks_like_dns
from tests.support.hostile import every_cut, hostile

QUESTION = b"\x03www\x07example\x03com\x00" + b"\x00\x01\x00\x01"
QUERY = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + QUESTION
EDNS = QUERY[:10] + b"\x00\x01" + QUESTION + b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
ANSWER = (
    b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
    + QUESTION
    + bytes.fromhex("c00c 0001 0001 0000003c 0004 c0000201")
)
MDNS = b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x04lamp\x05local\x00" + bytes.fromhex(
    "0001 8001 00000078 0004 c0a8010a"
)


@pytest.mark.parametrize("message", [QUERY, EDNS, ANSWER, MDNS])
def test_messages(message: bytes) -> None:
    assert looks_like_dns(message)


def test_a_cut_query_is_none() -> None:
    assert not any(looks_like_dns(cut) for cut in every_cut(QUERY))


@pytest.mark.parametrize(
    "wrong",
    [
        QUERY + b"\x00",  # something behind the question
        QUERY[:2] + b"\x79" + QUERY[3:],  # opcode 15
        QUERY[:3] + b"\x80" + QUERY[4:],  # a query with RA
        QUERY[:5] + b"\x00" + QUERY[6:],  # no question, no record
        QUERY[:-4] + b"\x1f\xff\x00\x01",  # no such type
        QUERY[:-4] + b"\x00\x01\x12\x34",  # no such class
        ANSWER[:12] + b"\xc0\x0c\x00\x01\x00\x01" + bytes(20),  # a pointer to itself
        ANSWER[:-6] + b"\x00\x40" + ANSWER[-4:],  # data longer than the message
        QUERY[:12] + b"\x40" + QUERY[13:],  # a label type that does not exist
        QUERY[:4] + b"\xff\xff" + QUERY[6:],
        b"",
    ],
)
def test_other_bytes(wrong: bytes) -> None:
    assert not looks_like_dns(wrong)


@given(hostile([QUERY, EDNS, ANSWER, MDNS]))
def test_hostile_bytes(wire: bytes) -> None:
    assert looks_like_dns(wire) in (True, False)
