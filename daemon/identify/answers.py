"""Names for addresses, from what the house was told: time-aware, and per device.

Rule 1: an answer speaks for its address from when it was seen until max(TTL, 300 s) later; the most recent one wins.
Rule 2: a device's own answers come before those of the rest of the house.
Rule 3: the name is the one that was asked for, whatever chain of aliases led to the address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import NamedTuple

SECOND = 1_000_000
LEAST_US = 300 * SECOND
MOST_US = 7 * 86_400 * SECOND  # RFC 8767 section 4 caps TTLs at seven days; absurd ones are in real captures

OWN_ANSWER, HOUSE_ANSWER = "dns", "house"


class Answer(NamedTuple):
    """An address for a name that was asked for."""

    seen_us: int
    asker: int  # device, or what stands for one
    address: str
    ttl_s: int
    name_id: int


class _Line:
    """The answers for one address (and asker) over time."""

    __slots__ = ("_names", "_since", "_until")

    def __init__(self, answers: list[Answer]) -> None:
        answers.sort()
        self._since = [answer.seen_us for answer in answers]
        self._until = [answer.seen_us + min(max(answer.ttl_s * SECOND, LEAST_US), MOST_US) for answer in answers]
        self._names = [answer.name_id for answer in answers]

    def at(self, time_us: int) -> int | None:
        # The most recent answer may have run out while an older one with a long TTL still speaks.
        for place in range(bisect_right(self._since, time_us) - 1, max(-1, bisect_right(self._since, time_us) - 9), -1):
            if self._until[place] >= time_us:
                return self._names[place]
        return None


class AnswerBook:
    """All answers of a site within some stretch of time."""

    def __init__(self, answers: list[Answer]) -> None:
        own: dict[tuple[int, str], list[Answer]] = defaultdict(list)
        house: dict[str, list[Answer]] = defaultdict(list)
        for answer in answers:
            own[answer.asker, answer.address].append(answer)
            house[answer.address].append(answer)
        self._own = {key: _Line(lines) for key, lines in own.items()}
        self._house = {key: _Line(lines) for key, lines in house.items()}

    def name(self, asker: int, address: str, time_us: int) -> tuple[int, str] | None:
        """(name, `dns` or `house`) of an address as this device knew it then; None if nobody had asked."""
        for line, source in ((self._own.get((asker, address)), OWN_ANSWER), (self._house.get(address), HOUSE_ANSWER)):
            found = line.at(time_us) if line else None
            if found is not None:
                return found, source
        return None


def hinted_addresses(value: str) -> list[str]:
    """Addresses in the presentation of an HTTPS or SVCB record (RFC 9460 section 7.3)."""
    out: list[str] = []
    for part in value.split(" ")[2:]:
        key, _, text = part.partition("=")
        if key in ("ipv4hint", "ipv6hint"):
            out += text.strip('"').split(",")
    return out
