"""The dashboard of a box that has an owner: its password, clocks that tests turn, browsers at any address."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from daemon.store import passwords, sessions
from daemon.store.owner import open_owner
from tests.support.dashboard import BASE, application
from web.options import Options
from web.security.gate import COOKIE, csrf_of

PASSWORD = "purple lantern teaspoon"  # noqa: S105  of boxes that live for one test
NOW_US = 1_763_000_000_000_000
FROM_US = {"origin": BASE}
ADDRESS = "192.168.1.20"


@dataclass
class Clock:
    """Both clocks of a box; turned by hand."""

    now_us: int = NOW_US

    def later(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)

    def wall(self) -> int:
        return self.now_us

    def monotonic(self) -> float:
        return self.now_us / 1_000_000


def own(owner: Path) -> Path:
    """Make the file of a box with an owner, whose password is kept at a price that tests can pay."""
    kept = passwords.hashed(PASSWORD, log_n=4, p=1)
    with closing(open_owner(owner)) as db:
        db.execute("INSERT INTO account VALUES (1, ?, ?, ?)", (kept, NOW_US, NOW_US))
    return owner


def guarded(
    database: Path, owner: Path, clock: Clock | None = None, *, address: str = ADDRESS, **options: object
) -> TestClient:
    """A browser in front of an application that wants a login."""
    time = clock or Clock()
    made = Options(
        database=database, owner=owner, version="0", now_us=time.wall, monotonic=time.monotonic, **options  # type: ignore[arg-type]  # each test gives fields of Options
    )  # fmt: skip
    return TestClient(application(made), base_url=BASE, follow_redirects=False, client=(address, 50_000))


def log_in(browser: TestClient, password: str = PASSWORD, **fields: str) -> Any:  # noqa: ANN401  the client's own answer
    """Fill in the login's form."""
    return browser.post("/login", data={"password": password, **fields}, headers=FROM_US)


def let_in(browser: TestClient, owner: Path, now_us: int = NOW_US) -> str:
    """A session without the form; its token for forms."""
    with closing(open_owner(owner)) as db:
        token = sessions.begin(db, now_us, ADDRESS, "test")
    browser.cookies.set(COOKIE, token, domain="127.0.0.1", path="/")
    return csrf_of(token)


def send(browser: TestClient, address: str, csrf: str, **fields: str) -> Any:  # noqa: ANN401  the client's own answer
    """Send a form as a page of this session would."""
    return browser.post(address, data={**fields, "csrf": csrf}, headers=FROM_US)


def asked(owner: Path, question: Callable[[sqlite3.Connection], Any]) -> Any:  # noqa: ANN401  whatever is asked for
    """What stands in the owner's file."""
    with closing(open_owner(owner)) as db:
        return question(db)
