"""The reader of DNS messages in C against the plain one, which says what is right."""

from __future__ import annotations

import gc
import os
import struct
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.columns import SPARE, decode_columns, payload_bytes
from daemon.decode.cursor import DecodeError
from daemon.decode.dns import Message, Question, Record, parse_message, parse_plainly
from daemon.decode.dns_native import load
from daemon.decode.dns_types import RCODES, TYPES
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner
from daemon.decode.packet import TCP, UDP
from daemon.decode.records import LOOKAHEAD
from tests.daemon.decode import test_dns as d
from tests.daemon.decode import test_dns_names as names
from tests.daemon.decode import test_dns_rdata as rdata
from tests.daemon.decode import test_dns_shape as shape
from tests.daemon.decode import test_dns_svcb as svcb
from tests.support.hostile import every_cut, hostile
from tests.support.leaks import left_behind

Reader = Callable[[bytes], Message | None]

_LOADED = load(Message, Question, Record)
if _LOADED is None:
    pytest.skip("daemon/decode/_dns.c is not built", allow_module_level=True)
READ: Reader = _LOADED

RECORDED = Path(__file__).resolve().parents[2] / "data"
CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "corpus"))


def asked(name: str, kind: int = d.A, *records: bytes, flags: int = d.RESPONSE | d.RD) -> bytes:
    return d.message([d.question(name, kind)], list(records), flags=flags)


def of_type(kind: str, data: bytes) -> bytes:
    """An answer to a question for example.com, to which the data may point, with an ordinary record behind."""
    number = rdata.NUMBERS[kind]
    return asked("example.com", number, d.record(number, data), d.record(d.A, b"\xc0\0\2\1"))


def outcome(wire: bytes) -> Message | None:
    try:
        return parse_plainly(wire)
    except DecodeError:
        return None


def is_read(wire: bytes) -> bool:
    """Whether C reads the message; where it does, the plain reader says the same."""
    found = READ(wire)
    if found is None:
        return False
    assert found == outcome(wire)
    assert hash(found) == hash(parse_plainly(wire))
    assert type(found) is Message
    assert {type(each) for each in found.questions} <= {Question}
    assert {type(each) for each in found.records} <= {Record}
    assert (type(found.questions), type(found.records)) == (tuple, tuple)
    assert READ(wire) == found  # known by now
    assert type(found.response) is type(found.truncated) is bool
    return True


PRINTABLE = bytes(b for b in range(0x20, 0x7F) if b not in b'"\\')
EVERY_OCTET = [bytes(range(start, min(start + 60, 256))) for start in range(0, 256, 60)]
LONGEST = b"\x3f" + b"n" * 63

