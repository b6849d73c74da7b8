"""Names that contain a text: companies, domains and addresses that devices of a home had to do with. Reading only.

Rule: what was typed is a text, never a pattern: `instr` knows no wildcards.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class Hit(NamedTuple):
    """Something that was found, and what is known of it."""

    text: str
    organisation: str | None
    party: str | None
    last_month: int | None  # the newest month in which it was judged, year * 12 + month - 1


# Names are few thousands, judgements hundreds of thousands: only what was found is looked for among them, month by month.
_COMPANIES = """
    SELECT organisation, NULL, party, NULL FROM (
        SELECT organisation, party, count(*) AS many FROM verdict
        WHERE organisation IS NOT NULL AND instr(lower(organisation), lower(?1)) GROUP BY 1, 2
    ) GROUP BY organisation HAVING max(many)
    ORDER BY instr(lower(organisation), lower(?1)) > 1, lower(organisation) LIMIT ?2
"""
_DOMAINS = """
    SELECT n.text, v.organisation, v.party, NULL FROM (
        SELECT id, text FROM name WHERE instr(text, lower(?2)) AND EXISTS (
            SELECT 1 FROM json_each(?4) m CROSS JOIN json_each(?5) d CROSS JOIN judgement j
            WHERE j.month = m.value AND j.device_id = d.value AND j.site_id = ?1 AND j.name_id = name.id
        )
        ORDER BY instr(text, lower(?2)) > 1, length(text), text LIMIT ?3
    ) n
    LEFT JOIN verdict v ON v.id = (
        SELECT j.verdict_id FROM json_each(?4) m CROSS JOIN json_each(?5) d CROSS JOIN judgement j
        WHERE j.month = m.value AND j.device_id = d.value AND j.site_id = ?1 AND j.name_id = n.id LIMIT 1
    )
    ORDER BY instr(n.text, lower(?2)) > 1, length(n.text), n.text
"""
_ADDRESSES = """
    SELECT r.address, v.organisation, v.party, NULL FROM (
        SELECT id, address FROM remote WHERE instr(address, lower(?2)) AND EXISTS (
            SELECT 1 FROM json_each(?4) m CROSS JOIN json_each(?5) d CROSS JOIN judgement j
            WHERE j.month = m.value AND j.device_id = d.value AND j.site_id = ?1 AND j.name_id = 0 AND j.remote_id = remote.id
        )
        ORDER BY instr(address, lower(?2)) > 1, address LIMIT ?3
    ) r
    LEFT JOIN verdict v ON v.id = (
        SELECT j.verdict_id FROM json_each(?4) m CROSS JOIN json_each(?5) d CROSS JOIN judgement j
        WHERE j.month = m.value AND j.device_id = d.value AND j.site_id = ?1 AND j.name_id = 0 AND j.remote_id = r.id LIMIT 1
    )
    ORDER BY instr(r.address, lower(?2)) > 1, r.address
"""
