"""`homeport ingest`: follows a folder of captures and keeps the database up to date, for years.

Rule: a file that cannot be read is said once and set aside; the exit code says so only where the command has an end.
"""

from __future__ import annotations

import gc
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.bulk import prepare
from appliance.config import Config, load_config
from appliance.console import CannotDoError, plural, printable
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.service import Service
    from daemon.ingest.standing import Standing

_NAP_S = 0.2  # so soon a signal is heard
_BESIDES = ("state", "sentence", "advanced", "said")


@click.command("ingest", short_help="Follow a folder of captures into the database.")
@click.option("--dir", "folder", metavar="DIR", help="Folder of the captures. [capture.folder]")
@click.option("--db", "database", metavar="FILE", help="Database to fill; made if it is missing. [store.database]")
@click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--site", metavar="NAME", help="Home that the captures come from. [site.name]")
@click.option("--network", "networks", multiple=True, metavar="PREFIX", help="Prefix that is local. [site.networks]")
@click.option("--status", "run_folder", type=click.Path(path_type=Path), metavar="DIR", help="Folder of ingest.json.")
@click.option("--once", is_flag=True, help="Read what there is, then end.")
def command(
    folder: str | None,
    database: str | None,
    owner_file: str | None,
    site: str | None,
    networks: tuple[str, ...],
    run_folder: Path | None,
    once: bool,
) -> int:
    """Follow the captures of a folder into the database while they grow.

    Files of `homeport capture` are read as far as they are on the disk, files of others to their end. Ends with SIGTERM
    or Ctrl-C; docs/ingest.md says what is read when, and what happens to a file that cannot be read.
    """
    config = load_config(
        {
            "capture.folder": folder,
            "store.database": database,
            "store.owner": owner_file,
            "site.name": site,
            "site.networks": networks,
        }
    )
    captures = config.capture.folder
    if not captures.is_dir():
        raise CannotDoError(f"{printable(captures)} is not a folder; make it, or name another with --dir")
    prepare()
    from appliance.service import World, run_service

    world = World() if run_folder is None else World(run_folder=run_folder)
    return run_service("ingest", lambda service: _follow(config, service, world.run_folder, once=once), world)


class _Machine:
    """The world as this machine has it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._service.stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _NAP_S))

    def stopping(self) -> bool:
        return self._service.stopping


def _follow(config: Config, service: Service, run_folder: Path, *, once: bool) -> int:
    from appliance.budget import keeper_of
    from appliance.heap import Reliever
    from appliance.knowledge import knowledge_of
    from daemon.ingest.live import Assignment, Live

    assignment = Assignment(
        folder=config.capture.folder,
        database=config.store.database,
        site=config.site.name,
        networks=config.site.networks,
        knowledge=knowledge_of(config),
        run_folder=run_folder,
    )
    keeper = None if once else keeper_of(config)  # who reads once, by hand, deletes nothing
    trim = Reliever().now

    def relieve() -> None:
        """What a look leaves behind in rings of references is not waited for: `prepare` has garbage looked for seldom."""
        gc.collect()
        trim()

    standing = Live(assignment, _Machine(service), _listener(config, service), keeper, relieve).run(once=once)
    unread = f", {plural(len(standing.set_aside), 'file')} set aside" if standing.set_aside else ""
    service.say(f"Read {plural(standing.packets, 'packet')}{unread}.", packets=standing.packets)
    return SET_ASIDE if once and standing.set_aside else DONE


def _listener(config: Config, service: Service) -> Callable[[Standing], None]:
    """Hands each word on, and says once what was set aside."""
    from appliance.service import Beat

    said: dict[str, str] = {}
    started = False

    def heard(standing: Standing) -> None:
        nonlocal started
        if not started:
            started = True
            service.say(f"Following {printable(config.capture.folder)} into {printable(config.store.database)}.")
            service.ready(standing.sentence)
        now = dict(standing.set_aside)
        for path, why in now.items():
            if said.get(path) != why:
                service.warn(
                    f"{printable(path)}: set aside: {printable(why)}; it is tried again when it changes", file=path
                )
        for word in standing.said:
            (service.warn if word.loud else service.say)(printable(word.sentence), file=word.file)
        said.clear()
        said.update(now)
        numbers = {name: value for name, value in asdict(standing).items() if name not in _BESIDES}
        waiting = standing.unread_bytes > 0 and standing.state != "following"
        service.beat(Beat(standing.state, standing.sentence, standing.advanced, waiting, numbers))

    return heard
