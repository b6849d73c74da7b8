from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.stitch import Continued, Part, stitch
from daemon.flow.tally import SECOND

PHONE, CDN = ("192.168.1.10", 40000), ("203.0.113.5", 443)
NAME, OTHER = 7, 8


def part(
    flow_id: int,
    first_s: float,
    last_s: float,
    *,
    client: tuple[str, int | None] = PHONE,
    server: tuple[str, int | None] = CDN,
    protocol: str = "tcp",
    begun: bool = False,
    cut: bool = True,
    name_id: int | None = None,
    tunnel: str | None = None,
) -> Part:
    first_us, last_us = int(first_s * SECOND), int(last_s * SECOND)
    return Part(flow_id, client, server, protocol, tunnel, begun, cut, first_us, last_us, name_id)


def test_later_part_takes_orientation_and_name() -> None:
    parts = [part(1, 0, 10, begun=True, name_id=NAME), part(2, 11, 20, client=CDN, server=PHONE)]
    assert stitch(parts) == [Continued(2, turned=True, name_id=NAME)]


def test_chain_over_three_files() -> None:
    parts = [
        part(1, 0, 10, begun=True, name_id=NAME),
        part(2, 11, 20, client=CDN, server=PHONE),
        part(3, 21, 30),
        part(4, 31, 40, client=CDN, server=PHONE, cut=False),
    ]
    assert stitch(parts) == [
        Continued(2, turned=True, name_id=NAME),
        Continued(3, turned=False, name_id=NAME),
        Continued(4, turned=True, name_id=NAME),
    ]


def test_a_part_with_its_own_name_keeps_it_and_hands_it_on() -> None:
    parts = [part(1, 0, 10, name_id=NAME), part(2, 11, 20, name_id=OTHER), part(3, 21, 30)]
    assert stitch(parts) == [Continued(2, turned=False, name_id=None), Continued(3, turned=False, name_id=OTHER)]


def test_parts_without_any_name_know_with_which_flow_they_began() -> None:
    parts = [part(1, 0, 10), part(2, 11, 20), part(3, 21, 30), part(4, 31, 40, name_id=NAME)]
    assert [each.head for each in stitch(parts)] == [1, 1, None]


def test_name_said_later_is_not_carried_back() -> None:
    assert stitch([part(1, 0, 10), part(2, 11, 20, name_id=NAME)]) == [Continued(2, turned=False, name_id=None)]


@pytest.mark.parametrize(
    "second",
    [
        part(2, 11, 20, begun=True),  # the ports were taken again
        part(2, 11, 20, client=("192.168.1.10", 40001)),
        part(2, 11, 20, server=("203.0.113.5", 80)),
        part(2, 11, 20, protocol="udp"),
        part(2, 11, 20, tunnel="gre"),
        part(2, 9, 20),  # the files overlap: two taps, not one after the other
        part(2, 3611, 3700),
    ],
)
def test_what_does_not_go_on(second: Part) -> None:
    assert stitch([part(1, 0, 10, name_id=NAME), second]) == []


def test_port_reuse_at_the_boundary() -> None:
    first = part(1, 0, 10, name_id=NAME)
    assert stitch([part(1, 0, 10, name_id=NAME, cut=False), part(2, 11, 20)]) == []
    reused = [first, part(2, 11, 20, begun=True, name_id=OTHER), part(3, 21, 30, client=CDN, server=PHONE)]
    assert stitch(reused) == [Continued(3, turned=True, name_id=OTHER)]
    closed = [first, part(2, 11, 12, begun=True, cut=False, name_id=OTHER), part(3, 21, 30)]
    assert stitch(closed) == []


@pytest.mark.parametrize(("protocol", "idle_s"), [("tcp", 3600), ("udp", 180), ("icmp", 60), ("gre", 60)])
def test_silence_that_ends_a_flow(protocol: str, idle_s: int) -> None:
    first = part(1, 0, 10, protocol=protocol, name_id=NAME)
    assert stitch([first, part(2, 10 + idle_s, 9000, protocol=protocol)]) == [Continued(2, turned=False, name_id=NAME)]
    assert stitch([first, part(2, 10.001 + idle_s, 9000, protocol=protocol)]) == []


def test_parts_of_the_same_moment_with_and_without_ports() -> None:
    ping = part(1, 5, 5, client=("192.168.1.10", None), server=("203.0.113.5", None), protocol="icmp", cut=False)
    query = part(2, 5, 5, server=("203.0.113.5", 53), protocol="udp", cut=False)
    assert stitch([ping, query]) == stitch([query, ping]) == []


PARTS = st.builds(
    lambda first, size, turned, protocol, begun, cut, name: part(
        0, first, first + size, client=CDN if turned else PHONE, server=PHONE if turned else CDN, protocol=protocol,
        begun=begun, cut=cut, name_id=name,
    ),
    st.integers(0, 8).map(lambda n: 50 * n), st.sampled_from((0, 40, 50, 130)), st.booleans(),
    st.sampled_from(("tcp", "udp")), st.booleans(), st.booleans(), st.sampled_from((None, NAME, OTHER)),
)  # fmt: skip


@given(st.lists(PARTS, max_size=8, unique_by=lambda part: part[1:]), st.data())
def test_order_does_not_matter(parts: list[Part], data: st.DataObject) -> None:
    parts = [each._replace(flow_id=number) for number, each in enumerate(parts)]
    shuffled = data.draw(st.permutations(parts))
    assert sorted(stitch(shuffled), key=repr) == sorted(stitch(parts), key=repr)


@given(st.lists(PARTS, max_size=8, unique_by=lambda part: part[1:]), st.data())
def test_numbers_of_flows_do_not_matter(parts: list[Part], data: st.DataObject) -> None:
    """They depend on which file was imported first."""
    numbers = data.draw(st.permutations(range(len(parts))))
    ones = [each._replace(flow_id=number) for number, each in enumerate(parts)]
    others = [each._replace(flow_id=numbers[number]) for number, each in enumerate(parts)]
    renamed = [
        each._replace(flow_id=numbers[each.flow_id], head=None if each.head is None else numbers[each.head])
        for each in stitch(ones)
    ]
    assert sorted(renamed, key=repr) == sorted(stitch(others), key=repr)


def test_parts_of_one_instant_that_differ_in_their_names() -> None:
    """The same packets, captured twice."""
    twice = [part(1, 0, 10, name_id=OTHER), part(2, 0, 10, name_id=NAME), part(3, 0, 10), part(4, 20, 30)]
    assert stitch(twice) == stitch([twice[2], twice[1], twice[0], twice[3]])
