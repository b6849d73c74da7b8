from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.dns import Message, Question, Record, parse_message, parse_plainly, parse_stream

RESPONSE, AA, TC, RD, RA, Z = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040
A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, NSEC, HTTPS, ANY = 1, 2, 5, 6, 12, 16, 28, 33, 41, 47, 65, 255
FLUSH = 0x8000  # mDNS: cache-flush of a record, unicast response of a question
OWNER = b"\xc0\x0c"  # the name of the first question


def name(text: str) -> bytes:
    return b"".join([bytes([len(label)]) + label.encode() for label in text.split(".") if label]) + b"\0"


def question(text: str, kind: int = A, klass: int = 1) -> bytes:
    return name(text) + struct.pack(">HH", kind, klass)


def record(kind: int, data: bytes, owner: bytes = OWNER, ttl: int = 300, klass: int = 1) -> bytes:
    return owner + struct.pack(">HHIH", kind, klass, ttl, len(data)) + data


def edns(upper: int = 0, options: bytes = b"") -> bytes:
    return record(OPT, options, b"\0", upper << 24, 1232)


def message(
    questions: list[bytes],
    answers: list[bytes] | None = None,
    authorities: list[bytes] | None = None,
    additionals: list[bytes] | None = None,
    *,
    flags: int = RESPONSE | RD | RA,
    ident: int = 0x1234,
) -> bytes:
    sections = [questions, answers or [], authorities or [], additionals or []]
    return struct.pack(">HH4H", ident, flags, *map(len, sections)) + b"".join([b"".join(part) for part in sections])


def request(questions: tuple[Question, ...], opcode: int = 0) -> Message:
    return Message(
        0x1234, response=False, opcode=opcode, rcode="NOERROR", truncated=False, questions=questions, records=()
    )


QUERY = message([question("www.example.com")], additionals=[edns()], flags=RD)
ANSWER = message(
    [question("www.example.com")],
    [
        record(CNAME, b"\x04edge\x03cdn\x03net\0"),
        record(A, bytes([192, 0, 2, 1]), b"\xc0\x2d", 60),
        record(A, bytes([192, 0, 2, 2]), b"\xc0\x2d", 60),
    ],
    additionals=[edns()],
)
# An announcement by a loudspeaker; names shared by compression as mDNS stacks do.
MDNS = message(
    [],
    [
        record(PTR, b"\x0bLiving Room\xc0\x0c", b"\x0b_googlecast\x04_tcp\x05local\0", 120),  # data at 46
        record(TXT, b"\x0bmd=Nest Hub\x06fn=K\xc3\xbc", b"\xc0\x2e", 4500, 1 | FLUSH),
        record(SRV, b"\0\0\0\0\x1f\x49\x05abcde\xc0\x1d", b"\xc0\x2e", 120, 1 | FLUSH),
    ],
    additionals=[record(A, bytes([192, 168, 1, 9]), b"\x05abcde\xc0\x1d", 120, 1 | FLUSH), edns()],
    flags=RESPONSE | AA,
    ident=0,
)


def test_query() -> None:
    assert parse_message(QUERY) == request((Question("www.example.com", "A"),))


def test_answer_with_alias_chain() -> None:
    assert parse_message(ANSWER) == Message(
        id=0x1234,
        response=True,
        opcode=0,
        rcode="NOERROR",
        truncated=False,
        questions=(Question("www.example.com", "A"),),
        records=(
            Record("answer", "www.example.com", "CNAME", 300, "edge.cdn.net"),
            Record("answer", "edge.cdn.net", "A", 60, "192.0.2.1"),
            Record("answer", "edge.cdn.net", "A", 60, "192.0.2.2"),
        ),
    )


def test_results_are_the_named_types_and_not_bare_tuples() -> None:
    answer = parse_message(ANSWER)
    assert isinstance(answer, Message)
    assert isinstance(answer.questions[0], Question)
    assert all(isinstance(entry, Record) for entry in answer.records)


def test_mdns_announcement_without_questions_and_with_cache_flush() -> None:
    parsed = parse_message(MDNS)
    assert parsed.questions == ()
    assert parsed.records == (
        Record("answer", "_googlecast._tcp.local", "PTR", 120, "living\\032room._googlecast._tcp.local"),
        Record("answer", "living\\032room._googlecast._tcp.local", "TXT", 4500, '"md=Nest Hub" "fn=Kü"'),
        Record("answer", "living\\032room._googlecast._tcp.local", "SRV", 120, "0 0 8009 abcde.local"),
        Record("additional", "abcde.local", "A", 120, "192.168.1.9"),
    )


