"""Bytes that a network can send: a strategy for the hypothesis test that every parser has."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st


def hostile(valid: Sequence[bytes], largest: int = 400) -> st.SearchStrategy[bytes]:
    """Arbitrary bytes, valid messages with some bytes changed, and valid messages cut or with something behind them."""
    message = st.sampled_from(valid)
    changes = st.lists(st.tuples(st.integers(0, max(map(len, valid)) - 1), st.integers(0, 255)), max_size=8)
    return st.one_of(
        st.binary(max_size=largest),
        st.builds(_changed, message, changes),
        st.builds(lambda whole, size: whole[: size % (len(whole) + 1)], message, st.integers(0, 1 << 16)),
        st.builds(bytes.__add__, message, st.binary(max_size=40)),
    )


def _changed(message: bytes, changes: list[tuple[int, int]]) -> bytes:
    wire = bytearray(message)
    for position, value in changes:
        if wire:
            wire[position % len(wire)] = value
    return bytes(wire)


def every_cut(message: bytes) -> list[bytes]:
    """The message cut at every length, from nothing to one byte less than whole."""
    return [message[:size] for size in range(len(message))]
