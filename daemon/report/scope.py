"""What a report is asked about: a home, a span of time, perhaps one device, and how the owner wants it read.

Rule 1: a span is half-open, in microseconds UTC; its ends are midnights of the site's zone, or now.
Rule 2: a report takes everything from its scope: no clock, no configuration, no file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar
from zoneinfo import ZoneInfo

from daemon.store.calendar import date_of, day_number
from daemon.store.window import Window

if TYPE_CHECKING:
    from daemon.classify.families import Portrait
    from daemon.classify.place import Place
    from daemon.report.recording import Unrecorded

T = TypeVar("T")


class Remember(Protocol):
    """What keeps answers that take long: the one under a key, made where it is not known."""

    def __call__(self, key: Hashable, make: Callable[[], T], *, lasting: bool = False) -> T:
        """The answer; `lasting`: the key tells all that it depends on, so a change elsewhere takes nothing from it."""
        ...


def _each_time(key: Hashable, make: Callable[[], T], *, lasting: bool = False) -> T:
    del key, lasting
    return make()


def _nowhere(address: str) -> Place | None:
    del address
    return None


def _nobody(name: str) -> Portrait | None:
    del name
    return None


_NO_WORDS: Mapping[str, str] = MappingProxyType({})
_NONE: Mapping[int, str] = MappingProxyType({})
_NO_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time, microseconds since the epoch, UTC."""

    since_us: int
    until_us: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.until_us - self.since_us) / 1_000_000

    def before(self) -> Span:
        """The stretch of the same length that ends where this one begins."""
        return Span(2 * self.since_us - self.until_us, self.since_us)


@dataclass(frozen=True, slots=True)
class Scope:
    """A question. `device_id` None: the whole house. `names`: what devices are called, owner's words included."""

    db: sqlite3.Connection
    site_id: int
    site: str
    zone: str
    span: Span
    newest_us: int  # the site's newest packet: "now" for everything that is told
    device_id: int | None = None
    names: Mapping[int, str] = field(default_factory=lambda: _NONE)
    night: tuple[int, int] = (22, 6)  # hours of the site's day: from, until
    applications: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: _NO_SETS
    )  # name -> domains, with all below them
    only: Mapping[str, str] = field(default_factory=lambda: _NO_WORDS)  # party, country, company: of these alone
    locate: Callable[[str], Place | None] = _nowhere  # where an address is, as far as the box knows
    known: Callable[[str], Portrait | None] = _nobody  # what the tables know of a company, by its name
    remember: Remember = _each_time
    unrecorded: Callable[[], Sequence[Unrecorded]] = tuple  # who is not recorded in full, as the owner said

    @property
    def days(self) -> tuple[int, int]:
        """First and last day that the span touches, days since the epoch in the site's zone."""
        return self.day_of(self.span.since_us), self.day_of(max(self.span.since_us, self.span.until_us - 1))

    @property
    def months(self) -> tuple[int, int]:
        """First and last month that the span touches, by number."""
        first, last = (date_of(day) for day in self.days)
        return first.year * 12 + first.month - 1, last.year * 12 + last.month - 1

    @property
    def newest_month(self) -> int:
        """The month of the newest packet, which may not be over, by number."""
        day = date_of(self.day_of(self.newest_us))
        return day.year * 12 + day.month - 1

    @property
    def window(self) -> Window:
        """The same for queries of the store."""
        return Window(self.site_id, self.span.since_us, self.span.until_us, self.days, self.months, self.device_id)

    def day_of(self, time_us: int) -> int:
        """The day of the site's calendar in which a time lies."""
        return day_number(datetime.fromtimestamp(time_us / 1_000_000, UTC).astimezone(ZoneInfo(self.zone)).date())

    def moment(self, time_us: int) -> str:
        """`12 July 2026, 14:02`, by the house's clock."""
        return f"{datetime.fromtimestamp(time_us / 1_000_000, UTC).astimezone(ZoneInfo(self.zone)):%-d %B %Y, %H:%M}"

    def called(self, device_id: int) -> str:
        """What people call a device."""
        return self.names.get(device_id) or (f"device {device_id}" if device_id else "no device of this house")

    def over(self, span: Span) -> Scope:
        """The same question about another time."""
        return replace(self, span=span)

    def of(self, device_id: int | None) -> Scope:
        """The same question about one device, or about the house."""
        return replace(self, device_id=device_id)
