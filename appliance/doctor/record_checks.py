"""Whether what was recorded is well kept. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Callable

from appliance.console import count, duration, plural, printable, size
from appliance.doctor.facts import DatabaseFacts, Machine, OwnerFacts, Records
from appliance.doctor.finding import ABSENT, BAD, OK, WARN, Finding
from appliance.doctor.machine_checks import ASK_AGAIN, TMPFILES, how_to_start

_QUIET_SECONDS = 60.0  # the recorder writes a line every 10 s, whatever comes
_FAR_BEHIND = 64 << 20  # bytes
_LOST_SHARE = 1e-4  # of the packets
_GROUP_READS_WRITES = 0o060
_REBUILD = "Move it away; `homeport ingest` makes a new one out of the captures that are still there."


def check_records(machine: Machine, records: Records) -> list[Finding]:
    """All checks of what was recorded."""
    return [check(machine, records) for check in _CHECKS]


def freshness(machine: Machine, records: Records) -> Finding:
    """The recorder writes, whatever it says of itself."""
    last = records.sidecar
    if last is None:
        status = WARN if machine.appliance else ABSENT
        return Finding(
            "captures", status, "Homeport has not recorded a capture file here.", _LOOK if machine.appliance else ""
        )
    name = printable(last.file)
    age = max(0.0, (machine.clock.now_us - last.time_us) / 1_000_000)
    if last.event == "pause":
        why = f": {printable(last.reason)}" if last.reason else ""
        return Finding("captures", BAD, f"{name} does not grow, recording is paused{why}.", _LOOK)
    if last.event == "close" or age > _QUIET_SECONDS:
        status = BAD if machine.appliance else OK
        return Finding(
            "captures", status, f"{name} was written to last, {duration(age)} ago.", _LOOK if status == BAD else ""
        )
    waits = "" if last.synced else " Its times are corrected when the clock is set."
    return Finding("captures", OK, f"{name} is being written.{waits}")


_LOOK = "The checks above may tell why, or `journalctl -u homeport-capture`."


def database(machine: Machine, records: Records) -> Finding:
    """The database of facts can be used and is whole."""
    held = records.database
    where = printable(held.path)
    if not held.exists:
        status = WARN if machine.appliance else ABSENT
        return Finding(
            "database", status, f"There is no database at {where}.", "`homeport import` or the ingest service makes it."
        )
    if held.error:
        return Finding("database", BAD, printable(held.error), ASK_AGAIN)
    if held.damage:
        return Finding("database", BAD, f"{where} is damaged: {printable(held.damage[0])}.", _REBUILD)
    if complaint := _not_shared(machine, held):
        return Finding("database", WARN, complaint, TMPFILES)
    detail = "" if held.detail is None else f", {size(held.detail)} of it single flows and messages"
    checked = "" if held.checked else " It is too large to be checked whole in a moment; what was checked is fine."
    return Finding(
        "database", OK,
        f"{where}: {size(held.size)}{detail}; {plural(held.packets, 'packet')}; schema {held.version}.{checked}",
    )  # fmt: skip


def _not_shared(machine: Machine, held: DatabaseFacts | OwnerFacts) -> str:
    """On a box the services use each other's files through their group."""
    if not (machine.group and machine.appliance):
        return ""
    if held.group == "homeport" and held.mode & _GROUP_READS_WRITES == _GROUP_READS_WRITES:
        return ""
    return (
        f"{printable(held.path)} belongs to the group {printable(held.group)} with mode {held.mode:o}: "
        "the services cannot share it."
    )


def owner(machine: Machine, records: Records) -> Finding:
    """The owner's words are there for everybody who has to read or write them."""
    held = records.owner
    where = printable(held.path)
    if not held.exists:
        return Finding("owner's words", ABSENT, f"Nothing was said yet: there is no {where}.")
    if held.error:
        return Finding("owner's words", BAD, printable(held.error), ASK_AGAIN)
    if held.damage:
        return Finding(
            "owner's words", BAD, f"{where} is damaged: {printable(held.damage[0])}.",
            "Keep it, and take the last copy of it; facts do not depend on it.",
        )  # fmt: skip
    if complaint := _not_shared(machine, held):
        return Finding("owner's words", WARN, complaint, TMPFILES)
    return Finding("owner's words", OK, f"{where} is whole.")


