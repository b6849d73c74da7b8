"""What reports about years and nights would add up again and again, kept as sums of rows that do not change any more.

How names came about, by station and month that is over: a few hundred rows stand for tens of thousands. What went to the
internet in some slots of a day, in one piece. Both are gone as soon as what they were made from changes: `whose_stale`
hears of it, whoever changes it; what has none is read from its rows. `daemon.store.naming_sums` and
`daemon.store.night_sums` make them.
"""

STATEMENTS = (
    """
    CREATE TABLE naming_month (
        month INTEGER NOT NULL,
        site_id INTEGER NOT NULL,
        station_id INTEGER NOT NULL,
        name_source TEXT NOT NULL,         -- as in `way`
        hides INTEGER NOT NULL,            -- 1: asked an encrypted resolver, by a way of this source
        destinations INTEGER NOT NULL,
        flows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (month, site_id, station_id, name_source)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE slot_sum_column (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        day INTEGER NOT NULL,
        slots TEXT NOT NULL,               -- of which it is the sum: `first-after` of each run, with a comma between
        packed BLOB NOT NULL,              -- daemon.store.columns
        UNIQUE (site_id, day)
    ) STRICT
    """,
    """
    CREATE TRIGGER sums_stale AFTER INSERT ON whose_stale WHEN NEW.day >= 0
    BEGIN
        DELETE FROM naming_month WHERE month = NEW.month AND NEW.day = 0;
        DELETE FROM slot_sum_column WHERE month = NEW.month AND (day = NEW.day OR NEW.day = 0);
    END
    """,
    # What was there before: a mark, so that the next pass of labels looks.
    "INSERT OR IGNORE INTO whose_stale SELECT month, 0, 0 FROM destination_month ORDER BY month DESC LIMIT 1",
)
