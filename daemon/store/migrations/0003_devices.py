"""The public schema, second part: devices, and what they moved. Columns are added, never changed (DESIGN.md)."""

_MAC = (
    "CASE WHEN {0} >= 0 THEN printf('%02x:%02x:%02x:%02x:%02x:%02x', {0} >> 40 & 255, {0} >> 32 & 255, {0} >> 24 & 255,"
    " {0} >> 16 & 255, {0} >> 8 & 255, {0} & 255) END"
)

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

STATEMENTS = (_DEVICE_CELLS, _DEVICES, _ADDRESSES, _HINTS, _TRAFFIC, _DESTINATIONS)
