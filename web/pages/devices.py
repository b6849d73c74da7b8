"""All devices of the home: who is there, what each moved, to whom; to be searched, sorted and narrowed.

Rule: what was silent in the time that is asked about, and what only came by, is folded away, never left out. Who is not
recorded is not silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from starlette.responses import Response

from daemon.report.devices import Measured, measured, newcomers, sentences, strips
from daemon.store.roster import Resident
from daemon.store.words import OFF
from web.routing import Page
from web.searching import kind_words, words_of
from web.visit import Visit

_BRIEF_US = 2 * 86_400_000_000  # the longest stay of a visitor, and how long it must be gone
_FILTERS = ("kind", "room", "owner")


@dataclass(frozen=True, slots=True)
class Row:
    """One device in the list."""

    resident: Resident
    name: str
    moved: Measured
    strip: list[int]
    new: bool
    visitor: bool  # somebody's telephone that came by

    @property
    def parties(self) -> Mapping[str, int]:
        """Bytes by party."""
        return self.moved.parties


_SORTS: Mapping[str, tuple[str, Callable[[Row], tuple[object, ...]]]] = MappingProxyType(
    {
        "data": ("Data", lambda row: (-row.moved.bytes,)),
        "name": ("Name", lambda row: (row.name.casefold(),)),
        "seen": ("Last seen", lambda row: (-(row.resident.last_us or 0),)),
        "new": ("Newest", lambda row: (-(row.resident.first_us or 0),)),
        "sent": ("Sent", lambda row: (-row.moved.bytes_up,)),
        "third": ("Third parties", lambda row: (-row.parties.get("third", 0), -row.moved.bytes)),
    }
)


def show(visit: Visit) -> Response:
    """The list."""
    scope = visit.scope().of(None)
    sort = visit.query("sort") if visit.query("sort") in _SORTS else "data"
    moved, drawn = measured(scope), strips(scope)
    new = newcomers(scope, {each.device_id: each.first_us for each in visit.residents})
    rows = [
        Row(
            each,
            visit.names[each.device_id],
            moved[each.device_id],
            drawn.get(each.device_id, []),
            each.device_id in new,
            _came_by(each, visit.newest_us),
        )
        for each in visit.residents
    ]
    found = sorted((row for row in rows if _wanted(row, visit)), key=_SORTS[sort or "data"][1])
    here = [row for row in found if row.moved.bytes and not row.visitor]
    silent = [row for row in found if not row.moved.bytes]
    return visit.page(
        "devices.html",
        lead=sentences(scope, [(each.device_id, each.first_us) for each in visit.residents], moved),
        groups=[
            ("here", None, here),
            ("visitors", "Came by for a short time", [row for row in found if row.moved.bytes and row.visitor]),
            ("silent", f"Silent, {visit.range.label}", [row for row in silent if row.resident.level != OFF]),
            ("unrecorded", "Not recorded", [row for row in silent if row.resident.level == OFF]),
        ],
        found=len(found), every=len(rows), narrowed=_narrowed(visit), sort=sort,
        sorts=[(key, heading) for key, (heading, _) in _SORTS.items()],
        choices={name: _choices(name, rows) for name in _FILTERS},
        most=max((row.moved.bytes for row in found), default=0),
        kind_words=kind_words,
    )  # fmt: skip


def _came_by(resident: Resident, newest_us: int) -> bool:
    """Whether it has a made-up MAC, was never named, stayed for a day or two at most and is gone again."""
    first, last = resident.first_us or 0, resident.last_us or 0
    named = resident.name_source == "owner" or bool(resident.owner)
    return bool(resident.mac_random) and not named and last - first < _BRIEF_US < newest_us - last


def _narrowed(visit: Visit) -> bool:
    return any(visit.query(name) for name in (*_FILTERS, "q", "party"))


def _wanted(row: Row, visit: Visit) -> bool:
    each = row.resident
    for name in _FILTERS:
        asked = visit.query(name)
        if asked is not None and (getattr(each, name) or "") != asked:
            return False
    party = visit.query("party")
    if party is not None and not row.parties.get(party):
        return False
    text = (visit.query("q") or "").strip().casefold()
    return not text or any(text in word.casefold() for word in words_of(each, row.name))


def _choices(name: str, rows: list[Row]) -> list[str]:
    return sorted({text for row in rows if (text := getattr(row.resident, name))}, key=str.casefold)


PAGES = (Page("/devices", show),)
