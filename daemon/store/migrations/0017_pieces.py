"""What pages about a year or a month ask again and again, in fewer and larger pieces: a page has a fifth of a second.

Days of a month that lie beside each other as one piece; the addresses of a day; and whose a verdict is in an index of its
own, as all of them are read at once, and their texts are a hundred times as long.

A piece is gone as soon as one of its days changes, whoever changes it. `daemon.store.day_runs` and
`daemon.store.address_days` make them.
"""

STATEMENTS = (
    """
    CREATE TABLE destination_run_column (
        month INTEGER NOT NULL UNIQUE,
        first INTEGER NOT NULL,            -- days of the run
        last INTEGER NOT NULL,
        packed BLOB NOT NULL               -- daemon.store.columns
    ) STRICT
    """,
    """
    CREATE TABLE address_column (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        day INTEGER NOT NULL,
        packed BLOB NOT NULL,              -- daemon.store.columns
        UNIQUE (site_id, day)
    ) STRICT
    """,
    """
    CREATE TRIGGER pieces_stale AFTER INSERT ON whose_stale WHEN NEW.day >= 0
    BEGIN
        DELETE FROM destination_run_column WHERE month = NEW.month AND NEW.day BETWEEN first AND last;
        DELETE FROM address_column WHERE month = NEW.month AND (day = NEW.day OR NEW.day = 0);
    END
    """,
    "CREATE INDEX verdict_whose ON verdict (whose_id, asn) WHERE whose_id IS NOT NULL",
)
