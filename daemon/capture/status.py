"""What a recording says of itself while it runs: a state, a sentence and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.capture.clock import Reading
from daemon.capture.recorder import Recorder
from daemon.decode.levels import Levels
from daemon.decode.sidecar import Value

CAPTURING, PAUSED = "capturing", "paused"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a recording stands. The numbers count since it was started; sizes in bytes, times in microseconds."""

    state: str
    sentence: str
    numbers: dict[str, Value]


def standing(
    recorder: Recorder, interface: str, now: Reading, *, synced: bool, levels: Levels | None = None
) -> Standing:
    """What there is to say after a turn of the loop. `levels`: what holds; None where nobody looks."""
    held = Levels() if levels is None else levels
    pause, file = recorder.pause, recorder.current
    numbers: dict[str, Value] = {
        "interface": interface,
        "file": file.path.name if file else None,
        "folder": str(recorder.folder),
        "size": file.size if file else 0,
        "on_disk": file.on_disk if file else 0,
        "files": recorder.files,
        "received": recorder.received,
        "written": recorder.written,
        "kernel_drops": recorder.kernel_drops,
        "interface_drops": recorder.interface_drops,
        "synced": synced,
        "snaplen": recorder.snaplen,
        "paused_since_us": pause.since.wall_us if pause else None,
        "lost_in_pause": pause.lost if pause else 0,
        "not_recorded": len(held.off),
        "without_names": len(held.no_names),
        "levels": held.digest,
    }
    sentence = _sentence(recorder, interface, now, held, synced=synced)
    return Standing(PAUSED if pause else CAPTURING, sentence, numbers)


def _sentence(recorder: Recorder, interface: str, now: Reading, levels: Levels, *, synced: bool) -> str:
    pause = recorder.pause
    if pause is not None:
        seconds = (now.monotonic_us - pause.since.monotonic_us) // 1_000_000
        return f"Nothing of {interface} has been recorded for {seconds:,} s: {pause.why}."
    drops = recorder.kernel_drops + recorder.interface_drops
    lost = f"{drops:,} lost" if drops else "none lost"
    waits = "" if synced else "; nobody has set the clock yet"
    if recorder.shortened:
        waits += f"; of each only {recorder.snaplen} bytes, as the disk has little room"
    if levels:
        off, bare = len(levels.off), len(levels.no_names)
        waits += f"; as their owner wishes {off:,} {'MAC' if off == 1 else 'MACs'} not at all, {bare:,} without names"
    return f"Recording {interface}: {recorder.written:,} packets, {lost}{waits}."
