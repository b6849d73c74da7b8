"""Whether the box can do its work. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from appliance.console import count, plural, printable, size
from appliance.doctor.facts import UNITS, DiskFacts, Machine, UnitFacts
from appliance.doctor.finding import ABSENT, BAD, OK, WARN, Finding

_BORN_US = 1_763_769_600_000_000  # 2025-11-22: a clock that says earlier was never set
_LITTLE = 0.05  # of the disk
_MANY_RESTARTS = 3

TMPFILES = "`sudo systemd-tmpfiles --create homeport.conf`"
ASK_AGAIN = "Ask as a member of the group homeport, or with sudo."


def check_machine(machine: Machine) -> list[Finding]:
    """All checks of the box, in the order in which one would repair."""
    return [check(machine) for check in _CHECKS]


def how_to_start(machine: Machine) -> str:
    """What makes this machine record."""
    if any(unit.name == UNITS[0] and unit.load == "loaded" for unit in machine.units):
        return "`sudo systemctl enable --now homeport-capture homeport-ingest`"
    return "`sudo homeport watch` records as long as it runs; docs/appliance.md tells how to make a service of it."


def interface(machine: Machine) -> Finding:
    """The interface exists and is up."""
    found, name = machine.interface, printable(machine.interface.name)
    if not machine.appliance:
        return Finding("interface", ABSENT, "Nothing is recorded on this machine.")
    if not name:
        return Finding("interface", BAD, "No interface is named in the configuration.", _NAME)
    if not found.exists:
        there = ", ".join(map(printable, found.others)) or "none"
        return Finding(
            "interface", BAD, f"There is no interface {name}; there is {there}.",
            f"Plug the adapter in. {_NAME}",
        )  # fmt: skip
    if not found.up:
        return Finding("interface", BAD, f"{name} is down: no packet can come.", f"`sudo ip link set {name} up`")
    if found.carrier is False:
        return Finding(
            "interface", WARN, f"{name} is up, but nothing is connected to it.",
            "Connect the cable, or see whether the access point runs.",
        )  # fmt: skip
    return Finding("interface", OK, f"{name} is up.")


_NAME = "Name one that exists as `capture.interface` in /etc/homeport/homeport.toml, then restart homeport-capture."


def permission(machine: Machine) -> Finding:
    """Somebody may record."""
    now_us = machine.clock.now_us
    if machine.capture.status is not None and machine.capture.status.running(now_us):
        return Finding("permission", OK, "The capture service records.")
    if machine.net_raw:
        return Finding("permission", OK, "This user may record packets.")
    if any(unit.name == UNITS[0] and unit.load == "loaded" for unit in machine.units):
        return Finding("permission", OK, "The unit homeport-capture has the right to record; this user needs none.")
    status = WARN if machine.appliance else ABSENT
    return Finding(
        "permission", status, "This user may not record packets (CAP_NET_RAW is missing).",
        "Use the unit (docs/appliance.md), or run `sudo homeport capture`.",
    )  # fmt: skip


def clock(machine: Machine) -> Finding:
    """The clock is right, and the services know it."""
    now, zone = machine.clock, printable(machine.clock.zone)
    shown = f"{datetime.fromtimestamp(now.now_us / 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"
    set_it = "See `timedatectl`; it needs a way to a time server. What was recorded meanwhile is corrected afterwards."
    if now.now_us < _BORN_US:
        return Finding("clock", BAD, f"The clock says {shown}: it was never set.", set_it)
    if now.synced is False:
        status = WARN if machine.appliance else OK
        return Finding("clock", status, f"Nobody has set the clock ({shown}) since the machine started.", set_it)
    recorder = machine.capture.status
    if (
        now.synced and recorder is not None and recorder.running(now.now_us)
        and recorder.numbers.get("synced") is False
    ):  # fmt: skip
        return Finding(
            "clock", WARN, "The clock is set, but the capture service cannot see that.",
            "With another time daemon than systemd-timesyncd it needs the drop-in of docs/appliance.md.",
        )  # fmt: skip
    known = "set by a time server" if now.synced else "whether it is set, nobody can tell"
    return Finding("clock", OK, f"{shown}, {known}; days are those of {zone}.")


def disk(machine: Machine) -> Finding:
    """There is room."""
    held = machine.disk
    where = printable(held.folder)
    if not held.exists:
        if not machine.appliance:
            return Finding("disk", ABSENT, f"There is no folder {where}.")
        make = TMPFILES if machine.group else "Make it, or name another one with `--dir`."
        return Finding("disk", BAD, f"The folder {where} is missing.", make)
    free = f"{size(held.free)} of {size(held.total)} are free at {where}"
    if lost := _unread(machine):
        return Finding("disk", BAD, f"{free}; {lost}", _ROOM)
    if held.floor is not None and held.free < held.floor:
        return Finding("disk", BAD, f"{free}, less than the {size(held.floor)} that are to stay free.", _ROOM)
    if held.free < held.total * _LITTLE:
        return Finding("disk", WARN, f"{free}.", _ROOM)
    return Finding("disk", OK, f"{free}{_budget(held)}.")


_ROOM = (
    "Make room, or lower the budget of captures (docs/configuration.md): the oldest go first. "
    "`du -xh --max-depth=3 / | sort -h | tail` shows what is large."
)


def _budget(held: DiskFacts) -> str:
    if held.captures is None:
        return ""
    if held.budget is None:
        return f"; captures take {size(held.captures)}"
    return f"; captures take {size(held.captures)} of the {size(held.budget)} that they may"


def _unread(machine: Machine) -> str:
    """What went before it was read; "" where nothing did."""
    said = machine.ingest.status
    lost = said.numbers.get("given_up_unread") if said is not None else None
    if not isinstance(lost, list) or not lost:
        return ""
    return f"{plural(len(lost), 'capture')} had to go before it was read, the last {printable(lost[-1])}."


def ballast(machine: Machine) -> Finding:
    """The file that is given up first is there."""
    held = machine.disk
    if not machine.appliance or held.ballast_wanted is None or not held.exists:
        return Finding("ballast", ABSENT, "No file is kept to be given up when the disk is full.")
    if (held.ballast or 0) < held.ballast_wanted:
        return Finding(
            "ballast", WARN, f"{size(held.ballast or 0)} of {size(held.ballast_wanted)} are kept for a full disk.",
            "The ingest service fills it up as soon as there is room.",
        )  # fmt: skip
    return Finding("ballast", OK, f"{size(held.ballast or 0)} are kept to be given up when the disk is full.")


def units(machine: Machine) -> Finding:
    """The services run."""
    if not machine.systemd:
        return Finding("units", ABSENT, "systemd does not run here.")
    installed = [unit for unit in machine.units if unit.load != "not-found"]
    if not installed:
        return Finding("units", ABSENT, "Homeport's units are not installed.")
    sick = [(unit, complaint) for unit in installed if (complaint := _complaint(unit))]
    if sick:
        names = " ".join(unit.name for unit, _ in sick)
        broken = any(unit.active == "failed" or unit.load == "masked" for unit, _ in sick)
        return Finding(
            "units", BAD if broken else WARN, " ".join(complaint for _, complaint in sick),
            f"`systemctl status {names}` and `journalctl -u {sick[0][0].name}` tell why.",
        )  # fmt: skip
    running = [unit.name for unit in installed if unit.active == "active"]
    idle = [unit.name for unit in installed if unit.active != "active"]
    off = f" Switched off: {', '.join(idle)}." if idle else ""
    return Finding("units", OK, f"Run: {', '.join(running) or 'none'}.{off}")


def _complaint(unit: UnitFacts) -> str:
    if unit.load == "masked":
        return f"{unit.name} is masked." if unit.name != "homeport-web.service" else ""
    if unit.active == "failed" or unit.sub == "auto-restart":
        return f"{unit.name} has failed ({_RESULTS.get(unit.result, unit.result)})."
    if unit.enabled == "enabled" and unit.active == "inactive":
        return f"{unit.name} is enabled and does not run."
    if unit.restarts >= _MANY_RESTARTS:
        return f"{unit.name} had to be started again {count(unit.restarts)} times."
    return ""


_RESULTS = {
    "exit-code": "it ended with an error",
    "signal": "it was killed",
    "core-dump": "it crashed",
    "watchdog": "it hung",
    "oom-kill": "it needed more memory than it may have",
    "timeout": "it did not become ready in time",
}


def recording(machine: Machine) -> Finding:
    """The capture service says that it records, and loses nothing."""
    said, error = machine.capture.status, machine.capture.error
    if error:
        return Finding(
            "recording", WARN, f"What the capture service says cannot be read: {printable(error)}.", ASK_AGAIN
        )
    if said is None:
        status = WARN if machine.appliance else ABSENT
        return Finding(
            "recording", status, "The capture service has not run since the machine started.", how_to_start(machine)
        )
    if not said.running(machine.clock.now_us):
        ago = plural(round(said.silent_for(machine.clock.now_us)), "second")
        return Finding(
            "recording", BAD, f"Nothing is recorded: the capture service fell silent {ago} ago.", how_to_start(machine)
        )
    sentence = printable(said.sentence)
    if said.state == "paused":
        return Finding(
            "recording", BAD, f"Recording is paused. {sentence}", "It goes on by itself when that is put right."
        )
    lost = sum(value for key in ("kernel_drops", "interface_drops") if isinstance(value := said.numbers.get(key), int))
    if lost:
        return Finding("recording", WARN, f"{sentence} {plural(lost, 'packet')} came too fast and were lost.", _LOAD)
    return Finding("recording", OK, sentence)


_LOAD = "See with `top` what else keeps the machine busy."

_CHECKS: tuple[Callable[[Machine], Finding], ...] = (interface, permission, clock, disk, ballast, units, recording)
