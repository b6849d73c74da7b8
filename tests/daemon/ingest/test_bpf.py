from __future__ import annotations

import pytest

from daemon.ingest.bpf import BadFilterError, Filter
from tests.support.packets import ethernet, ipv4, ipv6, sll, tcp, udp


@pytest.mark.parametrize(
    ("link", "frame"),
    [
        (1, ethernet(ipv4(tcp(b"", 5000, 443), proto=6))),
        (1, ethernet(ipv6(tcp(b"", 5000, 443), next_header=6))),
        (12, ipv4(tcp(b"", 5000, 443), proto=6)),
        (101, ipv4(tcp(b"", 5000, 443), proto=6)),
        (113, sll(ipv4(tcp(b"", 5000, 443), proto=6))),
        (228, ipv4(tcp(b"", 5000, 443), proto=6)),
    ],
    ids=["ethernet", "ethernet-6", "raw", "raw-101", "cooked", "ipv4"],
)
def test_a_filter_knows_where_the_header_stands(link: int, frame: bytes) -> None:
    assert Filter("tcp port 443")(link, frame)
    assert not Filter("udp")(link, frame)
    assert Filter("")(link, frame)


def test_one_filter_for_several_link_types() -> None:
    keep = Filter("udp port 53")
    assert keep(1, ethernet(ipv4(udp(b"", 53, 5000))))
    assert keep(113, sll(ipv4(udp(b"", 53, 5000))))
    assert not keep(1, sll(ipv4(udp(b"", 53, 5000))))


def test_a_cut_frame_is_not_read_behind_its_end() -> None:
    assert not Filter("tcp port 443")(1, ethernet(ipv4(tcp(b"", 5000, 443), proto=6))[:30])
    assert not Filter("tcp port 443")(1, b"")


@pytest.mark.parametrize(
    "expression", ["tcp prt 443", "host", "(", "ether host 02:00:00:00:00:01 or", "tcp\0"], ids=range(5)
)
def test_what_is_no_filter_is_explained(expression: str) -> None:
    with pytest.raises(BadFilterError, match="filter"):
        Filter(expression).prepare(1)


def test_what_a_link_cannot_tell_is_explained() -> None:
    with pytest.raises(BadFilterError, match="LINUX_SLL: ethernet addresses"):
        Filter("ether host 02:00:00:00:00:01").prepare(113)
    with pytest.raises(BadFilterError, match="9999"):
        Filter("tcp port 443").prepare(9999)
