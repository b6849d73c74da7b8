"""Judging the past anew, when the owner said something or when rules and tables changed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import Settled, judge_anew
from daemon.store.database import open_database


def relabel_site(database: Path, owner: Path | None, site: str, knowledge: Knowledge | None = None) -> Settled:
    """Bring all labels of a site up to what is known now; what changed. Raises StoreError, and then nothing changed.

    `owner` is the file of the owner's words, which need not exist.
    """
    known = knowledge or Knowledge()
    with closing(open_database(database)) as db:
        return judge_anew(db, database, site, known.with_owner(owner))
