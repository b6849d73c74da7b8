"""Names for flows that carry none: what the answers of the house said about their servers, else the certificate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import NamedTuple

from daemon.flow.facts import DAY_US
from daemon.identify.answers import MOST_US, Answer, AnswerBook, service_answer
from daemon.store import answers as store
from daemon.store import labels

_MOST = 50_000  # flows at a time: bounds what is held in memory
_SERVICE_TYPES = ("HTTPS", "SVCB")


class _Flow(NamedTuple):
    flow_id: int
    head: int | None  # the flow of an earlier file with which it began
    asker: int
    address: str
    began_us: int
    first_us: int
    last_us: int
    label_id: int | None
    label_source: str | None


def settle_names(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> list[tuple[int, int]]:
    """Name the flows of a stretch of time that have no name of their own; the times of those that changed."""
    spans = labels.forget_local_names(db, site_id, since_us, until_us)
    certified = dict(labels.read_certified(db, site_id, since_us, until_us))
    unnamed = (_Flow(*row) for row in labels.read_unnamed(db, site_id, since_us, until_us))
    for day, flows in groupby(unnamed, key=lambda flow: flow.began_us // DAY_US):
        while some := list(islice(flows, _MOST)):
            with store.sought(db, {flow.address for flow in some}):
                book = AnswerBook(_answers(db, site_id, day * DAY_US))
            spans += _name(db, some, book, certified)
    return spans


def _name(
    db: sqlite3.Connection, flows: Iterable[_Flow], book: AnswerBook, certified: dict[int, str]
) -> list[tuple[int, int]]:
    changes: list[tuple[int | None, str | None, int]] = []
    spans: list[tuple[int, int]] = []
    for flow in flows:
        found: tuple[int | None, str | None]
        found = book.name(flow.asker, flow.address, flow.began_us) or (None, None)
        shown = certified.get(flow.head or flow.flow_id)
        if found[0] is None and shown:
            found = labels.name_number(db, _certificate_name(shown)), "certificate"
        if flow.head is not None and found[0] is not None:
            found = found[0], "continued"
        if found != (flow.label_id, flow.label_source):
            changes.append((*found, flow.flow_id))
            spans.append((flow.first_us, flow.last_us))
    labels.write_names(db, changes)
    return spans


def _answers(db: sqlite3.Connection, site_id: int, day_us: int) -> Iterator[Answer]:
    """What may hold on that day: for an address, or for a name by which the asker was told to go on."""
    for seen_us, name, ttl, asker, kind, value, name_id in store.read_answers(db, site_id, day_us, MOST_US):
        if kind not in _SERVICE_TYPES:
            yield Answer(seen_us, name, ttl, asker, value, name_id)
            continue
        service, keys = service_answer(name, value)
        number = name_id if service == name else labels.name_number(db, service)
        for key in keys:
            yield Answer(seen_us, service, ttl, asker, key, number)


def _certificate_name(names: str) -> str:
    """The first name that is no pattern, else the first pattern's domain."""
    every = names.lower().split(" ")
    return next((name for name in every if not name.startswith("*")), every[0].removeprefix("*."))
