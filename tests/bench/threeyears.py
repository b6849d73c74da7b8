"""How large three years become, tier by tier, and how long the questions of a page take then."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.flow.facts import DAY_US
from daemon.report.changes import told
from daemon.report.coverage import coverage_report
from daemon.report.registry import KINDS, Kind
from daemon.report.scope import Scope, Span
from daemon.report.turnover_kept import read_changes
from daemon.store.address_days import count_addresses
from daemon.store.calendar import Calendar, month_days
from daemon.store.database import read_database
from daemon.store.months import known_devices, read_naming
from daemon.store.reached import read_reached
from daemon.store.roster import read_contacts as contacts_of
from daemon.store.roster import read_residents
from daemon.store.window import Window
from tests.support.threeyears import LAST_DAY, NEWEST, SLOTS, build

MIB = 1 << 20
FOR_GOOD_MIB, ALL_MIB = 300, 1228.8  # 1.2 GiB
_ROUNDS = 5
_BY_MONTHS = ("changes", "coverage")  # the command asks these about months

# Tier -> its tables; what is in none of them belongs to no tier and is for good as well.
TIERS: dict[str, tuple[str, ...]] = {
    "detail: flows, hellos, DNS, frames": (
        "flow", "flow_kind", "flow_slice", "hello", "dns_message", "dns_record", "frame_slot", "kept_label",
        "destination_day", "destination_sum", "destination_day_column", "destination_run_column",
    ),
    "traffic by quarter of an hour": ("slot_total", "slot_sum_column", "address_column"),
    "hours": ("hour_total",),
    "days": ("day_total", "scope_total", "day_stale", "house_hour", "house_day", "way_month", "unsummed"),
    "destinations by month": ("destination_month",),
    "whose they are": ("judgement", "verdict"),
    "whose it was, added up": (
        "whose", "whose_day", "whose_month", "whose_stale", "whose_house", "whose_column", "naming_month",
        "turnover_month", "turnover_before",
    ),
    "destinations in columns": ("destination_month_column",),
    "names, aliases, addresses": ("name", "alias", "remote", "way"),
}  # fmt: skip
_PASSING = ("detail: flows, hellos, DNS, frames", "traffic by quarter of an hour")
REST = "stations, devices, captures, everything else"


class Size(NamedTuple):
    """Bytes and rows of one tier, indexes included in the bytes."""

    tier: str
    size: int
    rows: int
    for_good: bool


def sizes(database: Path) -> list[Size]:
    """Every tier of a database."""
    with closing(sqlite3.connect(database)) as db:
        tables = db.execute(
            "SELECT m.tbl_name, sum(s.pgsize), max(iif(m.type = 'table', s.ncell, 0)) FROM dbstat s"
            " JOIN sqlite_master m ON m.name = s.name WHERE s.aggregate = 1 GROUP BY 1"
        ).fetchall()
    tier_of = {table: tier for tier, names in TIERS.items() for table in names}
    out = []
    for tier in (*TIERS, REST):
        held = [row for row in tables if tier_of.get(row[0], REST) == tier]
        out.append(Size(tier, sum(row[1] for row in held), sum(row[2] for row in held), tier not in _PASSING))
    return out


def for_good(held: Sequence[Size]) -> float:
    """MiB of what is never deleted."""
    return sum(each.size for each in held if each.for_good) / MIB


def everything(held: Sequence[Size]) -> float:
    """MiB of all tables."""
    return sum(each.size for each in held) / MIB


def questions(db: sqlite3.Connection) -> dict[str, Callable[[], object]]:
    """What pages and reports ask, by a name for the table."""
    month = NEWEST.year * 12 + NEWEST.month - 1
    calendar = Calendar("Europe/Berlin")
    day = (LAST_DAY - 5) * SLOTS
    busy = db.execute("SELECT device_id FROM devices ORDER BY bytes_up + bytes_down DESC LIMIT 1").fetchone()[0]

    def ask(query: str, *values: object) -> Callable[[], object]:
        return lambda: db.execute(query, values).fetchall()

    def of_month(asked: int) -> Window:
        begin, end = calendar.month(asked)
        return Window(1, begin * SLOT_US, end * SLOT_US, month_days(asked), (asked, asked))

    def changes(months: int, device: int | None = None) -> Callable[[], object]:
        def ask() -> object:
            changes = read_changes(db, 1, device, month - months + 1, month, month)
            return told(changes, known_devices(db), month).shown()

        return ask

    def coverage(months: int) -> Callable[[], object]:
        def ask() -> object:
            namings = read_naming(db, month - months + 1, month, 1)
            return coverage_report(namings, {month: count_addresses(db, *calendar.month(month), 1)})

        return ask

    return {
        **{f"report {kind.name}, last week": _of_days(db, kind, 7) for kind in KINDS if kind.name not in _BY_MONTHS},
        **{f"report {kind.name}, a year": _of_days(db, kind, 365) for kind in KINDS if kind.name not in _BY_MONTHS},
        "report changes, last two months": changes(2),
        "report changes, a year": changes(12),
        "report changes, three years": changes(36),
        "report changes of one device, three years": changes(36, busy),
        "report coverage, last two months": coverage(2),
        "report coverage, a year": coverage(12),
        "report coverage, three years": coverage(36),
        "devices": lambda: read_residents(db, "home"),
        "destinations of one device, three years": lambda: contacts_of(db, busy, 15),
        "destinations of all devices, this month": lambda: read_reached(db, of_month(month)),
        "destinations of all devices, a month two years ago": lambda: read_reached(db, of_month(month - 24)),
        "traffic of a day by quarter of an hour": ask(
            "SELECT slot_us, device_id, sum(bytes_up), sum(bytes_down) FROM traffic WHERE slot_us >= ? AND slot_us < ?"
            " GROUP BY 1, 2",
            day * 900_000_000,
            (day + SLOTS) * 900_000_000,
        ),
        "hours of one device, three years": ask(
            "SELECT slot, sum(bytes_up), sum(bytes_down) FROM hour_total"
            " WHERE station_id IN (SELECT id FROM station WHERE device_id = ?) GROUP BY 1",
            busy,
        ),
        "days of all devices, three years": ask(
            "SELECT t.day, s.device_id, sum(t.bytes_up), sum(t.bytes_down) FROM day_total t JOIN station s"
            " ON s.id = t.station_id GROUP BY 1, 2"
        ),
    }


def _of_days(db: sqlite3.Connection, kind: Kind, days: int) -> Callable[[], object]:
    """A report about the last days, as a person sees it: the command asks about seven where no time is said."""
    (newest,) = db.execute("SELECT max(last_us) FROM capture").fetchone()
    names = {each.device_id: each.name or each.said_of for each in read_residents(db, "home")}
    span = Span(newest + 1 - days * DAY_US, newest + 1)
    only = {"destination": "host3.amazonaws.com"} if "destination" in kind.only else {}
    scope = Scope(db, 1, "home", "Europe/Berlin", span, newest, names=names, only=only)
    return lambda: kind.make(scope).shown()


def timings(database: Path) -> dict[str, float]:
    """CPU seconds that each question takes, the least of five times: machines are shared."""
    out = {}
    with closing(read_database(database)) as db:
        ask_all = questions(db)
        for name, ask in ask_all.items():
            took = []
            for _ in range(_ROUNDS):
                began = time.process_time()
                ask()
                took.append(time.process_time() - began)
            out[name] = min(took)
    return out


def table(held: Sequence[Size], took: dict[str, float]) -> str:
    """Both as Markdown."""
    lines = ["| tier | rows | MiB | kept |", "|---|---|---|---|"]
    for each in held:
        kept = "for good" if each.for_good else "for a while"
        lines.append(f"| {each.tier} | {each.rows:,} | {each.size / MIB:.1f} | {kept} |")
    lines.append(f"| for good together | | {for_good(held):.0f} | of at most {FOR_GOOD_MIB} |")
    lines.append(f"| everything | | {everything(held):.0f} | of at most {ALL_MIB:.0f} |")
    lines += ["", "| question | CPU s |", "|---|---|"]
    lines += [f"| {name} | {seconds:.2f} |" for name, seconds in took.items()]
    return "\n".join(lines) + "\n"


def measure(database: Path) -> str:
    """The tables for a database at this place; it is built first where there is none."""
    if not database.exists():
        build(database)
    return table(sizes(database), timings(database))
