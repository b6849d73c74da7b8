"""`homeport doctor`: what is wrong with this box, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from appliance.config import Config, load_config
from appliance.console import LEFT, say, table
from appliance.main import DONE, SET_ASIDE

if TYPE_CHECKING:
    from appliance.doctor.finding import Finding

_COLUMNS = (("", LEFT), ("check", LEFT), ("how it stands", LEFT))
_SIGNS = {"ok": "ok", "warn": "LOOK", "bad": "BAD", "not applicable": "-"}


@click.command("doctor", short_help="Look at the whole box, and say what to do.")
@click.option("--interface", "-i", metavar="NAME", help="Interface that is meant. [capture.interface]")
@click.option("--dir", "folder", metavar="DIR", help="Folder of the captures. [capture.folder]")
@click.option("--db", "database", metavar="FILE", help="Database that is meant. [store.database]")
@click.option("--owner", "owner_file", metavar="FILE", help="File of the owner's words. [store.owner]")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(interface: str | None, folder: str | None, database: str | None, owner_file: str | None, form: str) -> int:
    """Look at interface, clock, disk, services, captures and databases, and say what to do.

    Changes nothing. Exit code 0: all is well; 1: something needs attention. On a machine that records nothing, checks of
    recording do not apply.
    """
    config = load_config(
        {
            "capture.interface": interface,
            "capture.folder": folder,
            "store.database": database,
            "store.owner": owner_file,
        }
    )
    from appliance.doctor.finding import needs_attention

    findings = _examine(config, named=interface is not None)
    if form == "json":
        say(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        _show(findings)
    return SET_ASIDE if needs_attention(findings) else DONE


def _examine(config: Config, *, named: bool) -> list[Finding]:
    from appliance.budget import limits_of
    from appliance.doctor.look import Setup, look_at_machine
    from appliance.doctor.look_at_records import look_at_records
    from appliance.doctor.machine_checks import check_machine
    from appliance.doctor.record_checks import check_records
    from appliance.knowledge import machine_zone
    from daemon.capture.clock import kernel_says_synced
    from daemon.ingest.ballast import ballast_beside

    held = config.capture
    setup = Setup(
        held.interface,
        named,
        held.folder,
        config.site.time_zone or machine_zone(),
        budget=limits_of(config).most_bytes,
        floor=limits_of(config).floor,
        ballast=ballast_beside(config.store.database),
        ballast_wanted=held.ballast_mib << 20,
    )
    machine = look_at_machine(setup, kernel_says_synced)
    records = look_at_records(
        config.store.database, config.store.owner, held.folder, config.data.folder, config.data.old_after_days
    )
    return [*check_machine(machine), *check_records(machine, records)]


def _show(findings: list[Finding]) -> None:
    table("Homeport", _COLUMNS, [(_SIGNS[each.status], each.check, each.sentence) for each in findings])
    todo = [each for each in findings if each.remedy and each.status in ("warn", "bad")]
    for each in todo:
        say(f"{each.check}: {each.remedy}")
    say("Something needs attention." if todo else "All is well.")
