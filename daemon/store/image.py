"""A batch of facts as a database of its own, made in C (`_rows.c`), from which SQLite copies the rows.

Binding the million and a quarter of values that a day has takes longer than all else that is done to write them. From a
table that is just like its own, with the same indexes, SQLite copies whole rows without looking into them.

Rule 1: the rows are those of `daemon.store.rows`, which is the oracle.
Rule 2: what is slow but right is never far: without C, within another transaction (an image is let go when its own is
        over), and for facts that no image can hold, the rows are written one by one.
Rule 3: the tables here are those of the migrations (a test compares). Were they not, SQLite would read the values out of
        the rows: slower, with the same result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, TypeVar

from daemon.flow.facts import Facts, Told
from daemon.identify.answers import LEAST_US, MOST_US, SECOND
from daemon.store.rows import RETELL, Numbers

try:
    from daemon.store import _rows
except ImportError:  # not built here: no compiler, or another processor's file
    NATIVE = False
else:
    NATIVE = hasattr(sqlite3.Connection, "deserialize")  # SQLite can be built without

_F = TypeVar("_F")

LEAST = 200  # facts: to open and read an image takes about as long as to write so many

_FLOW = """\
CREATE TABLE flow (
        id INTEGER PRIMARY KEY, kind_id INTEGER NOT NULL, client_id INTEGER NOT NULL, server_id INTEGER NOT NULL,
        client_port INTEGER, server_port INTEGER, name_id INTEGER, name_source TEXT, end TEXT NOT NULL,
        begun INTEGER NOT NULL, live INTEGER NOT NULL, sliced INTEGER NOT NULL, first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL, packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL, count INTEGER NOT NULL DEFAULT 1, turned INTEGER NOT NULL DEFAULT 0,
        label_id INTEGER, label_source TEXT, crowd_id INTEGER, head_id INTEGER, cover INTEGER NOT NULL DEFAULT 0
    ) STRICT
"""
_HELLO = """\
CREATE TABLE hello (
        flow_id INTEGER NOT NULL, number INTEGER NOT NULL, seen_us INTEGER NOT NULL, client_id INTEGER NOT NULL,
        client_port INTEGER, server_id INTEGER NOT NULL, server_port INTEGER, source TEXT NOT NULL, name_id INTEGER,
        alpn TEXT, version TEXT, chosen_version TEXT, cipher TEXT, ech TEXT, ja4 TEXT, certificate_names TEXT,
        method TEXT, user_agent TEXT, PRIMARY KEY (flow_id, number)
    ) STRICT, WITHOUT ROWID
"""
_MESSAGE = """\
CREATE TABLE dns_message (
        id INTEGER PRIMARY KEY, capture_id INTEGER NOT NULL, seen_us INTEGER NOT NULL, client_id INTEGER NOT NULL,
        resolver_id INTEGER NOT NULL, transport TEXT NOT NULL, response INTEGER NOT NULL, name_id INTEGER NOT NULL,
        type TEXT NOT NULL, rcode TEXT, answers INTEGER NOT NULL, lasts_us INTEGER, leads INTEGER NOT NULL,
        target_id INTEGER
    ) STRICT
"""
_RECORD = """\
CREATE TABLE dns_record (
        message_id INTEGER NOT NULL, number INTEGER NOT NULL, section TEXT NOT NULL, name_id INTEGER NOT NULL,
        type TEXT NOT NULL, ttl INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (message_id, number)
    ) STRICT, WITHOUT ROWID
"""
SCHEMA = (  # type, name, table, SQL: as _rows.c makes them, and a schema has them
    ("table", "flow", "flow", _FLOW),
    ("index", "flow_crowd_id", "flow", "CREATE INDEX flow_crowd_id ON flow (crowd_id) WHERE crowd_id IS NOT NULL"),
    ("index", "flow_head_id", "flow", "CREATE INDEX flow_head_id ON flow (head_id) WHERE head_id IS NOT NULL"),
    ("table", "hello", "hello", _HELLO),
    ("table", "dns_message", "dns_message", _MESSAGE),
    ("index", "dns_message_seen", "dns_message", "CREATE INDEX dns_message_seen ON dns_message (seen_us)"),
    (
        "index", "dns_message_lasts", "dns_message",
        "CREATE INDEX dns_message_lasts ON dns_message (lasts_us, leads) WHERE lasts_us IS NOT NULL",
    ),
    ("table", "dns_record", "dns_record", _RECORD),
)  # fmt: skip
COPY_FLOWS = "INSERT INTO main.flow SELECT * FROM told.flow"
_RETELL_FLOWS = f"{COPY_FLOWS} WHERE true {RETELL}"
_COPY_HELLOS = "INSERT OR REPLACE INTO main.hello SELECT * FROM told.hello"
COPY_MESSAGES = "INSERT INTO main.dns_message SELECT * FROM told.dns_message"
_COPY_RECORDS = "INSERT INTO main.dns_record SELECT * FROM told.dns_record"


def image_of(facts: Facts, numbers: Numbers) -> bytearray | None:
    """The batch as a database; None where no image can hold it."""
    return _rows.image(
        SCHEMA,
        (_in_order(facts.flows, itemgetter(0)), _in_order(facts.hellos, itemgetter(0, 1)), facts.dns),
        (numbers.base, numbers.message, numbers.capture),
        (numbers.kinds, numbers.ends, numbers.names),
        (LEAST_US, MOST_US, SECOND),
    )


def _in_order(facts: Told[_F], key: Callable[[_F], Any]) -> Told[_F]:
    """A list in the order of its keys; what C has packed it puts in order by itself."""
    return sorted(facts, key=key) if isinstance(facts, list) else facts


@contextmanager
def beside(db: sqlite3.Connection) -> Iterator[None]:
    """Around a transaction that opens images: lets go of the one that is open."""
    try:
        yield
    finally:
        if any(name == "told" for _, name, _ in db.execute("PRAGMA database_list")):
            db.execute("DETACH told")


def copy_rows(db: sqlite3.Connection, image: bytearray) -> None:
    """Write what an image holds; once in the caller's transaction, around which is `beside`.

    The image is empty then: SQLite has a copy of its own, and two of them are most of what a batch takes of memory.
    """
    db.execute("ATTACH ':memory:' AS told")
    db.deserialize(image, name="told")
    image.clear()
    try:
        db.execute(COPY_FLOWS)
    except sqlite3.IntegrityError:  # some are in the database: nothing was written, and this takes three times as long
        db.execute(_RETELL_FLOWS)
    db.execute(_COPY_HELLOS)
    db.execute(COPY_MESSAGES)
    db.execute(_COPY_RECORDS)
