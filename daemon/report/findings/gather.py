"""From a question to the view that kinds of findings look at: reads once, asks again only for what is suspected.

Rule 1: the whole house is looked at, also where one device is asked about: what is rare is told by the others.
Rule 2: the time is bounded by what a page may take: the newest part of what is asked about, shorter in a busy home.
Rule 3: who is personal, and who plays what others make, is told by the kind of device; of a device whose kind nobody
        knows, how many names it reaches: things know few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from daemon.identify.kinds import PEOPLE
from daemon.report.findings.nights import nights_of
from daemon.report.findings.vocabulary import Known, Stream, Subject, View
from daemon.report.hours import is_night, local_hour
from daemon.report.scope import Scope, Span
from daemon.store.finding_facts import (
    Between,
    Moment,
    StreamRow,
    SubjectRow,
    count_flows,
    read_askers,
    read_judged,
    read_moments,
    read_slices,
    read_streams,
    read_subjects,
    read_verdicts,
)
from daemon.store.finding_known import read_known
from daemon.store.roster import station_key

DAY_US = 86_400_000_000
WINDOWS = (30, 14, 7, 4, 2, 1)  # days that are looked at, at most
MOST_FLOWS = 150_000  # in that time; 25,000 a day is a very busy home
_BROAD, _BROAD_RANDOM = 80, 25  # names that only something with a person behind it reaches; with a made-up MAC sooner
HISTORY_MONTHS = 3  # what was known before
_PERSONAL = PEOPLE | {"nas", "router", "console", "car", "watch"}
_MEDIA = frozenset({"tv", "console", "speaker", "voice-assistant"})
_PERSONAL_SYSTEMS = frozenset({"android", "ios", "ipados", "windows", "macos", "linux", "chromeos"})


@dataclass(frozen=True, slots=True)
class Gathered:
    """The view, and how many days of the asked time it has."""

    view: View
    days: float
    shortened: bool


def gather(scope: Scope) -> Gathered:
    """Everything that the kinds ask for, about the newest part of the scope's span."""
    since, until = _bounded(scope)
    rows = read_streams(scope.db, scope.site_id, since, until)
    breadth = _breadth(rows)
    subjects = {
        row.device_id: _subject(scope, row, breadth.get(row.device_id, 0))
        for row in read_subjects(scope.db, scope.site_id)
    }
    rows = [row for row in rows if row.device_id in subjects]
    lookup = _Lookup(scope, since, until, subjects)
    (begun,) = scope.db.execute("SELECT min(first_us) FROM capture WHERE site_id = ?", (scope.site_id,)).fetchone()
    view = View(
        since, until, begun if begun is not None else since, lookup.streams(rows), lookup.moments, lookup.slices,
        lambda: lookup.known, lambda: lookup.askers, scope.night, lambda: nights_of(scope, until, subjects),
        lambda time_us: is_night(local_hour(time_us, scope.zone), scope.night),
    )  # fmt: skip
    return Gathered(view, (until - since) / DAY_US, since > scope.span.since_us)


def _bounded(scope: Scope) -> tuple[int, int]:
    """The newest days as long as they are not crowded; each flow is counted once, and no more than need be."""
    until = min(scope.span.until_us, scope.newest_us + 1)
    since, counted = until, 0
    for days in reversed(WINDOWS):
        begin = max(scope.span.since_us, until - days * DAY_US)
        counted += count_flows(scope.db, scope.site_id, begin, since, MOST_FLOWS + 1 - counted)
        if counted > MOST_FLOWS and since < until:
            break
        since = begin
        if counted > MOST_FLOWS:  # already in a single day, which is looked at in any case
            break
    return since, until


def _breadth(rows: Sequence[StreamRow]) -> dict[int, int]:
    """How many names each device reached."""
    names: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.name_id is not None:
            names[row.device_id].add(row.name_id)
    return {device: len(reached) for device, reached in names.items()}


