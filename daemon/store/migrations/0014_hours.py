"""What pages of a month or a year draw and list of a whole house, once more summed: hours, days, ways by month.

They say what `hour_total` and `day_total` say of days and months that are over; `unsummed` names those for which they say
nothing (yet). `daemon.store.house_hours` makes them, within `house_sums.follow_days`.
"""

_COUNTS = (
    "packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL"
)
_SUMS = "sum(packets_up), sum(packets_down), sum(bytes_up), sum(bytes_down)"

STATEMENTS = (
    f"""
    CREATE TABLE house_hour (
        site_id INTEGER NOT NULL, slot INTEGER NOT NULL, {_COUNTS}, dns_packets_up INTEGER NOT NULL,
        PRIMARY KEY (site_id, slot)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE house_day (
        site_id INTEGER NOT NULL, day INTEGER NOT NULL, {_COUNTS}, dns_packets_up INTEGER NOT NULL,
        PRIMARY KEY (site_id, day)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE way_month (
        month INTEGER NOT NULL, station_id INTEGER NOT NULL, peer_id INTEGER NOT NULL, way_id INTEGER NOT NULL, {_COUNTS},
        PRIMARY KEY (month, station_id, peer_id, way_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE unsummed (day INTEGER PRIMARY KEY) STRICT",  # or, below 0, a month
    f"""
    INSERT INTO house_hour SELECT w.site_id, h.slot, {_SUMS}, sum(iif(w.service = 'dns', packets_up, 0))
    FROM hour_total h JOIN way w ON w.id = h.way_id GROUP BY 1, 2
    """,
    f"""
    INSERT INTO house_day SELECT w.site_id, d.day, {_SUMS}, sum(iif(w.service = 'dns', packets_up, 0))
    FROM day_total d JOIN way w ON w.id = d.way_id GROUP BY 1, 2
    """,
    f"""
    INSERT INTO way_month
    SELECT strftime('%Y', day * 86400, 'unixepoch') * 12 + strftime('%m', day * 86400, 'unixepoch') - 1, station_id,
        peer_id, way_id, {_SUMS} FROM day_total GROUP BY 1, 2, 3, 4
    """,
    # Few companies are known by another name than that of their verdicts, and pages ask for these alone.
    """
    CREATE INDEX verdict_called ON verdict (organisation, called) WHERE called IS NOT NULL AND called <> organisation
    """,
)
