"""Whether recording is well: what stands on top of the overview when it is not, and a line for each thing that can fail.

Rule 1: a trouble says what happened, what is lost by it, and the cure; of a machine that records nothing (a demo, a
        laptop) nobody demands a recorder.
Rule 2: what services say of themselves is shown and never trusted to be of some shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemon.report.words import counted
from daemon.store.missing import Held
from web.numbers import count, duration, size
from web.options import ServiceState

BAD, WARN = "bad", "warn"
_LATE_S, _SILENT_S = 300.0, 1800.0
_MUCH_LOST = 0.001  # of all packets
_NEVER = ServiceState("", running=False, state="", sentence="", silent_seconds=0, numbers={})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is broken or late; `level` BAD where data is being lost."""

    level: str
    sentence: str
    cure: str
    command: str = ""  # to type on the box


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of recording, in a few words; `fine` False where it deserves a look."""

    about: str
    says: str
    fine: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What the judgement rests on; times in microseconds."""

    services: Sequence[ServiceState]
    held: Held  # of the span that is shown
    gaps: int
    gaps_us: int
    newest_us: int
    now_us: int  # by the wall clock

    def service(self, name: str) -> ServiceState | None:
        """What a service said last; None where it never ran."""
        return next((each for each in self.services if each.name == name), None)


def find_troubles(facts: Facts) -> list[Trouble]:
    """What is broken or late, the worst first."""
    if not facts.services:
        return []
    capture, ingest = facts.service("capture"), facts.service("ingest")
    silent = (facts.now_us - facts.newest_us) / 1e6
    found = [*_of_capture(capture, silent), *_of_ingest(ingest)]
    return sorted(found, key=lambda each: each.level != BAD)


def troubles_at_first(services: Sequence[ServiceState]) -> list[Trouble]:
    """The same of a box from which no packet came yet, the worst first."""
    named = {each.name: each for each in services}
    found = [*_of_capture(named.get("capture"), 0.0), *_of_ingest(named.get("ingest"))] if services else []
    return sorted(found, key=lambda each: each.level != BAD)


def _of_capture(capture: ServiceState | None, silent: float) -> Iterator[Trouble]:
    if capture is None or not capture.running:
        said = f" It said last: {capture.sentence}" if capture and capture.sentence else ""
        yield Trouble(
            BAD, f"Nothing is being recorded: the recorder does not run.{said}",
            "What devices send now is not kept. Start the recorder again; if it stops at once, the doctor says why.",
            "sudo systemctl restart homeport-capture && homeport doctor",
        )  # fmt: skip
        return
    if capture.state == "paused":
        yield Trouble(
            BAD, f"Recording is paused. {capture.sentence}",
            "Make room on the disk, or let Homeport keep less in the settings; recording goes on by itself.",
            "df -h",
        )  # fmt: skip
        return
    if capture.numbers.get("synced") is False:
        yield Trouble(
            WARN, "Nobody has set the clock of the box yet, so what is recorded waits and is not shown.",
            "It needs a time server: check that the box reaches the internet.", "timedatectl",
        )  # fmt: skip
    written = number_of(capture.numbers, "written")
    lost = number_of(capture.numbers, "kernel_drops") + number_of(capture.numbers, "interface_drops")
    if lost > _MUCH_LOST * max(written + lost, 1):
        yield Trouble(
            WARN, f"{_many(int(lost), 'packet')} lost since the recorder was started: more came than the box can write.",
            "A slow memory card is the usual reason; a larger buffer helps against short peaks.", "homeport doctor",
        )  # fmt: skip
    if silent > _SILENT_S and capture.numbers.get("synced") is not False:
        yield Trouble(
            WARN, f"No packet has come for {duration(silent)}.",
            "Nothing passes through the box. Are your devices connected to its Wi-Fi?", "homeport doctor",
        )  # fmt: skip


