"""Where packets lie in their files: what finds them again without reading whole days.

No facts: they follow from the file, and a capture without rows is read from its beginning.
"""

STATEMENTS = (
    # Stretches of a few MiB, without a gap up to the cursor; or none from the beginning to the first row.
    """
    CREATE TABLE block (
        capture_id INTEGER NOT NULL,
        begin INTEGER NOT NULL,            -- bytes of the uncompressed stream
        end INTEGER NOT NULL,
        packets INTEGER NOT NULL,
        first_us INTEGER NOT NULL,         -- as in flows: clock_offset_us is added
        last_us INTEGER NOT NULL,
        sketch BLOB NOT NULL,              -- daemon.decode.sketch: who sent and received
        scanner TEXT,                      -- what reading needs to begin here; NULL where the file header is enough
        PRIMARY KEY (capture_id, begin)
    ) STRICT, WITHOUT ROWID
    """,
)
