"""The captures of the bench: a realistic day, and a flood of flows. Run as a process of its own: it needs much memory.

usage: python -m tests.bench.workload day|flood PATH COUNT [SEED]
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np

from appliance.sample.day import write_day
from appliance.sample.wire import SYN

_CHUNK = 100_000
_FRAME = 54
BEGIN = 1_773_446_400  # 14 March 2026, 00:00 UTC


def write_flood(path: Path, *, flows: int) -> None:
    """A capture in which each packet is the SYN of a flow of its own: at most 2**32 `flows`, 5,000 a second."""
    if not 0 < flows <= 1 << 32:
        raise ValueError("a flood has between 1 and 2**32 flows")
    head = bytes.fromhex(
        "02005e000001 02005e0000aa 0800 4500002800004000 4006 0000 c0a80707 00000000 0000 01bb 00000001 00000000"
    )
    template = np.frombuffer((bytes(16) + head + bytes([0x50, SYN]) + b"\4\0\0\1\0\0"), np.uint8)
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for start in range(0, flows, _CHUNK):
            index = np.arange(start, min(flows, start + _CHUNK), dtype=np.int64)
            rows = np.repeat(template[None, :], len(index), axis=0)
            record = np.empty((len(index), 4), "<u4")
            record[:, 0], record[:, 1] = BEGIN + index // 5_000, index % 5_000 * 200
            record[:, 2] = record[:, 3] = _FRAME
            rows[:, :16] = record.view(np.uint8)
            # The flow's number lies in the client's port and the server's address, 198.18.0.0/15 (RFC 2544) at first.
            rows[:, 50:52] = (index % 60_000 + 1_024).astype(">u2").view(np.uint8).reshape(-1, 2)
            rows[:, 46:50] = (0xC6120000 + index // 60_000 & 0xFFFFFFFF).astype(">u4").view(np.uint8).reshape(-1, 4)
            words = rows[:, 30:50].copy().view(">u2").astype(np.int64).sum(axis=1)
            rows[:, 40:42] = ((0xFFFF - words % 0xFFFF) % 0xFFFF).astype(">u2").view(np.uint8).reshape(-1, 2)
            out.write(rows.tobytes())


def main() -> None:
    """Write the capture that the arguments ask for."""
    kind, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if kind == "flood":
        write_flood(path, flows=count)
    else:
        write_day(path, seed=int(sys.argv[4]) if len(sys.argv) > 4 else 1, packets=count)


if __name__ == "__main__":
    main()
