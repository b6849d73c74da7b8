"""From flags to a question, and from a report to what a person, a spreadsheet or a program reads."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from appliance.config import Config
from appliance.console import (
    LEFT,
    RIGHT,
    CannotDoError,
    count,
    note,
    plural,
    printable,
    reader_may_leave,
    say,
    size,
    table,
)
from appliance.families import portraits_of
from appliance.looking import somebody_looks
from appliance.places import locator_of
from daemon.decode.slots import SLOT_US
from daemon.report.lookup import told_apart
from daemon.report.moments import moment_us
from daemon.report.recording import Unrecorded, unrecorded
from daemon.report.scope import Scope, Span
from daemon.report.spreadsheet import csv_pieces
from daemon.report.table import COUNT, MOST_SHOWN, SHARE, SIZE, TEXT, TIME, Report, Row
from daemon.store.applications import read_applications
from daemon.store.calendar import Calendar, month_number
from daemon.store.database import read_database
from daemon.store.errors import explained
from daemon.store.months import last_months, sites
from daemon.store.owner import read_owner, words_at
from daemon.store.recording import with_level
from daemon.store.roster import read_called, read_residents
from daemon.store.settings import night_of, read_settings


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: a site, perhaps one device, and months by number, both included."""

    db: sqlite3.Connection
    site_id: int
    zone: str
    device_id: int | None
    since: int
    until: int
    newest: int

    def slots(self, month: int) -> tuple[int, int]:
        """The half-open range of slots of a month."""
        return Calendar(self.zone).month(month)


@contextmanager
def ask(
    config: Config, *, device: str | None = None, since: str | None = None, until: str | None = None
) -> Iterator[Question]:
    """Opens the database for a question. Raises UsageError, CannotDoError, StoreError."""
    first, last = _month(since, "--since"), _month(until, "--until")
    path = config.store.database
    somebody_looks()
    with closing(read_database(path)) as db, explained(path):
        site_id, zone = _site(db, config)
        months = last_months(db, site_id)
        if not months:
            raise CannotDoError(f"nothing in {printable(path)} went to the internet, so there is nothing to report")
        number = None if device is None else _device(config, device)
        end = months[-1] if last is None else last
        begin = max(month for month in (end - 1, months[0]) if month <= end) if first is None else first
        if begin > end:
            raise click.UsageError("--since is later than --until")
        yield Question(db, site_id, zone, number, begin, end, months[-1])


@contextmanager
def ask_scope(
    config: Config,
    *,
    device: str | None = None,
    since: str | None = None,
    until: str | None = None,
    only: Mapping[str, str] | None = None,
) -> Iterator[Scope]:
    """Opens the database for a question about any stretch of time, by default the last seven days.

    Raises UsageError, CannotDoError, StoreError.
    """
    path = config.store.database
    somebody_looks()
    with closing(read_database(path)) as db, explained(path):
        site_id, zone = _site(db, config)
        (newest,) = db.execute("SELECT max(last_us) FROM capture WHERE site_id = ?", (site_id,)).fetchone()
        if newest is None:
            raise CannotDoError(f"nothing was captured in {printable(path)}, so there is nothing to report")
        span = Span(
            _instant(since or "7d", "--since", zone, newest, ends=False),
            newest + 1 if until is None else _instant(until, "--until", zone, newest, ends=True),
        )
        if span.since_us >= span.until_us:
            raise click.UsageError("--since is not before --until")
        number = None if device is None else _device(config, device)
        night, applications = _owners(config)
        yield Scope(
            db,
            site_id,
            config.site.name,
            zone,
            span,
            newest,
            number,
            {device_id: told_apart(name, key) for device_id, name, key in read_called(db, site_id)},
            night,
            applications,
            only=only or {},
            locate=locator_of(config),
            known=portraits_of(config),
            unrecorded=lambda: _unrecorded(db, config),
        )


def _unrecorded(db: sqlite3.Connection, config: Config) -> list[Unrecorded]:
    """Who is not recorded in full, as the owner said."""
    words = words_at(config.store.owner, config.site.name)
    if not words.levels:
        return []
    residents = [with_level(each, words) for each in read_residents(db, config.site.name)]
    return unrecorded(residents, {each.device_id: each.name or each.said_of for each in residents}, words)


