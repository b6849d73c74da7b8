"""Two ways of reading the same bytes, compared: what a parser says as one value, and bytes that real programs sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from daemon.decode.columns import SPARE, decode_columns, payload_bytes
from daemon.decode.cursor import DecodeError
from daemon.decode.fragments import Fragments
from daemon.decode.framing import open_scanner
from daemon.decode.packet import TCP, UDP

RECORDED = Path(__file__).resolve().parents[2] / "data"
CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "corpus"))
T = TypeVar("T")


def outcome(parse: Callable[..., T], *args: Any, **options: Any) -> T | str:  # noqa: ANN401  arguments of any parser
    """What a parser says, a refusal in its words."""
    try:
        return parse(*args, **options)
    except DecodeError as error:
        return str(error)


def payloads(path: Path, most: int = 4 << 20) -> Iterator[tuple[int, bytes]]:
    """Protocol and payload of the TCP and UDP packets at a capture's start; hellos stand there."""
    data = path.read_bytes()[:most]
    try:
        scanner = open_scanner(data[:4096])
    except DecodeError:
        return
    buf = bytearray(data) + bytes(SPARE)
    records = scanner.scan(buf, 0, len(data), 0, final=True)
    if not len(records.offset):
        return
    columns = decode_columns(buf, records, Fragments())
    for row in np.flatnonzero((columns.payload_size > 0) & np.isin(columns.protocol, (TCP, UDP))).tolist():
        yield int(columns.protocol[row]), payload_bytes(memoryview(buf), columns, row)
