"""What pages add up, once more summed or set side by side: a page has a fifth of a second, and years are long.

Destinations as columns: the rows of a day, or of a month whose days are gone, in one piece that numpy is quick to add up.
A part (month, day) that has none is read from its rows. What changes has none at once, whoever changes it: `whose_stale`
hears of every change of destinations and judgements. `daemon.store.destination_columns` makes them.

Days by scope, and whose the traffic of a whole house was: a tenth of the rows that they sum. Marks say for which days they
no longer hold; `daemon.store.house_sums` makes these anew in the same transaction.
"""

_COUNTS = (
    "packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL"
)
_MARK = "INSERT INTO day_stale VALUES ({}.day) ON CONFLICT DO NOTHING;"

STATEMENTS = (
    # Single days are judged when they are read. Of a month (day 0) it is what the days brought that are gone, with their
    # judgements, and is there for good.
    *(
        f"""
        CREATE TABLE {table} (
            month INTEGER NOT NULL,
            day INTEGER NOT NULL,
            packed BLOB NOT NULL,          -- daemon.store.columns
            UNIQUE (month, day)
        ) STRICT
        """
        for table in ("destination_day_column", "destination_month_column")
    ),
    """
    CREATE TRIGGER column_stales AFTER INSERT ON whose_stale
    BEGIN
        DELETE FROM destination_day_column WHERE month = NEW.month AND day = NEW.day;
        DELETE FROM destination_month_column WHERE month = NEW.month AND NEW.day <= 0;
    END
    """,
    # As `day_total`; of the ways of a site and scope the first stands for all. Day -N is the whole month N.
    f"""
    CREATE TABLE scope_total (
        day INTEGER NOT NULL, station_id INTEGER NOT NULL, peer_id INTEGER NOT NULL, way_id INTEGER NOT NULL, {_COUNTS},
        PRIMARY KEY (day, station_id, peer_id, way_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE day_stale (day INTEGER PRIMARY KEY) STRICT",
    *(
        f"CREATE TRIGGER day_total_{word}_stales AFTER {word} ON day_total BEGIN {_MARK.format(row)} END"
        for word, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    # As `whose_day` and `whose_month`, of all stations together; day -1 is the whole month.
    f"""
    CREATE TABLE whose_house (
        month INTEGER NOT NULL, day INTEGER NOT NULL, site_id INTEGER NOT NULL, whose_id INTEGER NOT NULL,
        flows INTEGER NOT NULL, {_COUNTS},
        PRIMARY KEY (month, day, site_id, whose_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    INSERT INTO whose_house SELECT month, day, site_id, whose_id, sum(flows), sum(packets_up), sum(packets_down),
        sum(bytes_up), sum(bytes_down) FROM whose_day GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO whose_house SELECT month, -1, site_id, whose_id, sum(flows), sum(packets_up), sum(packets_down),
        sum(bytes_up), sum(bytes_down) FROM whose_month GROUP BY 1, 3, 4
    """,
    # What was there before: marks, so that the next pass of labels looks.
    "INSERT INTO day_stale SELECT DISTINCT day FROM day_total",
    "INSERT OR IGNORE INTO whose_stale SELECT month, 0, 0 FROM destination_month ORDER BY month DESC LIMIT 1",
    "INSERT OR IGNORE INTO whose_stale SELECT month, day, 0 FROM destination_day ORDER BY month DESC, day DESC LIMIT 1",
)
