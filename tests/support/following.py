"""A world for the service that follows captures: its clocks stand still until somebody moves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from daemon.decode.sidecar import SidecarLine, format_line
from daemon.ingest.sidecars import sidecar_of
from daemon.ingest.standing import Standing

BOOT = "0f0e0d0c-1111-2222-3333-444455556666"


@dataclass(slots=True)
class StillWorld:
    """Time passes only in `sleep`; `events` happen before it does, one a nap, and after the last the service ends."""

    events: list[Callable[[], None]] = field(default_factory=list)
    now_s: float = 1000.0
    began_s: float = 1_780_000_000.0
    naps: int = 0
    heard: list[Standing] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now_s

    def wall(self) -> float:
        return self.began_s + self.now_s

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        self.now_s += seconds
        if self.events:
            self.events.pop(0)()

    def stopping(self) -> bool:
        return not self.events and self.naps > 0

    def hear(self, standing: Standing) -> None:
        self.heard.append(standing)


def line(event: str, time_us: int, on_disk: int = 0, **others: object) -> SidecarLine:
    """A line of a sidecar; the monotonic clock began with the wall clock at zero unless told otherwise."""
    known = {"monotonic_us": time_us, "boot_id": BOOT, "synced": True} | {
        name: others.pop(name)
        for name in ("monotonic_us", "boot_id", "synced", "received", "kernel_drops", "interface_drops")
        if name in others
    }
    return SidecarLine(event, time_us, on_disk=on_disk, more=others, **known)  # type: ignore[arg-type]  # as the caller says


def say(path: Path, *lines: SidecarLine) -> Path:
    """Append lines to the sidecar of a capture file."""
    with sidecar_of(path).open("ab") as file:
        for each in lines:
            file.write(format_line(each))
    return path