COMMON = {
    "query": d.QUERY,
    "answer with aliases and OPT": d.ANSWER,
    "query with OPT": shape.EDNS,
    "no such name": d.message(
        [d.question("nx.example.com")],
        authorities=[d.record(d.SOA, b"\2ns\xc0\x0f\1h\xc0\x0f" + struct.pack(">5I", 1, 2, 3, 4, 0xFFFFFFFF), b"\xc0\x0f")],
        flags=d.RESPONSE | 3,
    ),
    "upper bits of the response code": d.message([d.question("a")], additionals=[d.edns(1, b"\0\x0a\0\0")]),
    "OPT in the wrong section": d.message([d.question("a")], [d.edns(1)]),
    "two OPT": d.message([d.question("a")], additionals=[d.edns(1), d.edns(0)]),
    "truncated by the server": d.message([d.question("a.example")], flags=d.RESPONSE | d.TC),
    "questions alone": d.message([d.question("a"), b"\1b\xc0\x0c\0\xff\0\1"], flags=0),
    "the root": d.message([d.question("", d.NS)], [d.record(d.NS, b"\1A\0", b"\0"), d.record(d.NS, b"\0", b"\0")]),
    "every octet in a name": d.message([names.wire(octets) + b"\0\0\1\0\1" for octets in EVERY_OCTET]),
    "the longest name": d.message([LONGEST * 3 + b"\x3d" + b"N" * 61 + b"\0\0\1\0\1"], [d.record(d.A, bytes(4))]),
    "the longest name, all escapes": d.message([(b"\x3f" + b"\xff" * 63) * 3 + b"\x3d" + b"." * 61 + b"\0\0\1\0\1"]),
    "a name of 127 labels": d.message([b"\1x" * 127 + b"\0\0\1\0\1"]),
    "the longest SOA": d.message(
        [(b"\x3f" + b"\xff" * 63) * 3 + b"\x3d" + b"." * 61 + b"\0\0\6\0\1"],
        [d.record(d.SOA, b"\xc0\x0c\xc0\x0c" + b"\xff" * 20)],
    ),
    "a pointer into a name": asked("a.b.example", d.A, *[d.record(d.A, bytes(4), b"\xc0\x0e")] * 2),
    "a pointer to the root": asked("a", d.A, d.record(d.A, bytes(4), b"\xc0\x0e"), d.record(d.CNAME, b"\1q\xc0\x0e")),
    "a pointer to a pointer": asked("a.b", d.A, d.record(d.CNAME, b"\xc0\x0c"), d.record(d.A, bytes(4), b"\xc0\x1f")),
    "32 pointers": b"".join(
        [struct.pack(">6H", 1, 0, 33, 0, 0, 0), b"\1a\0\0\1\0\1"]
        + [struct.pack(">HHH", 0xC000 | (12 if i == 0 else 19 + 6 * (i - 1)), 1, 1) for i in range(32)]
    ),
    "more names than are remembered": asked("x", d.A, *[d.record(d.A, bytes(4), b"\2%02d\xc0\x0c" % i) for i in range(90)]),
    "something behind the message": d.QUERY + b"rest",
    "plain text": of_type("TXT", rdata.string(PRINTABLE) + rdata.string(b"") + rdata.string(b"a=b c")),
    "no text": of_type("TXT", b""),
    "cache-flush": shape.MDNS,
    "text of another class": asked("version.bind", d.TXT, d.record(d.TXT, b"\3NSD", klass=3)),
    **{f"{kind} {value}": of_type(kind, data) for kind, data, value in rdata.VALUES
       if kind in {"A", "AAAA", "CNAME", "NS", "PTR", "DNAME", "MX", "SRV", "SOA", "SVCB", "HTTPS"}},
    **{f"HTTPS {value}": of_type("HTTPS", data) for data, value in svcb.VALUES},
    **{f"AAAA {groups}": of_type("AAAA", struct.pack(">8H", *groups)) for groups in
       [(0, 0, 0, 0, 0, 0xFFFF, 0xC000, 513), (0, 0, 0, 0, 0, 0, 0xC000, 513), (0,) * 8, (0, 0, 0, 0, 0, 0, 0, 1),
        (0xFF02, 0, 0, 0, 0, 0, 0, 1), (0x2001, 0xDB8, 1, 1, 1, 0, 1, 1), (1, 0, 0, 1, 0, 0, 1, 1), (1,) * 6 + (0, 0)]},
    **{f"{kind} of {size} bytes": of_type(kind, bytes(range(256))[:size].ljust(size, b"x"))
       for kind in ("DS", "RRSIG", "DNSKEY", "NSEC3") for size in (0, 1, 20, 256, 257, 286)},
}  # fmt: skip

UNCOMMON = {
    "nothing": b"",
    "notify": d.message([d.question("example.com", d.SOA)], flags=4 << 11),
    "update": d.message([d.question("example.com", d.SOA)], flags=5 << 11),
    "Z": asked("a", flags=d.Z),
    "a response code in a query": asked("a", flags=5),
    "its upper bits in a query": d.message([d.question("a")], additionals=[d.edns(1)], flags=d.RD) + b"rest",
    "a response code without a name": d.message([d.question("a")], flags=d.RESPONSE | 15),
    "a response code past the table": d.message([d.question("a")], additionals=[d.edns(255)]),
    "a header alone": d.message([], flags=d.RESPONSE | 1),
    "a question of an unassigned type": asked("a", 65280),
    "a record of an unassigned type": asked("a", d.A, d.record(65280, b"x")),
    "a type without a reader": of_type("KX", rdata.uint16s(1) + rdata.SHARED),
    "an address of another class": asked("a", d.A, d.record(d.A, bytes(4), klass=3)),
    "text with quotes": of_type("TXT", rdata.string(b'say "hi"')),
    "text in UTF-8": d.MDNS,
    "text that is too long": of_type("TXT", rdata.string(b"a" * 255) * 16),
    "33 pointers": b"".join(
        [struct.pack(">6H", 1, 0, 34, 0, 0, 0), b"\1a\0\0\1\0\1"]
        + [struct.pack(">HHH", 0xC000 | (12 if i == 0 else 19 + 6 * (i - 1)), 1, 1) for i in range(33)]
    ),
    "a name of 256 octets": d.message([LONGEST * 3 + b"\x3e" + b"n" * 62 + b"\0\0\1\0\1"]),
    "a pointer into the header": asked("a", d.A, d.record(d.A, bytes(4), b"\xc0\x04")),
    "a pointer to itself": asked("a", d.A, d.record(d.A, bytes(4), b"\xc0\x13")),
    "a pointer forward": asked("a", d.A, d.record(d.A, bytes(4), b"\xc0\x20")),
    "an extended label": d.message([b"\x41a\0\0\1\0\1"]),
    "more records than follow": struct.pack(">6H", 1, 0x8180, 1, 65535, 65535, 65535) + d.question("a"),
    "more questions than follow": struct.pack(">6H", 1, 0, 65535, 0, 0, 0) + d.question("a"),
    **{f"{kind} {data.hex()}": of_type(kind, data) for kind, data in rdata.BROKEN},
    **{f"HTTPS {data.hex()}": of_type("HTTPS", data) for data in svcb.BROKEN},
}  # fmt: skip

