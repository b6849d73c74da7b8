"""Whose the traffic is, added up: what each station moved in a day (or an older month) by party, company and country.

All of it follows from destinations and judgements, but asking these for a year takes seconds, and a page has a fifth of
one. Triggers note which days and months no longer hold, so that nobody who writes can forget to; `daemon.store.whose_days`
makes them anew in the same transaction.
"""

_SUMS = """
    site_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    whose_id INTEGER NOT NULL,         -- 0: not judged
    flows INTEGER NOT NULL,
    packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL
"""
_ALL_OF_MONTH, _OLDER = -1, 0  # in the place of a day

# Not OR IGNORE, which gives way to the policy of the statement that fires the trigger.
_STALE = "INSERT INTO whose_stale VALUES ({}, {}, {}) ON CONFLICT DO NOTHING;"

# All days of a month of the device that a judgement is about; 0 stands for what is no device's.
_STALE_DEVICE = f"""
    INSERT INTO whose_stale SELECT NEW.month, {_ALL_OF_MONTH}, id FROM station
    WHERE site_id = NEW.site_id AND coalesce(device_id, 0) = NEW.device_id ON CONFLICT DO NOTHING;
    INSERT INTO whose_stale SELECT NEW.month, {_ALL_OF_MONTH}, 0 WHERE NEW.device_id = 0 ON CONFLICT DO NOTHING;
"""


def _on_change(table: str, day: str) -> tuple[str, ...]:
    return tuple(
        f"CREATE TRIGGER {table}_{word}_stales AFTER {word} ON {table}"
        f" BEGIN {_STALE.format(f'{row}.month', day.format(row), f'{row}.station_id')} END"
        for word, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


STATEMENTS = (
    """
    CREATE TABLE whose (
        id INTEGER PRIMARY KEY,
        party TEXT NOT NULL,
        organisation TEXT NOT NULL,        -- '' where nobody knows
        country TEXT NOT NULL,
        country_confidence TEXT NOT NULL,
        UNIQUE (party, organisation, country, country_confidence)
    ) STRICT
    """,
    "ALTER TABLE verdict ADD COLUMN whose_id INTEGER",
    "CREATE INDEX verdict_of_nobody ON verdict (id) WHERE whose_id IS NULL",
    # Day 0: what the days brought that are gone, as `destination_month` has it.
    f"""
    CREATE TABLE whose_day (
        month INTEGER NOT NULL, day INTEGER NOT NULL, {_SUMS},
        PRIMARY KEY (month, day, station_id, site_id, whose_id)
    ) STRICT, WITHOUT ROWID
    """,
    # The sums of the above, kept by what is added and taken away.
    f"""
    CREATE TABLE whose_month (
        month INTEGER NOT NULL, {_SUMS},
        PRIMARY KEY (month, station_id, site_id, whose_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE whose_stale (
        month INTEGER NOT NULL, day INTEGER NOT NULL, station_id INTEGER NOT NULL, PRIMARY KEY (month, day, station_id)
    ) STRICT, WITHOUT ROWID
    """,
    *_on_change("destination_day", "{}.day"),
    *_on_change("destination_month", str(_OLDER)),
    # A first judgement comes with the destination that it is about; another one changes the whole month of its device.
    f"""
    CREATE TRIGGER judgement_changes BEFORE INSERT ON judgement WHEN EXISTS (
        SELECT 1 FROM judgement j WHERE j.month = NEW.month AND j.device_id = NEW.device_id AND j.site_id = NEW.site_id
            AND j.name_id = NEW.name_id AND j.remote_id = NEW.remote_id AND j.verdict_id <> NEW.verdict_id)
    BEGIN {_STALE_DEVICE} END
    """,
    f"""
    CREATE TRIGGER judgement_updated AFTER UPDATE OF verdict_id ON judgement WHEN NEW.verdict_id <> OLD.verdict_id
    BEGIN {_STALE_DEVICE} END
    """,
    # Another device is another judgement.
    """
    CREATE TRIGGER station_moves AFTER UPDATE OF device_id ON station WHEN NEW.device_id IS NOT OLD.device_id
    BEGIN
        INSERT INTO whose_stale SELECT DISTINCT month, day, NEW.id FROM whose_day WHERE station_id = NEW.id
        ON CONFLICT DO NOTHING;
    END
    """,
    # What was there before: the next pass of labels adds it up.
    "INSERT OR IGNORE INTO whose_stale SELECT DISTINCT month, day, station_id FROM destination_day",
    f"INSERT OR IGNORE INTO whose_stale SELECT DISTINCT month, {_OLDER}, station_id FROM destination_month",
)
