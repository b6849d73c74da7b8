"""`owner.db`: what the owner said, kept for good beside the facts. Written by the command line and the web page.

Rule 1: a word is never changed, only undone, and deleted only with all others about a device that is forgotten; what
        holds is computed from all of them.
Rule 2: when a call returns, what it wrote is on the disk (`synchronous` FULL), whole; several writers take turns.
Rule 3: reading makes nothing: where there is no file, nothing was said.
Rule 4: facts can be imported again, words cannot: no message here tells anybody to throw the file away.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from daemon.identify.vocabulary import OwnerWords
from daemon.store.database import BUSY_MS, check_place, make_file, one_at_a_time, transaction
from daemon.store.errors import NewerDatabase, NotADatabase, StoreError, explain
from daemon.store.owner_schema import APPLICATION, VERSION, migrate
from daemon.store.words import (
    FORGET,
    JOIN,
    NO_NAMES,
    OFF,
    RECORD,
    SPLIT,
    YES,
    BadWordError,
    Word,
    check_about,
    check_key,
    checked,
    checked_by,
    standing,
)

_COLUMNS = "id, act, site, key, about, value, said_us, by, undone_us, undone_by"
_PROMISE = (
    f"SELECT id FROM (SELECT max(id) AS id, value FROM word WHERE site = ?1 AND key = ?2 AND about = '{RECORD}'"
    f" AND undone_us IS NULL) WHERE value IN ('{NO_NAMES}', '{OFF}')"
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_owner(path: Path) -> sqlite3.Connection:
    """A connection for writing, in autocommit mode; the file is made where it is missing. Raises StoreError."""
    check_place(path)
    make_file(path)
    with _explained(path):
        db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            if _version(db, path) < VERSION:
                _prepare(db, path)
            db.execute("PRAGMA synchronous = FULL")  # a person said it once; after a power cut it must still be there
        except BaseException:
            db.close()
            raise
    return db


def read_owner(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where nothing was ever said. Raises StoreError."""
    if not path.exists():
        return None
    if path.is_dir():
        raise NotADatabase(f"{path} is a folder, not a file of the owner's words.")
    with _explained(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_MS / 1000)
        try:
            db.execute("PRAGMA query_only = 1")
            if _version(db, path) > 0:
                return db
        except BaseException:
            db.close()
            raise
    db.close()  # made by somebody who has not come to the first word yet
    return None


def words_at(path: Path | None, site: str) -> OwnerWords:
    """What holds of the words about a site in the file at `path`; none where there is no file. Raises StoreError."""
    db = read_owner(path) if path else None
    if db is None:
        return OwnerWords()
    with closing(db):
        return read_words(db, site)


def read_words(db: sqlite3.Connection, site: str) -> OwnerWords:
    """What holds of the words about a site. Raises StoreError."""
    return standing(_words(db, "site = ? AND undone_us IS NULL", (site,)))


def history(db: sqlite3.Connection, site: str, keys: Iterable[str]) -> list[Word]:
    """Every word about these stations, undone ones too, in the order in which they were said. Raises StoreError."""
    found: dict[int, Word] = {}
    for key in keys:
        for where in ("site = ? AND key = ?", f"site = ? AND value = ? AND about IN ('{JOIN}', '{SPLIT}')"):
            found.update((word.word_id, word) for word in _words(db, where, (site, key)))
    return [found[number] for number in sorted(found)]


def find_word(db: sqlite3.Connection, word_id: int) -> Word | None:
    """The word of this number. Raises StoreError."""
    found = _words(db, "id = ?", (word_id,))
    return found[0] if found else None


def last_word(db: sqlite3.Connection, site: str) -> Word | None:
    """What was said last about anything of the site and not undone. Raises StoreError."""
    found = _words(db, "site = ? AND undone_us IS NULL ORDER BY id DESC LIMIT 1", (site,))
    return found[0] if found else None


def say(db: sqlite3.Connection, site: str, key: str, about: str, value: str | None, by: str, now_us: int) -> int:
    """Keep a word about a station; None takes back what was said before. The word's number. Raises StoreError."""
    return say_each(db, site, [(key, about, value)], by, now_us)


def say_each(
    db: sqlite3.Connection, site: str, said: Sequence[tuple[str, str, str | None]], by: str, now_us: int
) -> int:
    """Keep several words (station, about, value) in one breath: the first one's number. Raises StoreError."""
    rows: list[tuple[str, str, str | None]] = []
    for key, about, value in said:
        check_key(key)
        rows.append((key, check_about(about), None if value is None else checked(about, value)))
    return _write(db, site, rows, by, now_us)


def join(db: sqlite3.Connection, site: str, pairs: Sequence[tuple[str, str]], by: str, now_us: int) -> int:
    """Each pair of stations is one device. The first word's number, by which all are undone. Raises StoreError."""
    return _write(db, site, [_about_pair(pair, JOIN) for pair in pairs], by, now_us)


def split(db: sqlite3.Connection, site: str, pairs: Sequence[tuple[str, str]], by: str, now_us: int) -> int:
    """No pair of these stations is one device. The first word's number, by which all are undone. Raises StoreError."""
    return _write(db, site, [_about_pair(pair, SPLIT) for pair in pairs], by, now_us)


