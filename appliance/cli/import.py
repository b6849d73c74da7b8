"""`homeport import`: capture files into the database of facts.

Rule: standard output gets the summary and nothing else; the exit code says whether anything was set aside.
"""

from __future__ import annotations

import glob
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from appliance.bulk import prepare
from appliance.config import Config, load_config
from appliance.console import CannotDoError, count, duration, note, plural, printable, say, size
from appliance.main import COULD_NOT, DONE, SET_ASIDE
from appliance.progress import BarProgress, LineProgress

if TYPE_CHECKING:
    from daemon.ingest import FileOutcome, Summary

_UNREAD = ("unsupported", "unreadable")  # nothing came out of these
_IN_PART = ("torn", "corrupt")


@click.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--db", "database", metavar="FILE", help="Database to fill; made if it is missing. [store.database]")
@click.option("--site", metavar="NAME", help="Home that the captures come from. [site.name]")
@click.option("--device", metavar="NAME", help="Device that all these captures were taken of.")
@click.option("--network", "networks", multiple=True, metavar="PREFIX", help="Prefix that is local. [site.networks]")
@click.option("--jobs", type=int, metavar="N", help="Files decoded at the same time. [import.jobs]")
def command(
    paths: tuple[str, ...],
    database: str | None,
    site: str | None,
    device: str | None,
    networks: tuple[str, ...],
    jobs: int | None,
) -> int:
    """Read captures into the database.

    PATH is a capture (pcap or pcapng, gzip'd or not), a folder, or a glob in quotes. Importing the same bytes again
    adds nothing; a capture that has grown is continued where the last import stopped.
    """
    config = load_config(
        {"store.database": database, "site.name": site, "site.networks": networks, "import.jobs": jobs}
    )
    _check_database(config)
    _check_paths(paths)
    prepare()
    from appliance.knowledge import knowledge_of, missing_places
    from daemon.ingest import import_captures

    knowledge = knowledge_of(config)
    began = time.monotonic()
    with BarProgress() if sys.stderr.isatty() else LineProgress() as progress:
        summary = import_captures(
            paths,
            config.store.database,
            site=config.site.name,
            device=device,
            jobs=config.imports.jobs,
            networks=config.site.networks,
            knowledge=knowledge,
            progress=progress,
        )
    if not summary.files:
        raise CannotDoError(f"nothing was imported; {_listed(summary.set_aside)}")
    for line in summary_lines(summary, time.monotonic() - began):
        say(line)
    say(holdings_line(summary, config))
    new = any(outcome.new_packets for outcome in summary.files)
    hint = missing_places(knowledge) if new else None  # which opens the address databases, as judging what is new has
    if hint:
        note(hint)
    return exit_code(summary)


def _listed(problems: tuple[tuple[str, str], ...]) -> str:
    shown = "; ".join(f"{printable(what)}: {printable(why)}" for what, why in problems[:3])
    return shown if len(problems) <= 3 else f"{shown}; and {len(problems) - 3} more"


def _check_database(config: Config) -> None:
    """In the words of somebody who has no appliance, and before anything is read."""
    path = config.store.database
    if config.sources["store.database"] == "default" and not path.parent.is_dir():
        raise click.UsageError(f"no database was named and there is no {path.parent} here; add --db FILE")


def _check_paths(paths: tuple[str, ...]) -> None:
    for path in paths:
        if not os.path.lexists(path) and not glob.glob(path, recursive=True):  # noqa: PTH207 - Path.glob takes no absolute pattern
            raise CannotDoError(f"no such file or folder: {printable(path)}; nothing was imported")


def exit_code(summary: Summary) -> int:
    """DONE; SET_ASIDE if anything was; COULD_NOT if nothing of any file could be read."""
    statuses = [outcome.status for outcome in summary.files]
    if all(status in _UNREAD for status in statuses):
        return COULD_NOT
    return SET_ASIDE if summary.set_aside or any(status in _UNREAD + _IN_PART for status in statuses) else DONE


def summary_lines(summary: Summary, seconds: float) -> list[str]:
    """What was imported, what could not be decoded and why, what was set aside and why."""
    files = f"{plural(len(summary.files), 'file')} ({size(summary.bytes)})"
    lines = [f"Imported {files} in {duration(seconds)}."]
    new = sum(outcome.new_packets for outcome in summary.files)
    known = "" if new == summary.packets else f"   ({count(new)} of them new)"
    lines.append(f"  packets      {count(summary.packets):>12}{known}")
    lines.append(f"  not decoded  {count(summary.undecoded_packets):>12}")
    lines += [f"{count(packets):>27}  {printable(why)}" for why, packets in summary.undecoded]
    aside = [*summary.set_aside, *_failed(summary.files, {what for what, _ in summary.set_aside})]
    if aside:
        lines.append(f"Set aside ({len(aside)}):")
        lines += [f"  {printable(what)}: {printable(why)}" for what, why in aside]
    return lines


def holdings_line(summary: Summary, config: Config) -> str:
    """What the database holds now, of this site, from this import and all before it."""
    held = ", ".join(
        plural(number, noun)
        for number, noun in ((summary.devices, "device"), (summary.flows, "flow"), (summary.names, "name"))
    )
    return f"{printable(config.store.database)} holds of site {printable(config.site.name)}: {held}."


def _failed(files: tuple[FileOutcome, ...], named: set[str]) -> list[tuple[str, str]]:
    """Files that were not read to their end and that the importer has not named itself."""
    return [
        (str(outcome.path), outcome.message or outcome.status)
        for outcome in files
        if outcome.status in _UNREAD + _IN_PART and str(outcome.path) not in named
    ]
