"""What the hunt found when it last looked, so that pages read rows: all labels, made anew as a whole or not at all.

A home without a row in `hunt` was not looked at since something changed that no later look at its newest days would notice.
"""

STATEMENTS = (
    """
    CREATE TABLE hunt (
        site_id INTEGER PRIMARY KEY,
        since_us INTEGER NOT NULL,         -- what was looked at
        until_us INTEGER NOT NULL,
        streams INTEGER NOT NULL,          -- of like connections that were there
        untold INTEGER NOT NULL,           -- findings that were left out, as there are so many
        night TEXT NOT NULL                -- the owner's hours, as "22-6"
    ) STRICT
    """,
    """
    CREATE TABLE finding (
        site_id INTEGER NOT NULL,
        number INTEGER NOT NULL,           -- in the order in which they deserve a look
        kind TEXT NOT NULL,
        severity INTEGER NOT NULL,
        device_id INTEGER NOT NULL,
        place TEXT NOT NULL,
        about TEXT NOT NULL,
        says TEXT NOT NULL,
        why TEXT NOT NULL,
        advice TEXT NOT NULL,
        facts TEXT NOT NULL,               -- JSON: [label, value, form], ...
        trace TEXT NOT NULL,               -- JSON: where it leads, and by what its flows are found
        reached TEXT NOT NULL,             -- JSON: [device, connections, bytes up, bytes down], ... of its domain
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        connections INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (site_id, number)
    ) STRICT, WITHOUT ROWID
    """,
)
