"""What is finer than a microsecond in the times of records: kept apart, because only who copies packets needs it.

Rule: a remainder is given only where the record's own bytes agree with the time that the scanner gave; else it is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from daemon.decode.pcapng_blocks import Interface, to_microseconds
from daemon.decode.records import Buffer, Ints, Records, gather

_MICRO = 6  # if_tsresol of microseconds
_NANO = 1_000_000_000
_HEAD = 28  # bytes of an enhanced packet block, and of an obsolete one, before the frame
_ENHANCED = 6


def is_finer(state: dict[str, Any]) -> bool:
    """Whether a scanner in this state reads times finer than microseconds."""
    if state["format"] == "pcap":
        return bool(state["header"]["per_second"] > 1_000_000)
    return any(_finer(Interface(*each)) for each in state["interfaces"])


def remainders(buf: Buffer, records: Records, before: dict[str, Any], after: dict[str, Any]) -> Ints | None:
    """Nanoseconds (0 to 999) behind `time_us` of each record; None where all are 0.

    `before` and `after` are the scanner's states around the scan that gave the records.
    """
    if not len(records.offset) or not (is_finer(before) or is_finer(after)):
        return None
    if after["format"] == "pcap":
        header = after["header"]
        head = gather(buf, records.offset - header["record_size"], 16, header["order"])
        return head[:, 1].astype(np.int64) % 1000
    out: Ints = np.zeros(len(records.offset), np.int64)
    for state in (after, before):  # a section may have begun in between
        _fill(buf, records, state, out)
    return out


def _finer(interface: Interface) -> bool:
    resolution = interface.resolution
    return resolution > _MICRO if not resolution & 0x80 else 2 ** (resolution & 0x7F) > 1_000_000


def _fill(buf: Buffer, records: Records, state: dict[str, Any], out: Ints) -> None:
    interfaces = [Interface(*each) for each in state["interfaces"]]
    rows = np.flatnonzero(records.offset >= _HEAD)
    words = gather(buf, records.offset[rows] - _HEAD, _HEAD, state["order"])
    enhanced = words[:, 0] == _ENHANCED
    number = np.where(enhanced, words[:, 2], _first_half(words[:, 2], state["order"])).astype(np.int64)
    ticks = words[:, 3].astype(np.uint64) << np.uint64(32) | words[:, 4].astype(np.uint64)
    whole = words[:, 5].astype(np.int64) == records.captured[rows]  # else the record is no such block
    for index, interface in enumerate(interfaces):
        if not _finer(interface):
            continue
        chosen = np.flatnonzero(whole & (number == index))
        agree = to_microseconds(ticks[chosen], interface) == records.time_us[rows[chosen]]
        chosen = chosen[agree]
        out[rows[chosen]] = _nanoseconds(ticks[chosen].tolist(), interface)


def _first_half(words: Any, order: str) -> Any:  # noqa: ANN401  a numpy column of any kind of integer
    """An obsolete packet block has its interface in 16 bits (draft-ietf-opsawg-pcapng section 4.9)."""
    return words & 0xFFFF if order == "<" else words >> 16


def _nanoseconds(ticks: Sequence[int], interface: Interface) -> list[int]:
    power = interface.resolution & 0x7F
    per_second = 2**power if interface.resolution & 0x80 else 10**power
    return [tick * _NANO // per_second % 1000 for tick in ticks]
