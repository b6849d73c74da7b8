"""Flows whose own name is a cover: what an encrypted hello shows in the open leads to somebody else.

`cover` is a label, and beats the flow's own name: such a flow has the name that its device's answers give, or none. The
name that was seen stays in `hellos`, marked.
"""

_TURNED = """
    CREATE VIEW flow_oriented AS
    SELECT f.id, k.protocol, k.ip_version, k.service, k.encrypted, k.chatter, k.tunnel, f.end, f.count, f.begun, f.sliced,
        f.turned, f.crowd_id, f.first_us, f.last_us,
        iif(turned, server_id, client_id) AS client_id, iif(turned, client_id, server_id) AS server_id,
        iif(turned, server_port, client_port) AS client_port, iif(turned, client_port, server_port) AS server_port,
        iif(turned, packets_down, packets_up) AS packets_up, iif(turned, packets_up, packets_down) AS packets_down,
        iif(turned, bytes_down, bytes_up) AS bytes_up, iif(turned, bytes_up, bytes_down) AS bytes_down,
        iif(f.cover, f.label_id, coalesce(f.name_id, f.label_id)) AS name_id,
        iif(f.cover, f.label_source, coalesce(f.name_source, f.label_source)) AS name_source
    FROM flow f CROSS JOIN flow_kind k ON k.id = f.kind_id
"""

_HELLOS = """
    CREATE VIEW hellos AS
    SELECT h.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, s.device_id) AS device_id,
        c.address AS client_address, h.client_port, s.address AS server_address, h.server_port, h.source, n.text AS name,
        h.alpn, h.version, h.chosen_version, h.cipher, h.ech, h.ja4, h.certificate_names, h.method, h.user_agent,
        k.id AS capture_id,
        h.ech IS NOT NULL AND coalesce((SELECT f.cover AND f.name_id = h.name_id FROM flow f WHERE f.id = h.flow_id), 0)
            AS cover
    FROM hello h
    JOIN capture k ON k.id = h.flow_id >> 40
    JOIN site t ON t.id = k.site_id
    JOIN endpoint c ON c.id = h.client_id
    JOIN endpoint s ON s.id = h.server_id
    LEFT JOIN name n ON n.id = h.name_id
"""

STATEMENTS = (
    "ALTER TABLE flow ADD COLUMN cover INTEGER NOT NULL DEFAULT 0",  # label: its own name is in front of another
    "ALTER TABLE kept_label ADD COLUMN cover INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX hello_ech ON hello (flow_id) WHERE ech = 'ech'",
    "DROP VIEW flow_oriented",
    _TURNED,
    "DROP VIEW hellos",
    _HELLOS,
    # What was read before this step is looked at again by the next pass.
    "UPDATE capture SET settled = -1 WHERE id IN (SELECT flow_id >> 40 FROM hello WHERE ech = 'ech')",
)
