"""Days of recordings for the disk budget, as our recorder leaves them, and a disk that is told its room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from daemon.ingest.keep import Room
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, talk, write
from tests.support.following import line, say
from tests.support.packets import START_US

MIDNIGHT_US = START_US // DAY * DAY


def recorded(folder: Path, day: int, *, closed: bool = True, packets: bool = True, reply: int = 20_000) -> Path:
    """A day's file with its sidecar: one lookup and one conversation."""
    begin = MIDNIGHT_US + day * DAY
    path = folder / f"2023-11-{14 + day:02}_00.00.00_wlan0.pcap"
    frames = [*lookup(begin + SECOND, f"day{day}.example"), *talk(begin + 2 * SECOND, f"day{day}.example", reply=reply)]
    write(path, frames if packets else [])
    size = path.stat().st_size
    say(path, line("open", begin), line("sample", begin + 5 * SECOND, on_disk=size))
    if closed:
        say(path, line("close", begin + DAY - SECOND, on_disk=size, reason="midnight"))
    return path


@dataclass
class FakeRoom:
    """A disk of which only the files of one folder take room, and what somebody else has put there."""

    folder: Path
    total: int = 1 << 30
    others: int = 0

    def __call__(self, _place: Path) -> Room:
        used = sum(path.stat().st_blocks * 512 for path in self.folder.iterdir())
        return Room(self.total, max(0, self.total - self.others - used))

    def leave(self, free: int) -> None:
        """Somebody else fills the disk until so much is free."""
        self.others = 0
        self.others = self(self.folder).free - free
