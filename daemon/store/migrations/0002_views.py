"""The public schema: views over facts and labels. Columns are added here, never changed (DESIGN.md)."""

_MAC = (
    "CASE WHEN {0} >= 0 THEN printf('%02x:%02x:%02x:%02x:%02x:%02x', {0} >> 40 & 255, {0} >> 32 & 255, {0} >> 24 & 255,"
    " {0} >> 16 & 255, {0} >> 8 & 255, {0} & 255) END"
)

# A stitched flow takes its predecessor's orientation: `turned` swaps the ends at reading, the fact stays as it was seen.
_TURNED = """
    CREATE VIEW flow_oriented AS
    SELECT id, protocol, ip_version, service, encrypted, chatter, tunnel, end, count, sliced, turned, crowd_id, first_us,
        last_us,
        iif(turned, server_id, client_id) AS client_id, iif(turned, client_id, server_id) AS server_id,
        iif(turned, server_port, client_port) AS client_port, iif(turned, client_port, server_port) AS server_port,
        iif(turned, packets_down, packets_up) AS packets_up, iif(turned, packets_up, packets_down) AS packets_down,
        iif(turned, bytes_down, bytes_up) AS bytes_up, iif(turned, bytes_up, bytes_down) AS bytes_down,
        coalesce(name_id, label_id) AS name_id, coalesce(name_source, label_source) AS name_source
    FROM flow
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

# A cell as its device sees it. Where both ends are devices the client is the device and the server its peer.
_DEVICE_CELLS = """
    CREATE VIEW device_cell AS
    SELECT x.slot_us, k.site_id, f.id AS flow_id, f.first_us, f.last_us, f.count,
        coalesce(k.device_id, c.device_id, s.device_id) AS device_id,
        iif(c.device_id IS NOT NULL, s.device_id, NULL) AS peer_device_id,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, c.address, s.address) AS remote_address,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, NULL, f.name_id) AS name_id,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, NULL, f.name_source) AS name_source,
        f.protocol, f.ip_version, f.service, f.encrypted,
        CASE WHEN f.chatter THEN 'chatter'
            WHEN (c.local OR c.scope IN (2, 3)) AND (s.local OR s.scope IN (2, 3)) THEN 'local'
            ELSE 'internet' END AS scope,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, x.packets_down, x.packets_up) AS packets_up,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, x.packets_up, x.packets_down) AS packets_down,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, x.bytes_down, x.bytes_up) AS bytes_up,
        iif(c.device_id IS NULL AND s.device_id IS NOT NULL, x.bytes_up, x.bytes_down) AS bytes_down
    FROM flow_cell x
    JOIN flow_oriented f ON f.id = x.flow_id
    JOIN capture k ON k.id = f.id >> 40
    JOIN endpoint c ON c.id = f.client_id
    JOIN endpoint s ON s.id = f.server_id
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

_DEVICES = f"""
    CREATE VIEW devices AS
    WITH moved AS (
        SELECT device_id, sum(up) AS up, sum(down) AS down FROM (
            SELECT device_id, sum(bytes_up) AS up, sum(bytes_down) AS down FROM device_cell
            WHERE device_id IS NOT NULL GROUP BY device_id
            UNION ALL
            SELECT peer_device_id, sum(bytes_down), sum(bytes_up) FROM device_cell
            WHERE peer_device_id IS NOT NULL GROUP BY peer_device_id
            UNION ALL
            SELECT d.id, sum(f.bytes), 0 FROM frame_slot f JOIN capture k ON k.id = f.capture_id
            JOIN device d ON d.site_id = k.site_id AND d.mac = f.src_mac AND f.src_mac >= 0 GROUP BY d.id
        ) GROUP BY device_id
    ), seen AS (
        SELECT device_id, min(first_us) AS first_us, max(last_us) AS last_us
        FROM endpoint WHERE device_id IS NOT NULL GROUP BY device_id
    )
    SELECT d.id AS device_id, s.name AS site, d.name, d.name_source, NULL AS owner, NULL AS room,
        {_MAC.format("d.mac")} AS mac,
        CASE WHEN d.mac >= 0 THEN d.mac >> 41 & 1 END AS mac_random,
        NULL AS vendor, NULL AS model, NULL AS kind,
        e.first_us AS first_seen_us, e.last_us AS last_seen_us,
        coalesce(m.up, 0) AS bytes_up, coalesce(m.down, 0) AS bytes_down
    FROM device d JOIN site s ON s.id = d.site_id
    LEFT JOIN moved m ON m.device_id = d.id LEFT JOIN seen e ON e.device_id = d.id
"""

_ADDRESSES = """
    CREATE VIEW device_addresses AS
    SELECT e.device_id, s.name AS site, e.address, min(e.first_us) AS first_seen_us, max(e.last_us) AS last_seen_us
    FROM endpoint e JOIN site s ON s.id = e.site_id
    WHERE e.device_id IS NOT NULL AND e.scope < 2 GROUP BY e.device_id, e.address
"""

