"""What was not captured, not kept or not understood: beside every total stands what is missing from it.

Rule 1: what was lost while recording is known only of recordings that tell it; of captures made elsewhere nobody knows,
        and that is said.
Rule 2: whom the owner does not want recorded in full is said with since when, so that nobody takes silence for nothing.
Rule 3: a device is seen in part where recording was: two Wi-Fi clients may talk through the radio itself, unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from daemon.report.recording import MEANINGS, Unrecorded
from daemon.report.recording import counted as unrecorded_words
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, share_words, span_words
from daemon.store.missing import Held, count_gaps, read_broken, read_gaps, read_held, read_undecoded

_COLUMNS = (
    Column("what", "What"),
    Column("where", "Where"),
    Column("from_us", "From", TIME),
    Column("to_us", "Until", TIME),
    Column("packets", "Packets", COUNT),
    Column("bytes", "Data", SIZE),
    Column("reason", "Why"),
)
_MOST = 500


def report(scope: Scope) -> Report:
    """Rows for gaps, drops, undecoded packets, captures that are not whole, and devices that are recorded in part."""
    held = read_held(scope.db, scope.window)
    rows: list[tuple[object, ...]] = [
        ("gap", gap.series, gap.from_us, gap.to_us, None, None, gap.reason)
        for gap in read_gaps(scope.db, scope.window, _MOST)
    ]
    for lost, where in ((held.kernel_drops, "the kernel"), (held.interface_drops, "the network interface")):
        if lost:
            rows.append(
                ("dropped", where, held.first_us, held.last_us, lost, None, "came faster than it could be recorded")
            )
    rows += [
        ("undecoded", "captures", held.first_us, held.last_us, each.packets, each.bytes, each.reason)
        for each in read_undecoded(scope.db, scope.window)
    ]
    rows += [
        (each.status, each.path.rpartition("/")[2], None, None, None, None, each.error or _STATUS[each.status])
        for each in read_broken(scope.db, scope.window, _MOST)
    ]
    partly = [each for each in scope.unrecorded() if each.since_us < scope.span.until_us]
    if scope.device_id is not None:
        partly = [each for each in partly if each.device_id == scope.device_id]
    rows += [("device", each.name, each.since_us, None, None, None, MEANINGS[each.level].now) for each in partly]
    sentences = _sentences(held, count_gaps(scope.db, scope.window), partly)
    return Report("What is missing", _COLUMNS, tuple(rows), tuple(sentences), _notes(held))


_STATUS = {
    "torn": "ends within a packet",
    "corrupt": "damaged in the middle; reading went on behind it",
    "unsupported": "of a kind that Homeport cannot read",
    "unsynced": "waits for a clock: it was begun before the time was known",
}


def _sentences(held: Held, gaps: tuple[int, int], partly: Sequence[Unrecorded]) -> list[str]:
    if not held.captures:
        return ["Nothing was recorded in this time."]
    number, lost_us = gaps
    dropped = held.kernel_drops + held.interface_drops
    said = []
    if number:
        length = (
            span_words(lost_us / 1e6) if lost_us >= 3_600_000_000 else counted(max(1, lost_us // 60_000_000), "minute")
        )
        said.append(f"Recording had {counted(number, 'gap')}, together {length}.")
    if dropped:
        share = dropped / (held.packets + dropped)
        said.append(f"{counted(dropped, 'packet')} came faster than it could be recorded ({share_words(share)}).")
    if held.undecoded_packets:
        share = held.undecoded_packets / max(held.packets, 1)
        said.append(f"{counted(held.undecoded_packets, 'packet')} could not be understood ({share_words(share)}).")
    said += [f"{counted(n, 'capture')} {words}." for n, words in _whole(held) if n]
    if partly:
        said.append(f"As you asked, {unrecorded_words(partly)}: what is not recorded is missing in every total.")
    return said or [f"Nothing is missing: all {held.packets:,} packets were recorded and understood."]


def _whole(held: Held) -> Sequence[tuple[int, str]]:
    return (
        (held.torn, "ended within a packet"), (held.corrupt, "had damage inside"),
        (held.unsynced, "waited for a clock"), (held.unsupported, "could not be read at all"),
    )  # fmt: skip


def _notes(held: Held) -> tuple[str, ...]:
    notes = []
    if held.captures > held.watched:
        notes.append(
            f"Of {held.captures - held.watched:,} of {counted(held.captures, 'capture')} nobody knows what was lost while"
            " recording: they were made by another program."
        )
    notes.append("Two devices on the Wi-Fi may talk through the radio itself; such traffic no recording sees.")
    return tuple(notes)
