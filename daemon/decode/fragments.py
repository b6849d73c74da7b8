"""Fragments of IP datagrams, until they are whole (RFC 791 section 3.2, RFC 8200 section 4.5).

Rule 1: bounded. At most MAX_DATAGRAMS unfinished datagrams, MAX_SIZE bytes and MAX_PARTS parts each, MAX_BYTES in all;
        the oldest goes first. A datagram older than MAX_AGE_US by packet time is forgotten, whichever way time jumped.
Rule 2: the bytes that came first win; a later fragment fills only what is still open, so nobody rewrites a datagram
        afterwards (RFC 5722 would drop it; we are a listener and do not know what the receiver does).
Rule 3: only captured bytes count. A fragment that the snaplen cut leaves a hole, and its datagram never becomes whole.
Rule 4: what the datagram's first part says (protocol and ports, `Origin`) holds for all parts that come later, also for
        duplicates after the datagram was complete.
Rule 5: deterministic, no clock; `state()` and `from_state()` carry everything, so that a decode can stop and go on.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

MAX_DATAGRAMS = 256
MAX_SIZE = 65535
MAX_PARTS = 128  # of the smallest IPv4 MTU, 576 bytes, 119 are the largest datagram
MAX_BYTES = 1 << 20
MAX_AGE_US = 30_000_000  # the receiver gives up after 15 to 60 s (RFC 1122 section 3.3.2, RFC 8200 section 4.5)


class Key(NamedTuple):
    """What the fragments of one datagram have in common."""

    version: int
    source: bytes
    destination: bytes
    protocol: int  # IPv4 only; in IPv6 only the first fragment's counts, so it is 0 here
    identification: int


class Origin(NamedTuple):
    """What the first part of a datagram told."""

    header: int  # number of the header that the reassembled bytes begin with
    protocol: int  # behind all extension headers
    source_port: int
    destination_port: int


class Fragment(NamedTuple):
    """One fragment: `offset` and `size` in bytes as its header says, `data` what was captured of it."""

    offset: int
    more: bool
    size: int
    data: bytes


class _Datagram:
    def __init__(self, start_us: int, origin: Origin | None = None, total: int | None = None) -> None:
        self.start_us, self.origin = start_us, origin
        self.total = total  # known once the last fragment was seen
        self.held = 0  # bytes in parts
        self.starts: list[int] = []  # sorted; parts[i] begins at starts[i]; parts do not overlap
        self.parts: list[bytes] = []

    def fill(self, start: int, data: bytes) -> None:
        """Put in the bytes of `data` that are not there yet."""
        end = start + len(data)
        position = start
        index = max(bisect_left(self.starts, start) - 1, 0)
        while position < end and len(self.parts) < MAX_PARTS:
            if index < len(self.parts):
                begin = self.starts[index]
                behind = begin + len(self.parts[index])
            else:
                begin = behind = end
            if position < begin:
                piece = data[position - start : min(begin, end) - start]
                self.starts.insert(index, position)
                self.parts.insert(index, piece)
                self.held += len(piece)
                index += 1
            position = max(position, behind)
            index += 1

    def whole(self) -> bytes | None:
        """All bytes, once there is no hole."""
        return b"".join(self.parts) if self.total is not None and self.held == self.total else None

    def restart(self, time_us: int) -> None:
        """Forget the bytes, not the origin: late duplicates still belong to it."""
        self.start_us, self.total, self.held = time_us, None, 0
        self.starts.clear()
        self.parts.clear()


class Fragments:
    """The unfinished datagrams of one capture."""

    def __init__(self) -> None:
        self._datagrams: dict[Key, _Datagram] = {}  # in the order in which they began
        self._held = 0

    @property
    def count(self) -> int:
        """Datagrams remembered. Not `__len__`, which would make an empty Fragments false."""
        return len(self._datagrams)

    @property
    def held(self) -> int:
        """Payload bytes held."""
        return self._held

    def add(self, key: Key, part: Fragment, time_us: int, origin: Origin | None) -> tuple[Origin | None, bytes | None]:
        """Add a fragment; `origin` is what it says itself if its offset is 0.

        Gives the datagram's origin as far as known and, if this fragment made it whole, all its bytes.
        """
        self._expire(time_us)
        datagram = self._datagrams.get(key)
        if datagram is not None and abs(time_us - datagram.start_us) > MAX_AGE_US:
            self._forget(key)
            datagram = None
        if datagram is None:
            datagram = self._datagrams[key] = _Datagram(time_us)
        if origin is not None and (not datagram.starts or datagram.starts[0]):  # rule 2 holds for the origin too
            datagram.origin = origin
        before = datagram.held
        _place(datagram, part)
        whole = datagram.whole()
        if whole is not None:
            datagram.restart(time_us)
            self._datagrams[key] = self._datagrams.pop(key)  # now the youngest
        self._held += datagram.held - before
        known = datagram.origin
        self._shrink()
        return known, whole

    def _expire(self, time_us: int) -> None:
        while self._datagrams:
            key, oldest = next(iter(self._datagrams.items()))
            if abs(time_us - oldest.start_us) <= MAX_AGE_US:
                return
            self._forget(key)

    def _shrink(self) -> None:
        while len(self._datagrams) > MAX_DATAGRAMS or self._held > MAX_BYTES:
            self._forget(next(iter(self._datagrams)))

    def _forget(self, key: Key) -> None:
        self._held -= self._datagrams.pop(key).held

    def state(self) -> list[Any]:
        """Everything, as lists, numbers and hex strings that JSON can hold."""
        return [
            [
                [key.version, key.source.hex(), key.destination.hex(), key.protocol, key.identification],
                datagram.start_us,
                None if datagram.origin is None else list(datagram.origin),
                datagram.total,
                [[start, part.hex()] for start, part in zip(datagram.starts, datagram.parts, strict=True)],
            ]
            for key, datagram in self._datagrams.items()
        ]

    @classmethod
    def from_state(cls, state: list[Any]) -> Fragments:
        """The Fragments that `state()` was taken from."""
        fragments = cls()
        for (version, source, destination, protocol, ident), start_us, origin, total, parts in state:
            key = Key(version, bytes.fromhex(source), bytes.fromhex(destination), protocol, ident)
            datagram = _Datagram(start_us, None if origin is None else Origin(*origin), total)
            datagram.starts = [start for start, _ in parts]
            datagram.parts = [bytes.fromhex(part) for _, part in parts]
            datagram.held = sum(map(len, datagram.parts))
            fragments._datagrams[key] = datagram
            fragments._held += datagram.held
        return fragments


def _place(datagram: _Datagram, part: Fragment) -> None:
    """Check a fragment against what is known of its datagram, and fill it in."""
    size = part.size
    if part.more:
        size -= size % 8  # a fragment with others behind it ends on an 8-byte boundary; what juts out is not kept
    end = part.offset + size
    if end > MAX_SIZE:
        return
    if datagram.total is not None:
        end = min(end, datagram.total)
    elif not part.more:
        farthest = datagram.starts[-1] + len(datagram.parts[-1]) if datagram.parts else 0
        if end < farthest:  # a "last" fragment that ends before bytes we hold: those came first
            return
        datagram.total = end
    if end > part.offset:
        datagram.fill(part.offset, part.data[: end - part.offset])
