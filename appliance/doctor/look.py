"""Looking at the machine: what the kernel, systemd and the services say. Nothing is changed.

`root` is the file system's root, for tests; `ask` runs a program and gives its output, "" where it fails or is missing.
"""

from __future__ import annotations

import contextlib
import grp
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.doctor.facts import (
    UNITS,
    ClockFacts,
    DiskFacts,
    InterfaceFacts,
    Machine,
    ServiceFacts,
    UnitFacts,
)
from appliance.status import RUN_FOLDER, StatusError, read_status
from daemon.ingest.budget import ballast_of, floor_of

_IFF_UP = 0x1  # netdevice(7)
_CAP_NET_RAW = 13  # capabilities(7)
_GROUP = "homeport"
_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "Result")


@dataclass(frozen=True, slots=True)
class Setup:
    """What is to be looked at: from the configuration and the flags."""

    interface: str
    named: bool  # whether a flag names the interface: then it is meant, whatever is installed
    folder: Path
    zone: str
    budget: int | None = None  # bytes that captures may take
    floor: int | None = None  # bytes that are to stay free, as they are wished for
    ballast: Path | None = None  # the file that is given up first
    ballast_wanted: int | None = None


def ask_program(command: Sequence[str]) -> str:
    """Standard output of a program; empty where it is missing, fails or takes longer than 10 s."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - names from this module's own tables
            command, capture_output=True, text=True, check=True, timeout=10, errors="replace"
        )
        return done.stdout
    return ""


def look_at_machine(
    setup: Setup,
    synced: Callable[[], bool | None],
    root: Path = Path("/"),
    ask: Callable[[Sequence[str]], str] = ask_program,
    now: Callable[[], float] = time.time,
) -> Machine:
    """All facts of the box. `synced`: what the kernel says of the clock."""
    run_folder = root / RUN_FOLDER.relative_to("/")
    capture, ingest = (_service(name, run_folder) for name in ("capture", "ingest"))
    systemd = (root / "run/systemd/system").is_dir()
    units = tuple(_unit(name, ask) for name in UNITS) if systemd else ()
    installed = any(unit.load != "not-found" for unit in units)
    spoke = any(said.status or said.error for said in (capture, ingest))
    return Machine(
        appliance=installed or spoke or setup.named,
        group=_group_exists(),
        interface=_interface(setup.interface, root / "sys/class/net"),
        net_raw=_net_raw(root / "proc/self/status"),
        clock=ClockFacts(round(now() * 1_000_000), synced(), setup.zone),
        disk=_disk(setup),
        systemd=systemd,
        units=units,
        capture=capture,
        ingest=ingest,
    )


def _interface(name: str, net: Path) -> InterfaceFacts:
    there = sorted(path.name for path in net.iterdir()) if net.is_dir() else []
    others = tuple(each for each in there if each != "lo")
    if not name or name not in there:
        return InterfaceFacts(name, exists=False, others=others)
    flags = _read(net / name / "flags")
    carrier = _read(net / name / "carrier")  # cannot be read while the interface is down
    return InterfaceFacts(
        name,
        exists=True,
        up=bool(int(flags, 16) & _IFF_UP) if flags else False,
        carrier={"0": False, "1": True}.get(carrier),
        others=others,
    )


def _net_raw(status: Path) -> bool:
    for line in _read(status).splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_NET_RAW & 1)
    return False


def _disk(setup: Setup) -> DiskFacts:
    folder = setup.folder
    room = None
    for place in (folder, *folder.parents):  # above a folder that is somebody else's
        try:
            room = os.statvfs(place)
            break
        except PermissionError:
            continue
        except OSError:
            return DiskFacts(str(folder), exists=False)
    if room is None:
        return DiskFacts(str(folder), exists=False)
    total = room.f_blocks * room.f_frsize
    return DiskFacts(
        str(folder),
        exists=True,
        total=total,
        free=room.f_bavail * room.f_frsize,
        writable=os.access(folder, os.W_OK),
        captures=_size_of_captures(folder),
        budget=setup.budget,
        floor=None if setup.floor is None else floor_of(setup.floor, total),
        ballast=_size(setup.ballast) if setup.ballast else None,
        ballast_wanted=_wanted_ballast(setup),
    )


def _wanted_ballast(setup: Setup) -> int | None:
    """It lies on the disk of the database, which may be another."""
    if setup.ballast is None or not setup.ballast_wanted:
        return None
    with contextlib.suppress(OSError):
        about = os.statvfs(setup.ballast.parent)
        return ballast_of(setup.ballast_wanted, about.f_blocks * about.f_frsize)
    return None


def _size_of_captures(folder: Path) -> int | None:
    try:
        return sum(_size(path) for path in folder.iterdir() if ".pcap" in path.name)
    except OSError:  # of somebody else
        return None


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _unit(name: str, ask: Callable[[Sequence[str]], str]) -> UnitFacts:
    said = ask(["systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", name])
    held = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    restarts = held.get("NRestarts", "")
    return UnitFacts(
        name,
        load=held.get("LoadState", "not-found"),
        active=held.get("ActiveState", ""),
        sub=held.get("SubState", ""),
        enabled=held.get("UnitFileState", ""),
        restarts=int(restarts) if restarts.isdecimal() else 0,
        result=held.get("Result", ""),
    )


def _service(name: str, folder: Path) -> ServiceFacts:
    try:
        return ServiceFacts(name, read_status(name, folder))
    except StatusError as error:
        return ServiceFacts(name, error=str(error))


def _group_exists() -> bool:
    try:
        grp.getgrnam(_GROUP)
    except KeyError:
        return False
    return True


def _read(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text("utf-8").strip()
    return ""
