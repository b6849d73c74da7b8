"""Captures into a database, each once, and which capture of the database each file is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.bulk import prepare
from appliance.console import CannotDoError, printable
from appliance.progress import BarProgress, LineProgress

if TYPE_CHECKING:
    from appliance.config import Config


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """What became of the files; `captures` has those of which something is in the database."""

    captures: Mapping[Path, int]
    problems: tuple[tuple[str, str], ...]
    packets: int
    new_packets: int


def bring_in(paths: Sequence[Path], config: Config) -> BroughtIn:
    """Import files that the configured database does not have yet; its folder is made where it is missing.

    Raises StoreError and CannotDoError; files that cannot be read are in `problems`.
    """
    database = _place(config.store.database)
    prepare()
    from appliance.knowledge import knowledge_of
    from daemon.ingest import import_captures

    with BarProgress() if sys.stderr.isatty() else LineProgress() as progress:
        summary = import_captures(
            [str(path) for path in paths],
            database,
            site=config.site.name,
            jobs=config.imports.jobs,
            networks=config.site.networks,
            knowledge=knowledge_of(config),
            progress=progress,
        )
    captures = {each.path: each.capture_id for each in summary.files if each.capture_id is not None}
    new = sum(each.new_packets for each in summary.files)
    return BroughtIn(captures, summary.set_aside, summary.packets, new)


def _place(path: Path) -> Path:
    if path.is_dir():
        raise CannotDoError(f"{printable(path)} is a folder; --db wants a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
