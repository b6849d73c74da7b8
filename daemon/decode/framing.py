"""Capture files of any kind: which format the first bytes show, and the scanner for it.

The formats themselves are in `pcap` and `pcapng`; what a scanner gives, and its rules, in `records`.
"""

from __future__ import annotations

import json
from typing import Any

from daemon.decode.cursor import DecodeError
from daemon.decode.pcap import PcapScanner, is_pcap, parse_header
from daemon.decode.pcapng_blocks import is_pcapng, section_order
from daemon.decode.records import LOOKAHEAD, Damage, Records, Scanner

__all__ = [
    "LOOKAHEAD",
    "Damage",
    "Records",
    "Scanner",
    "entered_scanner",
    "entry_state",
    "first_record_end",
    "is_capture",
    "open_scanner",
    "restore_scanner",
]

# How other files begin, and what to tell the person who offered one.
_OTHERS = (
    (b"\x1f\x8b", "this is gzip, which is opened before it is scanned"),
    (b"\x28\xb5\x2f\xfd", "this is compressed with zstd; unpack it first"),
    (b"\xfd7zXZ\x00", "this is compressed with xz; unpack it first"),
    (b"BZh", "this is compressed with bzip2; unpack it first"),
    (b"\x04\x22\x4d\x18", "this is compressed with lz4; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "this is a 7-Zip archive; unpack it first"),
    (b"PK\x03\x04", "this is a ZIP archive; unpack it first"),
    (b"snoop\x00\x00\x00", "this is a snoop capture; convert it with editcap first"),
    (b"GMBU", "this is a Network Monitor capture; convert it with editcap first"),
    (b"RTSS", "this is a Network Monitor capture; convert it with editcap first"),
    (b"SQLite format 3\x00", "this is an SQLite database"),
)


def is_capture(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a pcap or pcapng file (not compressed)."""
    return is_pcap(head) or is_pcapng(head)


def open_scanner(head: bytes, *, barely: bool = False) -> Scanner:
    """The scanner for the file that begins with `head`: at least 4 KiB of it, or the whole file.

    `barely`: the caller takes bare columns (see `bare`), where there are such; numpy's arrays otherwise.
    Raises DecodeError with a sentence for people where that is no capture file.
    """
    if is_pcap(head):
        return PcapScanner(parse_header(head), barely=barely)
    if is_pcapng(head):
        order = section_order(head)
        if order is None:
            raise DecodeError("the pcapng section header is cut, broken or of a version that is not known")
        from daemon.decode.pcapng import PcapngScanner  # noqa: PLC0415  slow to import, and most captures are pcap

        return PcapngScanner(order)
    raise DecodeError(_what_else(head))


def _what_else(head: bytes) -> str:
    if not head:
        return "the file is empty"
    for magic, sentence in _OTHERS:
        if head.startswith(magic):
            return sentence
    if not any(head):
        return "the file begins with zeros and is not a capture file"
    try:
        text = head[:1024].decode("utf-8", "strict" if len(head) < 1024 else "ignore")
    except UnicodeDecodeError:
        text = ""
    if text and all(c.isprintable() or c in "\t\r\n\f" for c in text):
        return "this is text, not a capture file"
    return f"not a capture file: it begins with {head[:4].hex(' ')}"


def restore_scanner(state: dict[str, Any], *, barely: bool = False) -> Scanner:
    """The scanner that gave `state`, to go on at the offset behind what it consumed; `barely` as in `open_scanner`."""
    if state["format"] == "pcap":
        return PcapScanner.restore(state, barely=barely)
    from daemon.decode.pcapng import PcapngScanner  # noqa: PLC0415  as above

    return PcapngScanner.restore(state)


def entry_state(scanner: Scanner) -> str | None:
    """What a scanner needs to begin where this one stands (JSON), None where the file header is enough."""
    state = scanner.state()
    return None if state["format"] == "pcap" and not state["lost"] else json.dumps(state, separators=(",", ":"))


def entered_scanner(head: bytes, state: str | None) -> Scanner:
    """The scanner of the file that begins with `head`, to begin where `entry_state` gave `state`. Raises DecodeError."""
    return open_scanner(head) if state is None else restore_scanner(json.loads(state))


def first_record_end(head: bytes) -> int | None:
    """File offset behind the first frame in the file that begins with `head`; None where there is no record.

    Only `LOOKAHEAD` bytes, or the whole file, are sure to give the final answer. Raises DecodeError as `open_scanner`.
    """
    for final in (False, True):
        records = open_scanner(head, barely=True).scan(head, 0, len(head), 0, final=final)
        if len(records.offset):
            return int(records.offset[0] + records.captured[0])
    return None
