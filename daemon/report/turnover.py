"""What came, what went and what became different between months, in columns: years of it are half a million rows.

Rule 1: a role is a place (a registrable domain, else a name or an address, else an organisation) and a party: hosts come
        and go, but that a maker's domain begins to serve advertising is news.
Rule 2: months are compared with the last month in which the device was seen; one in which it was not is no news.
Rule 3: nothing is gone from a month that is not over.
Rule 4: a device's first month is a beginning, told as such, and not a long list of news.
Rule 5: of a role, what is said is what is said of most of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.report.sorting import distinct, fit, packed, sorting, starts
from daemon.report.ties import in_order
from daemon.store.columns import Ints, Narrow
from daemon.store.contact_months import NOWHERE, ContactMonths, Owner, Places

Flags = npt.NDArray[np.bool_]

BEGINS, NEW, CHANGED, GONE = range(4)
NAMELESS = "destinations that are not named any more"
_SURE = ("high", "medium")
_MOST_AT_ONCE = 20_000  # rows: little memory, most of it near the processor
_NOT = -1  # in the place of a party or an owner that is not told


class Changes(NamedTuple):
    """A row each piece of news, in order of month, device, and what has most bytes; texts as numbers.

    `before_party` and `before_owner`: what the place was, of CHANGED, else -1.
    """

    month: Narrow
    device: Narrow
    kind: Narrow
    place: Narrow
    party: Narrow  # of `parties`
    owner: Narrow  # of `owners`
    before_party: Narrow
    before_owner: Narrow
    bytes: Ints
    places: Places
    owners: Sequence[Owner]
    parties: Sequence[str]

    @property
    def many(self) -> int:
        """How many pieces of news."""
        return len(self.month)

    def country(self, owner: int) -> str | None:
        """Where that is, if it is no guess."""
        return sure_country(self.owners[owner])

    def before(self, row: int) -> str | None:
        """What the destination of a row was, in words."""
        if self.before_party[row] != _NOT:
            return f"party {self.parties[self.before_party[row]]}"
        if self.before_owner[row] == _NOT:
            return None
        was, now = self.owners[self.before_owner[row]], self.owners[self.owner[row]]
        pairs = (
            ("organisation", was.organisation, now.organisation),
            ("country", sure_country(was), sure_country(now)),
        )
        return "; ".join(f"{what} {old}" for what, old, new in pairs if old and new and old != new)


class _Roles(NamedTuple):
    """A row each (step, role), in order of these; a step is a month of a device."""

    step: Ints
    place: Ints  # dense
    party: Ints
    owner: Ints
    bytes: Ints

    def rows(self, which: Ints | Flags) -> _Roles:
        return _Roles._make(column[which] for column in self)


class _Steps(NamedTuple):
    """Every month of every device in which it was seen, in order of month and device."""

    month: Ints
    device: Ints
    before: Ints  # the step of the device before this one, or -1
    after: Ints


def sure_country(owner: Owner) -> str | None:
    """Where that is, if it is no guess."""
    return owner.country if owner.confidence in _SURE else None


def find(contacts: ContactMonths, since: int, newest: int) -> Changes:
    """News of the months from `since` on; `newest` is the month that may not be over.

    Contacts of the months before are what `since` is compared with.
    """
    parties = sorted({owner.party for owner in contacts.owners})
    differs = _Differs(contacts.owners)
    parts = [_find(part.wide(), since, newest, parties, differs)[:_COLUMNS] for part in _parts(contacts)]
    month, device = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    order = sorting(packed(month.astype(np.int64), device.astype(np.int64)))
    columns = [np.concatenate(column)[order] for column in zip(*parts, strict=True)]
    return Changes._make([*columns, contacts.places, contacts.owners, parties])


_COLUMNS = Changes._fields.index("places")


def _parts(contacts: ContactMonths) -> Iterator[ContactMonths]:
    """Some devices each, of which all rows can be looked at at once on a small box."""
    counts = np.bincount(contacts.device)
    part = (np.cumsum(counts) // _MOST_AT_ONCE)[contacts.device]
    order = sorting(part)
    ends = np.cumsum(np.bincount(part, minlength=1)).tolist()
    for begin, end in pairwise([0, *ends]):
        if begin < end or not ends[-1]:
            yield contacts.rows(order[begin:end])


def _find(contacts: ContactMonths, since: int, newest: int, parties: Sequence[str], differs: _Differs) -> Changes:
    step_of, steps = _steps(contacts)
    places, place_of = distinct(_named(contacts))
    roles = _roles(contacts, step_of, place_of, parties)
    news = _news(roles, steps, since, newest, differs)
    order = _in_order(news, roles, places, contacts.places)
    kind, step, of, before_party, before_owner = (column[order] for column in news)
    row = roles.rows(of)
    small, narrow = np.int8, np.int32
    return Changes(
        steps.month[step].astype(narrow), steps.device[step].astype(narrow), kind.astype(small),
        places[row.place].astype(narrow), row.party.astype(small), row.owner.astype(narrow), before_party.astype(small),
        before_owner.astype(narrow), row.bytes, contacts.places, contacts.owners, parties,
    )  # fmt: skip


class _News(NamedTuple):
    """Pieces of news in no order: `of` is the role's row; of what went that of the month before."""

    kind: Ints
    step: Ints
    of: Ints
    before_party: Ints
    before_owner: Ints


