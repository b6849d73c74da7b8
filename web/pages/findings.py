"""Findings: what in the traffic is worth a look, each with its evidence, an explanation, and the owner's word on it.

Rule 1: what the owner muted stays at the end of the list, with a way back; nothing that was found is hidden for good.
Rule 2: a page that would take long says so at once, and asks for itself again.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.responses import Response

from daemon.report.findings.evidence import Evidence, evidence_of
from daemon.report.findings.hunt import Hunt, Reached
from daemon.report.findings.listing import notes, sentences
from daemon.report.findings.vocabulary import HAMMERING, KIND_WORDS, SEVERITIES, USUAL, Finding
from daemon.store import mutes
from daemon.store.mutes import Said, standing_remarks
from daemon.store.words import BadWordError
from web.hunting import SECONDS, found, found_already
from web.moments import instant
from web.pages.finding_tables import days_of, file_of
from web.reading import reading
from web.routing import Page
from web.visit import NotHereError, Visit

_MOST_BARS = 120
_SILENT = Said(None, None)
TAGS = {3: "bad", 2: "warn", 1: "", 0: ""}
_HOUR_US = 3_600_000_000
_WHOLE = (1, 3, 6, 12, 24)  # hours a bar


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding in the list, with what the owner said of it."""

    finding: Finding
    said: Said

    @property
    def muted(self) -> bool:
        """Whether the owner does not want to be told."""
        return self.said.mute is not None


def show(visit: Visit) -> Response:
    """The list."""
    hunted, remarks = found_already(visit), standing_remarks(visit.owner, visit.site)
    if hunted is None:
        return _wait(visit)
    every = [Shown(each, remarks.get(each.finding_id, _SILENT)) for each in hunted.findings]
    told = [each for each in every if each.finding.severity > USUAL]
    wanted = [each for each in told if _wanted(each.finding, visit)]
    loud = [each for each in wanted if not each.muted]
    return visit.page(
        "findings.html",
        lead=sentences(_without(hunted, {each.finding.finding_id for each in told if each.muted})),
        loud=loud,
        muted=[each for each in wanted if each.muted],
        usual=[each for each in every if each.finding.severity == USUAL and _wanted(each.finding, visit)],
        notes=notes(hunted),
        kinds=[(kind, words, sum(each.finding.kind == kind for each in told)) for kind, words in KIND_WORDS.items()],
        narrowed=visit.query("kind") is not None or visit.query("device") is not None,
        every=len(told), words=KIND_WORDS, severities=SEVERITIES, tags=TAGS, address=address, destination_of=_destination,
    )  # fmt: skip


def _wait(visit: Visit) -> Response:
    """A page that is there at once, and asks for itself again until somebody has looked."""
    asked = visit.request.url.query
    return visit.page(
        "findings_wait.html", again=f"{visit.request.url.path}?{asked}" if asked else visit.request.url.path
    )


def address(visit: Visit, finding: Finding, what: str = "") -> str:
    """The page of a finding, or of what is done to it."""
    return visit.link(f"/findings/{finding.finding_id}{what}", device=None)


def _without(hunted: Hunt, muted: set[str]) -> Hunt:
    return replace(hunted, findings=tuple(each for each in hunted.findings if each.finding_id not in muted))


def _wanted(finding: Finding, visit: Visit) -> bool:
    kind, device = visit.query("kind"), visit.query("device")
    if kind is not None and finding.kind != kind:
        return False
    return device is None or finding.subject.device_id == visit.resident(device).device_id


def show_one(visit: Visit) -> Response:
    """One finding with its evidence."""
    hunted = found_already(visit)
    if hunted is None:
        return _wait(visit)
    finding = _finding(hunted, visit.param("name"))
    evidence = _evidence(visit, hunted, finding)
    said = standing_remarks(visit.owner, visit.site).get(finding.finding_id, _SILENT)
    return visit.page(
        "finding.html",
        finding=finding, said=said, evidence=evidence, days=days_of(evidence.times, visit.zone),
        severities=SEVERITIES, words=KIND_WORDS, tags=TAGS, address=address,
        bars=_bars(visit, finding, evidence), distances=_distances(evidence),
        others=_others(visit, hunted, finding),
        history=mutes.remarks_of(visit.owner, visit.site, finding.finding_id),
        file=lambda table=None: visit.link(f"/findings/{finding.finding_id}.csv", device=None, table=table),
        destination=_destination(finding), command=_command(visit, finding), longest=mutes.LONGEST_NOTE,
    )  # fmt: skip


def table(visit: Visit) -> Response:
    """One of the tables of its page as a file: when each of its connections began, if nothing else is asked for."""
    hunted = found_already(visit)
    if hunted is None:
        return _wait(visit)
    finding = _finding(hunted, visit.param("name"))
    return file_of(finding.finding_id, visit.query("table") or "times", _evidence(visit, hunted, finding))


def _evidence(visit: Visit, hunted: Hunt, finding: Finding) -> Evidence:
    scope = visit.scope().of(None)

    def read() -> Evidence:
        with reading(visit.options.database, SECONDS) as db:
            return evidence_of(replace(scope, db=db), finding, hunted.since_us, hunted.until_us)

    key = "evidence", finding.finding_id, finding.connections, hunted.since_us, hunted.until_us
    return visit.remember(key, read, lasting=True)


