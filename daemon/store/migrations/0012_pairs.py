"""Whose the traffic was, by month in columns: the pairs of station and company of a year in a few reads.

A month that has none is read from its rows. `daemon.store.whose_columns` makes them, within `whose_days.follow`.
"""

STATEMENTS = (
    """
    CREATE TABLE whose_column (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        packed BLOB NOT NULL,              -- daemon.store.columns: station, whose, bytes up, bytes down
        UNIQUE (site_id, month)
    ) STRICT
    """,
)
