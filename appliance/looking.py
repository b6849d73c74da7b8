"""Tells the service that follows captures that somebody looks, so that it hurries."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from appliance.status import RUN_FOLDER


def somebody_looks(run_folder: Path = RUN_FOLDER) -> None:
    """Called by whatever shows fresh numbers. Without a service's run directory there is nobody to tell."""
    if not run_folder.is_dir():
        return
    from daemon.ingest.standing import touch_look

    with suppress(OSError):  # who may read the numbers but not hurry the service gets those of a minute ago
        touch_look(run_folder)
