"""`homeport report NAME`: what the facts and labels say, as sentences and tables, as CSV or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def _run(make: Callable[[Question], Report], **asked: str | None) -> None:
    from appliance.reports import ask, write

    form = asked.pop("form") or "table"
    config = load_config({"store.database": asked.pop("database"), "site.name": asked.pop("site")})
    with ask(config, **asked) as question:
        report = make(question)
    write(report, form)


@command.command("changes", short_help="Which destinations are new, gone or changed between months?")
@_by_months
def changes(**asked: str | None) -> None:
    """New, gone and changed destinations between months."""
    from daemon.report.changes import changes_report
    from daemon.store.months import known_devices, read_contacts, read_earlier

    def make(question: Question) -> Report:
        asked = question.site_id, question.device_id
        contacts = read_earlier(question.db, question.since, *asked)
        contacts += read_contacts(question.db, question.since, question.until, *asked)
        return changes_report(contacts, known_devices(question.db), question.since, question.newest)

    _run(make, **asked)


@command.command("coverage", short_help="How much of the traffic has a name, and by what?")
@_by_months
def coverage(**asked: str | None) -> None:
    """How much of the traffic has a name, by what, and why the rest has none."""
    from daemon.report.coverage import coverage_report
    from daemon.store.months import count_addresses, read_naming

    def make(question: Question) -> Report:
        namings = read_naming(question.db, question.since, question.until, question.site_id, question.device_id)
        last = max((naming.month for naming in namings), default=question.until)  # of others it would take too long
        counted = count_addresses(question.db, *question.slots(last), question.site_id, question.device_id)
        addresses = {last: counted}
        return coverage_report(namings, addresses)

    _run(make, **asked)


_ONLY: Mapping[str, str] = {
    "party": "One kind of company only: first, support, platform, third, unknown.",
    "country": "One country only, by its code: DE. `-`: unknown.",
    "company": "One company only, as reports call it. `-`: unknown.",
    "destination": "The name, with all below it, or the address that is meant.",
}


def _command_of(kind: Kind) -> click.Command:
    def run(**asked: str | None) -> None:
        from appliance.reports import ask_scope, write

        form = asked.pop("form") or "table"
        config = load_config({"store.database": asked.pop("database"), "site.name": asked.pop("site")})
        only = {word: said for word in kind.only if (said := asked.pop(word)) is not None}
        with ask_scope(config, **asked, only=only) as scope:
            report = kind.make(scope)
        write(report, form)

    text = f"{kind.question}\n\nA TIME is a month (2025-07), a day, a time, or how long ago (7d)."
    narrowed = _by_times(run)
    for word in kind.only:
        narrowed = click.option(f"--{word}", metavar="WORD", help=_ONLY[word])(narrowed)
    return click.command(kind.name, help=text, short_help=kind.question)(narrowed)


for _kind in KINDS:
    if _kind.name in command.commands:
        continue  # it has options of its own, above
    command.add_command(_command_of(_kind))
