"""Captures that a person filed under a device's name: which end of theirs is that device?"""

from __future__ import annotations

import sqlite3

from daemon.store import folders


def settle_folders(db: sqlite3.Connection, site_id: int) -> list[tuple[int, int]]:
    """Name, for every such folder, the local end with most bytes to the internet, or count the folder as the device.

    The busiest must be clearly so: with a second within 20 %, or where frames carry no MACs, no end stands out, and all
    traffic of the folder's captures counts as the device's. The answer are the times (first_us, last_us) of captures
    that count as another device than before, or as none.
    """
    whole: list[str] = []
    named: dict[str, int] = {}
    for name in folders.folder_names(db, site_id):
        ranking = folders.busiest(db, site_id, name)
        clear = bool(ranking) and ranking[0][1] >= 0 and (len(ranking) == 1 or ranking[1][2] < 0.8 * ranking[0][2])
        if clear:
            named[name] = ranking[0][0]
        else:
            whole.append(name)
    folders.write_folder_names(db, site_id, named)
    return folders.write_whole(db, site_id, whole)
