"""Flows whose hello shows a cover (`daemon.identify.covers`): they are called by what their device had asked for, or not
at all.

Rule 1: of the device's own answers for the address, the newest for a service that is behind the cover counts, then the
        newest at all. What others were told does not: whoever hides a name from the wire shares an address with many.
Rule 2: this comes before flows are joined over files, so that a later part takes the true name and not the cover.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from daemon.identify.answers import OWN_ANSWER, AnswerBook, service_answer
from daemon.identify.covers import KNOWN, CoverBook, Told, offered_names
from daemon.ingest.naming import Renamed, answers_between
from daemon.store import answers, covers
from daemon.store.covers import Hiding

_Label = tuple[bool, int | None, str | None]  # cover, name, source


def settle_covers(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> list[Renamed]:
    """Judge the flows of a stretch of time that hid a name; those that are named otherwise than before."""
    times = covers.when_hidden(db, site_id, since_us, until_us)
    if times is None:
        return []
    told = _told(db, site_id, *times)
    book = CoverBook(told)
    behind = {each.public_name for each in told} | KNOWN
    hiding = covers.read_hiding(db, site_id, since_us, until_us, behind)  # of all others the name is the true one
    doubtful = [each for each in hiding if each.elsewhere and each.name in behind]
    found = _judge(db, site_id, doubtful, book) if doubtful else {}
    changed = []
    for each in hiding:
        label = found.get(each.flow_id, (False, None, None))
        if label[0] != each.cover or (each.cover and label[1:] != (each.label_id, each.label_source)):
            changed.append((each, label))
    covers.write_covers(db, [(*label, each.flow_id) for each, label in changed])
    return [Renamed(each.flow_id, each.first_us, each.last_us) for each, _ in changed]


def _judge(db: sqlite3.Connection, site_id: int, hiding: Sequence[Hiding], book: CoverBook) -> dict[int, _Label]:
    """The labels of those that have a cover."""
    with answers.sought(db, ((each.address, each.asked_us, each.asked_us) for each in hiding)) as (first_us, last_us):
        every = answers_between(db, site_id, first_us, last_us)
    plain = AnswerBook(every)
    behind: dict[frozenset[str], AnswerBook] = {}
    out: dict[int, _Label] = {}
    for each in hiding:
        services = book.services(each.asker, each.name, each.asked_us)
        asked = _own(plain, each)
        if asked == each.name_id or not (services or each.name in KNOWN):
            continue
        if services not in behind:
            behind[services] = AnswerBook([answer for answer in every if answer.name in services])
        name = _own(behind[services], each) or asked
        out[each.flow_id] = (True, name, None if name is None else OWN_ANSWER)
    return out


def _own(book: AnswerBook, flow: Hiding) -> int | None:
    """What the device itself had asked for to get this address."""
    found = book.name(flow.asker, flow.address, flow.asked_us)
    return found[0] if found is not None and found[1] == OWN_ANSWER else None


def _told(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> list[Told]:
    return [
        Told(seen_us, ttl, asker, service_answer(name, value)[0], public_name)
        for seen_us, ttl, asker, name, value in covers.read_configured(db, site_id, since_us, until_us)
        for public_name in offered_names(value)
    ]
