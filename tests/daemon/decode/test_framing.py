from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.decode.cursor import DecodeError
from daemon.decode.framing import first_record_end, is_capture, open_scanner, restore_scanner
from daemon.decode.pcap import PcapScanner
from daemon.decode.pcapng import PcapngScanner
from tests.support.captures import block, frames_of, interface, pcap, pcap_header, pcapng, read, section

FRAMES = frames_of(4)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b"x", mtime=0), "this is gzip"),
        (b"\x28\xb5\x2f\xfd\x24\x00", "compressed with zstd"),
        (b"\xfd7zXZ\x00\x00", "compressed with xz"),
        (b"PK\x03\x04\x14", "ZIP archive"),
        (b"snoop\x00\x00\x00\x00\x00\x00\x02", "snoop capture"),
        (b"time,packets\r\n1,2\n", "this is text"),
        (("Größe in Bytes, für alle Geräte\n" * 80).encode(), "this is text"),
        (bytes(64), "begins with zeros"),
        (b"\x7fELF\x02\x01\x01", "begins with 7f 45 4c 46"),
        (pcap_header()[:10], "inside the pcap file header"),
        (section(version=9), "version that is not known"),
        (section()[:12], "is cut"),
    ],
)
def test_what_is_no_capture_file_is_named(head: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        open_scanner(head)


@given(st.binary(max_size=64))
def test_any_head_opens_or_is_refused(head: bytes) -> None:
    with contextlib.suppress(DecodeError):
        open_scanner(head)


def test_the_magic_number_chooses_the_scanner() -> None:
    assert isinstance(open_scanner(pcap([])), PcapScanner)
    assert isinstance(open_scanner(pcapng([])), PcapngScanner)
    assert [is_capture(head) for head in (pcap([]), pcapng([]), b"\x1f\x8b", b"", b"\xd4\xc3")] == [True, True] + [
        False
    ] * 3


@pytest.mark.parametrize("data", [pcap(FRAMES, ">", 0xA1B23C4D), pcapng(FRAMES, ">")])
def test_a_restored_scanner_is_the_one_that_was_stored(data: bytes) -> None:
    scanner = open_scanner(data)
    scanner.scan(data, 0, len(data) - 20, 0, final=False)
    restored = restore_scanner(scanner.state())
    assert (restored.state(), restored.link_types, restored.snaplen) == (
        scanner.state(),
        scanner.link_types,
        scanner.snaplen,
    )


@pytest.mark.parametrize("data", [pcap(FRAMES), pcapng(FRAMES)])
def test_the_first_record_ends_behind_its_frame(data: bytes) -> None:
    first = read(data).rows[0]
    end = first.offset + first.captured
    assert first_record_end(data) == end
    assert first_record_end(data[:end] + b"?" * 9) == (end if data[0] == 0xD4 else None), (
        "a pcapng block has two lengths"
    )


@pytest.mark.parametrize("data", [pcap([]), pcapng([]), section() + interface() + block(5, b"1234"), pcap(FRAMES)[:60]])
def test_a_file_without_a_whole_record_has_no_first_one(data: bytes) -> None:
    assert first_record_end(data) is None


def test_the_first_record_of_a_file_that_begins_broken_is_the_first_that_can_be_read() -> None:
    data = pcap_header() + b"\xff" * 50 + pcap(FRAMES[:1])[24:]
    assert first_record_end(data) == len(data)