def wish_forgotten(db: sqlite3.Connection, site: str, keys: Iterable[str], by: str, now_us: int) -> int:
    """Say that all about these stations is to go; the first word's number, by which it is undone. Raises StoreError."""
    rows: list[tuple[str, str, str | None]] = []
    for key in keys:
        check_key(key)
        rows.append((key, FORGET, YES))
    return _write(db, site, rows, by, now_us)


def wishes(db: sqlite3.Connection, site: str) -> list[Word]:
    """Stations that are to be forgotten, and are not yet. Raises StoreError."""
    return _words(db, f"site = ? AND about = '{FORGET}' AND undone_us IS NULL", (site,))


def undo(db: sqlite3.Connection, word_id: int, by: str, now_us: int) -> list[Word]:
    """Take a word back, with all that were said in the same breath; these, as they were. Raises StoreError."""
    checked_by(by)
    with _explained(_place(db)), transaction(db):
        words = _words(db, "act = (SELECT act FROM word WHERE id = ?) ORDER BY id", (word_id,))
        if not words:
            raise BadWordError(f"there is no word {word_id}; nothing was undone")
        if words[0].undone_us is not None:
            raise BadWordError(f"word {word_id} was undone before, by {words[0].undone_by}; nothing was changed")
        db.execute("UPDATE word SET undone_us = ?, undone_by = ? WHERE act = ?", (now_us, by, words[0].act))
    return words


def forget(db: sqlite3.Connection, site: str, keys: Iterable[str]) -> int:
    """Delete every word about these stations, undone ones too, and overwrite it in the file; how many. Raises StoreError.

    One stays: who was not to be recorded, or not by name, is not to be recorded so when it is here again.
    """
    with _explained(_place(db)):
        db.execute("PRAGMA secure_delete = ON")
        with transaction(db):
            gone = 0
            for key in keys:
                pair = f"value = ?2 AND about IN ('{JOIN}', '{SPLIT}')"
                words = f"site = ?1 AND (key = ?2 OR {pair}) AND id NOT IN ({_PROMISE})"
                gone += db.execute(f"DELETE FROM word WHERE {words}", (site, key)).rowcount
                gone += db.execute("DELETE FROM remark WHERE site = ? AND key = ?", (site, key)).rowcount
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log has copies; with a reader it is done later
    return gone


def version(db: sqlite3.Connection) -> int:
    """A number that grows whenever anything in the file changes, whoever changes it. Raises StoreError."""
    with _explained(_place(db)):
        return int(db.execute("SELECT number FROM change").fetchone()[0])


def owning(db: sqlite3.Connection) -> AbstractContextManager[None]:
    """What SQLite raises inside the block comes out as StoreError, in the words of this file."""
    return _explained(_place(db))


def _write(db: sqlite3.Connection, site: str, said: list[tuple[str, str, str | None]], by: str, now_us: int) -> int:
    """Keep (key, about, value) as one act; the number of its first word."""
    if not said:
        raise BadWordError("nothing was said; nothing was written")
    checked_by(by)
    with _explained(_place(db)), transaction(db):
        # The lock is ours, so the next number is known. AUTOINCREMENT never gives one twice.
        last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'word'").fetchone()
        act = (int(last[0]) if last else 0) + 1
        db.executemany(
            "INSERT INTO word (act, site, key, about, value, said_us, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(act, site, key, about, value, now_us, by) for key, about, value in said],
        )
    return act


def _about_pair(pair: tuple[str, str], about: str) -> tuple[str, str, str]:
    first, second = sorted(pair)
    if first == second:
        raise BadWordError(f"{first} cannot be joined with itself, nor split from itself; nothing was written")
    check_key(first)
    check_key(second)
    return first, about, second


def _words(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Word]:
    order = "" if "ORDER BY" in where else " ORDER BY id"
    with _explained(_place(db)):
        return [Word(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM word WHERE {where}{order}", values)]


def _place(db: sqlite3.Connection) -> Path:
    return Path(db.execute("PRAGMA database_list").fetchone()[2])  # reads no page of the file


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema that the file has; 0 where it is new. Raises StoreError if it is not ours, or of a later Homeport."""
    number = int(db.execute("PRAGMA user_version").fetchone()[0])
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables and application != APPLICATION:
        raise NotADatabase(
            f"{path} is a database, but not one of owner's words. Nothing was changed; choose another file."
        )
    if number > VERSION:
        raise NewerDatabase(
            f"{path} was written by a newer Homeport (schema {number}, this one knows {VERSION}). "
            "Nothing was changed; update Homeport, or choose another file."
        )
    return number


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    with one_at_a_time(path.parent):
        if _version(db, path) < VERSION:
            db.execute("PRAGMA journal_mode = WAL")
            with transaction(db):
                migrate(db)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        raise _damaged(error, path) if code in _DAMAGED else explain(error, path) from error


def _damaged(error: sqlite3.Error, path: Path) -> StoreError:
    if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
        return NotADatabase(f"{path} is not a file of the owner's words. Nothing was changed; choose another file.")
    return NotADatabase(
        f"The owner's words in {path} are damaged ({error}). Nothing was changed, and the facts are not touched by it. "
        "Keep the file, and put the newest copy of it that you have in its place."
    )
