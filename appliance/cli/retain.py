"""`homeport retain`: what is past its time becomes sums, or goes.

Rule: nothing else deletes but this and `homeport forget`; an import never does.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from appliance.config import Config, load_config
from appliance.console import CannotDoError, count, note, plural, printable, say, size
from appliance.main import DONE, SET_ASIDE
from daemon.decode.slots import SLOT_US
from daemon.store.calendar import date_of

if TYPE_CHECKING:
    from daemon.ingest.retention import SiteRetained
    from daemon.store.retain import Limits


@click.command("retain", short_help="Turn what is past its time into sums.")
@click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]")
@click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option(
    "--detail-days",
    type=int,
    metavar="DAYS",
    help="Keep flows, handshakes and DNS for so long. [retention.detail_days]",
)
@click.option("--detail-mib", type=int, metavar="MIB", help="Most room for them. [retention.detail_mib]")
@click.option(
    "--traffic-days", type=int, metavar="DAYS", help="Keep quarters of hours for so long. [retention.traffic_days]"
)
@click.option("--dir", "folder", metavar="DIR", help="Folder of the captures. [capture.folder]")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def command(
    database: str | None,
    owner_file: str | None,
    detail_days: int | None,
    detail_mib: int | None,
    traffic_days: int | None,
    folder: str | None,
    dry_run: bool,
) -> int:
    """Turn what is past its time into sums, in every home of the database, and keep captures within their budget.

    Ages count from the home's newest packet. Hours, days and months stay for good; docs/storage.md says what else.
    """
    config = load_config(
        {
            "store.database": database,
            "store.owner": owner_file,
            "capture.folder": folder,
            "retention.detail_days": detail_days,
            "retention.detail_mib": detail_mib,
            "retention.traffic_days": traffic_days,
        }
    )
    _check(config)
    for done in _run(config, dry_run=dry_run):
        say(_gone(done, dry_run=dry_run))
        say(_stays(done))
    return _captures(config, dry_run=dry_run) if config.capture.folder.is_dir() else DONE


def _check(config: Config) -> None:
    path = config.store.database
    if not path.is_file():
        raise CannotDoError(f"no database at {printable(path)}; nothing was done")


def _limits(config: Config) -> Limits:
    from daemon.store.retain import Limits

    held = config.retention
    return Limits(held.detail_days, held.detail_mib << 20, held.traffic_days)


def _run(config: Config, *, dry_run: bool) -> list[SiteRetained]:
    from appliance.knowledge import knowledge_of
    from daemon.ingest.retention import preview, retain_all

    if dry_run:
        return preview(config.store.database, _limits(config))
    return retain_all(config.store.database, _limits(config), knowledge_of(config), _heard)


def _heard(site: str, done: int, every: int) -> None:
    """Each day that is folded, where there are many; on a terminal in one line."""
    if every < 3:
        return
    line = f"{printable(site)}: {done} of {plural(every, 'day')} done"
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(f"\r{line}" + ("\n" if done == every else ""), nl=False, err=True)
    elif done in (0, every) or not done % 10:
        note(line)


def _gone(done: SiteRetained, *, dry_run: bool) -> str:
    site = printable(done.site)
    if done.plan is None:
        return f"{site}: there are no packets."
    went = "would go" if dry_run else "went"
    return (
        f"{site}: {plural(done.flows, 'flow')} that ended before {_day(done.plan.before_us)}, and"
        f" {plural(done.slots, 'quarter-hour row')} from before {_day(done.plan.oldest_slot * SLOT_US)}, {went}."
    )


def _stays(done: SiteRetained) -> str:
    kept = done.kept
    if kept.days_since is None:
        return "  nothing is kept of it."
    parts = [f"hours, days and months since {date_of(kept.days_since)}"]
    if kept.slots_since_us is not None:
        parts.append(f"quarters of hours since {_day(kept.slots_since_us)}")
    if kept.flows_since_us is not None:
        parts.append(f"{count(kept.flows)} flows since {_day(kept.flows_since_us)}")
    return f"  there are {', '.join(parts)}."


def _day(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%Y-%m-%d")


def _captures(config: Config, *, dry_run: bool) -> int:
    """The files: what the budget wants gone, and what is old enough to be thinned."""
    from contextlib import closing

    from appliance.budget import keeper_of, limits_of
    from daemon.ingest.thinning import thin_old
    from daemon.store.database import open_database, read_database

    held, keeper = config.capture, keeper_of(config)
    try:
        if dry_run:
            with closing(read_database(config.store.database)) as db:
                for going in keeper.preview(db).going:
                    say(f"{printable(going.file.path.name)}: {size(going.file.size)} would go.")
            return DONE
        with closing(open_database(config.store.database)) as db:
            keeper.keep(db, 0)
        for word in keeper.say():
            (note if word.loud else say)(printable(word.sentence))
        aside = False
        for done in thin_old(config.store.database, held.folder, limits_of(config), held.thin_keep_kib << 10):
            name = printable(done.path.name)
            aside = aside or bool(done.why)
            say(
                f"{name}: not thinned: {printable(done.why)}" if done.why else f"{name}: thinned, {size(done.won)} won."
            )
    except OSError as error:
        raise CannotDoError(f"{printable(held.folder)}: {(error.strerror or str(error)).lower()}") from error
    return SET_ASIDE if aside else DONE
