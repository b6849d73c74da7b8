"""Facts as they are written, and the labels that are computed from them.

Columns under "label" are judgements: recomputed by the settling pass, never by what decodes. All others are facts.
Times are microseconds since the epoch, UTC; MACs are 48-bit integers, -1 for none. A flow's id is
capture_id << 40 | number, so that its capture needs no column and rows lie together by capture. What many flows have in
common stands once, as a row of flow_kind that never changes.
"""

STATEMENTS = (
    # `zone`: the IANA name of the site's time zone, in which its days and months are counted.
    "CREATE TABLE site (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, zone TEXT NOT NULL DEFAULT 'UTC') STRICT",
    """
    CREATE TABLE capture (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        series TEXT NOT NULL,              -- one interface of one site
        path TEXT NOT NULL,
        folder_device TEXT,                -- named by --device or by a by-name/<device>/ folder
        head TEXT NOT NULL,                -- digest of the file header and the first record
        digest TEXT NOT NULL,              -- of all bytes up to the cursor
        link_types TEXT NOT NULL,
        size INTEGER NOT NULL,
        cursor INTEGER NOT NULL,           -- bytes read and committed, of the uncompressed stream
        packets INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        undecoded_packets INTEGER NOT NULL,
        undecoded_bytes INTEGER NOT NULL,
        first_us INTEGER,
        last_us INTEGER,
        status TEXT NOT NULL,
        kernel_drops INTEGER,
        interface_drops INTEGER,
        clock_offset_us INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        state BLOB,                        -- what decoding needs to go on behind the cursor
        station_id INTEGER,                -- label: the whole capture counts as this station
        device_id INTEGER,                 -- label: the station's device
        settled INTEGER NOT NULL DEFAULT 0 -- label: the cursor up to which labels are settled
    ) STRICT
    """,
    "CREATE INDEX capture_head ON capture (site_id, head)",
    # A shorter copy of a known file is recognised at any of the places where a commit fell.
    """
    CREATE TABLE capture_digest (
        capture_id INTEGER NOT NULL, cursor INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (capture_id, cursor)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE undecoded (
        capture_id INTEGER NOT NULL, reason TEXT NOT NULL, packets INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (capture_id, reason)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE capture_gap (
        site_id INTEGER NOT NULL, series TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL,
        reason TEXT NOT NULL, PRIMARY KEY (site_id, series, from_us)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
    """
    CREATE TABLE endpoint (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        mac INTEGER NOT NULL,
        version INTEGER NOT NULL,
        address TEXT NOT NULL,
        scope INTEGER NOT NULL,            -- daemon.flow.local: global, private, group, own
        first_us INTEGER,
        last_us INTEGER,
        sent INTEGER NOT NULL DEFAULT 0,   -- a packet came from it, not only to it
        local INTEGER NOT NULL DEFAULT 0,  -- label
        station_id INTEGER,                -- label
        device_id INTEGER,                 -- label: the station's device
        UNIQUE (site_id, mac, address)
    ) STRICT
    """,
    "CREATE INDEX endpoint_station ON endpoint (station_id) WHERE station_id IS NOT NULL",
    """
    CREATE TABLE flow_kind (
        id INTEGER PRIMARY KEY,
        protocol TEXT NOT NULL,
        ip_version INTEGER NOT NULL,
        service TEXT,
        encrypted TEXT NOT NULL,
        chatter INTEGER NOT NULL,
        tunnel TEXT
    ) STRICT
    """,
    """
    CREATE TABLE flow (
        id INTEGER PRIMARY KEY,
        kind_id INTEGER NOT NULL,
        client_id INTEGER NOT NULL,        -- endpoint
        server_id INTEGER NOT NULL,
        client_port INTEGER,
        server_port INTEGER,
        name_id INTEGER,
        name_source TEXT,
        end TEXT NOT NULL,
        begun INTEGER NOT NULL,            -- its first packet opened it: nothing earlier is continued
        live INTEGER NOT NULL,             -- decoding may still add to it, should the capture grow
        sliced INTEGER NOT NULL,           -- has rows in flow_slice; else it stays in the slot of first_us
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        packets_up INTEGER NOT NULL,
        packets_down INTEGER NOT NULL,
        bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL,
        count INTEGER NOT NULL DEFAULT 1,  -- like short flows in one row
        turned INTEGER NOT NULL DEFAULT 0, -- label: client and server change places
        label_id INTEGER,                  -- label: name from elsewhere than the flow itself
        label_source TEXT,                 -- label
        crowd_id INTEGER,                  -- label: shown in one row with the flow of this id, but still `live`
        head_id INTEGER                    -- label: the flow of an earlier file with which this one began, all unnamed
    ) STRICT
    """,
    "CREATE INDEX flow_crowd_id ON flow (crowd_id) WHERE crowd_id IS NOT NULL",
    "CREATE INDEX flow_head_id ON flow (head_id) WHERE head_id IS NOT NULL",
    """
    CREATE TABLE flow_slice (
        flow_id INTEGER NOT NULL,
        slot_us INTEGER NOT NULL,
        packets_up INTEGER NOT NULL,
        packets_down INTEGER NOT NULL,
        bytes_up INTEGER NOT NULL,
        bytes_down INTEGER NOT NULL,
        PRIMARY KEY (flow_id, slot_us)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE frame_slot (
        capture_id INTEGER NOT NULL,
        slot_us INTEGER NOT NULL,
        src_mac INTEGER NOT NULL,
        dst_mac INTEGER NOT NULL,
        protocol TEXT NOT NULL,
        packets INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (capture_id, slot_us, src_mac, dst_mac, protocol)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE hello (
        flow_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        seen_us INTEGER NOT NULL,
        client_id INTEGER NOT NULL,
        client_port INTEGER,
        server_id INTEGER NOT NULL,
        server_port INTEGER,
        source TEXT NOT NULL,
        name_id INTEGER,
        alpn TEXT,
        version TEXT,
        chosen_version TEXT,
        cipher TEXT,
        ech TEXT,
        ja4 TEXT,
        certificate_names TEXT,
        method TEXT,
        user_agent TEXT,
        PRIMARY KEY (flow_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE dns_message (
        id INTEGER PRIMARY KEY,
        capture_id INTEGER NOT NULL,
        seen_us INTEGER NOT NULL,
        client_id INTEGER NOT NULL,
        resolver_id INTEGER NOT NULL,
        transport TEXT NOT NULL,
        response INTEGER NOT NULL,
        name_id INTEGER NOT NULL,
        type TEXT NOT NULL,
        rcode TEXT,
        answers INTEGER NOT NULL,
        lasts_us INTEGER,                  -- until when what it answers may name an address; NULL: it never does
        leads INTEGER NOT NULL             -- it tells where to ask next: 1 by aliases as well, 2 by service records alone
    ) STRICT
    """,
    "CREATE INDEX dns_message_seen ON dns_message (seen_us)",
    "CREATE INDEX dns_message_lasts ON dns_message (lasts_us, leads) WHERE lasts_us IS NOT NULL",
    """
    CREATE TABLE dns_record (
        message_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        section TEXT NOT NULL,
        name_id INTEGER NOT NULL,
        type TEXT NOT NULL,
        ttl INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (message_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX dns_record_lasting ON dns_record (message_id) WHERE ttl > 86400",  # few; looked for days later
    """
    CREATE TABLE hint (
        site_id INTEGER NOT NULL,
        mac INTEGER NOT NULL,
        address TEXT NOT NULL,
        source TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        PRIMARY KEY (site_id, mac, address, source, key, value)
    ) STRICT, WITHOUT ROWID
    """,
    # One row a day, so that a prefix that came, went and came back is not taken for local in between.
    """
    CREATE TABLE network (
        site_id INTEGER NOT NULL,
        prefix TEXT NOT NULL,
        source TEXT NOT NULL,
        day INTEGER NOT NULL,              -- days since the epoch, UTC
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        lifetime_s INTEGER NOT NULL,
        PRIMARY KEY (site_id, prefix, source, day)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE router (
        site_id INTEGER NOT NULL,
        mac INTEGER NOT NULL,
        address TEXT NOT NULL,
        source TEXT NOT NULL,
        first_us INTEGER NOT NULL,
        last_us INTEGER NOT NULL,
        PRIMARY KEY (site_id, mac, address, source)
    ) STRICT, WITHOUT ROWID
    """,
)
