"""Judging a database's past anew, and what that changed."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.config import Config
from appliance.console import LEFT, CannotDoError, count, note, plural, printable, say, table
from appliance.output import whole_file
from daemon.report.table import csv_cell
from daemon.store.database import read_database
from daemon.store.errors import explained
from daemon.store.months import sites

if TYPE_CHECKING:
    from daemon.ingest.judge import Change
    from daemon.ingest.knowledge import Knowledge

_COLUMNS = (
    "month", "device", "destination", "party_before", "party", "organisation_before", "organisation", "rule_before",
    "rule_id", "reason",
)  # fmt: skip
_MOST_SHOWN = 20


def judge_database(config: Config, knowledge: Knowledge, output: str | None) -> None:
    """Judge all months of a site anew. Raises CannotDoError, StoreError."""
    from daemon.ingest.relabel import relabel_site

    path = config.store.database
    with closing(read_database(path)) as db, explained(path):
        known = sites(db)
    if config.site.name not in known:
        there = ", ".join(printable(name) for name in sorted(known)) or "none"
        raise CannotDoError(f"there is no home {printable(config.site.name)!r} here; --site names one of: {there}")
    changes = relabel_site(path, config.store.owner, config.site.name, knowledge).changes
    if output is not None:
        _write(Path(output), changes)
    _tell(changes)
    from appliance.knowledge import missing_places

    places = missing_places(knowledge)
    if places is not None:
        note(f"{places} Countries that were known before are gone, too, until `data.folder` names where its files are.")


def _write(path: Path, changes: Sequence[Change]) -> None:
    with whole_file(path) as target:
        lines = csv.writer(target, lineterminator="\n")
        lines.writerow(_COLUMNS)
        lines.writerows([csv_cell(value) for value in _row(change)] for change in changes)


def _row(change: Change) -> tuple[str | None, ...]:
    before, after = change.before, change.after
    return (
        change.month, change.device, change.destination, before.party, after.party, before.organisation,
        after.organisation, before.rule_id, after.rule_id, after.reason,
    )  # fmt: skip


def _tell(changes: Sequence[Change]) -> None:
    if not changes:
        say("Everything was judged anew; no judgement changed.")
        return
    months = len({change.month for change in changes})
    say(f"{plural(len(changes), 'judgement')} changed, in {plural(months, 'month')}:")
    moves = Counter((change.before.party, change.after.party) for change in changes)
    for (before, after), number in moves.most_common():
        what = f"stayed {after}, with another organisation or reason" if before == after else f"{before} -> {after}"
        say(f"  {count(number):>8}  {what}")
    moved = [change for change in changes if change.before.party != change.after.party]
    if moved:
        say()
        shown = [
            (
                change.month,
                change.device,
                change.destination,
                change.before.party,
                change.after.party,
                change.after.reason,
            )
            for change in moved[:_MOST_SHOWN]
        ]
        headings = [(heading, LEFT) for heading in ("month", "device", "destination", "was", "is", "why")]
        table("Changed parties", headings, shown)
        if len(moved) > _MOST_SHOWN:
            say(f"... and {count(len(moved) - _MOST_SHOWN)} more; --output FILE writes all.")
