"""What a capture-file scanner gives, and how every scanner goes on behind damage.

Rule 1: records come out in file order, and every record before a damaged place comes out.
Rule 2: nothing depends on how the file is cut into buffers: what the bytes at hand cannot decide waits for more, and a
        scan that is shown `LOOKAHEAD` bytes always consumes some. Only the end of the file (`final`) decides without.
Rule 3: behind damage, reading resumes at the first place where a plausible record stands, of about the time of the
        records before, with two more in line behind it, or with exactly the end of the file.
Rule 4: work is linear in the bytes, also on garbage: a byte that was searched in vain is consumed.

Not kept: in a damaged record, a frame that carries a capture file of the same week can pass for records.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from daemon.decode import bare
from daemon.decode.later import np

if TYPE_CHECKING:
    import numpy.typing as npt

Buffer: TypeAlias = bytes | bytearray | memoryview
Ints: TypeAlias = "npt.NDArray[np.int64]"

# A buffer of this size holds any record, and all that the search behind damage has to look at.
LOOKAHEAD = 2 << 20
# libpcap and Wireshark refuse more than 256 KiB; a file header that announces up to 1 MiB is believed.
USUAL_CAPTURED = 262_144
MOST_CAPTURED = 1 << 20

TORN = "cut in the middle of a record"

_WINDOW_US = 7 * 86_400 * 1_000_000
_RECENT = 5  # the middle one of five: one wrong clock reading among them does not matter
_STRIDE = 1 << 16  # most positions looked at together in a search; it begins with few, damage is mostly short
_STEP = 1 << 12  # bytes read behind damage at first; doubled while there is no more


class Damage(NamedTuple):
    """A part of the file that could not be read. Offsets and sizes are bytes of the uncompressed file."""

    offset: int  # of the first byte not read
    skipped: int  # bytes until reading resumed, or to the end of the file
    reason: str  # for people


class Records(NamedTuple):
    """Records of one scan as columns, one row a record, in file order; all arrays have the same length.

    Bare columns (see `bare`) where the scanner was told that they will do.
    """

    offset: Ints  # of the frame's first byte, as an index into the buffer that was scanned
    captured: Ints  # bytes of the frame that are in the file
    wire: Ints  # original length, as the file has it
    time_us: Ints  # microseconds since the epoch, UTC; finer resolutions are rounded down
    link: npt.NDArray[np.int32]  # LINKTYPE number
    consumed: int  # bytes of the buffer that need not be shown again: the next scan starts there
    damage: tuple[Damage, ...]


class Scanner(Protocol):
    """Reads one capture file, buffer by buffer."""

    @property
    def link_types(self) -> tuple[int, ...]:
        """LINKTYPE numbers announced so far, in order of appearance."""

    @property
    def snaplen(self) -> int:
        """The largest frame size the file announces so far; 0 for no limit."""

    def scan(self, buf: Buffer, start: int, end: int, base: int, final: bool) -> Records:
        """The complete records in `buf[start:end]`; `base` is the file offset of `buf[start]`.

        Offsets move on by `consumed`: the next call has `base + consumed`. With `final` nothing follows, ever: the
        unread rest is reported as damage but not consumed, so that a longer copy of the file can go on there.
        """

    def ahead(self, buf: Buffer, end: int, base: int) -> None:
        """What stands in `buf[:end]`, from file offset `base` on, is near and will be scanned from its start: records may
        be found now. The next scan may have more of the same bytes. Its records go when that after it begins.
        """

    def state(self) -> dict[str, Any]:
        """JSON-able; with it `restore_scanner` goes on at `base + consumed`."""


class Columns(NamedTuple):
    """Records without the bookkeeping; arrays as in `Records`."""

    offset: Ints
    captured: Ints
    wire: Ints
    time_us: Ints
    link: npt.NDArray[np.int32]


def no_columns(*, barely: bool = False) -> Columns:
    """No record; in bare columns, if they will do."""
    none, link = (bare.zeros(0, "q"), bare.zeros(0, "i")) if barely else (np.empty(0, np.int64), np.empty(0, np.int32))
    return Columns(none, none, none, none, link)


def join_columns(parts: Sequence[Columns], *, barely: bool = False) -> Columns:
    """The records of all parts, in their order; `barely` as above, of parts in such columns."""
    if len(parts) == 1:
        return parts[0]
    join = bare.joined if barely else np.concatenate
    return Columns(*(join(column) for column in zip(*parts, strict=True))) if parts else no_columns(barely=barely)


def gather(buf: Buffer, offsets: Ints, size: int, order: str) -> npt.NDArray[np.uint32]:
    """The `size` bytes (a multiple of 4) at each offset, as rows of 32-bit words in native order.

    Every offset + size has to lie within the buffer.
    """
    if not len(offsets):
        return np.empty((0, size // 4), np.uint32)
    rows: npt.NDArray[Any] = np.ndarray((len(buf) - size + 1,), f"V{size}", buf, strides=(1,))
    words = rows[offsets].view(f"{order}u4").reshape(len(offsets), size // 4)
    return words.astype(np.uint32, copy=False)


def words_at(buf: Buffer, start: int, stop: int, order: str) -> Ints:
    """The 32-bit words that begin at each byte position of [start, stop); stop + 3 bytes have to exist."""
    words: npt.NDArray[Any] = np.ndarray((stop - start,), f"{order}u4", buf, offset=start, strides=(1,))
    return words.astype(np.int64)


class _View(NamedTuple):
    """What a scan was given."""

    buf: Buffer
    end: int
    shift: int  # file offset minus index
    final: bool


class ResumingScanner(ABC):
    """The walk over a file: read as far as records go, and behind damage search for the next."""

    _bare = False  # whether `_read` gives bare columns

    def __init__(self) -> None:
        self._recent: list[int] = []  # times of the last records
        self._lost: tuple[int, str] | None = None  # file offset and reason of the damage being searched past

    @abstractmethod
    def _begin(self, start: int, end: int) -> int | None:
        """Where records begin in a buffer shown for the first time (base 0); None: the file header is not whole."""

    def _inside(self) -> bool:
        """Whether the scan stands in the middle of something that is passed over unread."""
        return False

    @abstractmethod
    def _read(self, buf: Buffer, pos: int, end: int, reach: int) -> tuple[Columns, int, str | None]:
        """Records in line that begin within `reach` bytes from `pos`, and the position behind them.

        And what is wrong there: "" where bytes are missing, None where the reach ended.
        """

    @abstractmethod
    def _plausible(self, buf: Buffer, pos: int, stop: int) -> Sequence[int]:
        """Positions in [pos, stop) where a record header stands that could follow damage."""

    @abstractmethod
    def _followed(self, buf: Buffer, pos: int, end: int, *, final: bool) -> bool | None:
        """Whether rule 3 holds for the plausible record at `pos`; None where that takes bytes behind `end`."""

    _smallest: int  # bytes of a record header

    def scan(self, buf: Buffer, start: int, end: int, base: int, final: bool) -> Records:
        """See `Scanner.scan`."""
        parts: list[Columns] = []
        damage: list[Damage] = []
        shift = base - start  # file offset minus index
        at = start if base else self._begin(start, end)
        at = start if at is None else self._scan_on(_View(buf, end, shift, final), at, parts, damage)
        if final and self._lost is None and (at < end or self._inside()):
            damage.append(Damage(at + shift, end - at, TORN))
        return Records(*join_columns(parts, barely=self._bare), consumed=at - start, damage=tuple(damage))

    def _scan_on(self, view: _View, at: int, parts: list[Columns], damage: list[Damage]) -> int:
        buf, end, shift, final = view
        reach = end - at
        while True:
            if self._lost is not None:
                found, at = self._search(buf, at, end, final=final)
                lost, reason = self._lost
                if not found:
                    if final:
                        damage.append(Damage(lost, end + shift - lost, reason))
                    return at
                damage.append(Damage(lost, at + shift - lost, reason))
                self._lost = None
            columns, at, problem = self._read(buf, at, end, reach)
            if len(columns.offset):
                parts.append(columns)
                self._recent = (self._recent + columns.time_us[-_RECENT:].tolist())[-_RECENT:]
            if problem is None:
                reach *= 2
                continue
            if not problem:
                return at
            # What was walked over behind the damage is walked over again: not to the end of the buffer each time.
            reach = _STEP
            self._lost = (at + shift, problem)
            at += 1  # whatever the search would accept there: the same place must not be tried for ever

    def _search(self, buf: Buffer, pos: int, end: int, *, final: bool) -> tuple[bool, int]:
        """(True, where reading resumes) or (False, up to where the search need not come back)."""
        undecided, stride = -1, 256
        last = end - self._smallest
        while pos <= last:
            stop = min(pos + stride, last + 1)
            stride = min(2 * stride, _STRIDE)
            for candidate in self._plausible(buf, pos, stop):
                answer = self._followed(buf, candidate, end, final=final)
                if answer:
                    return True, candidate
                if answer is None and undecided < 0:
                    undecided = candidate
                    if not final:
                        return False, candidate
            pos = stop
        return False, pos if undecided < 0 else undecided

    def _window(self) -> tuple[int, int] | None:
        """The times [from, to] a record behind damage may have, microseconds; None where no record came before."""
        if not self._recent:
            return None
        middle = sorted(self._recent)[len(self._recent) // 2]
        return middle - _WINDOW_US, middle + _WINDOW_US

    def _resume_state(self) -> dict[str, Any]:
        return {"recent": self._recent, "lost": list(self._lost) if self._lost else None}

    def _restore_resume(self, state: dict[str, Any]) -> None:
        self._recent = [int(time) for time in state["recent"]]
        self._lost = (int(state["lost"][0]), str(state["lost"][1])) if state["lost"] else None