def _named(contacts: ContactMonths) -> Ints:
    """Places, and organisations where no place is kept."""
    place = contacts.place.copy()
    nowhere = place == NOWHERE
    owners, at = np.unique(contacts.owner[nowhere], return_inverse=True)
    texts = [contacts.owners[owner].organisation or NAMELESS for owner in owners.tolist()]
    place[nowhere] = np.array([contacts.places.number(text) for text in texts], np.int64)[at]
    return place


def _steps(contacts: ContactMonths) -> tuple[Ints, _Steps]:
    """The step of each contact, and all steps."""
    width = int(contacts.device.max(initial=0)) + 1
    keys, step_of = distinct(contacts.month * width + contacts.device)
    month, device = np.divmod(keys, width)
    order = np.lexsort((month, device))
    alike = device[order][1:] == device[order][:-1]
    before, after = np.full(len(keys), _NOT), np.full(len(keys), _NOT)
    before[order[1:][alike]] = order[:-1][alike]
    after[order[:-1][alike]] = order[1:][alike]
    return step_of, _Steps(month, device, before, after)


def _roles(contacts: ContactMonths, step_of: Ints, place_of: Ints, parties: Sequence[str]) -> _Roles:
    """Contacts of one step, place and party as one: owners are in order of parties, so one order does for both."""
    number_of = {party: number for number, party in enumerate(parties)}
    party_of = np.array([number_of[owner.party] for owner in contacts.owners], np.int64)
    places, owners = int(place_of.max(initial=0)) + 1, len(contacts.owners)
    keys = (step_of * places + place_of) * owners + contacts.owner
    order = sorting(keys)
    keys = keys[order]
    begins = starts(keys)
    octets = np.add.reduceat(contacts.bytes[order], begins) if len(begins) else keys
    row = order[begins]
    step, place, owner = step_of[row], place_of[row], contacts.owner[row]
    party = party_of[owner]
    first = starts((step * places + place) * len(parties) + party)
    if not len(first):
        return _Roles(step, place, party, owner, octets)
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(octets))))
    largest = np.flatnonzero(octets == np.maximum.reduceat(octets, first)[group])
    head = largest[starts(group[largest])]
    return _Roles(step[first], place[first], party[first], owner[head], np.add.reduceat(octets, first))


def _news(roles: _Roles, steps: _Steps, since: int, newest: int, differs: _Differs) -> _News:
    last, following, came, went = _neighbours(roles, steps)
    month, before, after = steps.month[roles.step], steps.before[roles.step], steps.after[roles.step]
    told = month >= since
    begins = np.flatnonzero(came & (before == _NOT) & told)
    new = np.flatnonzero(came & (before != _NOT) & told)
    gone = np.flatnonzero(went & (after != _NOT))
    gone = gone[steps.month[after[gone]] >= since]
    was = np.full(len(new), _NOT)
    gone = _paired(roles, new, gone, after, was)
    gone = gone[steps.month[after[gone]] < newest]
    other = told[following] & differs(roles.owner[last], roles.owner[following])
    last, following = last[other], following[other]
    parts = (
        _plain(BEGINS, roles.step[begins], begins),
        _plain(NEW, roles.step[new], new)._replace(kind=np.where(was == _NOT, NEW, CHANGED), before_party=was),
        _plain(CHANGED, roles.step[following], following)._replace(before_owner=roles.owner[last]),
        _plain(GONE, after[gone], gone),
    )
    return _News._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _plain(kind: int, step: Ints, of: Ints) -> _News:
    nothing = np.full(len(of), _NOT)
    return _News(np.full(len(of), kind), step, of, nothing, nothing)


