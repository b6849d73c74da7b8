"""The public schema, second part: devices, and what they moved. Columns are added, never changed (DESIGN.md)."""

_MAC = (
    "CASE WHEN {0} >= 0 THEN printf('%02x:%02x:%02x:%02x:%02x:%02x', {0} >> 40 & 255, {0} >> 32 & 255, {0} >> 24 & 255,"
    " {0} >> 16 & 255, {0} >> 8 & 255, {0} & 255) END"
)
_SUMS = (
    "sum({0}packets_up) AS packets_up, sum({0}packets_down) AS packets_down, sum({0}bytes_up) AS bytes_up,"
    " sum({0}bytes_down) AS bytes_down"
)

_DEVICES = f"""
    CREATE VIEW devices AS
    WITH moved AS (
        SELECT t.device_id, sum(m.up) AS up, sum(m.down) AS down FROM (
            SELECT station_id, sum(bytes_up) AS up, sum(bytes_down) AS down FROM day_total GROUP BY station_id
            UNION ALL
            SELECT peer_id, sum(bytes_down), sum(bytes_up) FROM day_total WHERE peer_id GROUP BY peer_id
        ) m JOIN station t ON t.id = m.station_id GROUP BY t.device_id
    ), seen AS (
        SELECT device_id, min(first_us) AS first_us, max(last_us) AS last_us FROM (
            SELECT device_id, first_us, last_us FROM endpoint WHERE station_id IS NOT NULL
            UNION ALL
            SELECT device_id, first_us, last_us FROM capture WHERE station_id IS NOT NULL
        ) GROUP BY device_id
    )
    SELECT d.id AS device_id, s.name AS site, d.name, d.name_source, d.owner, d.room, {_MAC.format("d.mac")} AS mac,
        d.mac_random, d.vendor, d.model, d.kind, e.first_us AS first_seen_us, e.last_us AS last_seen_us,
        coalesce(m.up, 0) AS bytes_up, coalesce(m.down, 0) AS bytes_down, d.system
    FROM device d JOIN site s ON s.id = d.site_id
    LEFT JOIN moved m ON m.device_id = d.id LEFT JOIN seen e ON e.device_id = d.id
"""

_EVIDENCE = """
    CREATE VIEW device_reasons AS
    SELECT e.device_id, s.name AS site, e.about, e.value, e.source, e.detail
    FROM device_evidence e JOIN device d ON d.id = e.device_id JOIN site s ON s.id = d.site_id
"""

_ADDRESSES = """
    CREATE VIEW device_addresses AS
    SELECT e.device_id, s.name AS site, e.address, min(e.first_us) AS first_seen_us, max(e.last_us) AS last_seen_us
    FROM endpoint e JOIN site s ON s.id = e.site_id
    WHERE e.device_id IS NOT NULL AND e.scope < 2 GROUP BY e.device_id, e.address
"""

_HINTS = f"""
    CREATE VIEW device_hints AS
    SELECT t.device_id, s.name AS site, {_MAC.format("h.mac")} AS mac, nullif(h.address, '') AS address, h.source, h.key,
        h.value, h.first_us AS first_seen_us, h.last_us AS last_seen_us
    FROM hint h JOIN site s ON s.id = h.site_id
    LEFT JOIN station t ON t.site_id = h.site_id AND t.mac = h.mac AND (h.mac >= 0 OR t.address = h.address)
"""

_TRAFFIC = f"""
    CREATE VIEW traffic AS
    SELECT x.slot * 900000000 AS slot_us, s.name AS site, t.device_id, p.device_id AS peer_device_id,
        r.address AS remote_address, n.text AS domain, w.protocol, nullif(w.ip_version, 0) AS ip_version,
        nullif(w.service, '') AS service, w.encrypted, w.scope, {_SUMS.format("x.")}
    FROM slot_total x JOIN way w ON w.id = x.way_id JOIN site s ON s.id = w.site_id
    LEFT JOIN station t ON t.id = x.station_id LEFT JOIN station p ON p.id = x.peer_id
    LEFT JOIN remote r ON r.id = x.remote_id LEFT JOIN name n ON n.id = x.name_id
    GROUP BY x.slot, w.site_id, t.device_id, p.device_id, x.remote_id, x.name_id, w.protocol, w.ip_version, w.service,
        w.encrypted, w.scope
"""

_PLACES = """
    CREATE VIEW destination_part AS
    SELECT month, station_id, name_id, remote_id, way_id, verdict_id, flows, packets_up, packets_down, bytes_up,
        bytes_down, first_us, last_us FROM destination_day
    UNION ALL
    SELECT month, station_id, name_id, remote_id, way_id, verdict_id, flows, packets_up, packets_down, bytes_up,
        bytes_down, first_us, last_us FROM destination_month
"""

_DESTINATIONS = f"""
    CREATE VIEW destinations AS
    SELECT printf('%04d-%02d', x.month / 12, x.month % 12 + 1) AS month, s.name AS site, x.device_id, d.name AS device,
        n.text AS domain, v.registrable_domain, v.tenant, v.infrastructure, r.address, v.party, v.organisation, v.asn,
        v.country, v.country_confidence, v.purpose, v.rule_id, v.reason,
        iif(x.name_source GLOB '-*', NULL, x.name_source) AS name_source,
        x.flows, x.packets_up, x.packets_down, x.bytes_up, x.bytes_down, x.first_us AS first_seen_us,
        x.last_us AS last_seen_us,
        CASE x.name_source WHEN '-ech' THEN 'ech' WHEN '-before' THEN 'before' WHEN '-' THEN 'unknown' END AS unnamed
    FROM (
        SELECT p.month, w.site_id, t.device_id, p.name_id, p.remote_id, w.name_source, p.verdict_id, sum(p.flows) AS flows,
            {_SUMS.format("p.")}, min(p.first_us) AS first_us, max(p.last_us) AS last_us
        FROM destination_part p JOIN way w ON w.id = p.way_id LEFT JOIN station t ON t.id = p.station_id
        GROUP BY p.month, w.site_id, t.device_id, p.name_id, p.remote_id, w.name_source, p.verdict_id
    ) x JOIN site s ON s.id = x.site_id
    LEFT JOIN device d ON d.id = x.device_id
    LEFT JOIN name n ON n.id = x.name_id
    LEFT JOIN remote r ON r.id = x.remote_id
    LEFT JOIN judgement j ON j.month = x.month AND j.device_id = coalesce(x.device_id, 0) AND j.site_id = x.site_id
        AND j.name_id = x.name_id AND j.remote_id = x.remote_id AND x.verdict_id = 0
    LEFT JOIN verdict v ON v.id = iif(x.verdict_id, x.verdict_id, j.verdict_id)
"""

STATEMENTS = (_DEVICES, _EVIDENCE, _ADDRESSES, _HINTS, _TRAFFIC, _PLACES, _DESTINATIONS)
