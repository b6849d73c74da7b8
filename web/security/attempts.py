"""How often a password may be tried: a person does not notice, a program gets nowhere.

Rule 1: an address has FREE wrong tries a minute; each one beyond doubles the wait, up to an hour.
Rule 2: all addresses together have ALL wrong tries a minute: a device can have many addresses. An address from which
        the password was right lately is not held up by others.
Rule 3: an IPv6 address counts with its whole /64: a device makes up as many as it likes.
Rule 4: tries are made one after the other, because each takes memory; few may wait for their turn, so that they do not
        take all threads from those who only look.
Rule 5: what is remembered is bounded, and gone with the process: a restart takes longer than the waiting saves.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

FREE, ALL = 5, 30
MINUTE_S = 60.0
LONGEST_S = 3600.0
_REMEMBERED = 1024  # addresses
_WAITING, _BUSY_S = 3, 3.0  # tries at once, and when to come again


class TooOftenError(Exception):
    """Not now; `wait_s` seconds later."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__(f"Too many wrong tries. Try again in {_length(self.wait_s)}.")


@dataclass(slots=True)
class _Caller:
    wrong: int = 0
    last_s: float = -math.inf
    free_s: float = -math.inf  # from when it may try again
    was_right: bool = False


class Attempts:
    """Counts wrong tries; for any number of threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        self._wrong: deque[float] = deque(maxlen=ALL)

    def try_it(self, address: str, fits: Callable[[], bool]) -> bool:
        """Whether it fits, if it may be tried at all. Raises TooOftenError."""
        if not self._places.acquire(blocking=False):
            raise TooOftenError(_BUSY_S)
        try:
            with self._turn:
                return self._try(self._caller(_counted(address)), fits)
        finally:
            self._places.release()

    def _try(self, caller: _Caller, fits: Callable[[], bool]) -> bool:
        self._refuse_early(caller, self._clock())
        right = fits()
        if right:
            caller.wrong, caller.was_right = 0, True
        else:
            self._count(caller, self._clock())
        return right

    def _refuse_early(self, caller: _Caller, now: float) -> None:
        if now < caller.free_s:
            raise TooOftenError(caller.free_s - now)
        crowded = len(self._wrong) == ALL and now - self._wrong[0] < MINUTE_S
        if crowded and not caller.was_right:
            raise TooOftenError(self._wrong[0] + MINUTE_S - now)

    def _count(self, caller: _Caller, now: float) -> None:
        if now - caller.last_s > max(MINUTE_S, 2 * (caller.free_s - caller.last_s)):
            caller.wrong = 0  # it was quiet for longer than it had to
        caller.wrong += 1
        caller.last_s = now
        if caller.wrong >= FREE:
            caller.free_s = now + min(LONGEST_S, MINUTE_S * 2.0 ** min(20, caller.wrong - FREE))
        self._wrong.append(now)

    def _caller(self, key: str) -> _Caller:
        caller = self._callers.pop(key, None) or _Caller()
        self._callers[key] = caller
        if len(self._callers) > _REMEMBERED:
            self._callers.popitem(last=False)
        return caller


def _counted(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _length(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'s' * (seconds != 1)}"
    return f"{math.ceil(seconds / 60)} minutes"
