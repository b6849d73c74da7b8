"""What a run says when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.console import LEFT, RIGHT, count, plural, printable, say, table
from appliance.longitudinal.layout import ANALYSIS
from daemon.report.longitudinal.parties import CATEGORIES

if TYPE_CHECKING:
    from appliance.longitudinal.run import DeviceSummary, RunSummary

_MOST = 3


def listed(problems: Sequence[tuple[str, str]]) -> str:
    """The first few of what was set aside, in one line."""
    shown = "; ".join(f"{printable(what)}: {printable(why)}" for what, why in problems[:_MOST])
    more = f"; and {len(problems) - _MOST} more" if len(problems) > _MOST else ""
    return f"{shown}{more}" if problems else "they hold no packet"


def say_run(summary: RunSummary, out: Path) -> None:
    """What was read, a line for each device, and where everything is."""
    files, found = plural(len(summary.brought_in.captures), "capture"), summary.brought_in
    known = "" if found.new_packets == found.packets else f", {count(found.new_packets)} of them new"
    say(f"{files} with {plural(found.packets, 'packet')}{known}.\n")
    parties = list(CATEGORIES)
    columns = [("device", LEFT), ("maker", LEFT), ("months", RIGHT), ("domains", RIGHT), ("addresses", RIGHT)]
    columns += [("bytes unnamed", RIGHT), *((CATEGORIES[party], RIGHT) for party in parties)]
    table("Devices", columns, [_row(each, parties) for each in summary.devices])
    for each in summary.devices:
        if each.about.maker is None:
            say(
                f"{printable(each.device)}: nobody knows its maker, so what is its maker's counts as unknown;"
                " --manufacturer NAME tells."
            )
    say(f"Everything is in {printable(out / ANALYSIS)}. In the table a domain counts once in each month that has it.")


def _row(each: DeviceSummary, parties: Sequence[str]) -> list[object]:
    unnamed = f"{each.unnamed_bytes / each.bytes:.1%}" if each.bytes else "-"
    maker = each.about.maker.name if each.about.maker else "?"
    numbers = [each.partied.parties.get(party, 0) for party in parties]
    return [each.device, maker, each.months, each.partied.names, len(each.addresses), unnamed, *numbers]
