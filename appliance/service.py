"""What every verb that runs for years has in common: signals, systemd, the status file, the journal.

Rule 1: the work is a function that loops and calls `Service.beat` each round; it ends when `Service.stopping` is true.
Rule 2: nothing here can end the work: a status file that cannot be written is said once, a deaf manager not at all.
Rule 3: a second SIGINT or SIGTERM means what it always meant: at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, MappingProxyType

from appliance.journal import ERROR, INFO, NOTICE, WARNING, Journal, journal
from appliance.notify import Notifier, Watchdog, watchdog_seconds
from appliance.status import EVERY_SECONDS, RUN_FOLDER, Status, write_status

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class World:
    """What a service takes from around it. Both clocks count seconds."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    run_folder: Path = RUN_FOLDER
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    journal: Journal | None = None  # None: the journal, or standard error, as the environment says


@dataclass(frozen=True, slots=True)
class Beat:
    """One round of the work. `advanced`: some of it was done; `waiting`: there was some to do (a full ring, a file
    that has grown). A round that had work and did none feeds no watchdog."""

    state: str
    sentence: str
    advanced: bool = False
    waiting: bool = False
    numbers: Mapping[str, object] = field(default_factory=lambda: _NOTHING)


class Service:
    """The surroundings of one running service, handed to its work."""

    def __init__(self, name: str, world: World, on_reload: Callable[[], None] | None = None) -> None:
        self.name = name
        self.stopping = False
        self._world = world
        self._on_reload = on_reload
        self._reload_asked = False
        self._notifier = Notifier.of(world.environ)
        self._journal = world.journal or journal(f"homeport-{name}", world.environ)
        self._watchdog = Watchdog(watchdog_seconds(world.environ), self._notifier.alive, world.monotonic)
        start = round(world.now() * 1_000_000)
        self._last = Status(name, os.getpid(), start, start, "starting", "Starts.", _NOTHING)
        self._written = -EVERY_SECONDS
        self._mute = not world.run_folder.is_dir()  # a laptop has none; `homeport doctor` says so

    def ready(self, sentence: str) -> None:
        """The work can be relied on from now on."""
        self._notifier.ready(sentence)
        self._tell(replace(self._last, state="ready", sentence=sentence))

    def beat(self, beat: Beat) -> None:
        """Call it at least once a second, from the loop that does the work."""
        if self._reload_asked:
            self._reload()
        self._watchdog.beat(advanced=beat.advanced, waiting=beat.waiting)
        changed = (beat.state, beat.sentence) != (self._last.state, self._last.sentence)
        due = self._world.monotonic() - self._written >= EVERY_SECONDS
        if beat.state != self._last.state or due:
            if changed:
                self._notifier.status(beat.sentence)
            self._tell(replace(self._last, state=beat.state, sentence=beat.sentence, numbers=beat.numbers))

    def say(self, sentence: str, priority: int = INFO, **fields: object) -> None:
        """A sentence for the journal, with fields to search by."""
        self._journal(priority, sentence, fields)

    def warn(self, sentence: str, **fields: object) -> None:
        """A sentence that somebody should read."""
        self.say(sentence, WARNING, **fields)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """From the first signal handler to the last word."""
        with self._signals():
            try:
                yield
            except BaseException as error:
                self._end("failed", f"Ended by {type(error).__name__}: {error}", ERROR)
                raise
            self._end("stopped", "Stopped as asked." if self.stopping else "Done.", NOTICE)

    def _end(self, state: str, sentence: str, priority: int) -> None:
        self._notifier.stopping(sentence)
        self._tell(replace(self._last, state=state, sentence=sentence))
        self.say(sentence, priority, state=state)

    def _tell(self, status: Status) -> None:
        self._last = replace(status, now_us=round(self._world.now() * 1_000_000))
        if self._mute:
            return
        self._written = self._world.monotonic()
        try:
            write_status(self._last, self._world.run_folder)
        except OSError as error:
            self._mute = True
            self.warn(
                f"The status file of {self.name} cannot be written ({error.strerror}: {error.filename}); "
                "the work goes on without it.",
                errno=error.errno,
            )

    def _reload(self) -> None:
        self._reload_asked = False
        if self._on_reload is None:
            return
        self._notifier.reloading(int(self._world.monotonic() * 1_000_000))
        self._on_reload()
        self._notifier.ready(self._last.sentence)

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)

    def _asked_to_reload(self, number: int, frame: FrameType | None) -> None:
        if self._on_reload is None:  # a terminal that was closed
            self._asked_to_stop(number, frame)
        self._reload_asked = True

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        handlers = {
            signal.SIGTERM: self._asked_to_stop,
            signal.SIGINT: self._asked_to_stop,
            signal.SIGHUP: self._asked_to_reload,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_service(
    name: str,
    work: Callable[[Service], int],
    world: World | None = None,
    on_reload: Callable[[], None] | None = None,
) -> int:
    """Run `work` as the service `name` (`capture`, `ingest`) and return its exit code. Call it from the main thread.

    `work` calls `ready` once, `beat` each round, and returns soon after `stopping` is true. SIGHUP calls `on_reload`
    between two beats; without one it means stop.
    """
    service = Service(name, world or World(), on_reload)
    with service.running():
        return work(service)
