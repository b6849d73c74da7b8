"""Names for addresses, from what the house was told: time-aware, and per device.

Rule 1: an answer speaks for its address from when it was seen until max(TTL, 300 s) later; the most recent one wins.
Rule 2: a device's own answers come before those of the rest of the house.
Rule 3: the name is the one that was asked for, whatever chain of aliases led to the address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

SECOND = 1_000_000
LEAST_US = 300 * SECOND
MOST_US = 7 * 86_400 * SECOND  # RFC 8767 section 4 caps TTLs at seven days; absurd ones are in real captures

OWN_ANSWER, HOUSE_ANSWER = "dns", "house"


class Answer(NamedTuple):
    """An address for a name that was asked for. Of two in the same instant the later name by its text wins."""

    seen_us: int
    name: str
    ttl_s: int
    asker: int  # device, or what stands for one
    address: str
    name_id: int


class _Line:
    """The answers for one address (and asker), as the name that holds from each moment on."""

    __slots__ = ("_names", "_since")

    def __init__(self, answers: list[Answer]) -> None:
        answers.sort()
        self._since: list[int] = []
        self._names: list[int | None] = []
        held: list[tuple[int, int]] = []  # (until, name), the most recent last
        for answer in answers:
            self._expire(held, answer.seen_us)
            until = answer.seen_us + min(max(answer.ttl_s * SECOND, LEAST_US), MOST_US)
            held.append((until, answer.name_id))
            self._mark(answer.seen_us, answer.name_id)
        if held:
            self._expire(held, max(held)[0] + 1)

    def _expire(self, held: list[tuple[int, int]], time_us: int) -> None:
        """The most recent answer may run out while an older one with a longer TTL still speaks."""
        while held and held[-1][0] < time_us:
            until, _ = held.pop()
            while held and held[-1][0] <= until:
                held.pop()
            self._mark(until + 1, held[-1][1] if held else None)

    def _mark(self, since_us: int, name: int | None) -> None:
        self._since.append(since_us)
        self._names.append(name)

    def at(self, time_us: int) -> int | None:
        place = bisect_right(self._since, time_us)
        return self._names[place - 1] if place else None


class AnswerBook:
    """All answers of a site within some stretch of time. Lines are put in order when they are first asked for."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            self._answers[answer.address].append(answer)
        self._own: dict[tuple[int, str], _Line] = {}
        self._house: dict[str, _Line] = {}

    def name(self, asker: int, address: str, time_us: int) -> tuple[int, str] | None:
        """(name, `dns` or `house`) of an address as this device knew it then; None if nobody had asked."""
        answers = self._answers.get(address)
        if answers is None:
            return None
        own = self._own.get((asker, address))
        if own is None:
            own = self._own[asker, address] = _Line([answer for answer in answers if answer.asker == asker])
        found = own.at(time_us)
        if found is not None:
            return found, OWN_ANSWER
        house = self._house.get(address)
        if house is None:
            house = self._house[address] = _Line(list(answers))
        found = house.at(time_us)
        return None if found is None else (found, HOUSE_ANSWER)


def hinted_addresses(value: str) -> list[str]:
    """Addresses in the presentation of an HTTPS or SVCB record (RFC 9460 section 7.3)."""
    out: list[str] = []
    for part in value.split(" ")[2:]:
        key, _, text = part.partition("=")
        if key in ("ipv4hint", "ipv6hint"):
            out += text.strip('"').split(",")
    return out
