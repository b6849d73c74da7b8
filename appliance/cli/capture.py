"""`homeport capture`: an interface into files, for years.

Rule: whatever can be wrong before the first packet ends the command with a sentence; whatever goes wrong afterwards is
said, waited for and recorded beside the packets.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.config import Config, load_config
from appliance.console import CannotDoError, plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.service import Service
    from daemon.capture.clock import SystemClock
    from daemon.capture.interface import Interface
    from daemon.capture.levels import LevelsWatch
    from daemon.capture.loop import Beat
    from daemon.capture.recorder import Recorder

_LOW_SNAPLEN = 128  # headers, and with them the names in short messages
_UMASK = 0o007  # the group shares the folder; nobody else reads packets


@click.command("capture", short_help="Record an interface into daily capture files.")
@click.option("--interface", "-i", metavar="NAME", help="Interface to record. [capture.interface]")
@click.option("--dir", "folder", metavar="DIR", help="Folder of the files. [capture.folder]")
@click.option("--filter", "expression", metavar="BPF", help="Record only this (pcap-filter(7)). [capture.filter]")
@click.option("--snaplen", type=int, metavar="BYTES", help="Keep so much of each packet. [capture.snaplen]")
@click.option("--rotate-mib", type=int, metavar="MIB", help="End a file at this size, too. [capture.rotate_mib]")
@click.option(
    "--exclude-own/--no-exclude-own",
    default=None,
    help="Leave out what this machine itself serves: ssh and the dashboard (the default). [capture.own_ports]",
)
@click.option("--trust-clock", is_flag=True, help="Take the clock as right, though nobody has set it. [capture.clock]")
@click.option("--status", "run_folder", type=click.Path(path_type=Path), metavar="DIR", help="Folder of capture.json.")
def command(
    interface: str | None,
    folder: str | None,
    expression: str | None,
    snaplen: int | None,
    rotate_mib: int | None,
    exclude_own: bool | None,
    trust_clock: bool,
    run_folder: Path | None,
) -> int:
    """Record what passes an interface into daily files that tcpdump and Wireshark read, also while they grow.

    Ends with SIGTERM or Ctrl-C. docs/capture.md says how files, clock and a full disk are dealt with.
    """
    config = load_config(
        {
            "capture.interface": interface,
            "capture.folder": folder,
            "capture.filter": expression,
            "capture.snaplen": snaplen,
            "capture.rotate_mib": rotate_mib,
            "capture.clock": "trust" if trust_clock else None,
        }
    )
    ready = _prepare(config, exclude_own=exclude_own)
    from appliance.service import World, run_service

    world = World() if run_folder is None else World(run_folder=run_folder)
    return run_service("capture", lambda service: _record(ready, service), world)


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that could be wrong before the first packet is not."""

    config: Config
    clock: SystemClock
    opener: Callable[[], Interface]
    source: Interface
    levels: LevelsWatch
    closed: list[Path]  # files that a start before this one left open


def _prepare(config: Config, *, exclude_own: bool | None) -> _Ready:
    _check(config)
    from daemon.capture.clock import SystemClock
    from daemon.capture.recover import BusyError, recover, was_synced

    held = config.capture
    os.umask(_UMASK)
    clock = SystemClock(trusted=held.clock == "trust")
    levels = _levels(config)
    opener = _opener(config, levels, exclude_own=exclude_own)
    source = opener()
    try:
        if was_synced(held.folder, held.interface, clock.boot_id):
            clock.trust()
        closed = recover(held.folder, held.interface, clock)
    except BusyError as error:
        raise CannotDoError(f"{printable(error)}; two recordings of one interface need two folders") from error
    return _Ready(config, clock, opener, source, levels, closed)


def _record(ready: _Ready, service: Service) -> int:
    from daemon.capture.loop import Loop

    held = ready.config.capture
    for path in ready.closed:
        service.say(f"{path.name} was not closed by whoever wrote it; it is complete now.", file=path.name)
    recorder = _recorder(ready, service)
    beat = _heartbeat(service, recorder, held.interface, ready.levels)
    try:
        loop = Loop(ready.opener, recorder, ready.clock, beat, time.sleep, ready.levels)
        loop.run(ready.source, lambda: service.stopping)
    except OSError as error:
        raise CannotDoError(
            f"{printable(held.folder)}: {(error.strerror or str(error)).lower()}; {_kept(recorder)}"
        ) from error
    service.say(f"Recorded {held.interface}: {_kept(recorder)}", interface=held.interface)
    return 0