def _neighbours(roles: _Roles, steps: _Steps) -> tuple[Ints, Ints, Flags, Flags]:
    """Rows of roles that go on and of what follows them, and which rows follow nothing, and which nothing follows."""
    places, parties = (int(column.max(initial=0)) + 1 for column in (roles.place, roles.party))
    who = (steps.device[roles.step] * places + roles.place) * parties + roles.party
    order = sorting(who * (len(steps.month) + 1) + roles.step)
    last, following = order[:-1], order[1:]
    goes_on = (who[last] == who[following]) & (steps.before[roles.step[following]] == roles.step[last])
    last, following = last[goes_on], following[goes_on]
    came, went = np.ones(len(order), bool), np.ones(len(order), bool)
    came[following], went[last] = False, False
    return last, following, came, went


def _paired(roles: _Roles, new: Ints, gone: Ints, after: Ints, was: Ints) -> Ints:
    """Of a place that is no longer met in one role and now in another, the largest of both belong together.

    Gives what is gone besides; writes the party that it was into `was`.
    """
    places = int(roles.place.max(initial=0)) + 1
    many = _of_many(roles, places)
    rest, new_at = gone[~many[roles.place[gone]]], np.flatnonzero(many[roles.place[new]])
    gone, new = gone[many[roles.place[gone]]], new[new_at]
    came, went = roles.step[new] * places + roles.place[new], after[gone] * places + roles.place[gone]
    gone, went = _largest(roles, gone, went)
    at = np.flatnonzero(went[np.searchsorted(went[:-1], came)] == came) if len(went) else went
    _, keys, chosen = _largest_of(roles, new[at], came[at])
    old = np.searchsorted(went, keys)
    was[new_at[at[chosen]]] = roles.party[gone[old]]
    left = np.ones(len(gone), bool)
    left[old] = False
    return np.concatenate((rest, gone[left]))


def _of_many(roles: _Roles, places: int) -> Flags:
    """Of each place whether it was met in several roles: only such a one can come in one and go in another."""
    any_party, several = np.zeros(places, np.int64), np.zeros(places, bool)
    any_party[roles.place] = roles.party
    several[roles.place[roles.party != any_party[roles.place]]] = True
    return several


def _largest(roles: _Roles, rows: Ints, keys: Ints) -> tuple[Ints, Ints]:
    """Of rows with equal keys the one with most bytes, in order of keys."""
    found, known, _ = _largest_of(roles, rows, keys)
    return found, known


def _largest_of(roles: _Roles, rows: Ints, keys: Ints) -> tuple[Ints, Ints, Ints]:
    order = np.lexsort((roles.party[rows], -roles.bytes[rows], keys))
    first = order[starts(keys[order])]
    return rows[first], keys[first], first


class _Differs:
    """Whether two owners differ in what is known of both."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        self._organisation = _numbered([owner.organisation for owner in owners])
        self._country = _numbered([sure_country(owner) for owner in owners])

    def __call__(self, one: Ints, other: Ints) -> Flags:
        out = np.zeros(len(one), bool)
        for word in (self._organisation, self._country):
            was, now = word[one], word[other]
            out |= (was != now) & (was >= 0) & (now >= 0)
        return out


def _numbered(texts: Sequence[str | None]) -> Ints:
    known = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    return np.array([known[text] if text else _NOT for text in texts], np.int64)


def _in_order(news: _News, roles: _Roles, places: Ints, texts: Places) -> Ints:
    """By step; first what came, then what is different, then what went; each with most bytes first, then by text."""
    section = np.select([news.kind == GONE, news.before_owner != _NOT], [2, 1], 0)
    octets = roles.bytes[news.of]
    when, less = news.step * 3 + section, octets.max(initial=0) - octets
    keys = [packed(when, less)] if fit(when, less) else [when, less]
    by_party = sorting(roles.party[news.of])  # in which order what is alike in all else stays
    order = in_order([key[by_party] for key in keys], places[roles.place[news.of]][by_party], texts.texts)
    return by_party[order]