_HINTS = f"""
    CREATE VIEW device_hints AS
    SELECT coalesce(m.id, (
            SELECT e.device_id FROM endpoint e
            WHERE e.site_id = h.site_id AND e.address = h.address AND e.mac = h.mac AND h.mac < 0
        )) AS device_id,
        s.name AS site, {_MAC.format("h.mac")} AS mac, nullif(h.address, '') AS address, h.source, h.key, h.value,
        h.first_us AS first_seen_us, h.last_us AS last_seen_us
    FROM hint h JOIN site s ON s.id = h.site_id
    LEFT JOIN device m ON m.site_id = h.site_id AND m.mac = h.mac AND h.mac >= 0
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
        h.alpn, h.version, h.chosen_version, h.cipher, h.ech, h.ja4, h.certificate_names, h.method, h.user_agent
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
        s.address AS resolver_address, m.transport, q.text AS name, m.type
    FROM dns_message m {_MESSAGE_JOINS} WHERE NOT m.response
"""

# Of a multicast answer the asker is the group; the device is who answered.
_DNS_RESPONSES = f"""
    CREATE VIEW dns_responses AS
    SELECT m.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, iif(c.scope = 2, s.device_id, NULL)) AS device_id,
        c.address AS client_address, s.address AS resolver_address, m.transport, q.text AS name, m.type, m.rcode, m.answers
    FROM dns_message m {_MESSAGE_JOINS} WHERE m.response
"""

_DNS_ANSWERS = f"""
    CREATE VIEW dns_answers AS
    SELECT m.seen_us, t.name AS site, coalesce(k.device_id, c.device_id, iif(c.scope = 2, s.device_id, NULL)) AS device_id,
        c.address AS client_address, s.address AS resolver_address, m.transport, r.section, q.text AS query_name,
        o.text AS name, r.type, r.value, r.ttl
    FROM dns_record r JOIN dns_message m ON m.id = r.message_id {_MESSAGE_JOINS} JOIN name o ON o.id = r.name_id
"""

_TRAFFIC = """
    CREATE VIEW traffic AS
    SELECT x.slot_us, s.name AS site, x.device_id, x.peer_device_id, x.remote_address, n.text AS domain, x.protocol,
        x.ip_version, x.service, x.encrypted, x.scope, sum(x.packets_up) AS packets_up, sum(x.packets_down) AS packets_down,
        sum(x.bytes_up) AS bytes_up, sum(x.bytes_down) AS bytes_down
    FROM device_cell x JOIN site s ON s.id = x.site_id LEFT JOIN name n ON n.id = x.name_id
    GROUP BY x.slot_us, x.site_id, x.device_id, x.peer_device_id, x.remote_address, x.name_id, x.protocol, x.ip_version,
        x.service, x.encrypted, x.scope
    UNION ALL
    SELECT f.slot_us, s.name, coalesce(k.device_id, a.id, b.id), iif(a.id IS NOT NULL, b.id, NULL), NULL, NULL, f.protocol,
        NULL, NULL, 'no', 'chatter',
        sum(iif(a.id IS NULL AND b.id IS NOT NULL, 0, f.packets)), sum(iif(a.id IS NULL AND b.id IS NOT NULL, f.packets, 0)),
        sum(iif(a.id IS NULL AND b.id IS NOT NULL, 0, f.bytes)), sum(iif(a.id IS NULL AND b.id IS NOT NULL, f.bytes, 0))
    FROM frame_slot f
    JOIN capture k ON k.id = f.capture_id
    JOIN site s ON s.id = k.site_id
    LEFT JOIN device a ON a.site_id = k.site_id AND a.mac = f.src_mac AND f.src_mac >= 0
    LEFT JOIN device b ON b.site_id = k.site_id AND b.mac = f.dst_mac AND f.dst_mac >= 0
    GROUP BY f.slot_us, k.site_id, coalesce(k.device_id, a.id, b.id), iif(a.id IS NOT NULL, b.id, NULL), f.protocol
"""

# Labels stay NULL until destinations are classified; months are UTC until a site's time zone is known to the store.
_DESTINATIONS = """
    CREATE VIEW destinations AS
    SELECT strftime('%Y-%m', x.slot_us / 1000000, 'unixepoch') AS month, s.name AS site, x.device_id, d.name AS device,
        n.text AS domain, NULL AS registrable_domain, NULL AS tenant, NULL AS infrastructure,
        iif(x.name_id IS NULL, x.remote_address, NULL) AS address,
        NULL AS party, NULL AS organisation, NULL AS asn, NULL AS country, NULL AS country_confidence, NULL AS purpose,
        NULL AS rule_id, NULL AS reason, x.name_source,
        sum(iif(x.first_us / 900000000 * 900000000 = x.slot_us, x.count, 0)) AS flows,
        sum(x.packets_up) AS packets_up, sum(x.packets_down) AS packets_down,
        sum(x.bytes_up) AS bytes_up, sum(x.bytes_down) AS bytes_down,
        min(max(x.first_us, x.slot_us)) AS first_seen_us, max(min(x.last_us, x.slot_us + 899999999)) AS last_seen_us
    FROM device_cell x JOIN site s ON s.id = x.site_id
    LEFT JOIN device d ON d.id = x.device_id LEFT JOIN name n ON n.id = x.name_id
    WHERE x.scope = 'internet'
    GROUP BY month, x.site_id, x.device_id, x.name_id, iif(x.name_id IS NULL, x.remote_address, NULL), x.name_source
"""

STATEMENTS = (
    _TURNED, _CROWDS, _CELLS, _DEVICE_CELLS, _CAPTURES, _GAPS, _NETWORKS, _DEVICES, _ADDRESSES, _HINTS, _FLOWS, _HELLOS,
    _DNS_QUERIES, _DNS_RESPONSES, _DNS_ANSWERS, _TRAFFIC, _DESTINATIONS,
)  # fmt: skip