@pytest.mark.parametrize("parse", [parse_message, parse_plainly])
def test_message_that_repeats_under_another_id_keeps_its_own(parse: Callable[[bytes], Message]) -> None:
    for ident in (0, 1, 0xFFFF):
        again = parse(struct.pack(">H", ident) + QUERY[2:])
        assert again == parse(QUERY)._replace(id=ident)
        assert parse(struct.pack(">H", ident) + MDNS[2:]).id == ident


def test_several_questions() -> None:
    wire = message(
        [question("_ipp._tcp.local", PTR, 1 | FLUSH), b"\x04_ipp\x04_udp\xc0\x16" + struct.pack(">HH", ANY, 1)], flags=0
    )
    assert parse_message(wire).questions == (Question("_ipp._tcp.local", "PTR"), Question("_ipp._udp.local", "ANY"))


def test_known_answers_in_a_query_are_records() -> None:
    wire = message([question("_ipp._tcp.local", PTR)], [record(PTR, b"\x04hall\xc0\x0c")], flags=0, ident=0)
    parsed = parse_message(wire)
    assert not parsed.response
    assert parsed.records == (Record("answer", "_ipp._tcp.local", "PTR", 300, "hall._ipp._tcp.local"),)


def test_every_section_is_named() -> None:
    address = record(A, bytes(4))
    wire = message([question("a.example")], [address], [address, address], [address])
    assert [r.section for r in parse_message(wire).records] == ["answer", "authority", "authority", "additional"]


def test_case_is_lowered_and_the_root_is_empty() -> None:
    wire = message([question("", NS)], [record(NS, b"\x01A\x0cROOT-servers\x03net\0", b"\0")])
    parsed = parse_message(wire)
    assert parsed.questions == (Question("", "NS"),)
    assert parsed.records == (Record("answer", "", "NS", 300, "a.root-servers.net"),)


def test_label_that_holds_a_zero_byte_does_not_end_the_question() -> None:
    wire = message([b"\x03a\x00b\x03com\0" + struct.pack(">HH", A, 1)], [record(A, bytes(4))])
    assert parse_message(wire).questions == (Question("a\\000b.com", "A"),)
    assert parse_message(wire).records[0].name == "a\\000b.com"


def test_unassigned_type_and_its_data() -> None:
    wire = message([question("a.example", 65280)], [record(65280, b"\xab\xcd")])
    parsed = parse_message(wire)
    assert parsed.questions[0].type == "TYPE65280"
    assert parsed.records[0][2:] == ("TYPE65280", 300, "\\# 2 abcd")


def test_ttl_is_reported_as_sent() -> None:
    wire = message([question("a.example")], [record(A, bytes(4), ttl=0xFFFFFFFF)])
    assert parse_message(wire).records[0].ttl == 0xFFFFFFFF


# --- response codes and OPT -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rcode", "text"), [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED")])
def test_rcode(rcode: int, text: str) -> None:
    assert parse_message(message([question("a.example")], flags=RESPONSE | rcode)).rcode == text


def test_edns_gives_the_upper_bits_of_the_rcode_and_is_no_record() -> None:
    parsed = parse_message(message([question("a.example")], additionals=[edns(1, b"\0\x0a\0\0")]))
    assert parsed.rcode == "BADVERS"
    assert parsed.records == ()
    wire = message([question("a.example")], additionals=[edns(1)], flags=RESPONSE | 7)
    assert parse_message(wire).rcode == "BADCOOKIE"


def test_edns_outside_the_additional_section_says_nothing() -> None:
    parsed = parse_message(message([question("a.example")], [edns(1)]))
    assert (parsed.rcode, parsed.records) == ("NOERROR", ())


def test_server_that_could_not_read_the_question_answers_with_its_header() -> None:
    parsed = parse_message(message([], flags=RESPONSE | 1))
    assert (parsed.rcode, parsed.questions, parsed.records) == ("FORMERR", (), ())


# --- records that are not what they say -----------------------------------------------------------------------------


def test_broken_data_becomes_the_generic_form_and_the_rest_survives() -> None:
    wire = message([question("a.example", 15)], [record(15, b"\x00"), record(A, bytes([192, 0, 2, 9]))])
    assert [(r.type, r.value) for r in parse_message(wire).records] == [("MX", "\\# 1 00"), ("A", "192.0.2.9")]