SEEDS = [*COMMON.values(), *UNCOMMON.values(), *(of_type(kind, data) for kind, data, _ in rdata.VALUES)]


@pytest.mark.parametrize("case", COMMON)
def test_common_messages_are_read(case: str) -> None:
    assert is_read(COMMON[case])


@pytest.mark.parametrize("case", UNCOMMON)
def test_uncommon_messages_are_left_to_the_plain_reader(case: str) -> None:
    assert READ(UNCOMMON[case]) is None


@pytest.mark.parametrize(("kind", "data", "value"), rdata.VALUES)
def test_a_value_of_any_type_is_the_same_or_left(kind: str, data: bytes, value: str) -> None:
    wire = of_type(kind, data)
    is_read(wire)
    assert parse_message(wire).records[0].value == value  # through whichever reads it


def test_every_type_asked_for() -> None:
    for kind in range(0x10000):
        assert is_read(asked("a", kind)) == (kind in TYPES and kind < 260), kind


def test_type_bitmaps() -> None:
    for octet in range(256):
        is_read(of_type("NSEC", b"\0\0\1" + bytes([octet])))
        is_read(of_type("NSEC", rdata.SHARED + b"\0\4" + bytes([0x40, octet, 0, octet & 8])))
    assert is_read(of_type("NSEC", rdata.SHARED + b"\0\4\x40\0\0\x08"))
    assert is_read(of_type("NSEC", rdata.SHARED + b"\0\x01\x40\1\1\x40"))  # A and CAA
    assert not is_read(of_type("NSEC", b"\0" + b"".join(bytes([i, 32]) + b"\xff" * 32 for i in range(256))))


def test_text_as_long_as_a_value_may_be() -> None:
    read = [is_read(of_type("TXT", rdata.string(b"a" * 255) * 15 + rdata.string(b"a" * size))) for size in range(256)]
    assert read == sorted(read, reverse=True)
    assert True in read
    assert False in read


def test_a_name_that_a_pointer_repeats_is_the_same_object() -> None:
    found = READ(d.ANSWER)
    assert found
    alias, first, second = found.records
    assert alias.name is found.questions[0].name
    assert first.name is second.name is alias.value


@pytest.mark.parametrize("wire", SEEDS)
def test_cut_at_every_byte(wire: bytes) -> None:
    for cut in every_cut(wire[:600]):
        is_read(cut)


@given(hostile(SEEDS))
def test_hostile_bytes(wire: bytes) -> None:
    is_read(wire)


@given(st.sampled_from(SEEDS), st.data())
def test_one_byte_changed(wire: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, max(len(wire) - 1, 0)))
    for value in (0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, data.draw(st.integers(0, 255))):
        is_read(wire[:place] + bytes([value]) + wire[place + 1 :])