def levels(machine: Machine, records: Records) -> Finding:
    """Who is not to be recorded is not, and the recorder knows."""
    held = records.levels
    if held is None:
        return Finding("levels", OK, "Every device is recorded in full.")
    if held.error:
        return Finding(
            "levels", BAD, f"It cannot be read who is not to be recorded: {printable(held.error)}.",
            "`homeport ingest` writes the list anew; until then the recorder does not start.",
        )  # fmt: skip
    if bool(held.wished) != bool(held.off or held.no_names):
        return Finding(
            "levels", WARN, f"The owner wishes {plural(held.wished, 'MAC')} left out; the recorder was told otherwise.",
            "`homeport ingest` tells it within seconds, as soon as it runs.",
        )  # fmt: skip
    sentence = f"{plural(held.off, 'MAC')} not recorded, {held.no_names:,} without names, as their owner wishes."
    said = machine.capture.status
    if said is not None and said.running(machine.clock.now_us) and said.numbers.get("levels") != held.digest:
        return Finding(
            "levels", WARN, f"{sentence} The recorder does not follow that list yet.",
            "`homeport doctor` again in a few seconds; then `journalctl -u homeport-capture`.",
        )  # fmt: skip
    return Finding("levels", OK, sentence)


def drops(machine: Machine, records: Records) -> Finding:  # noqa: ARG001 - the table calls all alike
    """Packets that were lost, of the captures that the database knows."""
    held = records.database
    if not held.exists or held.error or not held.lately:
        return Finding("losses", ABSENT, "There are no packets to speak of.")
    if not held.lost:
        return Finding("losses", OK, f"None of the last {plural(held.lately, 'packet')} was lost.")
    share = held.lost / (held.lately + held.lost)
    status = WARN if share >= _LOST_SHARE else OK
    sentence = f"{count(held.lost)} of the last {plural(held.lately + held.lost, 'packet')} were lost ({share:.2%})."
    return Finding(
        "losses", status, sentence, "See with `top` what else keeps the machine busy." if status == WARN else ""
    )


def set_aside(machine: Machine, records: Records) -> Finding:  # noqa: ARG001 - the table calls all alike
    """Captures that could not be read to their end."""
    broken = records.database.broken
    if not records.database.exists or records.database.error:
        return Finding("set aside", ABSENT, "There is no database that could tell.")
    if not broken:
        return Finding("set aside", OK, "Every capture was read to its end.")
    shown = ", ".join(map(printable, broken[:3])) + (" ..." if len(broken) > 3 else "")
    return Finding(
        "set aside", WARN, f"{plural(len(broken), 'capture')} could not be read to the end: {shown}.",
        "`homeport export captures` says where and why; what stood before is counted.",
    )  # fmt: skip


def lag(machine: Machine, records: Records) -> Finding:
    """What was recorded gets into the database."""
    said, error = machine.ingest.status, machine.ingest.error
    if error:
        return Finding("ingest", WARN, f"What the ingest service says cannot be read: {printable(error)}.",
                       ASK_AGAIN)  # fmt: skip
    behind = records.backlog.behind if records.backlog else 0
    waiting = f"{size(behind)} of captures are not in the database yet"
    if said is None or not said.running(machine.clock.now_us):
        if not machine.appliance:
            return Finding("ingest", ABSENT, "Nothing follows captures on this machine.")
        return Finding(
            "ingest", BAD if behind else WARN, f"The ingest service does not run; {waiting}.",
            f"{how_to_start(machine)} Nothing is lost: it catches up.",
        )  # fmt: skip
    sentence = printable(said.sentence)
    if behind > _FAR_BEHIND:
        return Finding(
            "ingest", WARN, f"{sentence} {waiting}.", "It catches up by itself; `homeport doctor` again in a while."
        )
    return Finding("ingest", OK, sentence)


def addresses(machine: Machine, records: Records) -> Finding:
    """The databases that tell countries and networks."""
    states = records.addresses.states
    bad = [name for name, state in states if state == "unusable"]
    fetch = "`homeport data update`"
    if bad:
        return Finding(
            "addresses", WARN, f"Cannot be used: {', '.join(map(printable, bad))}.", f"{fetch} puts new ones there."
        )
    used = [name for name, state in states if state in ("in use", "old")]
    absent = [name for name, state in states if state == "absent"]
    if not used:
        return Finding(
            "addresses", WARN if machine.appliance else OK, "No country or network of an address is known.", fetch
        )
    if old := [name for name, state in states if state == "old"]:
        days = plural(records.addresses.oldest_days or 0, "day")
        return Finding("addresses", WARN, f"Old: {', '.join(map(printable, old))}, up to {days}.", fetch)
    missing = f" Absent: {', '.join(absent)}." if absent else ""
    return Finding("addresses", OK, f"In use: {', '.join(map(printable, used))}.{missing}")


_CHECKS: tuple[Callable[[Machine, Records], Finding], ...] = (
    freshness, levels, lag, database, set_aside, drops, owner, addresses,
)  # fmt: skip