def _subject(scope: Scope, row: SubjectRow, breadth: int) -> Subject:
    broad = breadth >= (_BROAD_RANDOM if row.mac_random else _BROAD)
    unknown = row.kind is None and (broad or (row.system or "") in _PERSONAL_SYSTEMS)
    return Subject(
        row.device_id, station_key(row.mac, row.address), scope.called(row.device_id), row.kind,
        row.kind in _PERSONAL or unknown, row.kind in _MEDIA, row.vendor, row.first_us or 0,
    )  # fmt: skip


class _Lookup:
    """Answers of the store for one view, each read once."""

    def __init__(self, scope: Scope, since_us: int, until_us: int, subjects: Mapping[int, Subject]) -> None:
        self._scope, self._since_us, self._until_us, self._subjects = scope, since_us, until_us, subjects
        first, last = scope.over(Span(since_us, until_us)).months
        months = first - 1, last  # an older verdict is better than none
        self._judged = read_judged(scope.db, scope.site_id, *months)
        self._verdicts = read_verdicts(scope.db, scope.site_id, *months)

    def streams(self, rows: Sequence[StreamRow]) -> list[Stream]:
        """Rows that are one device, place, protocol, service and port, as one."""
        groups: dict[tuple[object, ...], list[StreamRow]] = defaultdict(list)
        for row in rows:
            groups[row.device_id, row.name or row.address, row.protocol, row.service, row.port].append(row)
        return [
            Stream(self._subjects[group[0].device_id], group[0].name or group[0].address, tuple(group),
                   self._verdicts.get(self._judged.get(_judged_as(group[0]), 0)))
            for group in groups.values()
        ]  # fmt: skip

    def _between(self, streams: Sequence[Stream]) -> Between:
        clients = {end for stream in streams for end in stream.clients}
        servers = {end for stream in streams for end in stream.servers}
        return Between(self._scope.site_id, self._since_us, self._until_us, clients, servers)

    def moments(self, streams: Sequence[Stream]) -> Mapping[Stream, Sequence[Moment]]:
        """The flows of some streams, in order of time."""
        owners = _owners(streams)
        found: dict[Stream, list[Moment]] = {stream: [] for stream in streams}
        if streams:
            for moment in read_moments(self._scope.db, self._between(streams)):
                stream = owners.get(moment[:5])
                if stream is not None:
                    found[stream].append(moment)
        return found

    def slices(self, streams: Sequence[Stream]) -> Mapping[Stream, Mapping[int, int]]:
        """Packets of some streams' long flows by quarter of an hour."""
        owners = _owners(streams)
        found: dict[Stream, dict[int, int]] = {stream: defaultdict(int) for stream in streams}
        for each in read_slices(self._scope.db, self._between(streams)) if streams else ():
            stream = owners.get(each[:5])
            if stream is not None:
                found[stream][each.slot_us] += each.packets
        return found

    @cached_property
    def askers(self) -> set[int]:
        """Devices whose questions for names were seen."""
        return read_askers(self._scope.db, self._scope.site_id, self._since_us, self._until_us)

    @cached_property
    def known(self) -> Known:
        """What devices reached before."""
        return _known(self._scope, self._since_us)


def _judged_as(row: StreamRow) -> tuple[int, int, str]:
    return row.device_id, row.name_id or 0, "" if row.name_id else row.address


def _owners(streams: Sequence[Stream]) -> dict[tuple[object, ...], Stream]:
    return {
        (row.client_id, row.server_id, row.port, row.kind_id, row.name_id): stream
        for stream in streams
        for row in stream.rows
    }


def _known(scope: Scope, since_us: int) -> Known:
    """What was reached in the months before, and before that day in its own month."""
    day = scope.day_of(since_us)
    month = scope.over(Span(since_us, since_us + 1)).months[0]
    rows = read_known(scope.db, scope.site_id, (month - HISTORY_MONTHS, month - 1), day)
    owners = frozenset((row.device_id, owner) for row in rows if (owner := row.organisation or row.registrable_domain))
    return Known(owners, frozenset((row.device_id, row.country) for row in rows if row.country))
