"""The public schema, first part: views over captures, flows and messages. Columns are added, never changed (DESIGN.md)."""

# A stitched flow takes its predecessor's orientation: `turned` swaps the ends at reading, the fact stays as it was seen.
_TURNED = """
    CREATE VIEW flow_oriented AS
    SELECT f.id, k.protocol, k.ip_version, k.service, k.encrypted, k.chatter, k.tunnel, f.end, f.count, f.begun, f.sliced,
        f.turned, f.crowd_id, f.first_us, f.last_us,
        iif(turned, server_id, client_id) AS client_id, iif(turned, client_id, server_id) AS server_id,
        iif(turned, server_port, client_port) AS client_port, iif(turned, client_port, server_port) AS server_port,
        iif(turned, packets_down, packets_up) AS packets_up, iif(turned, packets_up, packets_down) AS packets_down,
        iif(turned, bytes_down, bytes_up) AS bytes_up, iif(turned, bytes_up, bytes_down) AS bytes_down,
        coalesce(f.name_id, f.label_id) AS name_id, coalesce(f.name_source, f.label_source) AS name_source
    FROM flow f CROSS JOIN flow_kind k ON k.id = f.kind_id
"""

# Like short flows that decoding may still add to, taken together at reading. Bare columns are those of the least id.
_CROWDS = """
    CREATE VIEW flow_crowd AS
    SELECT min(id) AS id, protocol, ip_version, service, encrypted, tunnel, max(end) AS end, sum(count) AS count,
        min(first_us) AS first_us, max(last_us) AS last_us, client_id, server_id, NULL AS client_port, server_port,
        sum(packets_up) AS packets_up, sum(packets_down) AS packets_down, sum(bytes_up) AS bytes_up,
        sum(bytes_down) AS bytes_down, name_id, name_source
    FROM flow_oriented WHERE crowd_id IS NOT NULL GROUP BY crowd_id
"""

_CELLS = """
    CREATE VIEW flow_cell AS
    SELECT id AS flow_id, first_us / 900000000 * 900000000 AS slot_us,
        packets_up, packets_down, bytes_up, bytes_down FROM flow_oriented WHERE NOT sliced
    UNION ALL
    SELECT p.flow_id, p.slot_us,
        iif(f.turned, p.packets_down, p.packets_up), iif(f.turned, p.packets_up, p.packets_down),
        iif(f.turned, p.bytes_down, p.bytes_up), iif(f.turned, p.bytes_up, p.bytes_down)
    FROM flow_slice p JOIN flow f ON f.id = p.flow_id
"""

_CAPTURES = """
    CREATE VIEW captures AS
    SELECT k.id AS capture_id, s.name AS site, k.series, k.path, k.link_types, k.size, k.cursor, k.packets, k.bytes,
        k.undecoded_packets, k.undecoded_bytes, k.first_us, k.last_us, k.status, k.kernel_drops, k.interface_drops,
        k.clock_offset_us, k.error
    FROM capture k JOIN site s ON s.id = k.site_id
"""

_GAPS = """
    CREATE VIEW capture_gaps AS
    SELECT s.name AS site, g.series, g.from_us, g.to_us, g.reason FROM capture_gap g JOIN site s ON s.id = g.site_id
"""

_NETWORKS = """
    CREATE VIEW local_networks AS
    SELECT s.name AS site, n.prefix, n.source, min(n.first_us) AS first_seen_us, max(n.last_us) AS last_seen_us
    FROM network n JOIN site s ON s.id = n.site_id GROUP BY n.site_id, n.prefix, n.source
"""

_FLOW_COLUMNS = """
    SELECT f.id AS flow_id, f.id >> 40 AS capture_id, t.name AS site,
        coalesce(k.device_id, c.device_id, s.device_id) AS device_id,
        iif(c.device_id IS NOT NULL, s.device_id, NULL) AS peer_device_id,
        f.protocol, f.ip_version, c.address AS client_address, f.client_port, s.address AS server_address, f.server_port,
        f.service, f.encrypted, n.text AS server_name, f.name_source, f.tunnel, f.end, f.count,
        f.first_us AS first_seen_us, f.last_us AS last_seen_us,
        f.packets_up, f.packets_down, f.bytes_up, f.bytes_down
    FROM {} f
    JOIN capture k ON k.id = f.id >> 40
    JOIN site t ON t.id = k.site_id
    JOIN endpoint c ON c.id = f.client_id
    JOIN endpoint s ON s.id = f.server_id
    LEFT JOIN name n ON n.id = f.name_id
"""

_FLOWS = f"""
    CREATE VIEW flows AS
    {_FLOW_COLUMNS.format("flow_oriented")} WHERE f.crowd_id IS NULL
    UNION ALL
    {_FLOW_COLUMNS.format("flow_crowd")}
"""

_HELLOS = """
    CREATE VIEW hellos AS
    SELECT h.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, s.device_id) AS device_id,
        c.address AS client_address, h.client_port, s.address AS server_address, h.server_port, h.source, n.text AS name,
        h.alpn, h.version, h.chosen_version, h.cipher, h.ech, h.ja4, h.certificate_names, h.method, h.user_agent,
        k.id AS capture_id
    FROM hello h
    JOIN capture k ON k.id = h.flow_id >> 40
    JOIN site t ON t.id = k.site_id
    JOIN endpoint c ON c.id = h.client_id
    JOIN endpoint s ON s.id = h.server_id
    LEFT JOIN name n ON n.id = h.name_id
"""

_MESSAGE_JOINS = """
    JOIN capture k ON k.id = m.capture_id
    JOIN site t ON t.id = k.site_id
    JOIN endpoint c ON c.id = m.client_id
    JOIN endpoint s ON s.id = m.resolver_id
    JOIN name q ON q.id = m.name_id
"""

_DNS_QUERIES = f"""
    CREATE VIEW dns_queries AS
    SELECT m.seen_us, t.name AS site, coalesce(k.device_id, c.device_id) AS device_id, c.address AS client_address,
        s.address AS resolver_address, m.transport, q.text AS name, m.type, k.id AS capture_id
    FROM dns_message m {_MESSAGE_JOINS} WHERE NOT m.response
"""

# Of a multicast answer the asker is the group; the device is who answered.
_DNS_RESPONSES = f"""
    CREATE VIEW dns_responses AS
    SELECT m.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, iif(c.scope = 2, s.device_id, NULL)) AS device_id,
        c.address AS client_address, s.address AS resolver_address, m.transport, q.text AS name, m.type, m.rcode, m.answers,
        k.id AS capture_id
    FROM dns_message m {_MESSAGE_JOINS} WHERE m.response
"""

_DNS_ANSWERS = f"""
    CREATE VIEW dns_answers AS
    SELECT m.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, iif(c.scope = 2, s.device_id, NULL)) AS device_id,
        c.address AS client_address, s.address AS resolver_address, m.transport, r.section, q.text AS query_name,
        o.text AS name, r.type, r.value, r.ttl, k.id AS capture_id
    FROM dns_record r JOIN dns_message m ON m.id = r.message_id {_MESSAGE_JOINS} JOIN name o ON o.id = r.name_id
"""

STATEMENTS = (
    _TURNED, _CROWDS, _CELLS, _CAPTURES, _GAPS, _NETWORKS, _FLOWS, _HELLOS, _DNS_QUERIES, _DNS_RESPONSES, _DNS_ANSWERS,
)  # fmt: skip
