"""Looking at what was recorded: databases and capture files. Nothing is changed, and no look takes long."""

from __future__ import annotations

import grp
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from appliance.doctor.facts import (
    AddressFacts,
    BacklogFacts,
    DatabaseFacts,
    LevelFacts,
    OwnerFacts,
    Records,
    SidecarFacts,
)
from daemon.decode.levels import MOST_BYTES, NAME, LevelsError, parse_levels
from daemon.decode.sidecar import SUFFIX, SidecarLine, parse_lines
from daemon.store.database import read_database
from daemon.store.errors import StoreError, explained
from daemon.store.owner import read_owner
from daemon.store.recording import wished
from daemon.store.retain import detail_bytes

_TAIL = 16_384  # bytes of a sidecar: dozens of lines
_PATIENCE = 10.0  # seconds for a check of a whole database, for each
_STEPS = 20_000  # of SQLite's machine, between two looks at the clock
_DAY_US = 86_400_000_000
_MOST_BROKEN = 100


def look_at_records(
    database: Path,
    owner: Path,
    folder: Path,
    data: Path,
    old_after_days: int,
    monotonic: Callable[[], float] = time.monotonic,
) -> Records:
    """All facts of the records."""
    from appliance.data.status import status

    rows = status(data, datetime.now(UTC), old_after_days)
    ages = [row.age_days for row in rows if row.age_days is not None]
    return Records(
        database=_database(database, monotonic),
        owner=_owner(owner, monotonic),
        sidecar=_sidecar(folder),
        backlog=_backlog(database, folder),
        addresses=AddressFacts(tuple((row.name, row.state) for row in rows), max(ages, default=None)),
        levels=_levels(folder / NAME, owner),
    )


def _levels(path: Path, owner: Path) -> LevelFacts | None:
    try:
        if not path.exists():
            number = _wished(owner)
            return LevelFacts(wished=number) if number else None
        levels = parse_levels(path.read_bytes()[: MOST_BYTES + 1])
    except OSError as error:
        return LevelFacts(error=f"{path}: {error.strerror}")
    except LevelsError as error:
        return LevelFacts(error=f"{path}: {error}")
    return LevelFacts(len(levels.off), len(levels.no_names), levels.digest, _wished(owner))


def _wished(owner: Path) -> int:
    try:
        db = read_owner(owner)
        if db is None:
            return 0
        with closing(db):
            return wished(db)
    except (StoreError, OSError):
        return 0  # what is wrong with the owner's file, its own check says


def _database(path: Path, monotonic: Callable[[], float]) -> DatabaseFacts:
    try:
        if not path.exists():
            return DatabaseFacts(str(path), exists=False)
        with closing(read_database(path)) as db, explained(path):
            return _facts_of(db, path, monotonic)
    except StoreError as error:
        return DatabaseFacts(str(path), exists=True, error=str(error))
    except OSError as error:
        return DatabaseFacts(str(path), exists=True, error=f"{path}: {error.strerror}")


def _facts_of(db: sqlite3.Connection, path: Path, monotonic: Callable[[], float]) -> DatabaseFacts:
    damage, checked = _quick_check(db, monotonic)
    packets, last_us = db.execute("SELECT coalesce(sum(packets), 0), max(last_us) FROM captures").fetchone()
    lately, lost = db.execute(
        "SELECT coalesce(sum(packets), 0), coalesce(sum(coalesce(kernel_drops, 0) + coalesce(interface_drops, 0)), 0)"
        " FROM captures WHERE last_us >= ?",
        ((last_us or 0) - _DAY_US,),
    ).fetchone()
    broken = db.execute(
        "SELECT path FROM captures WHERE status IN ('torn', 'corrupt', 'unsupported') ORDER BY first_us DESC LIMIT ?",
        (_MOST_BROKEN,),
    ).fetchall()
    log = path.with_name(path.name + "-wal")
    held = path.stat()
    return DatabaseFacts(
        str(path),
        exists=True,
        mode=held.st_mode & 0o7777,
        group=_group(held.st_gid),
        version=int(db.execute("PRAGMA user_version").fetchone()[0]),
        size=held.st_size + (log.stat().st_size if log.exists() else 0),
        detail=detail_bytes(db) if checked and not damage else None,
        damage=damage,
        checked=checked,
        packets=packets,
        lost=lost,
        lately=lately,
        last_us=last_us,
        broken=tuple(Path(row[0]).name for row in broken),
    )


def _quick_check(db: sqlite3.Connection, monotonic: Callable[[], float]) -> tuple[tuple[str, ...], bool]:
    """What SQLite finds wrong, and whether it came to the end in time."""
    until = monotonic() + _PATIENCE
    db.set_progress_handler(lambda: monotonic() > until, _STEPS)
    try:
        said = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return (), False
        raise
    except sqlite3.DatabaseError as error:
        return (str(error),), True
    finally:
        db.set_progress_handler(None, 0)
    return (() if said == ["ok"] else tuple(said)), True


def _owner(path: Path, monotonic: Callable[[], float]) -> OwnerFacts:
    try:
        db = read_owner(path)
        if db is None:
            return OwnerFacts(str(path), exists=path.exists())
        with closing(db), explained(path):
            damage, _ = _quick_check(db, monotonic)
            held = path.stat()
            return OwnerFacts(
                str(path), exists=True, mode=held.st_mode & 0o7777, group=_group(held.st_gid), damage=damage
            )
    except StoreError as error:
        return OwnerFacts(str(path), exists=True, error=str(error))
    except OSError as error:
        return OwnerFacts(str(path), exists=True, error=f"{path}: {error.strerror}")


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _sidecars(folder: Path) -> list[Path]:
    try:
        found = [(path.stat().st_mtime, path) for path in folder.iterdir() if path.name.endswith(SUFFIX)]
    except OSError:  # not there, of somebody else, or gone meanwhile
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _last_line(path: Path) -> SidecarLine | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = parse_lines(file.read(_TAIL)).lines
    except OSError:
        return None
    return lines[-1] if lines else None


def _sidecar(folder: Path) -> SidecarFacts | None:
    for path in _sidecars(folder):
        line = _last_line(path)
        if line is not None:
            return SidecarFacts(
                path.name.removesuffix(SUFFIX),
                line.event,
                line.time_us,
                line.synced,
                str(line.more.get("reason") or ""),
            )
    return None


def _backlog(database: Path, folder: Path) -> BacklogFacts | None:
    """Bytes of the folder's captures that the database has not read. Files are found by name: each is made once."""
    try:
        files = {path.name: path for path in folder.iterdir() if path.name.endswith((".pcap", ".pcapng"))}
        read: dict[str, int] = {}
        if database.exists():
            with closing(read_database(database)) as db, explained(database):
                for path, cursor in db.execute("SELECT path, cursor FROM captures"):
                    name = Path(path).name
                    read[name] = max(read.get(name, 0), cursor)
        behind = {name: _on_disk(path) - read.get(name, 0) for name, path in files.items()}
    except (StoreError, OSError):
        return None
    late = [octets for octets in behind.values() if octets > 0]
    return BacklogFacts(sum(late), len(late))


def _on_disk(path: Path) -> int:
    line = _last_line(path.with_name(path.name + SUFFIX))
    return path.stat().st_size if line is None else line.on_disk
