"""The words of the hunt: what is asked about (a view of a home), and what is answered (findings).

Rule 1: a finding is about one device and one destination; its id stays the same from day to day and from database to
        database, so that what the owner said of it (mute, note) still fits tomorrow.
Rule 2: a finding says what was measured, why that may be ordinary, why it is worth a look, and what to do. It accuses
        nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from daemon.report.table import TEXT
from daemon.store.finding_facts import Moment, StreamRow, VerdictRow

HIGH, MEDIUM, LOW, USUAL = 3, 2, 1, 0
SEVERITIES: Mapping[int, str] = {
    HIGH: "look at this first",
    MEDIUM: "worth a look",
    LOW: "good to know",
    USUAL: "usual for such a device",
}

BEACONING, HAMMERING, RARE, PORT, UNNAMED, COUNTRY, UNENCRYPTED = (
    "beaconing", "hammering", "rare-company", "odd-port", "never-asked", "new-country", "unencrypted",
)  # fmt: skip
KIND_WORDS: Mapping[str, str] = {
    BEACONING: "calls at regular times",
    HAMMERING: "far more requests than usual",
    RARE: "a company that only this device knows",
    PORT: "an odd service or port",
    UNNAMED: "an address nobody asked for by name",
    COUNTRY: "a new country",
    UNENCRYPTED: "content that everybody on the way can read",
}


class Fact(NamedTuple):
    """One number of the evidence; `form` as in `daemon.report.table`."""

    label: str
    value: object
    form: str = TEXT


@dataclass(frozen=True, slots=True)
class Subject:
    """A device as the hunt sees it. `key` is its station's in owner's words."""

    device_id: int
    key: str
    called: str
    kind: str | None
    personal: bool  # a phone, a computer: what it reaches its owner chose
    media: bool  # plays what others make, so strangers' content is ordinary
    vendor: str | None
    first_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Like connections with the judgement about their destination; `rows`: the parts by end and kind of flow."""

    subject: Subject
    place: str  # name, or address
    rows: tuple[StreamRow, ...]
    verdict: VerdictRow | None

    @property
    def first(self) -> StreamRow:
        """What all rows have in common stands in each."""
        return self.rows[0]

    @property
    def party(self) -> str:
        """Whose the destination is to this device."""
        return self.verdict.party if self.verdict else "unknown"

    @property
    def purpose(self) -> str:
        """What the destination is for, in a word."""
        return (self.verdict.purpose if self.verdict else None) or "other"

    @property
    def owner(self) -> str:
        """Whose the destination is: a company, else the domain that somebody registered, else the address."""
        found = (self.verdict.organisation or self.verdict.registrable_domain) if self.verdict else None
        return found or self.place

    @property
    def domain(self) -> str:
        """The domain that somebody registered, else the address."""
        return (self.verdict.registrable_domain if self.verdict else None) or self.place

    @property
    def named(self) -> bool:
        """Whether anybody asked for it by name."""
        return self.first.name is not None

    @property
    def known(self) -> bool:
        """Whether it is known whose it is, and that it is there for the device to work.

        A rented computer that nobody asked for by name may be anybody's.
        """
        if self.party == "support":
            return self.named or self.purpose != "cloud"
        return self.party in ("first", "platform", "local")

    @property
    def company(self) -> str | None:
        """Whose the destination is, as people know it."""
        return (self.verdict.called or self.verdict.organisation) if self.verdict else None

    def total(self, column: str) -> int:
        """The sum of a column over the rows."""
        if len(self.rows) == 1:  # as nearly always
            return int(getattr(self.rows[0], column))
        return sum(int(getattr(row, column)) for row in self.rows)

    @property
    def first_us(self) -> int:
        """When the first of them began."""
        return min(row.first_us for row in self.rows)

    @property
    def last_us(self) -> int:
        """When the last of them was heard of."""
        return max(row.last_us for row in self.rows)

    @property
    def clients(self) -> set[int]:
        """Endpoints of the device."""
        return {row.client_id for row in self.rows}

    @property
    def servers(self) -> set[int]:
        """Endpoints of the destination."""
        return {row.server_id for row in self.rows}


@dataclass(frozen=True, slots=True)
class Known:
    """What devices had reached before the time that is looked at: (device, company or domain), (device, country)."""

    companies: frozenset[tuple[int, str]]
    countries: frozenset[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class View:
    """A home in a stretch of time, as the kinds of findings look at it."""

    since_us: int
    until_us: int
    begun_us: int  # when the home was first recorded
    streams: Sequence[Stream]
    moments: Callable[[Sequence[Stream]], Mapping[Stream, Sequence[Moment]]]
    slices: Callable[[Sequence[Stream]], Mapping[Stream, Mapping[int, int]]]  # of long flows: slot -> packets
    known: Callable[[], Known]
    askers: Callable[[], set[int]]  # devices whose questions for names could be read


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a look; of severity USUAL it is only told to who asks. Times in microseconds, UTC."""

    kind: str
    severity: int
    subject: Subject
    place: str  # destination in a person's words
    about: str  # what besides device and place tells it from others of its kind, "" mostly
    sentence: str
    why: str
    advice: str
    facts: tuple[Fact, ...]
    stream: Stream
    first_us: int
    last_us: int
    connections: int
    bytes: int

    @property
    def finding_id(self) -> str:
        """Stable: of kind, device and destination alone."""
        text = "\0".join((self.kind, self.subject.key, self.place, self.about))
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
