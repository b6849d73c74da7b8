from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.ja4 import code_list, ja4
from daemon.decode.tls import parse_client_hello
from tests.daemon.decode.hellos import alpn, client_hello, codes, extension, sni, vector, versions

# The worked example of FoxIO's technical_details/JA4.md, a Chrome hello, in the order it was sent.
CIPHERS = code_list(bytes.fromhex("130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035"))
EXTENSIONS = [0x1B, 0, 0x33, 0x10, 0x4469, 0x17, 0x2D, 0xD, 5, 0x23, 0x12, 0x2B, 0xFF01, 0xB, 0xA, 0x15]
SIGNATURES = code_list(bytes.fromhex("04030804040105030805050108060601"))
EXAMPLE = "t13d1516h2_8daaf6152771_e5627efa2ab1"


def test_the_published_example() -> None:
    assert ja4("t", 0x0304, EXTENSIONS, CIPHERS, [b"h2"], SIGNATURES) == EXAMPLE


def test_the_published_example_without_signature_algorithms() -> None:
    assert ja4("t", 0x0304, EXTENSIONS, CIPHERS, [b"h2"], []).endswith("_6d807ffa2a79")


def test_the_published_example_as_a_hello_with_grease_everywhere() -> None:
    bodies = {
        0x0000: sni(b"www.example.com"),
        0x0010: alpn(b"h2", b"http/1.1"),
        0x002B: versions(0xAAAA, 0x0304, 0x0303),
        0x000D: extension(13, vector(2, codes(0x1A1A, *SIGNATURES))),
    }
    block = b"".join(bodies.get(code, extension(code, b"\0")) for code in EXTENSIONS)
    block = extension(0x2A2A) + block + extension(0xFAFA, b"\0")
    message = client_hello(block, [0x5A5A, *CIPHERS])
    assert parse_client_hello(message).ja4 == EXAMPLE


def test_order_of_suites_and_extensions_does_not_matter_and_that_of_signatures_does() -> None:
    assert ja4("t", 0x0304, EXTENSIONS[::-1], CIPHERS[::-1], [b"h2"], SIGNATURES) == EXAMPLE
    assert ja4("t", 0x0304, EXTENSIONS, CIPHERS, [b"h2"], SIGNATURES[::-1]) != EXAMPLE


@pytest.mark.parametrize(
    ("protocols", "ends"),
    [
        ([], "00"),
        ([b""], "00"),
        ([b"h2", b"http/1.1"], "h2"),
        ([b"http/1.1"], "h1"),
        ([b"x"], "xx"),
        # The published table of values that are not alphanumeric.
        ([b"\xab"], "ab"),
        ([b"\xab\xcd"], "ad"),
        ([b"\x30\xab"], "3b"),
        ([b"\x30\x31\xab\xcd"], "3d"),
        ([b"\x30\xab\xcd\x31"], "01"),
        ([b"\x1a\x1a", b"h3"], "h3"),  # GREASE, RFC 8701 section 2
    ],
)
def test_ends_of_the_first_protocol(protocols: list[bytes], ends: str) -> None:
    assert ja4("q", 0x0304, [], [], protocols, [])[8:10] == ends


@pytest.mark.parametrize(
    ("version", "text"),
    [
        *((0x0304, "13"), (0x0303, "12"), (0x0302, "11"), (0x0301, "10"), (0x0300, "s3"), (0x0002, "s2")),
        *((0xFEFF, "d1"), (0xFEFD, "d2"), (0xFEFC, "d3"), (0x7F1C, "00"), (-1, "00")),
    ],
)
def test_versions(version: int, text: str) -> None:
    assert ja4("d", version, [], [], [], [])[:3] == f"d{text}"


def test_nothing_to_hash_and_counts_beyond_two_digits() -> None:
    assert ja4("t", 0x0303, [], [], [], []) == "t12i000000_000000000000_000000000000"
    assert ja4("t", 0x0303, [0, 16], [], [], []) == "t12d000200_000000000000_000000000000"
    assert ja4("t", 0x0303, list(range(0x100, 0x200)), [0x0035] * 120, [], [])[4:8] == "9999"


def test_reserved_suites_count_and_grease_does_not() -> None:
    suites = code_list(codes(0x00FF, 0x5600, 0xFE00, 0x0A0A, 0xFAFA, 0x1A2A) + b"\x13")
    assert ja4("t", 0x0303, [], suites, [], []) == ja4("t", 0x0303, [], [0x00FF, 0x1A2A, 0x5600, 0xFE00], [], [])
    assert ja4("t", 0x0303, [], suites, [], [])[4:6] == "04"
    assert ja4("t", 0x0303, [], [0x0A0A], [], [])[4:23] == "000000_000000000000"


@given(st.lists(st.integers(0, 0xFFFF)), st.binary(), st.lists(st.binary(max_size=255)), st.integers(-1, 0xFFFF))
def test_the_form_is_the_same_for_any_hello(
    extensions: list[int], ciphers: bytes, protocols: list[bytes], version: int
) -> None:
    text = ja4("q", version, extensions, code_list(ciphers), protocols, code_list(ciphers))
    assert (len(text), text[10], text[23], text[0]) == (36, "_", "_", "q")
    assert text.isascii()
