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
    """The answers for one address or alias (and asker), as the name that holds from each moment on."""

    __slots__ = ("_names", "_since")

    def __init__(self, answers: list[Answer]) -> None:
        answers.sort()
        self._since: list[int] = []
        self._names: list[int | None] = []
        held: list[tuple[int, int]] = []  # (until, name), the most recent last
        for seen_us, _, ttl_s, _, _, name_id in answers:
            if held and held[-1][0] < seen_us:
                self._expire(held, seen_us)
            held.append((holds_until(seen_us, ttl_s), name_id))
            self._mark(seen_us, name_id)
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
        self._told: dict[tuple[int, str], list[Answer]] = defaultdict(list)  # the same by asker
        self._texts: dict[int, str] = {}
        every, told, texts = self._answers, self._told, self._texts
        for answer in answers:
            _, name, _, asker, address, name_id = answer
            every[address].append(answer)
            told[asker, address].append(answer)
            texts[name_id] = name
        self._own: dict[tuple[int, str], _Line] = {}
        self._house: dict[str, _Line] = {}
        self._aliases: dict[tuple[int, str], _Line] = {}

    def asked(self) -> Iterable[str]:
        """All that there are answers for: addresses, and names at which somebody went on."""
        return self._answers.keys()

    def name(self, asker: int, address: str, time_us: int) -> tuple[int, str] | None:
        """(name, `dns` or `house`) of an address as this device knew it then; None if nobody had asked."""
        if address not in self._answers:
            return None
        if (asker, address) in self._told:
            own = self._own.get((asker, address))
            if own is None:
                own = self._own[asker, address] = self._line(self._told[asker, address])
            found = own.at(time_us)
            if found is not None:
                return found, OWN_ANSWER
        house = self._house.get(address)
        if house is None:
            house = self._house[address] = self._line(self._answers[address])
        found = house.at(time_us)
        return None if found is None else (found, HOUSE_ANSWER)

    def _line(self, answers: Iterable[Answer]) -> _Line:
        return _Line([self._wanted(answer) if answer.name in self._answers else answer for answer in answers])

    def _wanted(self, answer: Answer) -> Answer:
        """The answer under the name with which the asker began."""
        name_id, text = answer.name_id, answer.name
        passed = {text}
        while text in self._answers and len(passed) <= _MOST_ALIASES:
            alias = self._alias(answer.asker, text).at(answer.seen_us)
            if alias is None or self._texts[alias] in passed:
                break
            name_id, text = alias, self._texts[alias]
            passed.add(text)
        return answer._replace(name_id=name_id)

    def _alias(self, asker: int, name: str) -> _Line:
        line = self._aliases.get((asker, name))
        if line is None:
            line = self._aliases[asker, name] = _Line(list(self._told.get((asker, name), ())))
        return line


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
