"""Facts by chance, as decoding tells them, and numbers for what they name."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from daemon.decode.dns import Record
from daemon.flow.facts import DnsFact, Facts, FlowFact, FlowKind, HelloFact
from daemon.store.rows import Numbers

CAPTURE, FIRST = 5, 77
ENDS = [number * 7 + 1 for number in range(20)]
KINDS = [FlowKind("tcp", 4, service, "yes", chatter=False, tunnel=None) for service in (None, "https", "doh", "ssh")]


class Counting(dict[Any, int]):
    """Numbers in order of appearance, as the writer makes them."""

    def __missing__(self, key: object) -> int:
        self[key] = number = len(self) + 1
        return number


def numbers() -> Numbers:
    """Nothing has a number yet but the ends."""
    return Numbers(CAPTURE, FIRST, Counting(), ENDS, Counting())


_end = st.integers(0, len(ENDS) - 1)
_count = st.integers(0, 1 << 62) | st.sampled_from([1 << bits for bits in (7, 8, 15, 16, 23, 24, 31, 32, 47, 48)])
_port = st.none() | st.integers(0, 65535)
_text = st.sampled_from(["", "a.example", "b.example", "xn--c.example", "Küche", "a\0b", "d" * 300])
_word = st.none() | _text
_flow = st.builds(
    FlowFact, st.integers(0, 30), st.sampled_from(KINDS), _end, _end, _port, _port, _word, _word, st.just("fin"),
    st.integers(0, 1), st.integers(0, 1), st.integers(0, 1), _count, _count, _count, _count, _count, _count,
)  # fmt: skip
_hello = st.builds(
    HelloFact, st.integers(0, 9), st.integers(0, 3), _count, _end, _port, _end, _port, _text, _word, _word, _word, _word,
    _word, _word, _word, _word, _word, _word,
)  # fmt: skip
_record = st.builds(
    Record, st.sampled_from(["answer", "authority", "additional"]), _text,
    st.sampled_from(["A", "AAAA", "CNAME", "HTTPS", "SVCB", "TXT", ""]), st.integers(0, (1 << 32) - 1), _text,
)  # fmt: skip
_message = st.builds(
    DnsFact, st.integers(0, 1 << 60), _end, _end, st.sampled_from(["udp", "tcp", "mdns", "llmnr"]), st.booleans(), _text,
    _text, _word, st.integers(0, 3), st.lists(_record, max_size=5).map(tuple),
)  # fmt: skip

batches = st.builds(
    Facts,
    flows=st.lists(_flow, max_size=9),
    hellos=st.lists(_hello, max_size=9),
    dns=st.lists(_message, max_size=9),
)
