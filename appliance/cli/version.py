"""`homeport version`: what runs here, for a bug report."""

from __future__ import annotations

import platform
import sqlite3

import click

from appliance import __version__
from appliance.console import say


@click.command("version")
def command() -> None:
    """Show the versions of Homeport and of what it stands on."""
    say(f"homeport {__version__}")
    say(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()} {platform.machine()}"
    )
