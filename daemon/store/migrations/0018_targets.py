"""Where the chain of aliases of an answer ends stands with its message: which cloud carries a service is noted month by
month, without a look at records.
"""

STATEMENTS = (
    "ALTER TABLE dns_message ADD COLUMN target_id INTEGER",  # name; NULL: no alias
    # A chain may end at a name of which nothing else is known: its addresses were not asked for.
    "INSERT OR IGNORE INTO name (text) SELECT value FROM dns_record WHERE type = 'CNAME' AND section = 'answer'",
    """
    UPDATE dns_message SET target_id = (
        SELECT n.id FROM dns_record r CROSS JOIN name n ON n.text = r.value
        WHERE r.message_id = dns_message.id AND r.type = 'CNAME' AND r.section = 'answer' ORDER BY r.number DESC LIMIT 1
    ) WHERE response AND answers
    """,
)
