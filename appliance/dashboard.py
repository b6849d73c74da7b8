"""The dashboard with its surroundings: which files, which services, who lets the labels follow.

Rule 1: the web only reads facts. Where no ingest runs beside it (a demo, a laptop), the labels follow the owner's words in
        a thread of this process that is not the web's.
Rule 2: nothing is served before the socket listens; who waits for it is told then.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime

import uvicorn

from appliance import __version__
from appliance.config import Config
from appliance.data.status import OLD, status
from appliance.families import portraits_of
from appliance.heap import Reliever, hold_little
from appliance.heart import beating
from appliance.knowledge import knowledge_of
from appliance.looking import somebody_looks
from appliance.places import locator_of
from appliance.status import RUN_FOLDER, StatusError, read_status
from daemon.store.accounts import is_claimed, show_code
from daemon.store.errors import StoreError
from daemon.store.owner import open_owner, read_owner, wishes
from daemon.store.settings import SETTINGS
from web.app import create_app
from web.options import DataFile, Options, ServiceState

_SERVICES = ("capture", "ingest")
_log = logging.getLogger("homeport.web")


def options_of(config: Config, *, is_open: bool) -> Options:
    """What the pages are given on this machine."""
    return Options(
        database=config.store.database,
        owner=config.store.owner,
        site=config.site.name,
        captures=config.capture.folder,
        configured=_configured(config),
        hosts=host_names(config.web.hosts, socket.gethostname()),
        open=is_open,
        version=__version__,
        services=_services,
        data_files=lambda: _data_files(config),
        locate=locator_of(config),
        known=portraits_of(config),
        look=somebody_looks,
        relieve=Reliever(),
        follow=Follower(config).follow,
    )


def host_names(configured: Sequence[str], machine: str) -> tuple[str, ...]:
    """Names by which the dashboard may be called; see the key `web.hosts`."""
    names = ("homeport", machine.partition(".")[0], machine)
    return tuple(dict.fromkeys((*configured, *names, *(f"{name}.local" for name in names[:2]))))


def claim_code(config: Config) -> str | None:
    """A new code for a box without an owner; None where there is one. Raises StoreError."""
    with closing(open_owner(config.store.owner)) as db:
        return None if is_claimed(db) else show_code(db, time.time_ns() // 1000)


def serve(config: Config, host: str, port: int, *, is_open: bool, ready: Callable[[str], None]) -> None:
    """Answer until SIGINT or SIGTERM. Raises OSError where the address cannot be had."""
    hold_little()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        bound = int(listening.getsockname()[1])
        ready(f"http://{shown}:{bound}/")
        options = options_of(config, is_open=is_open)
        Follower(config).resume(options.site)
        settings = uvicorn.Config(
            create_app(options), log_level="warning", access_log=False, server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=3,
        )  # fmt: skip
        with beating(host, bound):
            uvicorn.Server(settings).run(sockets=[listening])


class Follower:
    """Lets the labels follow what the owner says, unless a service does."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._turn = threading.Lock()

    def follow(self, site: str) -> None:
        """Start it; the pages show the owner's words meanwhile."""
        if _ingest_runs():
            return  # it acts on them within seconds
        threading.Thread(target=self._relabel, args=(site,), name="labels follow", daemon=True).start()

    def resume(self, site: str) -> None:
        """Go on with what an earlier dashboard was asked to forget and did not come to the end of."""
        db = read_owner(self._config.store.owner)
        if db is not None:
            with closing(db):
                waiting = bool(wishes(db, site))
            if waiting:
                self.follow(site)

    def _relabel(self, site: str) -> None:
        from daemon.ingest.relabel import relabel_site
        from daemon.ingest.wishes import Wishes

        places = self._config.store
        with self._turn:
            try:
                knowledge = knowledge_of(self._config)
                Wishes(places.database, site, knowledge.with_owner(places.owner)).fulfil()
                relabel_site(places.database, places.owner, site, knowledge)
            except StoreError as error:
                _log.warning("What was said is kept, but the labels could not follow yet: %s", error)


def _configured(config: Config) -> dict[str, str]:
    """What each key that the owner can set would be otherwise."""
    return {key: str(config.beneath.get(key, config.value(key))) for key, setting in SETTINGS.items() if setting.is_key}


def _data_files(config: Config) -> Sequence[DataFile]:
    rows = status(config.data.folder, datetime.now(UTC), config.data.old_after_days)
    return [
        DataFile(
            row.name, row.kind or "", row.age_days, row.state == OLD,
            row.state if row.reason is None else f"{row.state}: {row.reason}",
        )
        for row in rows
    ]  # fmt: skip


def _services() -> Sequence[ServiceState]:
    now_us = time.time_ns() // 1000
    states = []
    for name in _SERVICES:
        with suppress(StatusError):  # a file that is no status says nothing; the doctor tells why
            status = read_status(name, RUN_FOLDER)
            if status is not None:
                states.append(
                    ServiceState(
                        name, status.running(now_us), status.state, status.sentence, status.silent_for(now_us),
                        status.numbers,
                    )
                )  # fmt: skip
    return states


def _ingest_runs() -> bool:
    return any(state.name == "ingest" and state.running for state in _services())
