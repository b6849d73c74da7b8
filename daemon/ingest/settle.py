"""Labels: a pass over facts, after which nothing shows in which order the facts arrived."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


def settle_site(db: sqlite3.Connection, site: str, networks: Sequence[str] = ()) -> None:
    """Recompute what depends on more than one capture: gateways, devices, continued flows, names from DNS."""
    del db, site, networks
