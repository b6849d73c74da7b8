"""Which packet goes into which file, and when files begin, end, wait and go on.

Rule 1: the recorder is told the time with every round and asks nobody. Whether there are packets makes no difference.
Rule 2: a border between two files is exact by packet time; the old file stays open for what arrives late (`leaving`).
Rule 3: a disk that is full, and an interface that is gone, are a pause, not an end. What is lost meanwhile is counted;
        the file goes on when there is room again. A file that the disk failed on is given up, and another begun.
Rule 4: files that began before the clock was set do not get a date for a name, and learn afterwards how far it was off.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from daemon.capture import names
from daemon.capture.clock import Reading, jump_between
from daemon.capture.leaving import Leavers
from daemon.capture.plan import Pace, Pause, Place
from daemon.capture.recording import Begin, Recording
from daemon.capture.records import Batch
from daemon.capture.recover import date_undated
from daemon.capture.room import RoomWatch
from daemon.capture.schedule import next_midnight_us
from daemon.capture.writer import Disk, Flusher, TroubleError

_LATE_US = 60_000_000  # a day that begins so much later than its midnight (the machine slept) is named by the clock


class Recorder:
    """The files of one interface. Call `begin`, then `round` for ever, then `end`."""

    def __init__(self, place: Place, disk: Disk, pace: Pace, say: Callable[[str], None]) -> None:
        """`say`: a sentence for whoever looks after the machine."""
        self.current: Recording | None = None
        self.disk_pause: Pause | None = None
        self.link_pause: Pause | None = None
        self.received = self.written = self.kernel_drops = self.interface_drops = self.files = 0
        self._place = place
        self._disk = disk
        self._pace = pace
        self.say = say
        self._flusher = Flusher(disk)
        self._room = RoomWatch(disk, place.folder, pace)
        self._leaving = Leavers(self._flusher, pace.linger_us)
        self._until_us = 0
        self._link = 0
        self._pending_drops = (0, 0)

    def begin(self, now: Reading, *, synced: bool, link: int) -> None:
        """Make the first file, or wait for room for it. OSError where the folder takes no file."""
        self._link = link
        self._open(now, now.wall_us, synced=synced, reason="start")

    def round(
        self, batch: Batch, now: Reading, *, synced: bool, drops: tuple[int, int] = (0, 0), drained: bool = True
    ) -> None:
        """One turn of the loop: packets that came (possibly none), the time after they were taken, drops since.

        `drained`: the kernel had no more packets to give when these were taken.
        """
        self.received += len(batch)
        self._count_drops(drops)
        self._resume_if_room(now, synced=synced)
        if self._room.turned(now.monotonic_us):
            self._mind_room(now)
        if self.current is not None:
            self._turn(self.current, now, synced=synced)
        batch = self._leaving.take(batch, lambda recording, old: self._write(recording, old, now))
        self._write(self.current, batch, now)
        self._keep(now)
        self._leaving.let_go(now, self._trouble, drained=drained)

    def end(self, now: Reading, reason: str = "stopped") -> None:
        """Bring everything to the disk and close; packets that came are written before."""
        self._leaving.end(lambda recording, why: self._close(recording, now, why))
        if self.current is not None:
            self._close(self.current, now, reason)
            self.current = None
        self._flusher.close()

    def link_lost(self, now: Reading, why: str) -> None:
        """The interface is gone."""
        if self.link_pause is None:
            self.link_pause = Pause(why, now, now.monotonic_us)
            self._note_pause(now, why)
            self.say(f"paused: {why}; waiting for it")

    def link_back(self, now: Reading, *, synced: bool, link: int) -> None:
        """The interface is there again."""
        pause, self.link_pause = self.link_pause, None
        if pause is None:
            return
        self.say("capturing again")
        if self.disk_pause is None and self.current is not None:
            self.note(self.current, "resume", now, lost=pause.lost, from_us=pause.since.wall_us)
        if link != self._link:
            self._link = link
            if self.current is not None:
                self._replace(self.current, now, now.wall_us, lambda _: False, synced=synced, reason="link")

    @property
    def snaplen(self) -> int:
        """Bytes of a packet that the next file keeps."""
        wanted = self._place.snaplen
        return min(wanted, self._pace.low_snaplen) if self.shortened else wanted

    @property
    def shortened(self) -> bool:
        """Whether packets are cut for want of room."""
        return self._room.low and self._pace.low_snaplen > 0

    @property
    def folder(self) -> Path:
        """Where the files go."""
        return self._place.folder

    @property
    def pause(self) -> Pause | None:
        """Why nothing is being written, if so."""
        return self.disk_pause or self.link_pause

    def flushing_since_us(self) -> int | None:
        """Since when the disk owes the end of an fdatasync, by the monotonic clock."""
        held = [*self._leaving, *([self.current] if self.current else [])]
        since = [started for started in (recording.flushing_since_us() for recording in held) if started is not None]
        return min(since, default=None)

    def _count_drops(self, drops: tuple[int, int]) -> None:
        self.kernel_drops += drops[0]
        self.interface_drops += drops[1]
        if self.current is not None:
            self.current.kernel_drops += drops[0]
            self.current.interface_drops += drops[1]
        else:
            self._pending_drops = self._pending_drops[0] + drops[0], self._pending_drops[1] + drops[1]

    # Files begin and end

    def _names(self, time_us: int, *, synced: bool) -> Iterator[str]:
        place = self._place
        if synced:
            return names.dated(time_us, place.zone, place.interface)
        return names.undated(place.boot_id, place.interface)

    def _open(self, now: Reading, named_us: int, *, synced: bool, reason: str) -> bool:
        """A new current file; False, and a pause, where the disk does not take one. OSError for what does not pass."""
        place = self._place
        begin = Begin(now, place.boot_id, synced, self._link, self.snaplen)
        try:
            recording = Recording.create(place.folder, self._names(named_us, synced=synced), self._disk, begin)
        except TroubleError as trouble:
            self._pause(now, trouble.number)
            return False
        except OSError as error:
            if self.disk_pause is None and not TroubleError(error.errno or 0).full and self.files == 0:
                raise
            self._pause(now, error.errno or 0)
            return False
        self.files += 1
        recording.kernel_drops, recording.interface_drops = self._pending_drops
        self._pending_drops = (0, 0)
        self.current = recording
        self._until_us = next_midnight_us(max(now.wall_us, named_us), place.zone)
        self.note(
            recording,
            "open",
            now,
            reason=reason,
            interface=place.interface,
            link=self._link,
            snaplen=self.snaplen,
            **place.about,
        )
        return self.current is recording  # not where the disk failed on that line

    def _replace(
        self,
        old: Recording,
        now: Reading,
        named_us: int,
        is_old: Callable[[int], bool],
        *,
        synced: bool,
        reason: str,
    ) -> None:
        if not old.closed:  # it was given up a moment ago, when the disk failed on its last line
            self._leaving.add(old, is_old, now, reason)
        self.current = None
        self._open(now, named_us, synced=synced, reason=reason)

    def _turn(self, current: Recording, now: Reading, *, synced: bool) -> None:
        """Begin another file if it is time to."""
        jump = jump_between(current.begin.reading.anchor_us, now)
        dated = synced and not current.begin.synced
        if dated:
            self._date(current, now)
        if jump:
            self.note(current, "jump", now, offset_us=jump.offset_us)
            self.say(f"the clock was moved by {jump.offset_us / 1e6:+.1f} s; a new file begins")
            self._replace(current, now, now.wall_us, jump.is_old, synced=synced, reason="jump")
        elif dated:
            border_us = now.wall_us
            self._replace(current, now, now.wall_us, lambda us: us < border_us, synced=True, reason="sync")
        elif now.wall_us >= self._until_us:
            border_us = self._until_us
            named_us = border_us if now.wall_us - border_us < _LATE_US else now.wall_us
            self._replace(current, now, named_us, lambda us: us < border_us, synced=synced, reason="midnight")
        elif self._pace.rotate is not None and current.size >= self._pace.rotate:
            self._replace(current, now, now.wall_us, lambda _: False, synced=synced, reason="size")
        elif current.begin.snaplen != self.snaplen and self.disk_pause is None:
            self._replace(current, now, now.wall_us, lambda _: False, synced=synced, reason="room")

    def _date(self, current: Recording, now: Reading) -> None:
        offset_us = now.anchor_us - current.begin.reading.anchor_us
        self.note(current, "sync", now, offset_us=offset_us)
        self.say(f"the clock is set; times of this file were {offset_us / 1e6:+.3f} s away from it")
        place = self._place
        try:
            date_undated(place.folder, place.interface, place.boot_id, now, current.path)
        except OSError as error:
            self.say(f"earlier files were not told that the clock is set ({error}); the next start does it")

    # Packets

    def _write(self, recording: Recording | None, batch: Batch, now: Reading) -> None:
        if not batch:
            return
        if recording is None or self.disk_pause is not None:
            self._lose(recording, len(batch))
            return
        before = recording.written
        try:
            recording.write(batch)
        except TroubleError as trouble:
            self._trouble(recording, now, trouble)
            self._lose(None, len(batch) - trouble.written)
        self.written += recording.written - before

    def _lose(self, recording: Recording | None, packets: int) -> None:
        if recording is not None:
            recording.received += packets
        if self.disk_pause is not None:
            self.disk_pause.lost += packets

    # Trouble

    def _trouble(self, recording: Recording, now: Reading, trouble: TroubleError) -> None:
        """The disk did not do what it should with a file."""
        self._pause(now, trouble.number, recording)
        if trouble.usable:
            return
        self.say(f"{recording.path.name} is given up after {recording.on_disk} bytes: {trouble}")
        self._abandon(recording, now)

    def _abandon(self, recording: Recording, now: Reading) -> None:
        try:
            recording.note("close", now, reason="failed")
        except TroubleError as trouble:
            self.say(f"the sidecar of {recording.path.name} has no end: {trouble}")
        recording.close()
        self._leaving.drop(recording)
        if recording is self.current:
            self.current = None

    def _pause(self, now: Reading, number: int, recording: Recording | None = None, why: str = "") -> None:
        if self.disk_pause is not None:
            return
        full = TroubleError(number).full
        why = why or ("the disk is full" if full else f"the disk fails: {os.strerror(number).lower()}")
        self.disk_pause = Pause(why, now, now.monotonic_us, full=full)
        self._note_pause(now, why, recording)
        self.say(f"paused: {why}: {self._place.folder}; recording goes on by itself when that is over")

    def _note_pause(self, now: Reading, why: str, recording: Recording | None = None) -> None:
        recording = recording or self.current
        if recording is not None and (self.disk_pause is None or self.link_pause is None):
            self.note(recording, "pause", now, reason=why)

    def _resume_if_room(self, now: Reading, *, synced: bool) -> None:
        pause = self.disk_pause
        if pause is None or now.monotonic_us - pause.tried_us < self._pace.retry_us:
            return
        pause.tried_us = now.monotonic_us
        if pause.full and not self._room.enough():
            return
        if self.current is None and not self._open(now, now.wall_us, synced=synced, reason="resume"):
            return
        self.disk_pause = None
        if self.current is not None and self.link_pause is None:
            self.note(self.current, "resume", now, lost=pause.lost, from_us=pause.since.wall_us)
        if self._goes_on(pause):
            return
        seconds = (now.monotonic_us - pause.since.monotonic_us) / 1e6
        self.say(f"recording again after {seconds:.0f} s; {pause.lost} packets were lost")

    def _goes_on(self, pause: Pause) -> bool:
        """Whether the disk failed again on the very line that said the pause was over: then it is one pause, not two."""
        again = self.disk_pause
        if again is not None:
            again.lost += pause.lost
            again.since = pause.since
        return again is not None

    def _mind_room(self, now: Reading) -> None:
        """The disk has less room than is to stay free, or more again."""
        short = f"less than {self._pace.floor >> 20:,} MiB are free"
        if self._pace.low_snaplen:  # `_turn` begins the file that has it so
            cut = f"{short}: only {self.snaplen} bytes of each packet are recorded"
            self.say(cut if self._room.low else "there is room again: packets are recorded whole")
        elif self._room.low:
            self._pause(now, errno.ENOSPC, self.current, short)

    def note(self, recording: Recording, event: str, now: Reading, **more: str | int | bool | None) -> None:
        """A line in a file's sidecar."""
        try:
            recording.note(event, now, **more)
        except TroubleError as trouble:
            self._trouble(recording, now, trouble)

    # What is due

    def _keep(self, now: Reading) -> None:
        """fdatasync and the lines that tell of it."""
        current = self.current
        if current is None:
            return
        try:
            if current.flushed():
                current.note("sample", now)
                if not current.in_place():
                    self.say(f"{current.path.name} was taken away while it was written; a new file begins")
                    self._replace(current, now, now.wall_us, lambda _: False, synced=current.synced, reason="gone")
                    return
            elif self.disk_pause is None and now.monotonic_us - current.noted_us >= self._pace.note_us:
                current.note("sample", now)
            if current.waiting and self.disk_pause is None:
                current.write_waiting()
        except TroubleError as trouble:
            self._trouble(current, now, trouble)
            return
        if current.dirty and now.monotonic_us - current.flushed_us >= self._pace.flush_us:
            current.flush(self._flusher, now)

    def _close(self, recording: Recording, now: Reading, reason: str) -> None:
        try:
            recording.flushed(wait=True)
            recording.flush(self._flusher, now)
            recording.flushed(wait=True)
            recording.note("close", now, reason=reason)
            recording.finish(self._flusher)
        except TroubleError as trouble:
            self.say(f"{recording.path.name} could not be brought to the disk whole: {trouble}")
            recording.close()