def _of_ingest(ingest: ServiceState | None) -> Iterator[Trouble]:
    if ingest is None or not ingest.running:
        yield Trouble(
            WARN, "What is recorded is not being read, so these pages stand still.",
            "Nothing is lost: reading goes on where it stopped.", "sudo systemctl restart homeport-ingest",
        )  # fmt: skip
        return
    lag = number_of(ingest.numbers, "lag_s")
    if lag > _LATE_S:
        yield Trouble(
            WARN, f"Reading is {duration(lag)} behind recording; these pages show what was before.",
            "It catches up by itself, unless more comes than the box can read.", "homeport doctor",
        )  # fmt: skip
    unread = ingest.numbers.get("given_up_unread")
    if isinstance(unread, Sequence) and not isinstance(unread, str) and unread:
        yield Trouble(
            BAD, f"The disk is too small: {_many(len(unread), 'capture')} deleted before anybody could read them.",
            "Give Homeport more room, or let it keep less.", "homeport doctor",
        )  # fmt: skip
    free, floor = number_of(ingest.numbers, "free_bytes"), number_of(ingest.numbers, "floor_bytes")
    if floor and 0 < free < floor:
        yield Trouble(
            WARN, f"The disk is nearly full: {size(free)} are free, {size(floor)} should stay so.",
            "Something besides Homeport fills it; until then old captures go earlier.", "df -h",
        )  # fmt: skip


def health_lines(facts: Facts) -> list[Line]:
    """Recording, gaps, drops, understanding, clock, disk: a line each."""
    held, capture, ingest = facts.held, facts.service("capture"), facts.service("ingest")
    lines = [_recording(capture, facts)]
    lines.append(
        Line("Gaps", f"{facts.gaps} in this time, together {duration(facts.gaps_us / 1e6)}", fine=False)
        if facts.gaps
        else Line("Gaps", "none in this time")
    )
    lines.append(_drops(held))
    share = held.undecoded_packets / held.packets if held.packets else 0.0
    words = f"{count(held.undecoded_packets)} of {count(held.packets)} packets not understood"
    lines.append(
        Line("Understood", words, fine=share < _MUCH_LOST)
        if held.undecoded_packets
        else Line("Understood", f"all of {count(held.packets)} packets")
    )
    unset = held.unsynced or (capture is not None and capture.numbers.get("synced") is False)
    waiting = f"captures that wait until it is set: {held.unsynced}" if held.unsynced else "not set yet"
    lines.append(Line("Clock", waiting, fine=False) if unset else Line("Clock", "right all of this time"))
    lines.append(_disk(ingest, held))
    return lines


def _recording(capture: ServiceState | None, facts: Facts) -> Line:
    if not facts.services:
        return Line("Recording", f"{_many(facts.held.captures, 'capture')} imported; no recorder runs on this machine")
    if capture is None or not capture.running:
        return Line("Recording", "stopped", fine=False)
    return Line("Recording", capture.sentence or capture.state, fine=capture.state != "paused")


def _drops(held: Held) -> Line:
    lost = held.kernel_drops + held.interface_drops
    if not held.watched:
        return Line("Lost", "nobody knows: another program recorded these captures")
    if not lost:
        return Line("Lost", "no packet")
    share = lost / (held.packets + lost)
    return Line("Lost", f"{counted(lost, 'packet')} ({share * 100:.3f} %) came too fast", fine=share < _MUCH_LOST)


def _disk(ingest: ServiceState | None, held: Held) -> Line:
    if ingest is None:
        return Line("Disk", f"captures of this time hold {size(held.bytes)} of traffic")
    free, floor, captures = (number_of(ingest.numbers, key) for key in ("free_bytes", "floor_bytes", "captures_bytes"))
    return Line("Disk", f"{size(free)} free, captures take {size(captures)}", fine=free >= floor)


def number_of(numbers: Mapping[str, object], key: str) -> float:
    """A number that a service said; 0 for anything else."""
    value = numbers.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _many(number: int, what: str) -> str:
    """`1 capture was`, `7 captures were`"""
    return f"{counted(number, what)} {'was' if number == 1 else 'were'}"
