"""How much each station moved in each quarter of an hour of a day that is over, beside the addresses of that day: the strip
of a device's days would look for each in the rows of all.

With them it goes as soon as its day changes. `daemon.store.address_days` makes both.
"""

STATEMENTS = (
    "DELETE FROM address_column",  # it is made anew with the next look
    "ALTER TABLE address_column ADD COLUMN moved BLOB",  # daemon.store.columns
)
