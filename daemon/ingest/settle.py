"""Labels: a pass over facts, after which nothing shows in which order the facts arrived.

One transaction, in this order: which ends are local, which stations are one device, which flows go on from another file,
what addresses are called, the sums by slot, day and destination, what each device is, whose each destination is.
Judgements about the ends of a site are made anew from all evidence; everything else where new facts, or a judgement that
changed, may have changed it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from daemon.decode.slots import SLOT_US
from daemon.flow.stitch import Part, stitch
from daemon.identify.answers import MOST_US, end_of_chain
from daemon.ingest.covers import settle_covers
from daemon.ingest.describe import Census
from daemon.ingest.ends import judge_ends
from daemon.ingest.folders import settle_folders
from daemon.ingest.judge import Change, Some, judge_months
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.naming import Renamed, settle_names
from daemon.store import due, labels, whose_days
from daemon.store.aliases import read_aliases
from daemon.store.captures import site_number
from daemon.store.database import transaction
from daemon.store.errors import explained
from daemon.store.finding_rows import drop_findings
from daemon.store.nameless import Nameless, nameless_flows, take_names
from daemon.store.rollup import Moved, months_of, roll, roll_slots
from daemon.store.stations import Regrouped
from daemon.store.tiers import FEW
from daemon.store.touched import forget_retold, read_retold, slots_of, with_later_parts
from daemon.store.verdicts import devices_of_stations, months_with_destinations

_FEW_FLOWS = 2_000  # that are named otherwise, up to which it pays to look at their slots alone
_MOST_SLOTS = 48  # with more it is as quick to count whole days
_AT_ONCE = 2  # months that are judged at once when the owner has said something
_EVER_US = 1 << 60
_LATE_US = 3_600_000_000  # what came earlier than that before a look at the newest days is news to it


class Settled(NamedTuple):
    """What a pass did beyond facts that were new."""

    changes: tuple[Change, ...] = ()  # judgements that are not what they were


def settle_site(
    db: sqlite3.Connection, database: Path, site: str, networks: Sequence[str] = (), knowledge: Knowledge | None = None
) -> Settled:
    """Bring the labels of a site up to date with its facts. Raises StoreError."""
    with explained(database), transaction(db):
        site_id = site_number(db, site)
        return _Pass(db, site_id, site, knowledge or Knowledge()).run(networks, everything=False)


def heed_owner(db: sqlite3.Connection, database: Path, site: str, knowledge: Knowledge) -> Settled:
    """Follow what the owner said: names, joins, and judgements about devices that are not what they were.

    Facts that no pass has seen are left to the next pass, judgements about months long ago and sums to `judge_due`, so that
    it is quick however much was read meanwhile, and however long Homeport has been there.
    """
    with explained(database), transaction(db):
        return _Pass(db, site_number(db, site), site, knowledge).run((), everything=False, heed=True)


def judge_due(db: sqlite3.Connection, database: Path, site: str, knowledge: Knowledge) -> bool:
    """Do one thing of what was put off, the latest month first; whether there is more. Raises StoreError."""
    with explained(database):
        site_id = site_number(db, site)
        behind = whose_days.behind(db)
        if not (behind or due.read_due(db, site_id)):
            return False
        with transaction(db):
            if not behind:
                return _Pass(db, site_id, site, knowledge).catch_up()
            whose_days.follow(db, columns=False)
            return bool(due.read_due(db, site_id))


def judge_anew(db: sqlite3.Connection, database: Path, site: str, knowledge: Knowledge) -> Settled:
    """Judge the whole past of a site anew: the owner said something, or rules or tables changed. Raises StoreError."""
    from daemon.ingest.hunting import ALL_NIGHTS, look_at_newest  # noqa: PLC0415  with settings: no import needs them

    with explained(database), transaction(db):
        site_id = site_number(db, site)
        settled = _Pass(db, site_id, site, knowledge).run((), everything=True)
        look_at_newest(db, site_id, knowledge, ALL_NIGHTS)  # whoever asks for all of the past waits for it
        return settled


class _Pass:
    """One pass over one site, in one transaction."""

    def __init__(self, db: sqlite3.Connection, site_id: int, site: str, knowledge: Knowledge) -> None:
        self._db, self._site_id, self._site, self._knowledge = db, site_id, site, knowledge

    def run(self, networks: Sequence[str], *, everything: bool, heed: bool = False) -> Settled:
        db, site_id = self._db, self._site_id
        spans = self._configure(networks)
        heed = heed and not spans
        fresh = [] if heed else labels.unsettled(db, site_id)
        if not (fresh or networks or spans or everything or heed):
            return Settled()
        everything = everything or bool(spans)  # another time zone: other days in every month
        # Where files only grew, all that is new was seen since.
        grew = bool(fresh) and not spans and all(each.fresh_us > each.first_us for each in fresh)
        since_us = min(each.fresh_us for each in fresh) if grew and not everything else None
        if not heed:
            for capture in fresh:
                labels.fold_crowds(db, capture.capture_id, since_us)
            spans += judge_ends(db, site_id, since_us)
            spans += settle_folders(db, site_id)
        census = Census(db, site_id, self._site, self._knowledge)
        regrouped = census.group()
        if heed:
            due.put_off(db, site_id, [due.NAMES], regrouped.devices)
            renamed = self._name(fresh, spans, Regrouped([], set()), grew=grew, promised=True)
        else:
            renamed = self._name(fresh, spans, regrouped, grew=grew, promised=everything) + self._name_due()
        moved = self._roll(fresh, spans, renamed, everything=everything)
        others = census.describe() | regrouped.devices
        changes = self._judge(moved, others, everything=everything, heed=heed)
        newest = min((each.fresh_us for each in fresh), default=None)
        anew = heed or everything or bool(others)
        if anew or newest is not None:  # devices are others, or came late: it was looked at something else
            drop_findings(db, site_id, 0 if anew or newest is None else newest + _LATE_US)
        if not heed:
            labels.mark_settled(db, site_id)
            forget_retold(db, site_id)
        return Settled(tuple(changes))

    def catch_up(self) -> bool:
        """See `judge_due`."""
        db, site_id = self._db, self._site_id
        waiting = due.read_due(db, site_id)
        month = max(waiting)
        if month == due.NAMES:
            moved = self._roll((), (), self._name_due(), everything=False)
            only = {month: Some(places) for month, places in moved.items() if len(places) <= FEW}
            judge_months(db, site_id, moved, self._knowledge, only)
        else:
            judge_months(db, site_id, [month], self._knowledge, {month: Some(devices=waiting[month])})
            due.no_longer_due(db, site_id, [month])
        whose_days.follow(db, columns=False)
        drop_findings(db, site_id)
        return len(waiting) > 1

    def _name_due(self) -> list[Renamed]:
        """Name the flows of devices that won or lost stations, where that was put off."""
        db, site_id = self._db, self._site_id
        devices = due.read_due(db, site_id).get(due.NAMES)
        if not devices:
            return []
        nameless = Nameless(db, site_id, self._knowledge.nameless_times(self._site))
        renamed = settle_covers(db, site_id, 0, _EVER_US) + settle_names(db, site_id, 0, _EVER_US, nameless, of=devices)
        due.no_longer_due(db, site_id, [due.NAMES])
        return renamed

    def _judge(self, moved: Moved, others: set[int], *, everything: bool, heed: bool) -> list[Change]:
        """Judge what has `moved`, and all of the devices that are `others` than they were."""
        db, site_id = self._db, self._site_id
        waiting = due.read_due(db, site_id)
        months = set(moved)
        if others or everything:
            months |= set(months_with_destinations(db, site_id))
        if heed:
            long_ago = sorted(months - moved.keys())[:-_AT_ONCE]
            due.put_off(db, site_id, long_ago, others)
            months -= set(long_ago)
        else:
            months |= waiting.keys()
        only = {
            month: Some(moved.get(month, ()), others | waiting.get(month, set()))
            for month in months
            if len(moved.get(month, ())) <= FEW
        }
        changes = judge_months(db, site_id, months, self._knowledge, None if everything else only)
        due.no_longer_due(db, site_id, months)
        if not heed:  # sums of years by whom: `judge_due` follows
            whose_days.follow(db)
        return changes

    def _name(
        self,
        fresh: Sequence[labels.Stretch],
        spans: list[tuple[int, int]],
        regrouped: Regrouped,
        *,
        grew: bool,
        promised: bool,
    ) -> list[Renamed]:
        """Name flows; those that are named otherwise than before. `spans` grows by what has to be counted anew besides.

        Where stations were regrouped, names may be others, as a device is called by what it was told itself; the sums are
        of stations. `promised`: names may have to go that the owner did not want recorded.
        """
        db, site_id = self._db, self._site_id
        renamed: list[Renamed] = []
        told = [*regrouped.spans, *((each.fresh_us, each.last_us) for each in fresh)]
        if asked := [*spans, *told]:
            until_us = max(span[1] for span in asked) + MOST_US
            renamed += settle_covers(db, site_id, min(span[0] for span in asked), until_us)
        nameless = Nameless(db, site_id, self._knowledge.nameless_times(self._site))
        if nameless and promised:
            spans += take_names(db, site_id, nameless)
        for series in sorted({capture.series for capture in fresh}):
            spans += _settle_series(db, site_id, series, [each for each in fresh if each.series == series], nameless)
        spans += labels.restore_kept(db, site_id)
        if asked := [*spans, *told]:
            until_us = max(span[1] for span in asked) + MOST_US
            names_us = min(span[0] for span in asked), until_us
            grew = grew and not (spans or regrouped.spans)
            of = None if spans or fresh else regrouped.devices
            renamed += settle_names(db, site_id, *names_us, nameless, grew=grew, of=of)
        return renamed

    def _roll(
        self,
        fresh: Sequence[labels.Stretch],
        spans: Sequence[tuple[int, int]],
        renamed: Sequence[Renamed],
        *,
        everything: bool,
    ) -> Moved:
        """Bring the tiers up to date; the destinations about which something has changed, by month."""
        db, site_id = self._db, self._site_id
        news = _news(db, site_id, fresh, renamed) if not spans else None
        since_us = 0 if everything else min((each.fresh_us for each in fresh), default=0)
        days = [*spans, *((each.touched_us, each.last_us) for each in fresh), *((each[1:]) for each in renamed)]
        if news is not None:
            days = [(slot * SLOT_US, slot * SLOT_US) for slot in news.slots]
        before = {month: read_aliases(db, site_id, month) for month in months_of(db, site_id, days)}
        moved: Moved = {}
        if news is not None:
            roll_slots(db, site_id, news.slots, news.retold, moved, since_us)
        else:
            roll(db, site_id, days, moved, since_us)
        stations = None
        for month, aliases in before.items():
            names = _led_elsewhere(db, aliases, read_aliases(db, site_id, month))
            if names and stations is None:
                stations = [0, *devices_of_stations(db, site_id)]
            moved.setdefault(month, set()).update((one, name, 0) for name in names for one in stations or ())
        return moved

    def _configure(self, networks: Sequence[str]) -> list[tuple[int, int]]:
        """Write what the configuration says; with another time zone all days that have flows are counted anew."""
        if networks:
            labels.write_configured(self._db, self._site_id, networks)
        zone = self._knowledge.time_zone()
        return labels.write_zone(self._db, self._site_id, zone) if zone is not None else []


class _News(NamedTuple):
    """What there is to count anew where files only grew."""

    slots: set[int]
    retold: set[int]  # flows that are named otherwise than before


def _news(
    db: sqlite3.Connection, site_id: int, fresh: Sequence[labels.Stretch], renamed: Sequence[Renamed]
) -> _News | None:
    """None where it is as quick to count whole days: captures that are new, or much that has changed."""
    if any(each.fresh_us <= each.first_us for each in fresh):
        return None
    slots = {
        slot
        for each in fresh
        for slot in range(each.fresh_us // SLOT_US, max(each.last_us, each.fresh_us) // SLOT_US + 1)
    }
    retold = read_retold(db, site_id, [(each.capture_id, each.fresh_us) for each in fresh])
    retold |= {each.flow_id for each in renamed}
    if len(slots) > _MOST_SLOTS or len(retold) > _FEW_FLOWS:
        return None
    retold = with_later_parts(db, retold)
    slots |= slots_of(db, retold)
    return _News(slots, retold) if len(slots) <= _MOST_SLOTS else None


def _led_elsewhere(db: sqlite3.Connection, before: Mapping[str, str], after: Mapping[str, str]) -> list[int]:
    """The names whose chain of aliases does not end where it ended before."""
    if before == after:
        return []
    names = {name for name in before.keys() | after.keys() if end_of_chain(name, before) != end_of_chain(name, after)}
    return labels.name_numbers(db, names)


def _settle_series(
    db: sqlite3.Connection, site_id: int, series: str, fresh: Sequence[labels.Stretch], nameless: Nameless
) -> list[tuple[int, int]]:
    """Link flows over the files of a series; of all that begin in the middle only those that a cut one fits are kept.

    A flow goes on from an earlier one, so what began before the first capture with news stays linked as it is. And a
    capture from which none can go on yet has no news of that kind once its first hour is over.
    """
    if all(
        each.fresh_us > each.first_us + labels.CONTINUES_US and labels.is_newest(db, site_id, series, each.capture_id)
        for each in fresh
    ):
        return []
    since_us = min(each.first_us for each in fresh)
    parts: list[Part] = []
    if labels.several_captures(db, site_id, series):
        parts = [_part(row) for row in labels.read_parts(db, site_id, series, since_us, tails=True)]
        keys = {part.key() for part in parts}
        others = (_part(row) for row in labels.read_parts(db, site_id, series, since_us, tails=False))
        parts += [part for part in others if part.key() in keys]
    began = {part.flow_id for part in parts if part.first_us >= since_us}
    links = [link for link in stitch(parts) if link.flow_id in began]
    bare = nameless_flows(db, nameless, (link.flow_id for link in links if link.name_id is not None))
    links = [link._replace(name_id=None) if link.flow_id in bare else link for link in links]
    return labels.write_continued(db, site_id, series, since_us, links)


def _part(row: tuple[Any, ...]) -> Part:
    return Part(row[0], (row[1], row[2]), (row[3], row[4]), *row[5:])
