"""`homeport watch`: capture and ingest together, in the foreground, for a laptop or a container.

Rule 1: they are two processes, so that reading packets never waits for the interpreter of whoever writes the database.
Rule 2: Ctrl-C or SIGTERM ends both, capture first, and what it wrote last is read before the command ends. Should this
        process be killed, the kernel ends them.
Rule 3: one that ends by itself is started again, with a word; one that ends again and again, or at once, ends both.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from appliance.console import CannotDoError, note

_COMMAND = (sys.executable, "-c", "from appliance.main import main; main()")
_NAP_S = 0.1
SOON_S = 10.0  # an end within it is no accident
_PATIENCE_S = 10.0  # for an orderly end
_REST_S = 120.0  # for what was written last
_PR_SET_PDEATHSIG = 1  # prctl(2)


class _Part:
    """One of the two programs."""

    def __init__(self, verb: str, arguments: Sequence[str]) -> None:
        self.verb = verb
        self._arguments = arguments
        self.start()

    def start(self) -> None:
        """Start it, in a group of its own: a Ctrl-C of the terminal comes to this process alone, which hands it on."""
        self.since_s = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  our own command with the flags that a person gave
            [*_COMMAND, self.verb, *self._arguments],
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  this process has no threads
        )

    def end(self) -> int:
        """Ask it to end, and see to it."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@click.command("watch", short_help="Record and follow at once, until Ctrl-C.")
@click.option("--interface", "-i", metavar="NAME", help="Interface to record. [capture.interface]")
@click.option("--dir", "folder", metavar="DIR", help="Folder of the captures. [capture.folder]")
@click.option("--db", "database", metavar="FILE", help="Database to fill. [store.database]")
@click.option("--site", metavar="NAME", help="Name of this home. [site.name]")
@click.option("--filter", "expression", metavar="BPF", help="Record only this. [capture.filter]")
@click.option("--trust-clock", is_flag=True, help="Take the clock as right, though nobody has set it. [capture.clock]")
@click.option("--status", "run_folder", type=click.Path(path_type=Path), metavar="DIR", help="Folder of status files.")
def command(
    interface: str | None,
    folder: str | None,
    database: str | None,
    site: str | None,
    expression: str | None,
    trust_clock: bool,
    run_folder: Path | None,
) -> int:
    """Record an interface and follow what is recorded, until Ctrl-C.

    The same as `homeport capture` and `homeport ingest` side by side.
    """
    both = _flags({"--dir": folder, "--status": run_folder})
    capture = [*_flags({"--interface": interface, "--filter": expression}), *both]
    capture += ["--trust-clock"] if trust_clock else []
    ingest = [*_flags({"--db": database, "--site": site}), *both]
    stop: list[int] = []
    before = {number: signal.signal(number, lambda n, _: stop.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    parts: list[_Part] = []
    try:
        parts += [_Part("capture", capture)]
        parts += [_Part("ingest", ingest)]
        _guard(parts, stop)
        for part in parts:
            part.end()
        rest = _Part("ingest", [*ingest, "--once"])
        parts = [rest]
        return max(0, rest.process.wait(_REST_S))
    finally:
        for part in parts:
            part.end()
        for number, handler in before.items():
            signal.signal(number, handler)


def _flags(given: Mapping[str, str | os.PathLike[str] | None]) -> list[str]:
    return [word for flag, value in given.items() if value is not None for word in (flag, os.fspath(value))]


def _guard(parts: list[_Part], stop: list[int]) -> None:
    """Wait for a signal. Raises CannotDoError for an end that is not mended by a new beginning."""
    while not stop:
        time.sleep(_NAP_S)
        for part in parts:
            code = part.process.poll()
            if code is None:
                continue
            if code >= 0 or time.monotonic() - part.since_s < SOON_S:
                if stop:  # it was asked to end by somebody who asked all of us
                    return
                raise CannotDoError(f"homeport {part.verb} has ended ({_ending(code)}), so the other was ended, too")
            note(f"homeport {part.verb} was ended by {_ending(code)}; it is started again")
            part.start()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