def _owners(config: Config) -> tuple[tuple[int, int], Mapping[str, tuple[str, ...]]]:
    """When it is night in this home, and what its applications are."""
    owner = read_owner(config.store.owner)
    if owner is None:
        return night_of({}), read_applications(None)
    with closing(owner):
        return night_of(read_settings(owner)), read_applications(owner)


def _instant(text: str, flag: str, zone: str, newest_us: int, *, ends: bool) -> int:
    try:
        first, after = Calendar(zone).month(month_number(text))
        return (after if ends else first) * SLOT_US
    except ValueError:
        pass  # no month; then a day or a time
    try:
        return moment_us(text, zone, newest_us, ends=ends)
    except ValueError as error:
        raise click.UsageError(f"{flag}: {error}") from None


def _site(db: sqlite3.Connection, config: Config) -> tuple[int, str]:
    known = sites(db)
    if config.site.name not in known:
        there = ", ".join(printable(name) for name in sorted(known)) or "none"
        raise CannotDoError(f"there is no home {printable(config.site.name)!r} here; --site names one of: {there}")
    return known[config.site.name]


def _device(config: Config, word: str) -> int:
    from appliance.household import read_household

    return read_household(config).find(word).resident.device_id


def _month(text: str | None, flag: str) -> int | None:
    try:
        return None if text is None else month_number(text)
    except ValueError:
        raise click.UsageError(f"{flag} wants a month such as 2025-07, not {printable(text)!r}") from None


def write(report: Report, form: str, *, everything: bool = False) -> None:
    """The report on standard output, as `table`, `csv` or `json`; `everything`: also what nobody reads on a terminal.

    What the report was made from must still be open: its rows are made while they are written.
    """
    _WRITERS[form](report, everything=everything)


def _table(report: Report, *, everything: bool) -> None:
    sentences = report.sentences if everything else report.sentences[-MOST_SHOWN:]  # the newest are the last
    rows = report.rows if everything else report.shown()
    if len(sentences) < len(report.sentences):
        note(f"{plural(len(report.sentences) - len(sentences), 'earlier sentence')} left out; --all says them, too.")
    for sentence in sentences:
        say(printable(sentence))
    if sentences and rows:
        say()
    if rows:
        columns = [(column.heading, LEFT if column.form == TEXT else RIGHT) for column in report.columns]
        table(report.title, columns, [_cells(report, row) for row in rows])
    if len(rows) < len(report.rows):
        say(_left_out(report, len(rows)))
    for line in report.notes:
        note(line)


def _left_out(report: Report, shown: int) -> str:
    which = f"the first {count(shown)}" if report.weighty is None else f"the {count(shown)} with most traffic"
    return (
        f"... and {count(len(report.rows) - shown)} more: these are {which}. --all shows the whole table, --format csv"
        " writes it for a spreadsheet."
    )


def _cells(report: Report, row: Row) -> list[str]:
    return [
        "" if value is None else _FORMS[column.form](value) for column, value in zip(report.columns, row, strict=True)
    ]


def _csv(report: Report, *, everything: bool) -> None:
    del everything  # a spreadsheet always gets all
    with reader_may_leave():
        sys.stdout.writelines(csv_pieces(report, end="\n"))


def _json(report: Report, *, everything: bool) -> None:
    del everything  # a program always gets all
    about = json.dumps({"title": report.title, "sentences": report.sentences, "notes": report.notes}, indent=1)
    keys = [f"   {json.dumps(key)}: " for key in report.keys]
    write = sys.stdout.write
    with reader_may_leave():
        write(f'{about[:-2]},\n "rows": [')  # without the end of the object
        for number, row in enumerate(report.rows):
            cells = ",\n".join([key + json.dumps(value) for key, value in zip(keys, row, strict=True)])
            write(f"{',' if number else ''}\n  {{\n{cells}\n  }}")
        write("\n ]\n}\n" if report.rows else "]\n}\n")


def _time(value: object) -> str:
    return datetime.fromtimestamp(int(str(value)) / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


_FORMS: Mapping[str, Callable[[object], str]] = {
    TEXT: str,
    COUNT: lambda value: count(int(str(value))),
    SIZE: lambda value: size(float(str(value))),
    SHARE: lambda value: f"{float(str(value)):.1%}",
    TIME: _time,
}
_WRITERS: Mapping[str, Callable[..., None]] = {"table": _table, "csv": _csv, "json": _json}
