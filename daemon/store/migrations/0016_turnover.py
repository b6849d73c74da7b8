"""What came, went and became different in months that are over, as a report found it: a year of it is found in a sixth of
a second, and a page has a fifth.

It is gone as soon as what it was found in changes, whoever changes it: the month itself, or one that it was compared with.
Likewise what the month at hand is compared with, so that only what is new is read. `daemon.store.turnover_months` keeps
both.
"""

STATEMENTS = (
    """
    CREATE TABLE turnover_month (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        since INTEGER NOT NULL,            -- the earliest month that it was compared with; 0 where a device began
        texts BLOB NOT NULL,               -- JSON, deflated: places, owners, parties
        packed BLOB NOT NULL,              -- daemon.store.columns
        UNIQUE (site_id, month)
    ) STRICT
    """,
    """
    CREATE TABLE turnover_before (
        site_id INTEGER PRIMARY KEY,
        month INTEGER NOT NULL,            -- that is compared with this
        texts BLOB NOT NULL,
        packed BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TRIGGER turnover_stales AFTER INSERT ON whose_stale
    BEGIN
        DELETE FROM turnover_month WHERE month >= NEW.month AND (month = NEW.month OR since <= NEW.month);
        DELETE FROM turnover_before WHERE month > NEW.month;
    END
    """,
)
