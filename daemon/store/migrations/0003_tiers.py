"""Who is in the house, and the tiers: what stays of the traffic when its flows are gone.

A station is what the network tells apart: a MAC or, where there is none, an address. A device is a judgement about
stations, so tiers are kept by station and joining two of them improves the past.
Rows with `frozen` 0 are made anew from flows; those with 1 are sums of flows that are gone, and only ever grow. In
tiers 0 stands for "none" where an id may be missing, since NULLs cannot be part of a key.
"""

_COUNTS = (
    "packets_up INTEGER NOT NULL, packets_down INTEGER NOT NULL, bytes_up INTEGER NOT NULL, bytes_down INTEGER NOT NULL"
)
_DESTINATION = f"""
    station_id INTEGER NOT NULL,
    name_id INTEGER NOT NULL,
    remote_id INTEGER NOT NULL,        -- where unnamed
    way_id INTEGER NOT NULL,
    verdict_id INTEGER NOT NULL,       -- where the name is forgotten and only the judgement kept; else 0
    main_id INTEGER NOT NULL,          -- the address with most bytes, of the day with most
    main_bytes INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    {_COUNTS},
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL
"""

# Whoever changes what a station exchanged with names: what follows from that is to be looked at again.
_MAKERS_UNKNOWN = """
    CREATE TRIGGER {0}_{1} AFTER {1} ON {0} WHEN {2}.name_id <> 0
    BEGIN UPDATE station SET makers = NULL WHERE id = {2}.station_id AND makers IS NOT NULL; END
"""

# What days of a month add up to, kept by whoever writes days: adding them up for a page would mean to sort them all.
_PLACE = "month, station_id, name_id, remote_id, way_id"
_TAKEN = """
    UPDATE destination_sum SET days = days - 1, flows = flows - OLD.flows, bytes = bytes - OLD.bytes_up - OLD.bytes_down
    WHERE (month, station_id, name_id, remote_id, way_id)
        = (OLD.month, OLD.station_id, OLD.name_id, OLD.remote_id, OLD.way_id);
    DELETE FROM destination_sum WHERE days = 0 AND (month, station_id, name_id, remote_id, way_id)
        = (OLD.month, OLD.station_id, OLD.name_id, OLD.remote_id, OLD.way_id);
"""
_ADDED = """
    INSERT INTO destination_sum VALUES (NEW.month, NEW.station_id, NEW.name_id, NEW.remote_id, NEW.way_id, 1, NEW.flows,
        NEW.bytes_up + NEW.bytes_down)
    ON CONFLICT DO UPDATE SET days = days + 1, flows = flows + excluded.flows, bytes = bytes + excluded.bytes;
"""

