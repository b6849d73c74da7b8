"""The contacts in which news of some months is found: their own, and those that they are compared with.

Rule: these are, of each device, those of the last month before in which it had any. For the month at hand they are kept
(`follow`) until they change, which is once a day: what is read then is what is new.
"""

from __future__ import annotations

import sqlite3

import numpy as np

from daemon.store.contact_months import ContactMonths, Places, last_met, order_of, read_contact_months
from daemon.store.months import last_months
from daemon.store.turnover_months import (
    Texts,
    is_before,
    keep_before,
    numbered,
    read_before,
    renumbered,
    taken_apart,
    written,
)

_PACKED = ContactMonths._fields[: ContactMonths._fields.index("places")]


def follow(db: sqlite3.Connection, site: int, month: int) -> None:
    """Keep what a month is compared with. In the caller's transaction."""
    if is_before(db, site, month):
        return
    contacts = _read(db, site, None, month, month - 1).added()
    named, place = numbered(contacts.place)
    owned, owner = numbered(contacts.owner)
    called = contacts.places.texts(named)
    texts = Texts([called[number] for number in named], [written(contacts.owners[number]) for number in owned])
    columns = contacts._replace(place=place, owner=owner)
    keep_before(db, site, month, texts, [getattr(columns, word) for word in _PACKED])


def read_for(db: sqlite3.Connection, site: int, device: int | None, since: int, until: int) -> ContactMonths:
    """Contacts of these months, and of each device those of the last month before in which it had any."""
    before = _kept(db, site, device, since)
    if before is None:
        return _read(db, site, device, since, until)
    months = [month for month in last_months(db, site) if since <= month <= until]
    return _joined(before, read_contact_months(db, months, site, device, before.places))


def _read(db: sqlite3.Connection, site: int, device: int | None, since: int, until: int) -> ContactMonths:
    every = last_months(db, site)
    last = last_met(db, since, every, site, device)
    months = {month for month in every if since <= month <= until} | set(last.values())
    contacts = read_contact_months(db, months, site, device)
    compared = np.zeros(max([*last, int(contacts.device.max(initial=0))]) + 1, np.int64)
    compared[list(last)] = list(last.values())
    wanted = (contacts.month >= since) | (contacts.month == compared[contacts.device])
    return contacts if wanted.all() else contacts.rows(wanted)


def _kept(db: sqlite3.Connection, site: int, device: int | None, month: int) -> ContactMonths | None:
    found = read_before(db, site, month)
    if found is None:
        return None
    texts, columns = found
    places = Places(db)
    contacts = ContactMonths._make([*columns, places, taken_apart(texts.owners)])
    contacts = contacts._replace(place=renumbered(contacts.place, places.numbers(texts.places)))
    return contacts if device is None else contacts.rows(contacts.device == device)


def _joined(before: ContactMonths, after: ContactMonths) -> ContactMonths:
    """Both as one; they have their places in common."""
    owners = after.owners
    if not set(before.owners).issubset(owners):  # to sort them takes longer than all else here
        owners = sorted({*before.owners, *owners}, key=order_of)
    at = {owner: number for number, owner in enumerate(owners)}
    both = [
        each._replace(owner=renumbered(each.owner, [at[owner] for owner in each.owners])) for each in (before, after)
    ]
    columns = (np.concatenate([getattr(each, word) for each in both]) for word in _PACKED)
    return ContactMonths._make([*columns, after.places, owners])
