"""What lets a file that grows be settled minute by minute, without a look at all that came before.

`capture.settled` is the cursor up to which labels are settled, or says what is not: -1 everything; -2 all since
`fresh_us`; -3 everything, and again after the next batch, since flows that were open then are not written yet.
"""

STATEMENTS = (
    "ALTER TABLE capture ADD COLUMN fresh_us INTEGER",  # label: the earliest time of facts that are not settled
    # What is judged about a flow depends on its ends. Where decoding found them to be the other way round, which is
    # rare, its capture is settled anew as a whole.
    """
    CREATE TRIGGER flow_turned_by_facts AFTER UPDATE OF client_id, server_id, first_us ON flow
    WHEN (OLD.client_id, OLD.server_id, OLD.first_us) IS NOT (NEW.client_id, NEW.server_id, NEW.first_us)
    BEGIN UPDATE capture SET settled = -1 WHERE id = NEW.id >> 40 AND settled = -2; END
    """,
    # Flows that decoding came to see as something else than a pass before had seen; since then, until the next pass.
    "CREATE TABLE retold (flow_id INTEGER PRIMARY KEY) STRICT",
    """
    CREATE TRIGGER flow_retold AFTER UPDATE OF kind_id, name_id, name_source, begun ON flow
    WHEN (OLD.kind_id, OLD.name_id, OLD.name_source, OLD.begun) IS NOT (NEW.kind_id, NEW.name_id, NEW.name_source, NEW.begun)
    BEGIN INSERT INTO retold VALUES (NEW.id) ON CONFLICT DO NOTHING; END
    """,
    # What local ends, gateways and devices were judged by, so that ends that come to it can be judged by the same.
    """
    CREATE TABLE house (
        site_id INTEGER PRIMARY KEY,
        announcements TEXT NOT NULL,       -- JSON, as daemon.ingest.ends writes it
        routers TEXT NOT NULL,
        gateways TEXT NOT NULL,
        last_end INTEGER NOT NULL          -- ends with a greater id have not been judged
    ) STRICT
    """,
)