@pytest.mark.parametrize(
    ("kind", "data"), [(A, b"\1\2\3"), (A, b""), (AAAA, bytes(4)), (CNAME, b"\xc0\xff"), (CNAME, b"")]
)
def test_impossible_address_or_alias_is_left_out(kind: int, data: bytes) -> None:
    wire = message([question("a.example")], [record(kind, data), record(A, bytes([192, 0, 2, 9]))])
    parsed = parse_message(wire)
    assert [r.value for r in parsed.records] == ["192.0.2.9"]
    assert not parsed.truncated


def test_address_of_another_class_is_left_out_and_text_is_not() -> None:
    wire = message([question("version.bind", TXT, 3)], [record(TXT, b"\x03NSD", klass=3), record(A, bytes(4), klass=3)])
    assert [r.value for r in parse_message(wire).records] == ['"NSD"']


def test_cache_flush_does_not_hide_an_address() -> None:
    wire = message([], [record(AAAA, bytes(15) + b"\1", name("a.local"), klass=1 | FLUSH)], ident=0)
    assert parse_message(wire).records == (Record("answer", "a.local", "AAAA", 300, "::1"),)


# --- cut and broken messages ----------------------------------------------------------------------------------------


def test_tc_bit() -> None:
    assert parse_message(message([question("a.example")], flags=RESPONSE | TC)).truncated
    assert not parse_message(message([question("a.example")])).truncated


@pytest.mark.parametrize("wire", [QUERY, ANSWER, MDNS])
def test_message_cut_anywhere_gives_what_was_whole(wire: bytes) -> None:
    whole = parse_message(wire)
    first = 12 + 17 + 4 if whole.questions else wire.index(b"Living Room") + 11 + 2
    for size in range(len(wire)):
        if size < first:
            with pytest.raises(DecodeError):
                parse_message(wire[:size])
            continue
        parsed = parse_message(wire[:size])
        assert parsed.truncated
        assert parsed.questions == whole.questions
        assert parsed.records == whole.records[: len(parsed.records)]
    assert [len(parse_message(ANSWER[:size]).records) for size in (58, 59, 74, 75, 90, 91)] == [0, 1, 1, 2, 2, 3]


def test_record_whose_owner_cannot_be_read_ends_the_records() -> None:
    good, bad = record(A, bytes([192, 0, 2, 9])), record(A, bytes(4), b"\xc0\xff")
    parsed = parse_message(message([question("a.example")], [good, bad, good]))
    assert [r.value for r in parsed.records] == ["192.0.2.9"]
    assert parsed.truncated


def test_trailing_bytes_are_ignored() -> None:
    assert parse_message(QUERY + bytes(6)) == parse_message(QUERY)


@pytest.mark.parametrize("flags", [Z | RD, RD | 5])
def test_header_bits_that_dns_does_not_use_ask_for_a_whole_message(flags: int) -> None:
    wire = message([question("www.example.com")], additionals=[edns()], flags=flags)
    assert parse_message(wire).questions == (Question("www.example.com", "A"),)
    for other in (wire[:-1], wire + b"\0"):
        with pytest.raises(DecodeError, match="header bits"):
            parse_message(other)