STATEMENTS = (
    """
    CREATE TABLE station (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        mac INTEGER NOT NULL,              -- -1: known by its address alone
        address TEXT NOT NULL,             -- '' where the MAC is the key
        folder TEXT,                       -- label: the name of the folder whose device it is
        device_id INTEGER,                 -- label
        makers TEXT,                       -- label: whose own domains it talks to; NULL where nobody has looked since
        UNIQUE (site_id, mac, address)
    ) STRICT
    """,
    # All labels. The id is that of the device's first station.
    """
    CREATE TABLE device (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        name TEXT,
        name_source TEXT,
        owner TEXT,
        room TEXT,
        mac INTEGER NOT NULL,
        mac_random INTEGER,
        vendor TEXT,
        model TEXT,
        kind TEXT,
        system TEXT
    ) STRICT
    """,
    """
    CREATE TABLE device_evidence (
        device_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        about TEXT NOT NULL,               -- name, vendor, model, kind, system, join
        value TEXT NOT NULL,
        source TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (device_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE remote (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE) STRICT",
    """
    CREATE TABLE way (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        protocol TEXT NOT NULL,
        ip_version INTEGER NOT NULL,       -- 0: not IP
        service TEXT NOT NULL,             -- '': none known
        encrypted TEXT NOT NULL,
        scope TEXT NOT NULL,               -- internet, local, chatter
        name_source TEXT NOT NULL,         -- or why there is none: -ech, -before, -; '' where the tier does not keep it
        UNIQUE (site_id, protocol, ip_version, service, encrypted, scope, name_source)
    ) STRICT
    """,
    f"""
    CREATE TABLE slot_total (
        slot INTEGER NOT NULL,             -- quarters of an hour since the epoch, UTC
        station_id INTEGER NOT NULL,
        peer_id INTEGER NOT NULL,
        remote_id INTEGER NOT NULL,
        name_id INTEGER NOT NULL,
        way_id INTEGER NOT NULL,
        frozen INTEGER NOT NULL,
        {_COUNTS},
        PRIMARY KEY (slot, station_id, peer_id, remote_id, name_id, way_id, frozen)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE hour_total (
        slot INTEGER NOT NULL,             -- the first of its hour, in the site's time zone
        station_id INTEGER NOT NULL,
        peer_id INTEGER NOT NULL,
        way_id INTEGER NOT NULL,
        frozen INTEGER NOT NULL,
        {_COUNTS},
        PRIMARY KEY (station_id, slot, peer_id, way_id, frozen)  -- years of one device lie together
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE day_total (
        day INTEGER NOT NULL,              -- days since the epoch, in the site's time zone
        station_id INTEGER NOT NULL,
        peer_id INTEGER NOT NULL,
        way_id INTEGER NOT NULL,
        frozen INTEGER NOT NULL,
        {_COUNTS},
        PRIMARY KEY (day, station_id, peer_id, way_id, frozen)
    ) STRICT, WITHOUT ROWID
    """,
    # Days are made anew from flows; when these go, their sums go into months. Months are year * 12 + month - 1.
    f"""
    CREATE TABLE destination_day (
        month INTEGER NOT NULL,
        day INTEGER NOT NULL,
        {_DESTINATION},
        PRIMARY KEY (month, day, station_id, name_id, remote_id, way_id)
    ) STRICT, WITHOUT ROWID
    """,
    f"""
    CREATE TABLE destination_month (
        month INTEGER NOT NULL,
        {_DESTINATION},
        PRIMARY KEY (month, station_id, name_id, remote_id, way_id, verdict_id)
    ) STRICT, WITHOUT ROWID
    """,
    # What a name's chain of aliases led to, for good: which cloud carries a service.
    """
    CREATE TABLE alias (
        site_id INTEGER NOT NULL,
        month INTEGER NOT NULL,
        name_id INTEGER NOT NULL,
        target_id INTEGER NOT NULL,        -- name
        last_us INTEGER NOT NULL,
        PRIMARY KEY (site_id, month, name_id, target_id)
    ) STRICT, WITHOUT ROWID
    """,
    # What flows took from earlier ones, or from answers, that are gone: it holds for good.
    """
    CREATE TABLE kept_label (
        flow_id INTEGER PRIMARY KEY,
        turned INTEGER NOT NULL,
        label_id INTEGER,
        label_source TEXT
    ) STRICT
    """,
    # A rewritten file that waits to take the place of a capture's own; written with the facts that it has.
    """
    CREATE TABLE replacement (
        capture_id INTEGER PRIMARY KEY,
        path TEXT NOT NULL,
        partial TEXT NOT NULL              -- beside it, complete and on the disk
    ) STRICT
    """,
    """
    CREATE TABLE verdict (
        id INTEGER PRIMARY KEY,
        party TEXT NOT NULL,
        organisation TEXT,
        purpose TEXT,
        rule_id TEXT NOT NULL,
        reason TEXT NOT NULL,
        registrable_domain TEXT,
        tenant TEXT,
        infrastructure TEXT,
        asn INTEGER,
        country TEXT,
        country_confidence TEXT,
        called TEXT,
        digest TEXT NOT NULL UNIQUE        -- of all the above
    ) STRICT
    """,
    """
    CREATE TABLE judgement (
        month INTEGER NOT NULL,
        device_id INTEGER NOT NULL,        -- 0: no end of it is a device
        site_id INTEGER NOT NULL,
        name_id INTEGER NOT NULL,
        remote_id INTEGER NOT NULL,
        verdict_id INTEGER NOT NULL,
        PRIMARY KEY (month, device_id, site_id, name_id, remote_id)
    ) STRICT, WITHOUT ROWID
    """,
    *(
        _MAKERS_UNKNOWN.format(table, event, row)
        for table in ("destination_day", "destination_month")
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    ),
    f"""
    CREATE TABLE destination_sum (
        month INTEGER NOT NULL,
        station_id INTEGER NOT NULL,
        name_id INTEGER NOT NULL,
        remote_id INTEGER NOT NULL,
        way_id INTEGER NOT NULL,
        days INTEGER NOT NULL,             -- rows of destination_day
        flows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY ({_PLACE})
    ) STRICT, WITHOUT ROWID
    """,
    f"CREATE TRIGGER destination_day_added AFTER INSERT ON destination_day BEGIN {_ADDED} END",
    f"CREATE TRIGGER destination_day_taken AFTER DELETE ON destination_day BEGIN {_TAKEN} END",
    f"CREATE TRIGGER destination_day_turned AFTER UPDATE ON destination_day BEGIN {_TAKEN} {_ADDED} END",
)