RECORDS = st.tuples(
    st.sampled_from([(rdata.NUMBERS[kind], data) for kind, data, _ in rdata.VALUES]),
    st.integers(12, 120).map(lambda place: struct.pack(">H", 0xC000 | place)) | st.just(b"\4more\xc0\x0c"),
    st.sampled_from([0, 1, 300, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
).map(lambda drawn: d.record(*drawn[0], owner=drawn[1], ttl=drawn[2]))


@given(st.lists(RECORDS, max_size=8), st.lists(RECORDS, max_size=3), st.lists(RECORDS | st.just(d.edns()), max_size=3))
def test_any_records_together(answers: list[bytes], authorities: list[bytes], additionals: list[bytes]) -> None:
    is_read(d.message([d.question("example.com")], answers, authorities, additionals))


# --- messages read lately


def test_a_message_that_comes_again_has_its_own_id() -> None:
    first, again = READ(d.ANSWER), READ(b"\xab\xcd" + d.ANSWER[2:])
    assert first
    assert again == first._replace(id=0xABCD)
    assert again.records is first.records


def test_messages_that_take_each_others_place() -> None:
    wires = [asked(f"{number}.example", d.A, d.record(d.A, struct.pack(">I", number))) for number in range(9000)]
    for wire in [*wires, *reversed(wires)]:
        found = READ(wire)
        assert found
        assert (found.questions[0].name, found.records[0].value) == (
            wire[13 : 13 + wire[12]].decode() + ".example", ".".join(map(str, wire[-4:]))
        )  # fmt: skip


@pytest.mark.parametrize(
    "wire",
    [asked("a" * 60, d.TXT, d.record(d.TXT, b"\xc8" + b"x" * 200)), asked("a", d.A, *[d.record(d.A, bytes(4))] * 5)],
)
def test_long_messages_are_not_kept(wire: bytes) -> None:
    first, again = READ(wire), READ(wire)
    assert first == again
    assert first is not None
    assert again is not None
    assert first.records is not again.records


# --- what only C can do wrong


def test_nothing_is_leaked() -> None:
    wires = [*SEEDS, *every_cut(d.ANSWER), *every_cut(COMMON["no such name"])]
    shared = [*TYPES.values(), *RCODES.values(), Message, Question, Record]

    def run(times: int) -> None:
        for _ in range(times):
            for wire in wires:
                READ(wire)

    references, grown = left_behind(run, 20, shared)
    assert set(references) == {0}
    assert grown < 2000


def test_results_outlive_what_they_were_made_of() -> None:
    wire = bytearray(d.ANSWER)
    found = READ(bytes(wire))
    del wire
    gc.collect()
    assert found == parse_plainly(d.ANSWER)


def test_the_collector_has_no_work_with_results() -> None:
    found = READ(d.ANSWER)
    assert found
    parts: list[object] = [found, found.questions, found.records, *found.questions, *found.records]
    assert not any(map(gc.is_tracked, parts))


@pytest.mark.parametrize("wrong", [None, "text", 7, bytearray(d.QUERY), memoryview(d.QUERY)])
def test_only_bytes_are_read(wrong: Any) -> None:  # noqa: ANN401  wrong ones of any type
    with pytest.raises(TypeError):
        READ(wrong)


def bind(*args: object) -> Reader:
    reader: Reader = import_module("daemon.decode._dns").bind(*args)
    return reader


@pytest.mark.parametrize(
    "args",
    [
        (),
        (int, Question, Record, TYPES, RCODES, str),
        (Question("", ""), Question, Record, TYPES, RCODES, str),
        (tuple, Question, Record, TYPES, RCODES, str),
        (Question, Question, Record, TYPES, RCODES, str),
        (Message, Question, Record, [], RCODES, str),
        (Message, Question, Record, {1: b"A"}, RCODES, str),
        (Message, Question, Record, TYPES, {"0": "NOERROR"}, str),
    ],
)
def test_what_cannot_be_bound_is_refused(args: tuple[object, ...]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        bind(*args)


def test_without_mnemonics_everything_is_left_to_the_plain_reader() -> None:
    assert bind(Message, Question, Record, {-1: "A", 1 << 40: "B"}, {}, str)(d.QUERY) is None


def test_a_reader_of_services_that_fails() -> None:
    def failing(error: type[BaseException]) -> Reader:
        def service(_: bytes) -> str:
            raise error

        return bind(Message, Question, Record, TYPES, RCODES, service)

    wire = of_type("HTTPS", svcb.VALUES[3][0])  # of those that are left to it
    assert failing(DecodeError)(wire) is None
    with pytest.raises(KeyboardInterrupt):
        failing(KeyboardInterrupt)(wire)
    assert bind(Message, Question, Record, TYPES, RCODES, len)(wire) is None  # a number is no text


# --- real captures


def payloads(path: Path) -> Iterator[bytes]:
    """What UDP carried, whatever its port, and what TCP segments carried behind a length."""
    data = path.read_bytes()[:LOOKAHEAD]
    try:
        scanner = open_scanner(data[:4096])
    except DecodeError:
        return
    buf = bytearray(data) + bytes(SPARE)
    columns = decode_columns(buf, scanner.scan(buf, 0, len(data), 0, final=True), Fragments())
    view = memoryview(buf)
    for row in range(len(columns)):
        if columns.protocol[row] in (TCP, UDP):
            yield bytes(payload_bytes(view, columns, row))[2 if columns.protocol[row] == TCP else 0 :]


def test_recorded_captures() -> None:
    assert sum([is_read(wire) for path in sorted(RECORDED.glob("*.pcap*")) for wire in payloads(path)]) > 50


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no captures at {CORPUS}: HOMEPORT_CORPUS names their folder")
def test_corpus() -> None:
    assert sum([is_read(wire) for path in sorted(CORPUS.rglob("*.pcap*")) for wire in payloads(path)]) > 1000
