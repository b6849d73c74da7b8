"""Names for addresses, from what the house was told: time-aware, and per device.

Rule 1: an answer speaks for its address from when it was seen until max(TTL, 300 s) later; the most recent one wins.
Rule 2: a device's own answers come before those of the rest of the house.
Rule 3: the name is the one that was asked for, whatever chain of aliases led to the address; also where the chain came
        piece by piece: who was told that A is an alias of B, then asked for B, wanted A.
Rule 4: a service record (RFC 9460) speaks for the service: hints are its addresses, another target is its alias.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

SECOND = 1_000_000
LEAST_US = 300 * SECOND
_MOST_ALIASES = 8  # pieces of a chain that are followed
_RESOLVER = "resolver.arpa"  # RFC 9462 section 4: who asks for this asks for whatever resolver there is
MOST_US = 7 * 86_400 * SECOND  # RFC 8767 section 4 caps TTLs at seven days; absurd ones are in real captures

OWN_ANSWER, HOUSE_ANSWER = "dns", "house"


class Answer(NamedTuple):
    """An address, or another name, for a name that was asked for. Of two in one instant the later name by its text wins."""

    seen_us: int
    name: str
    ttl_s: int
    asker: int  # device, or what stands for one
    address: str  # or the name at which to go on
    name_id: int


def holds_until(seen_us: int, ttl_s: int) -> int:
    """The last instant at which an answer speaks for its address."""
    lasts_us = ttl_s * SECOND
    return seen_us + (LEAST_US if lasts_us < LEAST_US else MOST_US if lasts_us > MOST_US else lasts_us)


class _Line:
    """The answers for one address or alias (and asker), as the one that holds from each moment on."""

    __slots__ = ("_holding", "_since")

    def __init__(self, answers: list[Answer]) -> None:
        answers.sort()
        since: list[int] = []
        holding: list[Answer | None] = []
        held: list[tuple[int, Answer]] = []  # (until, answer), the most recent last; each outlasts those behind it
        for answer in answers:
            seen_us = answer[0]
            while held and held[-1][0] < seen_us:  # it runs out while an older one with a longer TTL may still speak
                since.append(held.pop()[0] + 1)
                holding.append(held[-1][1] if held else None)
            until = holds_until(seen_us, answer[2])
            while held and held[-1][0] <= until:
                held.pop()
            held.append((until, answer))
            since.append(seen_us)
            holding.append(answer)
        while held:
            since.append(held.pop()[0] + 1)
            holding.append(held[-1][1] if held else None)
        self._since, self._holding = since, holding

    def at(self, time_us: int) -> Answer | None:
        place = bisect_right(self._since, time_us)
        return self._holding[place - 1] if place else None


class AnswerBook:
    """All answers of a site within some stretch of time. Lines are put in order when they are first asked for."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._told: dict[tuple[int, str], list[Answer]] = defaultdict(list)  # the same by asker
        every, told = self._answers, self._told
        for answer in answers:
            _, _, _, asker, address, _ = answer
            every[address].append(answer)
            told[asker, address].append(answer)
        self._own: dict[tuple[int, str], _Line] = {}
        self._house: dict[str, _Line] = {}

    def asked(self) -> Iterable[str]:
        """All that there are answers for: addresses, and names at which somebody went on."""
        return self._answers.keys()

    def name(self, asker: int, address: str, time_us: int) -> tuple[int, str] | None:
        """(name, `dns` or `house`) of an address as this device knew it then; None if nobody had asked."""
        if address not in self._answers:
            return None
        found = self._told_at(asker, address, time_us)
        if found is not None:
            return self._wanted(found), OWN_ANSWER
        house = self._house.get(address)
        if house is None:
            house = self._house[address] = _Line(self._answers[address])
        found = house.at(time_us)
        return None if found is None else (self._wanted(found), HOUSE_ANSWER)

    def _told_at(self, asker: int, address: str, time_us: int) -> Answer | None:
        """What the asker itself had been told of an address, or of a name."""
        key = asker, address
        line = self._own.get(key)
        if line is None:
            if key not in self._told:
                return None
            line = self._own[key] = _Line(self._told[key])
        return line.at(time_us)

    def _wanted(self, answer: Answer) -> int:
        """The name with which the asker began that was given this answer."""
        passed = {answer.name}
        wanted = answer
        while len(passed) <= _MOST_ALIASES:
            alias = self._told_at(answer.asker, wanted.name, answer.seen_us)
            if alias is None or alias.name in passed:
                break
            passed.add(alias.name)
            wanted = alias
        return wanted.name_id


def end_of_chain(name: str, aliases: Mapping[str, str]) -> str | None:
    """The name at the end of a chain that may have come piece by piece; None for a name without an alias."""
    passed = [name]
    while passed[-1] in aliases and aliases[passed[-1]] not in passed and len(passed) <= _MOST_ALIASES:
        passed.append(aliases[passed[-1]])
    return passed[-1] if len(passed) > 1 else None


def service_answer(name: str, value: str) -> tuple[str, list[str]]:
    """What an HTTPS or SVCB record, as text, is about: the name of the service, and what it gives for it.

    Those are addresses (RFC 9460 section 7.3) and another name than its own, to go on at (sections 2.4.2 and 2.5). The
    name asked for may begin with port and protocol (section 2.3); of a resolver that is looked for, it is the target.
    """
    rest = value.partition(" ")[2]
    target = rest.partition(" ")[0]
    if name == _RESOLVER or name.endswith(f".{_RESOLVER}"):
        service = target
    else:
        labels = name.split(".")
        plain = next((at for at, label in enumerate(labels) if not label.startswith("_")), 0)
        service = ".".join(labels[plain:])
    if service in ("", "."):
        service = name
    return service, [*([] if target in (".", service) else [target]), *hinted_addresses(value)]


def hinted_addresses(value: str) -> list[str]:
    """Addresses in the presentation of an HTTPS or SVCB record (RFC 9460 section 7.3)."""
    out: list[str] = []
    for part in value.split(" ")[2:]:
        key, _, text = part.partition("=")
        if key in ("ipv4hint", "ipv6hint"):
            out += text.strip('"').split(",")
    return out
