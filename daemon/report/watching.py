"""How much of what went to third parties is advertising and tracking: the part that nobody in the house asked for.

Rule: films are third parties' as well, and far larger. A share of third parties alone says little of who is watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from daemon.classify.purposes import WATCHING
from daemon.classify.vocabulary import THIRD
from daemon.report.scope import Scope
from daemon.report.table import SHARE, SIZE, Column, Report
from daemon.report.words import listed, size_words
from daemon.store.watching import Watched, read_watched
from daemon.store.window import Window

_MOST_NAMED = 3
_Key = TypeVar("_Key", int, str)


_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("organisation", "Company"),
    Column("bytes", "Data", SIZE),
    Column("share", "Share", SHARE),
)
_NOTE = (
    "Told by the servers' names: what an app sends through servers that also do other things is not in it, so the true part"
    " may be larger."
)


class Watching(NamedTuple):
    """Bytes both ways for advertising, analytics and recognition, by device and company, most first."""

    rows: Sequence[Watched]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(row.bytes for row in self.rows)

    @property
    def companies(self) -> list[str]:
        """The companies that are known, those that got most first."""
        return _ordered((row.organisation, row.bytes) for row in self.rows)

    @property
    def devices(self) -> list[int]:
        """The devices, those of which it is most first."""
        return _ordered((row.device_id or None, row.bytes) for row in self.rows)


def report(scope: Scope) -> Report:
    """One row a (device, company), most bytes first."""
    found = read_watching(scope)
    whole = found.bytes  # once: there are thousands of rows
    rows = tuple(
        (row.device_id, scope.called(row.device_id), row.organisation, row.bytes, row.bytes / whole)
        for row in found.rows
    )
    return Report("Advertising and tracking", _COLUMNS, rows, (_sentence(scope, found),), (_NOTE,))


def _sentence(scope: Scope, found: Watching) -> str:
    if not found.bytes:
        return "None of what third parties exchanged in this time is known to be for advertising or tracking."
    said = f"{size_words(found.bytes)} were exchanged with servers for advertising and tracking"
    if found.companies:
        said += f", most with {listed(found.companies[:_MOST_NAMED], _MOST_NAMED)}"
    if found.devices and scope.device_id is None:
        said += f"; {scope.called(found.devices[0])} exchanged most"
    return f"{said}."


def read_watching(scope: Scope, window: Window | None = None) -> Watching:
    """Of the span, or of a window; days that it touches count whole."""
    span = window or scope.window
    return scope.remember(("watching", span), lambda: Watching(read_watched(scope.db, span, THIRD, WATCHING)))


def watching_words(octets: int) -> str:
    """What stands behind `third parties`: `, 41 MB of it for advertising and tracking`."""
    if not octets:
        return ", none of it known to be for advertising or tracking"
    return f", {size_words(octets)} of it for advertising and tracking"


def _ordered(pairs: Iterable[tuple[_Key | None, int]]) -> list[_Key]:
    sums: dict[_Key, int] = {}
    for key, octets in pairs:
        if key is not None:
            sums[key] = sums.get(key, 0) + octets
    return sorted(sums, key=lambda key: (-sums[key], key))
