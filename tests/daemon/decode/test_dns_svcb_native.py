"""Service binding records read in C (`_dns_svcb.h`) against dns_svcb.py, which says what is right."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns import Message, Question, Record
from daemon.decode.dns_native import load
from daemon.decode.dns_svcb import service_text
from daemon.decode.dns_types import RCODES, TYPES
from tests.daemon.decode.test_dns_native import bind, of_type
from tests.daemon.decode.test_dns_svcb import EXAMPLE, VALUES, parameter, uint16s
from tests.support.leaks import left_behind

MARK = "left to the plain reader"
READ = bind(Message, Question, Record, TYPES, RCODES, lambda _: MARK)

PARAMETERS = st.one_of(
    st.lists(st.text("abch23-/,;\\ ", max_size=12), max_size=3).map(
        lambda names: (1, b"".join(bytes([len(name)]) + name.encode() for name in names))
    ),
    st.tuples(st.integers(0, 10) | st.sampled_from([667, 65535]), st.binary(max_size=40)),
    st.tuples(st.sampled_from([4, 6]), st.integers(0, 5).map(lambda count: bytes(range(16)) * count)),
    st.tuples(st.just(3), st.binary(min_size=2, max_size=2)),
)


def read(data: bytes) -> str | None:
    """What C says of the data; None where it leaves them."""
    found = READ(of_type("HTTPS", data))
    value = found.records[0].value if found else MARK
    return None if value == MARK else value


def expected(data: bytes) -> str | None:
    try:
        return service_text(data)
    except (DecodeError, IndexError, struct.error):
        return None


def test_usual_records_are_read() -> None:
    usual = [
        (uint16s(1) + b"\0", "1 ."),
        (uint16s(0) + EXAMPLE, "0 foo.example.com"),
        (uint16s(65535) + EXAMPLE + parameter(3, uint16s(8443)), "65535 foo.example.com port=8443"),
        (
            uint16s(1)
            + b"\0"
            + parameter(1, b"\2h3\2h2")
            + parameter(2, b"")
            + parameter(4, bytes([192, 0, 2, 1] * 2)),
            "1 . alpn=h3,h2 no-default-alpn ipv4hint=192.0.2.1,192.0.2.1",
        ),
        (uint16s(1) + b"\0" + parameter(6, bytes(15) + b"\1" + bytes(16)), "1 . ipv6hint=::1,::"),
    ]
    assert [(data, read(data)) for data, _ in usual] == usual


@pytest.mark.parametrize("size", range(1, 12))
def test_keys_of_every_length_are_read(size: int) -> None:
    data = uint16s(1) + b"\0" + parameter(5, bytes(range(250, 239, -1))[:size])
    assert read(data) == service_text(data)


def test_long_records_are_left() -> None:
    for size in (900, 1012, 1013, 1100, 60_000):
        data = uint16s(1) + b"\0" + parameter(5, bytes(size))
        assert read(data) == (service_text(data) if len(data) <= 1024 else None)
    widest = uint16s(1) + (b"\x3f" + b"\0" * 63) * 3 + b"\x3d" + b"\0" * 61 + b"\0" + parameter(4, b"\xff" * 760)
    assert read(widest) in (None, expected(widest))


@given(st.integers(0, 65535), st.lists(PARAMETERS, max_size=5), st.booleans(), st.integers(0, 8))
def test_any_parameters_are_the_same_or_left(
    priority: int, given: list[tuple[int, bytes]], sort: bool, cut: int
) -> None:
    ordered = sorted(dict(given).items()) if sort else given
    data = uint16s(priority) + EXAMPLE + b"".join(parameter(*each) for each in ordered)
    data = data[: len(data) - cut]
    assert read(data) in (None, expected(data))


@given(st.sampled_from([data for data, _ in VALUES]), st.data())
def test_one_byte_changed(data: bytes, draw: st.DataObject) -> None:
    place, value = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(0, 255))
    changed = data[:place] + bytes([value]) + data[place + 1 :]
    assert read(changed) in (None, expected(changed))


def test_nothing_is_leaked() -> None:
    reader = load(Message, Question, Record)
    assert reader is not None
    wires = [of_type("HTTPS", data) for data, _ in VALUES]

    def run(times: int) -> None:
        for _ in range(times):
            for wire in wires:
                reader(wire)

    references, grown = left_behind(run, 200, [Message, Record, reader])
    assert references == [0, 0, 0]
    assert grown < 2_000
