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

BEACONING, HAMMERING, RARE, PORT, UNNAMED, COUNTRY, UNENCRYPTED, NIGHT_ONLY = (
    "beaconing", "hammering", "rare-company", "odd-port", "never-asked", "new-country", "unencrypted", "night-only",
)  # fmt: skip
KIND_WORDS: Mapping[str, str] = {
    BEACONING: "calls at regular times",
    HAMMERING: "far more requests than usual",
    RARE: "a company that only this device knows",
    PORT: "an odd service or port",
    UNNAMED: "an address nobody asked for by name",
    COUNTRY: "a new country",
    UNENCRYPTED: "content that everybody on the way can read",
    NIGHT_ONLY: "work at night alone",
}


class Fact(NamedTuple):
    """One number of the evidence; `form` as in `daemon.report.table`."""

    label: str
    value: object
    form: str = TEXT


@dataclass(frozen=True, slots=True)
class Who:
    """A device that something was found about. `key` is its station's in owner's words."""

    device_id: int
    key: str
    called: str


@dataclass(frozen=True, slots=True)
class Subject(Who):
    """A device as the hunt sees it."""

    kind: str | None
    personal: bool  # a phone, a computer: what it reaches its owner chose
    media: bool  # plays what others make, so strangers' content is ordinary
    vendor: str | None
    first_us: int


class Part(NamedTuple):
    """By what the flows of a stream are told from others: ends, port, kind and name, by number."""

    client_id: int
    server_id: int
    port: int | None
    kind_id: int
    name_id: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What of a stream is kept with a finding: where it leads, and by what its flows are found again."""

    place: str  # name, or address
    named: bool
    owner: str
    domain: str
    party: str
    company: str | None
    country: str | None
    service: str
    parts: tuple[Part, ...]


class Stream:
    """Like connections with the judgement about their destination; `rows`: the parts by end and kind of flow.

    Sums over the rows and what follows from the judgement are made once: every kind of finding asks for them.
    """

    __slots__ = (
        "begun", "bytes_down", "bytes_up", "company", "connections", "domain", "first", "first_us", "known", "last_us",
        "named", "owner", "packets_down", "packets_up", "party", "place", "purpose", "refused", "rows", "stored", "subject",
        "unanswered", "verdict",
    )  # fmt: skip

    def __init__(self, subject: Subject, place: str, rows: tuple[StreamRow, ...], verdict: VerdictRow | None) -> None:
        """`place`: name, or address. What all rows have in common stands in each, so in `first`."""
        self.subject, self.place, self.rows, self.verdict, self.first = subject, place, rows, verdict, rows[0]
        first = rows[0]
        self.named = first.name_id is not None  # somebody asked for it by name
        self.stored, self.connections, self.begun, self.unanswered, self.refused = first[12:17]
        self.packets_up, self.packets_down, self.bytes_up, self.bytes_down, self.first_us, self.last_us = first[17:23]
        for row in rows[1:]:  # few have any
            self._add(row)
        self.party = verdict.party if verdict else "unknown"  # whose the destination is to this device
        self.purpose = (verdict.purpose if verdict else None) or "other"
        registered = verdict.registrable_domain if verdict else None
        self.owner = (verdict.organisation if verdict else None) or registered or place  # company, domain, or address
        self.domain = registered or place
        self.company = (verdict.called or verdict.organisation) if verdict else None  # as people know it
        self.known = self._known()

    def _add(self, row: StreamRow) -> None:
        self.stored += row.rows
        self.connections += row.connections
        self.begun += row.begun
        self.unanswered += row.unanswered
        self.refused += row.refused
        self.packets_up += row.packets_up
        self.packets_down += row.packets_down
        self.bytes_up += row.bytes_up
        self.bytes_down += row.bytes_down
        self.first_us = min(self.first_us, row.first_us)
        self.last_us = max(self.last_us, row.last_us)

    def _known(self) -> bool:
        """Whether it is known whose it is, and that it is there for the device to work.

        A rented computer that nobody asked for by name may be anybody's.
        """
        if self.party == "support":
            return self.named or self.purpose != "cloud"
        return self.party in ("first", "platform", "local")

    @property
    def packets(self) -> int:
        """Both ways."""
        return self.packets_up + self.packets_down

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_up + self.bytes_down

    @property
    def trace(self) -> Trace:
        """What a finding keeps of it."""
        parts = tuple(Part(row.client_id, row.server_id, row.port, row.kind_id, row.name_id) for row in self.rows)
        country = self.verdict.country if self.verdict else None
        return Trace(
            self.place,
            self.named,
            self.owner,
            self.domain,
            self.party,
            self.company,
            country,
            self.first.service,
            parts,
        )

    @property
    def clients(self) -> set[int]:
        """Endpoints of the device."""
        return {row.client_id for row in self.rows}

    @property
    def servers(self) -> set[int]:
        """Endpoints of the destination."""
        return {row.server_id for row in self.rows}


class Night(NamedTuple):
    """A day and the night that follows, of one device: bytes with the internet, and when it was heard of at night."""

    at_night: int
    by_day: int
    first_us: int
    last_us: int


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
    night: tuple[int, int]  # hours of the home's day: from, until
    nights: Callable[[], Mapping[int, Sequence[Night]]]  # of the devices, those that were recorded whole, in order
    is_night: Callable[[int], bool]  # whether a time is in the owner's night

    @property
    def night_hours(self) -> int:
        """How long a night is."""
        return (self.night[1] - self.night[0]) % 24


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a look; of severity USUAL it is only told to who asks. Times in microseconds, UTC."""

    kind: str
    severity: int
    subject: Who
    place: str  # destination in a person's words
    about: str  # what besides device and place tells it from others of its kind, "" mostly
    says: str  # what the device does: a sentence whose subject is the device, without it
    why: str
    advice: str
    facts: tuple[Fact, ...]
    trace: Trace
    first_us: int
    last_us: int
    connections: int
    bytes: int

    @property
    def sentence(self) -> str:
        """What was seen."""
        return f"{self.subject.called} {self.says}"

    @property
    def finding_id(self) -> str:
        """Stable: of kind, device and destination alone."""
        text = "\0".join((self.kind, self.subject.key, self.place, self.about))
        return f"{self.kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