def _check(config: Config) -> None:
    held = config.capture
    if not held.interface:
        from daemon.capture.interface import interfaces

        raise click.UsageError(f"no interface was named; add --interface NAME, one of {', '.join(interfaces())}")
    if not held.folder.is_dir():
        raise CannotDoError(f"{printable(held.folder)} is not a folder; make it, or name another with --dir")
    if not os.access(held.folder, os.W_OK | os.X_OK):
        raise CannotDoError(
            f"{printable(held.folder)} takes no files of this user;"
            " its owner or group has to be the one that records (docs/capture.md)"
        )


def _levels(config: Config) -> LevelsWatch:
    """Who is recorded how; nobody is recorded before that is known."""
    from daemon.capture.levels import LevelsWatch
    from daemon.capture.source import InterfaceError

    try:
        return LevelsWatch(config.capture.folder)
    except InterfaceError as error:
        raise CannotDoError(printable(error)) from error


def _opener(config: Config, levels: LevelsWatch, *, exclude_own: bool | None) -> Callable[[], Interface]:
    from daemon.capture.interface import Interface, Wanted
    from daemon.capture.own import OWN_PORTS
    from daemon.capture.source import InterfaceError

    held = config.capture
    ports = tuple(int(port) for port in held.own_ports)
    if exclude_own is not None:
        ports = (ports or OWN_PORTS) if exclude_own else ()
    wanted = Wanted(held.interface, held.filter, ports)
    first = True

    def opened() -> Interface:
        nonlocal first
        try:
            levels.changed()
            return Interface(wanted, levels=levels.now)
        except InterfaceError as error:
            if not first:
                raise
            raise CannotDoError(printable(error)) from error
        finally:
            first = False

    return opened


def _recorder(ready: _Ready, service: Service) -> Recorder:
    from shutil import disk_usage
    from zoneinfo import ZoneInfo

    from appliance import __version__
    from appliance.knowledge import machine_zone
    from daemon.capture.plan import Pace, Place
    from daemon.capture.recorder import Recorder
    from daemon.capture.writer import SystemDisk
    from daemon.ingest.budget import floor_of

    held = ready.config.capture
    zone = ZoneInfo(ready.config.site.time_zone or machine_zone())
    about = {"filter": ready.source.expression, "version": __version__}
    place = Place(held.folder, held.interface, zone, ready.clock.boot_id, held.snaplen, about)
    floor = 0 if held.when_low == "delete" else floor_of(held.free_floor_mib << 20, disk_usage(held.folder).total)
    pace = Pace(
        rotate=held.rotate_mib << 20 or None, floor=floor, low_snaplen=_LOW_SNAPLEN if held.when_low == "thin" else 0
    )
    return Recorder(place, SystemDisk(), pace, lambda sentence: service.warn(sentence, interface=held.interface))


def _heartbeat(service: Service, recorder: Recorder, interface: str, levels: LevelsWatch) -> Callable[[Beat], None]:
    from appliance.service import Beat as Round
    from daemon.capture.status import standing

    started = False

    def beat(turn: Beat) -> None:
        nonlocal started
        says = standing(recorder, interface, turn.now, synced=turn.synced, levels=levels.now)
        if not started:
            started = True
            service.say(says.sentence if recorder.pause else _began(recorder, interface), interface=interface)
            service.ready(says.sentence)
        service.beat(Round(says.state, says.sentence, turn.advanced, turn.waiting, says.numbers))

    return beat


def _began(recorder: Recorder, interface: str) -> str:
    file = recorder.current
    return f"Recording {interface} into {printable(file.path) if file else recorder.folder}."


def _kept(recorder: Recorder) -> str:
    drops = recorder.kernel_drops + recorder.interface_drops
    lost = f"{drops:,} lost" if drops else "none lost"
    return f"{plural(recorder.written, 'packet')} in {plural(recorder.files, 'file')}, {lost}."
