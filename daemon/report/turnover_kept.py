"""News of months (`daemon.report.turnover`): read where it is kept, found where it is not.

Rule 1: news of a month that is over is found once (`follow`) and kept until what it was found in changes; of the month at
        hand, and of whatever is not kept, it is found when somebody asks. The answer is the same.
Rule 2: a month that began an hour ago does not end the one before: flows still bring news of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from daemon.report import turnover, turnover_contacts
from daemon.report.scope import Scope
from daemon.report.turnover import Changes
from daemon.report.turnover_contacts import read_for
from daemon.store.columns import Narrow
from daemon.store.contact_months import ContactMonths, Places
from daemon.store.months import last_months
from daemon.store.turnover_months import (
    Kept,
    Texts,
    keep,
    may_keep,
    months_kept,
    numbered,
    read_kept,
    renumbered,
    taken_apart,
    written,
)

_LINGERS_US = 3_600_000_000
_BEGAN = 0  # in the place of the month that another was compared with: a device was not there before
_PACKED = ("device", "kind", "place", "owner", "before_party", "before_owner", "bytes")
_COLUMNS = Changes._fields[: Changes._fields.index("places")]


def follow(scope: Scope, most: int) -> int:
    """Keep the news of months that are over, at most so many, the latest of those that have none; how many it were.

    And what the month after them is compared with. In the caller's transaction.
    """
    db, site = scope.db, scope.site_id
    if not may_keep(db):
        return 0
    at_hand = replace(scope, newest_us=max(scope.newest_us - _LINGERS_US, 0)).newest_month
    kept = set(months_kept(db, site))
    missing = [month for month in last_months(db, site) if month < at_hand and month not in kept][-most:]
    for month in reversed(missing):
        keep(db, site, _to_keep(read_for(db, site, None, month, month), month))
    turnover_contacts.follow(db, site, at_hand)
    return len(missing)


def read_changes(db: sqlite3.Connection, site: int, device: int | None, since: int, until: int, newest: int) -> Changes:
    """News of these months, of all devices or of one; `newest` is the month that may not be over."""
    months = [month for month in last_months(db, site) if since <= month <= until]
    kept = list(read_kept(db, site, [month for month in months if month < newest]))
    others = set(months) - {news.month for news in kept}
    found = None
    if others:
        first, last = min(others), max(others)
        found = turnover.find(read_for(db, site, device, first, last), first, newest)
    return _joined(found or _nothing(db), others, kept, device)


def _to_keep(contacts: ContactMonths, month: int) -> Kept:
    """The news of a month; `contacts` are its own and those that it is compared with."""
    news = turnover.find(contacts, month, month + 1)
    now = contacts.month == month
    devices = np.unique(contacts.device[now])
    before = ~now & np.isin(contacts.device, devices)
    began = len(np.unique(contacts.device[before])) < len(devices)
    since = _BEGAN if began else int(contacts.month[before].min(initial=month))
    named, place = numbered(news.place)
    owned, owner = numbered(np.concatenate((news.owner, news.before_owner)))
    texts = news.places.texts(named)
    columns = news._replace(place=place, owner=owner[: news.many], before_owner=owner[news.many :])
    owners = [written(news.owners[number]) for number in owned]
    told = Texts([texts[number] for number in named], owners, news.parties)
    return Kept(month, since, told, [getattr(columns, word) for word in _PACKED])


def _joined(found: Changes, others: Collection[int], kept: Iterable[Kept], device: int | None) -> Changes:
    """News that was `found`, of these months alone, and what is kept, as one."""
    every = _Everybody(found)
    asked = np.isin(found.month, list(others))
    parts: list[list[Narrow]] = [[getattr(found, word)[asked] for word in _COLUMNS]]
    for news in kept:
        of = dict(zip(_PACKED, news.columns, strict=True))
        if device is not None:
            ours = of["device"] == device
            of = {word: column[ours] for word, column in of.items()}
        owners = every.owners(news.texts.owners)
        of["month"] = np.full(len(of["device"]), news.month)
        of["party"] = renumbered(of["owner"], every.parties(every.of[owner].party for owner in owners))
        of["place"] = renumbered(of["place"], found.places.numbers(news.texts.places))
        of["before_party"] = renumbered(of["before_party"], every.parties(news.texts.parties))
        of["owner"], of["before_owner"] = (renumbered(of[word], owners) for word in ("owner", "before_owner"))
        parts.append([of[word] for word in _COLUMNS])
    whole = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    if (whole[0][1:] < whole[0][:-1]).any():
        order = np.argsort(whole[0], kind="stable")
        whole = [column[order] for column in whole]
    return Changes._make([*whole, found.places, every.of, list(every.party)])


class _Everybody:
    """Owners and parties by number, those that were found first."""

    def __init__(self, found: Changes) -> None:
        self.of = list(found.owners)
        self.party = {party: number for number, party in enumerate(found.parties)}
        self._number = {owner: number for number, owner in enumerate(found.owners)}
        self._texts: dict[str, int] = {}

    def owners(self, texts: Sequence[str]) -> list[int]:
        """The numbers of owners as texts."""
        new = [text for text in texts if text not in self._texts]
        for text, owner in zip(new, taken_apart(new), strict=True):
            number = self._texts[text] = self._number.setdefault(owner, len(self.of))
            if number == len(self.of):
                self.of.append(owner)
        return [self._texts[text] for text in texts]

    def parties(self, texts: Iterable[str]) -> list[int]:
        """The numbers of parties."""
        return [self.party.setdefault(text, len(self.party)) for text in texts]


def _nothing(db: sqlite3.Connection) -> Changes:
    return Changes._make([*(np.zeros(0, np.int64) for _ in _COLUMNS), Places(db), [], []])
