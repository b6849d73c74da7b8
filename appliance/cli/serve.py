"""`homeport serve`: the dashboard, on the LAN or on this machine alone."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from appliance.config import load_config
from appliance.console import CannotDoError, note, printable


@click.command("serve")
@click.option("--db", "database", metavar="FILE", help="Database that is shown. [store.database]")
@click.option("--owner", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--site", metavar="NAME", help="Home that is shown first. [site.name]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 for the LAN.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8080, show_default=True, help="TCP port.")
@click.option("--open", "is_open", is_flag=True, help="No login: only on a loopback address.")
def command(database: str | None, owner: str | None, site: str | None, host: str, port: int, *, is_open: bool) -> None:
    """Show the dashboard until it is interrupted."""
    if is_open and not _loopback(host):
        raise click.UsageError(f"--open serves everybody without a login, so only on 127.0.0.1 or ::1, not {host}")
    config = load_config({"store.database": database, "store.owner": owner, "site.name": site})
    from appliance.dashboard import claim_code, serve

    if not config.store.database.exists():
        note(f"There is no database at {printable(config.store.database)} yet; the pages say so until there is.")
    else:
        _tried(config.store.database)
    code = None if is_open else claim_code(config)
    if code is not None:
        note(f"This box has no owner yet. Its code, for the page /setup: {code}")
    try:
        serve(config, host, port, is_open=is_open, ready=lambda address: note(f"Homeport is at {printable(address)}"))
    except OSError as error:
        raise CannotDoError(f"cannot listen at {host}:{port}: {error.strerror}; try --port with another") from error


def _tried(database: Path) -> None:
    """Say what every page would say, if the database cannot be read. The pages stay: it may be put right meanwhile."""
    from daemon.store.errors import StoreError
    from web.reading import reading

    try:
        with reading(database):
            pass
    except StoreError as error:
        note(f"The pages cannot show anything: {printable(error)}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
