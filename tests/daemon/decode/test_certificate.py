from __future__ import annotations

import ssl
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.certificate import MAX_NAMES, NATIVE, any_names, certificate_names, usual_names
from daemon.decode.cursor import DecodeError
from daemon.decode.tls import parse_records
from tests.daemon.decode import hellos
from tests.daemon.decode.hellos import vector
from tests.support.hostile import hostile

if NATIVE:
    from daemon.decode import _hello


def message(*chain: bytes) -> bytes:
    return b"\x0b" + vector(3, vector(3, b"".join(vector(3, der) for der in chain)))


def der(common_name: str | None, *names: str, addresses: tuple[str, ...] = ()) -> bytes:
    return hellos.certificate(common_name, names, addresses)[0].public_bytes(Encoding.DER)


LEAF = der("leaf.example", "Www.Example.com", "*.example.com", "www.example.com")


def test_names_of_a_real_tls12_handshake() -> None:
    _, received = hellos.handshake(ssl.TLSVersion.TLSv1_2)
    flight = parse_records(received)
    assert flight is not None
    assert certificate_names(flight.messages[1]) == ("*.example.com", "example.com", "192.0.2.7")


def test_only_the_leaf_speaks() -> None:
    assert certificate_names(message(LEAF, der("issuer.example"))) == ("www.example.com", "*.example.com")


def test_the_common_name_speaks_only_where_there_is_no_other() -> None:
    assert certificate_names(message(der("Plug-1234.Local"))) == ("plug-1234.local",)
    assert certificate_names(message(der("Küche 1"))) == ("k\\195\\188che\\0321",)
    assert certificate_names(message(der("cn.example", addresses=("2001:db8::1",)))) == ("2001:db8::1",)
    assert certificate_names(message(der(None))) == ()
    mail_only = hellos.certificate("hub.example", mail=["root@hub.example"])[0].public_bytes(Encoding.DER)
    assert certificate_names(message(mail_only)) == ("hub.example",)


def test_names_are_bounded() -> None:
    names = certificate_names(message(der(None, *[f"n{n}.example" for n in range(300)])))
    assert len(names) == MAX_NAMES
    assert names[-1] == f"n{MAX_NAMES - 1}.example"
    assert certificate_names(message(der(None, "a" * 400))) == ("a" * 255,)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        message(),
        message(b""),
        message(b"not DER"),
        b"\x02" + message(LEAF)[1:],
        message(LEAF[:-1]),
        message(
            LEAF.replace(bytes.fromhex("0603551d11"), bytes.fromhex("0603551d13"))
        ),  # a SAN that says it is a CA flag
    ],
)
def test_what_cannot_be_read_is_refused(broken: bytes) -> None:
    with pytest.raises(DecodeError):
        certificate_names(broken)


def test_every_cut_is_refused() -> None:
    whole = message(LEAF)
    for end in range(len(whole)):
        with pytest.raises(DecodeError):
            certificate_names(whole[:end])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(buf: bytes) -> None:
    for candidate in (buf, b"\x0b" + buf, message(buf), message(b"\x30" + vector(1, buf[:127]))):
        with suppress(DecodeError):
            certificate_names(candidate)


@given(st.integers(0, len(LEAF) - 1), st.integers(0, 255))
def test_mutated_certificates_raise_nothing_else(at: int, value: int) -> None:
    with suppress(DecodeError):
        for name in certificate_names(message(LEAF[:at] + bytes([value]) + LEAF[at + 1 :])):
            assert name.isascii()


MIXED = der("leaf.example", "b.example", "a.example", addresses=("2001:db8::1", "192.0.2.7"))


def test_the_usual_certificate_is_read_without_the_library() -> None:
    assert usual_names(MIXED) == ["b.example", "a.example", "2001:db8::1", "192.0.2.7"] == any_names(MIXED)
    assert usual_names(der("only.a.common.name")) is None
    assert usual_names(hellos.certificate("a", mail=["root@a"])[0].public_bytes(Encoding.DER)) is None


@given(
    st.sampled_from((LEAF, MIXED)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_reading_names_here_or_there_is_the_same(original: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(original)
    for at, value in changes:
        changed[at % len(changed)] = value
    here = usual_names(bytes(changed))
    with suppress(DecodeError):  # the library also judges parts of the certificate in which there are no names
        there = any_names(bytes(changed))
        assert here is None or here == there


def both(wire: bytes) -> None:
    said = []
    for native in (NATIVE, False):
        try:
            said.append(certificate_names(wire, native=native))
        except DecodeError:
            said.append(())
    assert said[0] == said[1]


@pytest.mark.skipif(not NATIVE, reason="not built here")
@given(
    hostile(
        [message(LEAF), message(LEAF, LEAF), message(der(None, "a.example", "", "B..", addresses=("192.0.2.1",)))], 900
    )
)
def test_both_readers_find_the_same_names(wire: bytes) -> None:
    both(wire)


@pytest.mark.skipif(not NATIVE, reason="not built here")
def test_the_reader_in_c_leaves_what_is_not_usual() -> None:
    assert _hello.certificate_names(message(LEAF)) == ("www.example.com", "*.example.com")
    mixed = der(None, "b.example", "a.example", addresses=("192.0.2.1", "192.0.2.1"))
    assert _hello.certificate_names(message(mixed)) == ("b.example", "a.example", "192.0.2.1")
    for unusual in (
        der("cn.example"),
        der(None, addresses=("2001:db8::1",)),
        der(None, *[f"n{n}.example" for n in range(101)]),
        LEAF[:-1],
    ):
        assert _hello.certificate_names(message(unusual)) is None
        both(message(unusual))
    for size in range(len(message(LEAF))):
        both(message(LEAF)[:size])
