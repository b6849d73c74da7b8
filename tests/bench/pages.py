"""How long every page of the dashboard takes after three years: server time of one request, cold and again.

Rules: the time is CPU of the process that answers, with no other request under way. The first request is one for a stretch
of time that nobody has asked for since the database changed, on an application that has shown the page before (a template
is compiled once in the life of a service), and whose own objects the collector of garbage no longer looks at, as a service
sees to it behind its first answer (appliance/heap.py). A file is sent while it is made: what counts is the time until
it is on its way, and what all of it takes stands beside that.
"""

from __future__ import annotations

import gc
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.report.registry import KINDS
from tests.support.dashboard import BASE, client
from web.pages import PAGES
from web.routing import Page

ALLOWED_S = 0.2
RANGES = ("24h", "7d", "30d", "365d")
_REPORTS = ("/reports/{}", "/reports/{}.csv", "/api/v1/reports/{}")
_FILE = ".csv?"  # in an address
_ROUNDS = 2
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
_NOT_PAGES = ("/captures/files", "/captures/packets", "/metrics")  # files, and what programs ask


class Timed(NamedTuple):
    """One address: CPU seconds of the first request of an application, and of one like it; `whole`: of all of a file."""

    address: str
    status: int
    cold: float
    again: float
    whole: float | None


class _OnItsWay:
    """An application that notes the CPU time at which the first piece of its last answer was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.since = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = False

        async def sending(message: Message) -> None:
            nonlocal sent
            if message["type"] == "http.response.body" and message.get("body") and not sent:
                self.since, sent = time.process_time(), True
            await send(message)

        await self._app(scope, receive, sending)


def measure(database: Path) -> list[Timed]:
    """Every page, for each range. The database is that of `tests.support.threeyears`."""
    return [_timed(database, address) for address in addresses(database)]


def addresses(database: Path) -> list[str]:
    """Of every page for each range, and of every report for the longest: its page, its file and what the API tells."""
    pages = [page for page in PAGES if page.method == "GET" and not page.path.startswith(_NOT_PAGES)]
    paths = [path for page in pages if (path := filled(page, database)) is not None]
    reports = [each.format(kind.name) for each in _REPORTS for kind in KINDS]
    found = [f"{path}?range={span}" for path in paths for span in RANGES]
    return list(dict.fromkeys([*found, *(f"{path}?range={RANGES[-1]}" for path in reports)]))


def _timed(database: Path, address: str) -> Timed:
    firsts, agains = list[tuple[float, float]](), list[tuple[float, float]]()
    status = 0
    for _ in range(_ROUNDS):
        app = client(database).app
        watched = _OnItsWay(app)
        with TestClient(watched, base_url=BASE, follow_redirects=False) as browser:
            browser.get(re.sub("range=.*", "range=2d", address))
            app.state.memory.close()  # type: ignore[attr-defined]  # forgets all, as after a commit
            _set_aside()
            for times in (firsts, agains):
                begin = time.process_time()
                status = browser.get(address).status_code
                times.append((watched.since - begin, time.process_time() - begin))
    sent, whole = (min(times) for times in zip(*firsts, strict=True))
    again, again_whole = (min(times) for times in zip(*agains, strict=True))
    if _FILE in address:
        return Timed(address, status, sent, again, whole)
    return Timed(address, status, whole, again_whole, None)


def _set_aside() -> None:
    """What there is, and not what an earlier application left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def filled(page: Page, database: Path) -> str | None:
    """An address of the page, with what there is in the database; None for a part that nobody knows how to fill."""
    with closing(sqlite3.connect(database)) as db:
        samples = {
            "/devices": db.execute("SELECT printf('%012x', mac) FROM device WHERE mac >= 0 LIMIT 1").fetchone(),
            "/companies": db.execute("SELECT organisation FROM whose WHERE organisation <> '' LIMIT 1").fetchone(),
            "/countries": db.execute("SELECT country FROM whose WHERE country <> '' LIMIT 1").fetchone(),
            "/destinations": db.execute(
                "SELECT text FROM name WHERE id IN (SELECT name_id FROM judgement) LIMIT 1"
            ).fetchone(),
            "/reports": ("destinations",),
        }
    path = page.path
    for name in _PART.findall(page.path):
        sample = next((row for prefix, row in samples.items() if page.path.startswith(prefix)), None)
        if sample is None:
            return None
        text = str(sample[0])
        if page.path.startswith("/devices"):
            text = ":".join(text[at : at + 2] for at in range(0, 12, 2))
        path = re.sub(r"\{" + name + r"(?::\w+)?\}", quote(text, safe=":"), path)
    return path


def table(found: list[Timed]) -> str:
    """The pages as Markdown, slowest first."""
    lines = ["| page | first, CPU ms | again, CPU ms |", "|---|---:|---:|"]
    for each in sorted(found, key=lambda each: -each.cold):
        called = f"`{each.address}`" if each.status == 200 else f"`{each.address}` ({each.status})"
        whole = "" if each.whole is None else f" (whole file: {each.whole * 1000:.0f})"
        lines.append(f"| {called} | {each.cold * 1000:.0f}{whole} | {each.again * 1000:.0f} |")
    slow = [each for each in found if each.cold > ALLOWED_S]
    lines.append(f"\n{len(found) - len(slow)} of {len(found)} within {ALLOWED_S * 1000:.0f} ms.")
    return "\n".join(lines) + "\n"
