"""`homeport claim`: the code that makes somebody the owner of this box; or the password forgotten."""

from __future__ import annotations

import os
import time
from contextlib import closing

import click

from appliance.config import load_config
from appliance.console import CannotDoError, note, printable, say


@click.command("claim", short_help="Show a code with which somebody becomes the owner.")
@click.option("--db", "database", metavar="FILE", help="Database beside which the owner's words lie. [store.database]")
@click.option("--owner", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--reset", is_flag=True, help="Forget password, sessions and tokens first. Everything else stays.")
def command(database: str | None, owner: str | None, *, reset: bool) -> None:
    """Show a new code with which somebody becomes the owner, on the page /setup of the dashboard."""
    config = load_config({"store.database": database, "store.owner": owner})
    from daemon.store import accounts
    from daemon.store.owner import open_owner

    path = config.store.owner
    os.umask(0o007)  # run as root on a new box, it makes a file that the dashboard, of the same group, has to write
    with closing(open_owner(path)) as db:
        if reset and accounts.reset(db):
            note(f"password, sessions and tokens are forgotten; everything else in {printable(path)} stays")
        try:
            code = accounts.show_code(db, time.time_ns() // 1000)
        except accounts.ClaimedError as error:
            raise CannotDoError(str(error)) from error
    say(code)
    note("Enter it on the page /setup of the dashboard, with a new password. Codes shown before no longer count.")
