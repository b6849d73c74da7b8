from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.facts import EndpointKey, Endpoints, Facts, FrameKey, HintFact, SliceFact, widen


def test_endpoints_are_numbered_in_order_of_appearance() -> None:
    endpoints = Endpoints()
    keys = [(1, 4, 10), (1, 6, 10), (-1, 4, 10), (2, 4, 10)]
    assert [endpoints.number(*key) for key in [*keys, *reversed(keys)]] == [0, 1, 2, 3, 3, 2, 1, 0]
    assert endpoints.keys == [EndpointKey(*key) for key in keys]
    assert len(endpoints) == 4


@given(st.lists(st.integers(), min_size=1))
def test_widen_keeps_first_and_last(times: list[int]) -> None:
    spans: dict[str, list[int]] = {}
    for time in times:
        widen(spans, "key", time)
    assert spans == {"key": [min(times), max(times)]}


def test_hints_are_kept_once_with_their_span() -> None:
    facts = Facts()
    one, other = (HintFact(1, "192.168.1.2", "mdns", "hostname", name) for name in ("lamp", "tv"))
    facts.hint([one, other], 50)
    facts.hint([one, one], 20)
    assert facts.hints == {one: [20, 50], other: [50, 50]}


def test_size_is_about_the_rows() -> None:
    facts = Facts()
    assert facts.size() == 0
    facts.slices.append(SliceFact(0, 0, 1, 1, 1, 1))
    facts.frames[FrameKey(0, 1, 2, "arp")] = [1, 60]
    assert facts.size() == 2
