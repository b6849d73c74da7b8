"""One busy day of exactly so many packets, for the bench: `write_day`.

Rules:
1. The mix is a table (`MIX`), per million packets, taken from a measured home: 25,000 flows of 900-byte frames.
2. The day is made slice by slice; a slice holds its own conversations and goes on with some that last all day, so
   memory does not grow with the day and times never go back.
3. Names are said in real protocol bytes; bulk data is random.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from appliance.sample.chance import chance
from appliance.sample.columns import Framer
from appliance.sample.crowd import Resolver, gather
from appliance.sample.scenes import Slice, Vigils

SLICE = 250_000
DAY_US = 86_400_000_000
BEGIN_US = 1_773_446_400_000_000  # 14 March 2026, 00:00 UTC
# How busy each hour is; a slice's share of the day follows from it.
_HOURS = (2, 1, 1, 1, 1, 2, 3, 6, 7, 6, 6, 6, 7, 7, 6, 6, 8, 10, 12, 14, 15, 13, 9, 5)
_POOL = 1 << 22


def write_day(path: Path, *, seed: int, packets: int) -> None:
    """Write one day of exactly `packets` packets as a classic pcap, strictly in order of time, in bounded memory."""
    if packets < 1:
        raise ValueError("a day needs at least one packet")
    crowd, resolver = gather(seed), Resolver()
    vigils = Vigils(crowd, chance("vigils", seed))
    pool = np.frombuffer(chance("pool", seed).randbytes(_POOL), np.uint8)
    count = max(1, round(packets / SLICE))
    edges = _edges(count)
    last_us = BEGIN_US - 1
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        for number in range(count):
            quota = packets * (number + 1) // count - packets * number // count
            part = Slice(crowd, resolver, chance("slice", seed, number), edges[number], edges[number + 1])
            made = part.make(quota, vigils, last_us)
            Framer(part.ends, part.messages, pool).write(made, out)
            last_us = int(made.rows[-1, 0])


def _edges(count: int) -> list[int]:
    """The times at which slices begin and end, so that busy hours get more of them."""
    busy = np.concatenate(([0.0], np.cumsum(_HOURS)))
    shares = np.interp(np.linspace(0, busy[-1], count + 1), busy, np.arange(25) / 24)
    return [BEGIN_US + int(share * DAY_US) for share in shares]
