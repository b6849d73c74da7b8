"""Judgements that were put off: of these devices, in these months, destinations are to be judged anew.

In month 0: flows of these devices are to be named anew, since other stations are the device now.
"""

STATEMENTS = (
    """
    CREATE TABLE judgement_due (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        device_id INTEGER NOT NULL,        -- 0: no end of it is a device
        PRIMARY KEY (site_id, month, device_id)
    ) STRICT, WITHOUT ROWID
    """,
)