@pytest.mark.parametrize(
    ("case", "wire"),
    [
        ("nothing", b""),
        ("text", b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
        ("zeros", bytes(64)),
        ("ones", b"\xff" * 64),
        ("header alone", message([], flags=RD)),
        ("response header without an error", message([])),
        ("opcode 3", message([question("a.example")], flags=3 << 11)),
        ("opcode 7", message([question("a.example")], flags=7 << 11)),
        ("opcode 15", message([question("a.example")], flags=15 << 11)),
        ("more questions than follow", struct.pack(">6H", 1, RD, 2, 0, 0, 0) + question("a.example")),
        ("more than any message holds", struct.pack(">6H", 1, RD, 1, 0, 6000, 0) + question("a.example")),
        ("question without its class", struct.pack(">6H", 1, RD, 1, 0, 0, 0) + question("a.example")[:-2]),
        ("question whose name loops", struct.pack(">6H", 1, RD, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"),
        ("second question without its class", message([question("a"), question("b")[:-1]], flags=RD)),
        ("neither question nor a whole record", message([], [record(A, bytes(4), name("a.local"))[:-1]])),
        ("record whose owner loops", message([], [record(A, bytes(4), b"\xc0\x0c")])),
    ],
)
def test_what_is_not_dns_is_refused(case: str, wire: bytes) -> None:
    with pytest.raises(DecodeError):
        parse_message(wire)


def test_update_keeps_its_zone_to_itself() -> None:
    wire = message([question("example.com", SOA)], authorities=[record(A, b"", ttl=0, klass=255)], flags=5 << 11)
    assert parse_message(wire) == request((), opcode=5)
    with pytest.raises(DecodeError, match="UPDATE"):
        parse_message(message([], flags=5 << 11))


def test_dso_has_no_sections() -> None:
    keepalive = message([], flags=6 << 11) + bytes.fromhex("00010008 00003a98 00001388")
    assert parse_message(keepalive) == request((), opcode=6)
    with pytest.raises(DecodeError, match="DSO"):
        parse_message(message([question("example.com")], flags=6 << 11))


def test_notify_is_read_like_a_query() -> None:
    parsed = parse_message(message([question("example.com", SOA)], flags=4 << 11 | AA))
    assert (parsed.opcode, parsed.questions) == (4, (Question("example.com", "SOA"),))


# --- TCP ------------------------------------------------------------------------------------------------------------


def framed(*messages: bytes) -> bytes:
    return b"".join([struct.pack(">H", len(wire)) + wire for wire in messages])


def test_stream_split_at_every_byte() -> None:
    stream = framed(QUERY, ANSWER, QUERY)
    ends = [0, len(QUERY) + 2, len(QUERY) + len(ANSWER) + 4, len(stream)]
    for size in range(len(stream) + 1):
        messages, consumed = parse_stream(stream[:size])
        assert consumed == max(end for end in ends if end <= size)
        rest, all_of_it = parse_stream(stream[consumed:])
        assert messages + rest == [QUERY, ANSWER, QUERY]
        assert consumed + all_of_it == len(stream)


@pytest.mark.parametrize("size", [0, 1, 11])
def test_stream_with_a_length_below_the_header_is_not_dns(size: int) -> None:
    with pytest.raises(DecodeError):
        parse_stream(framed(QUERY) + struct.pack(">H", size))


@given(st.binary(max_size=200))
def test_arbitrary_stream_gives_messages_or_decode_error(stream: bytes) -> None:
    try:
        messages, consumed = parse_stream(stream)
    except DecodeError:
        return
    assert framed(*messages) == stream[:consumed]


# --- hostile input --------------------------------------------------------------------------------------------------

SEEDS = st.sampled_from([QUERY, ANSWER, MDNS])


def is_plausible(parsed: Message, size: int) -> bool:
    texts = [q.name for q in parsed.questions] + [text for r in parsed.records for text in (r.name, r.value)]
    count = len(parsed.questions) * 5 + len(parsed.records) * 11
    return all(text.isprintable() for text in texts) and count + 12 <= size


@given(st.binary(max_size=400))
def test_arbitrary_bytes_give_a_message_or_decode_error(wire: bytes) -> None:
    try:
        parsed = parse_message(wire)
    except DecodeError:
        return
    assert is_plausible(parsed, len(wire))


@given(st.binary(max_size=200), st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(0, 0xFFFF))
def test_arbitrary_body_gives_a_message_or_decode_error(body: bytes, counts: list[int], flags: int) -> None:
    wire = struct.pack(">HH4H", 1, flags & ~0x7800, *counts) + body
    try:
        parsed = parse_message(wire)
    except DecodeError:
        return
    assert is_plausible(parsed, len(wire))


@given(
    SEEDS, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 200)
)
def test_mutated_messages_give_a_message_or_decode_error(seed: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    wire = bytearray(seed)
    for at, byte in changes:
        wire[at % len(wire)] = byte
    changed = bytes(wire)[: max(12, len(wire) - cut)]
    try:
        parsed = parse_message(changed)
    except DecodeError:
        return
    assert is_plausible(parsed, len(changed))


def test_long_message_of_pointers_is_read_in_proportion_to_its_length() -> None:
    """Names that share one long chain of pointers are put together once, not once for each record."""
    start = 12 + 11  # of the data of the first record
    links = b"".join([b"\x01a" + struct.pack(">H", 0xC000 | start + 4 * i) for i in range(100)])
    chain = record(10, b"\x01a\0\0" + links, b"\0")
    far = struct.pack(">H", 0xC000 | start + 400)
    wire = message([], [chain, *[record(CNAME, far, far)] * 4000])
    parsed = parse_message(wire)
    assert len(parsed.records) == 4001
    assert parsed.records[-1].name == ".".join("a" * 101)
    assert len({id(entry.name) for entry in parsed.records[1:]}) == 1
