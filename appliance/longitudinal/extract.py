"""Captures that are in the database -> the facts of each device and month.

Rule: the device of a folder is the end at home with most bytes to addresses elsewhere, over all its captures; the import
      has seen to it that this is the whole folder where none stands out (DESIGN.md, "Identify").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.report.longitudinal.facts import gather
from daemon.report.longitudinal.home import Home
from daemon.report.longitudinal.vocabulary import MonthFacts
from daemon.store.longitudinal import Filed, Reader

if TYPE_CHECKING:
    from daemon.store.longitudinal import DeviceRow


@dataclass(frozen=True, slots=True)
class Part:
    """Captures that belong together, each with the device (by number) whose facts are wanted; None: everybody's."""

    captures: tuple[tuple[int, int | None], ...]


class Extractor:
    """Reads parts from one site of a database. A context manager. Raises StoreError."""

    def __init__(self, database: Path, site: str) -> None:
        self._reader = Reader(database)
        self._home = Home(self._reader.local_prefixes(site), self._reader.home_addresses(site))

    def __enter__(self) -> Extractor:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def devices(self, folders: Mapping[str, Sequence[int]]) -> dict[str, int]:
        """The device of each folder of captures; folders whose captures show none are left out."""
        names = list(folders)
        self._reader.choose(Filed(capture, part) for part, name in enumerate(names) for capture in folders[name])
        moved: dict[int, Counter[int]] = {}
        for part, device, client, server, octets in self._reader.busy():
            if self._home.remote(client, server) is not None:
                moved.setdefault(part, Counter())[device] += octets
        return {names[part]: min(devices, key=lambda each: (-devices[each], each)) for part, devices in moved.items()}

    def about(self, device_id: int) -> DeviceRow | None:
        """What is known of a device."""
        return self._reader.device(device_id)

    def facts(self, parts: Sequence[Part]) -> Iterator[tuple[int, MonthFacts]]:
        """(number of the part, its facts), in order."""
        self._reader.choose(
            Filed(capture, number, device) for number, part in enumerate(parts) for capture, device in part.captures
        )
        asked, told = _in_order(self._reader.asked()), _in_order(self._reader.told())
        greetings, talks = _in_order(self._reader.greetings()), _in_order(self._reader.talks())
        for number in range(len(parts)):
            yield number, gather(self._home, asked(number), told(number), greetings(number), talks(number))


def _in_order(rows: Iterator[Any]) -> Callable[[int], Iterator[Any]]:
    """A function that gives the rows of one part; to be asked for ascending parts, each read to its end."""
    groups = groupby(rows, key=attrgetter("part"))
    ahead = next(groups, None)

    def of_part(number: int) -> Iterator[Any]:
        nonlocal ahead
        if ahead is not None and ahead[0] == number:
            yield from ahead[1]
            ahead = next(groups, None)

    return of_part
