"""The dashboard's sign of life: it asks itself a question as a browser would, and tells systemd when that was answered.

Rule: an answer that does not come feeds nothing: a dashboard whose threads are all stuck is started anew.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException

from appliance.notify import Notifier, watchdog_seconds

_PATIENCE_S = 5.0


@contextmanager
def beating(host: str, port: int) -> Iterator[None]:
    """Ready now, alive until the block ends, stopping then. Outside systemd nothing happens."""
    notifier = Notifier.of(os.environ)
    wait = watchdog_seconds(os.environ)
    over = threading.Event()
    notifier.ready("shows the dashboard")
    if wait is not None:
        threading.Thread(target=_beat, args=(notifier, host, port, wait / 3, over), name="heart", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        notifier.stopping("shows nothing any more")


def _beat(notifier: Notifier, host: str, port: int, every: float, over: threading.Event) -> None:
    while not over.wait(every):
        if answers(host, port):
            notifier.alive()


def answers(host: str, port: int) -> bool:
    """Whether the dashboard that listens at this address answers."""
    with closing(HTTPConnection(_reachable(host), port, timeout=_PATIENCE_S)) as asked:
        try:
            asked.request("GET", "/healthz")
            return asked.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def _reachable(host: str) -> str:
    """Where this machine reaches what listens at all its addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  nothing is bound here
