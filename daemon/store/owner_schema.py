"""The schema of `owner.db`, as steps: each is run in order, and a file's version says how many it has run.

A published step is never edited; what must change becomes the next one.

Times are microseconds since the epoch by the wall clock: it is when a person spoke. Which word is the last is told by
its id, because the clock of a box that has just woken up may be wrong.
"""

from __future__ import annotations

import sqlite3

APPLICATION = 0x484F4D57  # "HOMW": tells the owner's words from facts, and from other people's databases

_WORDS = (
    """
    CREATE TABLE word (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        act INTEGER NOT NULL,              -- first word of those said in one breath: they are undone together
        site TEXT NOT NULL,
        key TEXT NOT NULL,                 -- station: MAC, else address or folder:NAME; of a pair the lesser
        about TEXT NOT NULL,               -- name, owner, room, kind, keep-names, record; join, split
        value TEXT,                        -- NULL: what was said before no longer holds; of a pair the greater key
        said_us INTEGER NOT NULL,
        by TEXT NOT NULL,                  -- command line, web, or a user's name
        undone_us INTEGER,
        undone_by TEXT
    ) STRICT
    """,
    "CREATE INDEX word_key ON word (site, key)",
    "CREATE INDEX word_pair ON word (site, value) WHERE about IN ('join', 'split')",
    "CREATE INDEX word_act ON word (act)",
    "CREATE TABLE change (number INTEGER NOT NULL) STRICT",
    "INSERT INTO change VALUES (0)",
    # Triggers, so that no writer can forget to count.
    "CREATE TRIGGER word_said AFTER INSERT ON word BEGIN UPDATE change SET number = number + 1; END",
    "CREATE TRIGGER word_changed AFTER UPDATE ON word BEGIN UPDATE change SET number = number + 1; END",
)

# A device can be forgotten, with all that was said of it; that changes the file as well.
_FORGOTTEN = ("CREATE TRIGGER word_gone AFTER DELETE ON word BEGIN UPDATE change SET number = number + 1; END",)

# Who may look, what was set, and what was taken out. None of it changes a label, so none of it counts as a change.
_PEOPLE = (
    """
    CREATE TABLE account (
        id INTEGER PRIMARY KEY CHECK (id = 1),  -- one household, one password
        password TEXT NOT NULL,            -- scrypt, with its costs and its salt
        made_us INTEGER NOT NULL,
        changed_us INTEGER NOT NULL
    ) STRICT
    """,
    # The code that turns whoever can read the box's screen or journal into its owner: the last one shown.
    "CREATE TABLE claim (id INTEGER PRIMARY KEY CHECK (id = 1), digest BLOB NOT NULL, made_us INTEGER NOT NULL) STRICT",
    """
    CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        digest BLOB NOT NULL UNIQUE,       -- SHA-256 of what the browser's cookie holds
        made_us INTEGER NOT NULL,
        used_us INTEGER NOT NULL,          -- to a few minutes
        confirmed_us INTEGER,              -- when the password was last said again
        address TEXT NOT NULL,
        agent TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE token (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        scopes TEXT NOT NULL,              -- read; read packets
        made_us INTEGER NOT NULL,
        used_us INTEGER
    ) STRICT
    """,
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL, set_us INTEGER NOT NULL, by TEXT NOT NULL) STRICT",
    # Sets of domains that differ from those that Homeport brings; none at all: not wanted.
    """
    CREATE TABLE application (name TEXT PRIMARY KEY, domains TEXT NOT NULL, set_us INTEGER NOT NULL, by TEXT NOT NULL)
    STRICT
    """,
    """
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_us INTEGER NOT NULL,
        who TEXT NOT NULL,
        address TEXT NOT NULL,
        what TEXT NOT NULL,
        about TEXT NOT NULL
    ) STRICT
    """,
)

# What was said of findings. It changes no label, so it does not count as a change; a device's goes with the device.
_FINDINGS = (
    """
    CREATE TABLE remark (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        site TEXT NOT NULL,
        key TEXT NOT NULL,                 -- station, as in word
        finding TEXT NOT NULL,             -- its stable name
        about TEXT NOT NULL,               -- mute, note
        value TEXT,                        -- NULL: what was said before no longer holds
        said_us INTEGER NOT NULL,
        by TEXT NOT NULL,
        undone_us INTEGER,
        undone_by TEXT
    ) STRICT
    """,
    "CREATE INDEX remark_key ON remark (site, key)",
)

STEPS = (_WORDS, _FORGOTTEN, _PEOPLE, _FINDINGS)
VERSION = len(STEPS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring a file to VERSION. The caller's transaction makes it whole or not at all."""
    done = int(db.execute("PRAGMA user_version").fetchone()[0])
    for statements in STEPS[done:]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {VERSION}")