def _finding(hunted: Hunt, name: str) -> Finding:
    for each in hunted.findings:
        if each.finding_id == name:
            return each
    raise NotHereError("This was not found in the time that is asked about. Choose a longer one, or look at the list.")


def _others(visit: Visit, hunted: Hunt, finding: Finding) -> list[Reached]:
    """Other devices at the same domain."""
    return [
        each
        for each in hunted.reached.get(finding.trace.domain, ())
        if each.device_id in visit.names and each.device_id != finding.subject.device_id
    ]


def _destination(finding: Finding) -> str | None:
    """The destination where it is one; a finding may be about many."""
    return finding.trace.place if finding.place in (finding.trace.place, finding.trace.owner) else None


def _command(visit: Visit, finding: Finding) -> str:
    since = datetime.fromtimestamp(finding.first_us / 1e6, UTC).astimezone(ZoneInfo(visit.zone))
    destination = _destination(finding)
    words = ["homeport", "pcap", "--device", finding.subject.key]
    words += [] if destination is None else ["--destination", destination]
    return shlex.join([*words, "--since", f"{since:%Y-%m-%d}", "-w", "packets.pcap"])


@dataclass(frozen=True, slots=True)
class Bars:
    """Numbers over time for a column chart: what is counted, and one (label, number) a column."""

    what: str
    table: str  # of the finding's page, as its file is called
    columns: tuple[tuple[str, int], ...]
    spans: tuple[tuple[str, str], ...]  # of each column, as addresses of packets say it


def _bars(visit: Visit, finding: Finding, evidence: Evidence) -> Bars:
    """Connections over time; packets, where it is they that are so many."""
    few = finding.connections * 100 < sum(number for _, number in evidence.packets_by_hour)
    what, table, hours = (
        ("packets", "packets", evidence.packets_by_hour) if few else ("connections", "hours", evidence.by_hour)
    )
    if finding.kind != HAMMERING and not few and len(evidence.times) > 1:
        return Bars("", "", (), ())
    step = next((each for each in _WHOLE if len(hours) <= each * _MOST_BARS), _WHOLE[-1])
    zone = ZoneInfo(visit.zone)
    sums: dict[int, int] = {}
    for begin, number in hours:
        at = begin // (step * _HOUR_US) * step * _HOUR_US
        sums[at] = sums.get(at, 0) + number
    labels = {at: datetime.fromtimestamp(at / 1e6, UTC).astimezone(zone) for at in sums}
    each_word = "each hour" if step == 1 else f"each {step} hours"
    return Bars(
        f"{what} {each_word}", table, tuple((f"{labels[at]:%-d %b %H:%M}", number) for at, number in sums.items()),
        tuple((instant(at), instant(at + step * _HOUR_US)) for at in sums),
    )  # fmt: skip


def _distances(evidence: Evidence) -> list[tuple[str, int]]:
    """Classes of distances in words."""
    named: list[tuple[str, int]] = []
    for low, high, number in evidence.distances:
        words = (
            f"over {_short(low)}" if high == float("inf") else f"{_short(low)} to {_short(high)}" if low else "at once"
        )
        named.append((words, number))
    return named


def _short(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def mute(visit: Visit) -> Response:
    """Do not tell of it any more."""
    finding = _finding(found(visit), visit.param("name"))
    key, name = finding.subject.key, finding.finding_id
    if standing_remarks(visit.owner, visit.site).get(name, _SILENT).mute is None:
        visit.keep(lambda db, now_us: mutes.mute(db, visit.site, key, name, visit.session.who, now_us))
    return visit.go(visit.link("/findings", device=None))


def note(visit: Visit) -> Response:
    """Keep a note; an empty one takes the last back."""
    finding = _finding(found(visit), visit.param("name"))
    key, name, text = finding.subject.key, finding.finding_id, visit.form.get("note", "")
    before = standing_remarks(visit.owner, visit.site).get(name, _SILENT).note
    if " ".join(text.split()) != (before.value if before else ""):
        visit.keep(lambda db, now_us: mutes.note(db, visit.site, key, name, text, visit.session.who, now_us))
    return visit.go(address(visit, finding))


def undo(visit: Visit) -> Response:
    """Take a remark back."""
    number, name = visit.form.get("remark", ""), visit.param("name")
    if not (number.isascii() and number.isdecimal() and len(number) < 16):
        raise BadWordError("Nothing was undone: that is no remark.")
    remarks: Mapping[int, mutes.Remark] = {
        each.remark_id: each for each in mutes.remarks_of(visit.owner, visit.site, name)
    }
    if int(number) not in remarks:
        raise BadWordError("Nothing was undone: there is no such remark about this finding.")
    if remarks[int(number)].undone_us is None:
        visit.keep(lambda db, now_us: mutes.undo(db, int(number), visit.session.who, now_us))
    return visit.go(visit.link(f"/findings/{quote(name, safe='')}", device=None))


PAGES = (
    Page("/findings", show),
    Page("/findings/{name}.csv", table),
    Page("/findings/{name}", show_one),
    Page("/findings/{name}/mute", mute, "POST"),
    Page("/findings/{name}/note", note, "POST"),
    Page("/findings/{name}/undo", undo, "POST"),
)
