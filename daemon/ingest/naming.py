"""Names for flows that carry none: what the answers of the house said about their servers, else the certificate."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from daemon.flow.facts import DAY_US
from daemon.identify.answers import Answer, AnswerBook, service_answer
from daemon.store import labels
from daemon.store import unnamed as store
from daemon.store.answers import Answers, sought
from daemon.store.nameless import Nameless

_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
_MOST = 50_000  # flows at a time: bounds what is held in memory
_WEEK_US = 7 * DAY_US  # at a time where they are those of a few devices: many answers hold for more than one day


class Renamed(NamedTuple):
    """A flow whose name, or the reason for it, is not what it was; times in microseconds."""

    flow_id: int
    first_us: int
    last_us: int


_Name = tuple[int, str]  # its number, and where it is from


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
    cover: bool  # the head's own name leads to somebody else
    taken: int | None  # and what the head is called instead


def settle_names(
    db: sqlite3.Connection,
    site_id: int,
    since_us: int,
    until_us: int,
    nameless: Nameless,
    *,
    grew: bool = False,
    of: Collection[int] | None = None,
) -> list[Renamed]:
    """Name the flows of a stretch of time that have no name of their own; those that are named otherwise than before.

    `nameless`: who is to have no names; nobody lends them one. `grew`: all that is new was seen since `since_us`, so that
    no answer is new to a flow that came before. `of`: for these devices alone the answers are others than before.
    """
    fresh_us = since_us if grew else 0
    together_us = DAY_US if of is None else _WEEK_US
    with store.unnamed(db, site_id, since_us, until_us, together_us, of) as periods:
        renamed = [Renamed(*row) for row in store.forget_local_names(db)]
        for period in periods:
            with sought(db, store.ask(db, period, fresh_us)) as (first_us, last_us):
                book = AnswerBook(answers_between(db, site_id, first_us, last_us))
            flows = (_new(_Flow, row) for row in store.read_told(db, period, book.asked()))
            while some := list(islice(flows, _MOST)):
                bare = {flow.flow_id for flow in some if nameless.at(flow.asker, flow.first_us)} if nameless else set()
                names: dict[int, _Name] = {}
                for flow in some:
                    if flow.first_us >= fresh_us and flow.flow_id not in bare:
                        found = book.name(flow.asker, flow.address, flow.began_us)
                        if found is not None:
                            names[flow.flow_id] = found
                renamed += _name(db, some, names, bare)
    return renamed


def _name(
    db: sqlite3.Connection, flows: Sequence[_Flow], names: Mapping[int, _Name], bare: Collection[int]
) -> list[Renamed]:
    """Write what flows are called: by answers, as told, else by their certificates; those in `bare` not at all."""
    certified = dict(store.read_certified(db, {flow.head or flow.flow_id for flow in flows}))
    changes: list[tuple[int | None, str | None, int]] = []
    renamed: list[Renamed] = []
    nothing = None, None
    for flow in flows:
        flow_id, head = flow[:2]
        found: tuple[int | None, str | None] = names.get(flow_id, nothing)
        shown = certified.get(head or flow_id)
        if found[0] is None and shown:
            found = labels.name_number(db, _certificate_name(shown)), "certificate"
        if flow.cover:
            found = flow.taken, None
        if flow_id in bare:
            found = nothing
        if head is not None and found[0] is not None:
            found = found[0], "continued"
        if found != flow[7:9]:  # the label that it has
            changes.append((*found, flow_id))
            renamed.append(Renamed(flow_id, flow.first_us, flow.last_us))
    store.write_names(db, changes)
    return renamed


def answers_between(db: sqlite3.Connection, site_id: int, since_us: int, until_us: int) -> list[Answer]:
    """What may hold at some time of a stretch, for the addresses that are sought (`daemon.store.answers`), and what had told
    where to ask next when that was given."""
    told = Answers(db, site_id, since_us, until_us)
    out = told.addresses()
    out += _of_services(db, told.services())
    first_us = min((answer.seen_us for answer in out), default=since_us)
    if first_us < since_us:
        out += _of_services(db, told.services_since(first_us))
    names = {answer.name for answer in out}
    targets = names
    while targets:  # aliases of aliases
        aliases = told.aliases(targets, first_us)
        out += aliases
        targets = {answer.name for answer in aliases} - names
        names |= targets
    return out


def _of_services(db: sqlite3.Connection, records: Iterable[Answer]) -> Iterator[Answer]:
    """What service records say, each as answers; most of them say again what one before has said."""
    said: dict[tuple[str, str], tuple[str, int, list[str]]] = {}
    for seen_us, name, ttl, asker, value, name_id in records:
        known = said.get((name, value))
        if known is None:
            service, keys = service_answer(name, value)
            number = name_id if service == name else labels.name_number(db, service)
            known = said[name, value] = service, number, keys
        for key in known[2]:
            yield _new(Answer, (seen_us, known[0], ttl, asker, key, known[1]))


def _certificate_name(names: str) -> str:
    """The first name that is no pattern, else the first pattern's domain."""
    every = names.lower().split(" ")
    return next((name for name in every if not name.startswith("*")), every[0].removeprefix("*."))
