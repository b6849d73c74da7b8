"""Destinations come by thousands and from one place, `daemon.store.tiers`, which writes there what follows from them.

Before, three triggers did so for each row, which took four times as long as to write it. For those that go, which are few
and go from many places, there are triggers still.
"""

STATEMENTS = (
    "DROP TRIGGER destination_day_added",
    "DROP TRIGGER destination_day_INSERT",
    "DROP TRIGGER destination_day_INSERT_stales",
)
