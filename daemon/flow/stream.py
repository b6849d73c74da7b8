"""One direction of a TCP connection, put in order (RFC 9293 section 3.4; arithmetic is modulo 2^32).

Rule 1: bytes come out once, in sequence order, however the segments came: late, twice or overlapping. What came out is
        never taken back, whatever a later segment says of the same bytes.
Rule 2: what waits for a missing segment is bounded by WAITING bytes and SEGMENTS pieces; past that the hole is given up
        and said (`Gap`), never bridged. Who knows better that nothing will fill it says so (`give_up`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

WAITING = 65536
SEGMENTS = 64
_MODULUS = 1 << 32
_HALF = 1 << 31


class Gap(NamedTuple):
    """This many bytes were on the wire but not in the capture."""

    size: int


class Stream:
    """Segments in, ordered pieces out. `expected` is the next sequence number, None before the first segment."""

    __slots__ = ("_held", "_late", "expected")

    def __init__(self, expected: int | None = None) -> None:
        self.expected = expected
        self._late: dict[int, tuple[bytes, int]] = {}  # sequence -> bytes, bytes cut off behind them
        self._held = 0

    def follows(self, seq: int, data: bytes) -> bool:
        """Take a segment that is just what is expected while nothing waits; whether it was: then it is in order as it is."""
        if self._late or seq != (seq if self.expected is None else self.expected):
            return False
        self.expected = (seq + len(data)) % _MODULUS
        return True

    def push(self, seq: int, data: bytes, missing: int = 0) -> list[bytes | Gap]:
        """Take a segment; the answer is what is now in order. `missing` bytes behind `data` were cut by the snaplen."""
        if self.expected is None:
            self.expected = seq
        ahead = (seq - self.expected) % _MODULUS
        if ahead == 0 and not self._late:
            self.expected = (seq + len(data) + missing) % _MODULUS
            return [data, Gap(missing)] if missing else [data]
        if ahead >= _HALF:  # starts before what is expected: seen already, in part or whole
            known = _MODULUS - ahead
            if known >= len(data) + missing:
                return []
            missing = missing if known <= len(data) else missing - (known - len(data))
            seq, data = self.expected, data[known:]
        held = self._late.get(seq)
        if held is None or len(held[0]) < len(data):
            self._held += len(data) - (len(held[0]) if held else 0)
            self._late[seq] = (data, missing)
        return self._drain()

    @property
    def waits(self) -> bool:
        """Whether segments wait behind a hole."""
        return bool(self._late)

    def give_up(self) -> list[bytes | Gap]:
        """The first hole will not be filled; the answer is the gap and what is in order behind it."""
        return self._drain(patient=False)

    def _drain(self, *, patient: bool = True) -> list[bytes | Gap]:
        out: list[bytes | Gap] = []
        while self._late:
            seq = min(self._late, key=self._distance)
            ahead = self._distance(seq)
            if ahead > 0:
                if patient and self._held <= WAITING and len(self._late) <= SEGMENTS:
                    break
                patient = True
                out.append(Gap(ahead))
                self.expected = seq
            data, missing = self._late.pop(seq)
            self._held -= len(data)
            known = -min(ahead, 0)
            if known:
                if known >= len(data) + missing:
                    continue
                missing = missing if known <= len(data) else missing - (known - len(data))
                data = data[known:]
            if data:
                out.append(data)
            if missing:
                out.append(Gap(missing))
            self.expected = ((self.expected or 0) + len(data) + missing) % _MODULUS
        return out

    def _distance(self, seq: int) -> int:
        """How far `seq` lies ahead of what is expected; negative behind it."""
        ahead = (seq - (self.expected or 0)) % _MODULUS
        return ahead if ahead < _HALF else ahead - _MODULUS

    def state(self) -> list[Any]:
        """All that is needed to go on elsewhere, as plain values."""
        return [self.expected, [[seq, data.hex(), missing] for seq, (data, missing) in self._late.items()]]

    @classmethod
    def restore(cls, state: list[Any]) -> Stream:
        """The stream that `state()` described."""
        stream = cls(state[0])
        stream._late = {seq: (bytes.fromhex(data), missing) for seq, data, missing in state[1]}
        stream._held = sum(len(data) for data, _ in stream._late.values())
        return stream
