"""`homeport report NAME`: what the facts and labels say, as sentences and tables, as CSV or as JSON.

Rule: a report's module is imported when that report is asked for, and its rows are made while they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from appliance.config import load_config
from daemon.report.registry import KINDS, Kind

if TYPE_CHECKING:
    from appliance.reports import Question
    from daemon.report.table import Report


@click.group("report", short_help="Answer a question: every table of the dashboard.")
def command() -> None:
    """Say what changed, what is known and what is not.

    A month is written 2025-07. A DEVICE is a name, a MAC, an address or a number, as `homeport devices` shows them.
    """


def _options(metavar: str, since: str, until: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options that every report has; what its times are called, and what holds where none is said."""

    def add(action: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option(
                "--format", "form", type=click.Choice(("table", "csv", "json")), default="table", help="How to write."
            ),
            click.option("--all", "everything", is_flag=True, help="The whole table, however long it is."),
            click.option("--until", metavar=metavar, help=f"Last {metavar.lower()} that is meant. [{until}]"),
            click.option("--since", metavar=metavar, help=f"First {metavar.lower()} that is meant. [{since}]"),
            click.option("--device", metavar="DEVICE", help="One device only."),
            click.option("--site", metavar="NAME", help="Home that is meant. [site.name]"),
            click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]"),
        ):
            action = option(action)
        return action

    return add


_by_months = _options("MONTH", "the one before the newest", "the newest")
_by_times = _options("TIME", "7d ago", "now")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed, as click hands it over."""

    form: str
    everything: bool
    database: str | None
    site: str | None
    device: str | None
    since: str | None
    until: str | None


def _run(make: Callable[[Question], Report], asked: _Asked) -> None:
    from appliance.reports import ask, write

    config = load_config({"store.database": asked.database, "site.name": asked.site})
    with ask(config, device=asked.device, since=asked.since, until=asked.until) as question:
        write(make(question), asked.form, everything=asked.everything)


def _changes(question: Question) -> Report:
    from daemon.report.changes import told
    from daemon.report.turnover_kept import read_changes
    from daemon.store.months import known_devices

    of = question.site_id, question.device_id
    changes = read_changes(question.db, *of, question.since, question.until, question.newest)
    return told(changes, known_devices(question.db), question.newest)


def _coverage(question: Question) -> Report:
    from daemon.report.coverage import coverage_report
    from daemon.store.address_days import count_addresses
    from daemon.store.months import read_naming

    namings = read_naming(question.db, question.since, question.until, question.site_id, question.device_id)
    last = max((naming.month for naming in namings), default=question.until)  # of others it would take too long
    counted = count_addresses(question.db, *question.slots(last), question.site_id, question.device_id)
    return coverage_report(namings, {last: counted})


# Reports about whole months, which the command asks for by months.
_MONTHLY: Mapping[str, tuple[Callable[[Question], Report], str, str]] = {
    "changes": (
        _changes,
        "Which destinations are new, gone or changed between months?",
        "New, gone and changed destinations between months.",
    ),
    "coverage": (
        _coverage,
        "How much of the traffic has a name, and by what?",
        "How much of the traffic has a name, by what, and why the rest has none.",
    ),
}


_ONLY: Mapping[str, str] = {
    "party": "One kind of company only: first, support, platform, third, unknown.",
    "country": "One country only, by its code: DE. `-`: unknown.",
    "company": "One company only, as reports call it. `-`: unknown.",
    "destination": "The name, with all below it, or the address that is meant.",
}


def _command_of(kind: Kind) -> click.Command:
    if kind.name in _MONTHLY:
        make, short, text = _MONTHLY[kind.name]
        return click.command(kind.name, help=text, short_help=short)(
            _by_months(lambda **typed: _run(make, _Asked(**typed)))
        )

    def run(**typed: Any) -> None:  # noqa: ANN401  the options that this report has
        from appliance.reports import ask_scope, write

        only = {word: said for word in kind.only if (said := typed.pop(word)) is not None}
        asked = _Asked(**typed)
        config = load_config({"store.database": asked.database, "site.name": asked.site})
        with ask_scope(config, device=asked.device, since=asked.since, until=asked.until, only=only) as scope:
            write(kind.make(scope), asked.form, everything=asked.everything)

    text = f"{kind.question}\n\nA TIME is a month (2025-07), a day, a time, or how long ago (7d)."
    narrowed = _by_times(run)
    for word in kind.only:
        narrowed = click.option(f"--{word}", metavar="WORD", help=_ONLY[word])(narrowed)
    return click.command(kind.name, help=text, short_help=kind.question)(narrowed)


for _kind in KINDS:
    command.add_command(_command_of(_kind))
