"""One request, and everything that answering it needs: facts, owner's words, the home, the time, who asks.

Rule 1: facts are opened when they are first asked for, in the thread that answers, and closed with the answer.
Rule 2: what the owner said last is shown at once, also before the labels have followed.
Rule 3: filters live in the address: `link` keeps those that are there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache, cached_property
from typing import TypeVar
from urllib.parse import quote, quote_plus, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from daemon.identify.vocabulary import OwnerWords
from daemon.report.recording import Unrecorded, unrecorded
from daemon.report.scope import Scope
from daemon.store.applications import read_applications
from daemon.store.errors import StoreError
from daemon.store.owner import open_owner, read_owner, words_at
from daemon.store.recording import with_level
from daemon.store.roster import Resident, read_residents
from daemon.store.settings import TIME_ZONE, night_of, read_settings
from web.memory import Memory, State
from web.options import Options
from web.reading import reading
from web.security.gate import Session
from web.spans import Range, parse_range
from web.templating import Templates
from web.turns import Turns

_T = TypeVar("_T")

BY = "web"
_DAY_US = 86_400_000_000
_WEEKS_DAYS = 31  # of which a device's bytes are told where no time is asked about
FILTERS = ("site", "range", "device", "party")  # what links keep
NARROWING = ("party", "country", "company", "destination")  # of what alone reports tell


class NothingYetError(Exception):
    """Nothing was captured so far: there is no database, or nothing of this home in it."""


class NotHereError(Exception):
    """There is no such device, destination, ...; the message is a sentence."""


class Visit:
    """A request while it is being answered."""

    def __init__(self, request: Request, session: Session, form: Mapping[str, str], stack: ExitStack) -> None:
        self.request = request
        self.session = session
        self.form = form
        self.options: Options = request.app.state.options
        self._templates: Templates = request.app.state.templates
        self._memory: Memory = request.app.state.memory
        self._turns: Turns = request.app.state.turns
        self._state: State = ()
        self._asked: dict[tuple[tuple[str, str | None], ...], str] = {}  # what links end with: a page has hundreds
        self._quoted = cache(quote_plus)  # likewise
        self._stack = stack

    # What is asked

    def query(self, name: str) -> str | None:
        """A parameter of the address; None where it is absent or empty."""
        return self.request.query_params.get(name) or None

    def param(self, name: str) -> str:
        """A part of the address's path."""
        return str(self.request.path_params[name])

    # What there is

    @cached_property
    def db(self) -> sqlite3.Connection:
        """The facts, to be read. Raises StoreError, NothingYetError."""
        if not self.options.database.exists():
            raise NothingYetError
        self.options.look()
        self._stack.enter_context(self._turns.taken())
        self._stack.callback(self.options.relieve)
        self._state = self._memory.state()  # before the first query: see web.memory
        return self._stack.enter_context(reading(self.options.database))

    def remember(self, key: Hashable, make: Callable[[], _T], *, lasting: bool = False) -> _T:
        """An answer from the facts that was made before, if these, or all that its key tells, are as they were then."""
        return self._memory.recall(None if lasting else self._state, (self.site_id, key), make)

    def remembers(self, key: Hashable) -> bool:
        """Whether a lasting answer is there."""
        return self._memory.has(None, (self.site_id, key))

    def keeper(self, key: Hashable, make: Callable[[], object]) -> Callable[[], object]:
        """What makes a lasting answer and keeps it, whenever it is called: also when the visit is over."""
        memory, whole = self._memory, (self.site_id, key)
        return lambda: memory.recall(None, whole, make)

    @cached_property
    def owner(self) -> sqlite3.Connection | None:
        """The owner's file, to be read; None where nothing was ever said. Raises StoreError."""
        db = read_owner(self.options.owner)
        return None if db is None else self._stack.enter_context(closing(db))

    @cached_property
    def settings(self) -> Mapping[str, str | int]:
        """What the owner set, by key; see daemon.store.settings."""
        return read_settings(self.owner)

    @cached_property
    def sites(self) -> dict[str, tuple[int, str]]:
        """Name -> (number, time zone) of every home in the database."""
        rows = self.db.execute("SELECT name, id, zone FROM site ORDER BY name")
        return {name: (number, zone) for name, number, zone in rows}

    @cached_property
    def site(self) -> str:
        """The home that is asked about. Raises NothingYetError, NotHereError."""
        asked = self.query("site")
        if asked is not None and asked not in self.sites:
            raise NotHereError(f"There is no home called {asked} here.")
        if not self.sites:
            raise NothingYetError
        return asked or (self.options.site if self.options.site in self.sites else next(iter(self.sites)))

    @cached_property
    def homes(self) -> list[tuple[str, str, bool]]:
        """(name, where this page is of it, whether it is shown) of every home, where there are several.

        What belongs to one home alone (a device, a finding) is left for the list that it stands in.
        """
        try:
            names, shown = list(self.sites), self.site
        except (NothingYetError, NotHereError, StoreError):
            return []
        path = "/" + self.request.url.path.split("/")[1]
        words = {"device": None, "party": None}
        return [(name, self.link(path, site=name, **words), name == shown) for name in names] if len(names) > 1 else []

    @property
    def site_id(self) -> int:
        """Its number."""
        return self.sites[self.site][0]

    @property
    def zone(self) -> str:
        """Its time zone."""
        return self.sites[self.site][1]

    @cached_property
    def wall_zone(self) -> str:
        """The zone for times that a clock on the wall told; there is one before anything was captured."""
        try:
            return self.zone
        except (NothingYetError, NotHereError, StoreError):
            return str(self.settings.get(TIME_ZONE) or "UTC")

    @cached_property
    def newest_us(self) -> int:
        """When the newest packet of the home came. Raises NothingYetError."""
        row = self.db.execute("SELECT max(last_us) FROM capture WHERE site_id = ?", (self.site_id,)).fetchone()
        if row[0] is None:
            raise NothingYetError
        return int(row[0])

    @cached_property
    def range(self) -> Range:
        """The time that is asked about."""
        return parse_range(self.query("range"), self.zone, self.newest_us)

    @property
    def misread(self) -> str | None:
        """What the address says of time, where that is no time and another one is shown."""
        said = self.query("range")
        return said if said is not None and said.strip() != self.range.key else None

    @property
    def place(self) -> str:
        """The page of the menu that this one belongs to: `/destinations` of one company."""
        first = "/" + self.request.url.path.split("/", 2)[1]
        return {"/companies": "/destinations", "/countries": "/map"}.get(first, first)

    @property
    def night(self) -> str:
        """The hours of the night, as addresses of packets have them: `23-6`."""
        first, end = night_of(self.settings)
        return f"{first}-{end}"

    @cached_property
    def words(self) -> OwnerWords:
        """What the owner said of this home's devices."""
        return words_at(self.options.owner, self.site)

    @cached_property
    def residents(self) -> list[Resident]:
        """All devices, called as the owner calls them, those with most traffic in the last weeks first."""
        day = self.newest_us // _DAY_US - _WEEKS_DAYS
        return [with_level(_as_said(each, self.words), self.words) for each in read_residents(self.db, self.site, day)]

    def unrecorded(self) -> list[Unrecorded]:
        """Who is not recorded in full, as the owner said."""
        return unrecorded(self.residents, self.names, self.words) if self.words.levels else []

    @cached_property
    def names(self) -> dict[int, str]:
        """What every device is called, by number."""
        return {each.device_id: label_of(each) for each in self.residents}

    @cached_property
    def keys(self) -> dict[int, str]:
        """The word by which addresses name a device, by number."""
        return {each.device_id: each.said_of for each in self.residents}

    def resident(self, key: str) -> Resident:
        """The device with this station. Raises NotHereError."""
        for each in self.residents:
            if key in each.keys:
                return each
        raise NotHereError(f"There is no device {key} in this home (any more).")

    def scope(self, device: Resident | None = None) -> Scope:
        """The question for reports: this home, this time, perhaps one device."""
        asked = self.query("device")
        if device is None and asked is not None:
            device = self.resident(asked)
        return Scope(
            self.db, self.site_id, self.site, self.zone, self.range.span, self.newest_us,
            None if device is None else device.device_id, self.names, night_of(self.settings),
            read_applications(self.owner), {word: asked for word in NARROWING if (asked := self.query(word)) is not None},
            self.options.locate, self.options.known, self.remember, self.unrecorded,
        )  # fmt: skip

    # What is answered

    @cached_property
    def _filters(self) -> Mapping[str, str]:
        """Those of this address."""
        return {name: value for name in FILTERS if (value := self.query(name)) is not None}

    def link(self, path: str, **changes: str | None) -> str:
        """An address with this one's filters; `changes` sets or (None) drops some. `path` is quoted already."""
        key = tuple(changes.items())
        asked = self._asked.get(key)
        if asked is None:
            kept = {**self._filters, **{name: value for name, value in changes.items() if value is not None}}
            asked = urlencode({name: value for name, value in kept.items() if changes.get(name, value) is not None})
            self._asked[key] = asked = f"?{asked}" if asked else ""
        return path + asked

    def packets(self, **words: str | tuple[str, ...] | None) -> str:
        """Where the packets are of what these words say (`daemon.ingest.wanted`), of this home, time and device."""
        said = [pair for name, pair in self._kept if name not in words]
        for word, text in words.items():
            several = text if isinstance(text, tuple) else () if text is None else (text,)
            said += [f"{word}={self._quoted(each)}" for each in several]
        return f"/captures?{'&'.join(said)}" if said else "/captures"

    @cached_property
    def _kept(self) -> Sequence[tuple[str, str]]:
        """Filters as they stand in addresses of packets, of which a page has hundreds."""
        return [(name, urlencode({name: text})) for name, text in self._filters.items() if name != "party"]

    def device_link(self, device_id: int, **changes: str | None) -> str:
        """The page of a device; the list of devices for what belongs to none."""
        key = self.keys.get(device_id)
        return self.link("/devices" if key is None else f"/devices/{quote(key, safe=':')}", device=None, **changes)

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A template with the visit in it."""
        return HTMLResponse(self._templates.render(template, visit=self, **values), status_code=status)

    def go(self, address: str) -> Response:
        """On to another page, after something was done."""
        return RedirectResponse(address, status_code=303)

    # What is done

    def speak(self, write: Callable[[sqlite3.Connection, str, int], int]) -> int:
        """Let `write(owner.db, who speaks, when)` keep words of the owner; the labels follow. Raises StoreError."""
        with closing(open_owner(self.options.owner)) as db:
            number = write(db, BY, self.options.now_us())
        self.options.follow(self.site)
        return number

    def keep(self, write: Callable[[sqlite3.Connection, int], _T]) -> _T:
        """Let `write(owner.db, when)` keep what no label depends on. Raises StoreError."""
        with closing(open_owner(self.options.owner)) as db:
            return write(db, self.options.now_us())


@contextmanager
def visiting(request: Request, session: Session, form: Mapping[str, str]) -> Iterator[Visit]:
    """A visit that closes what it opened."""
    with ExitStack() as stack:
        yield Visit(request, session, form, stack)


def label_of(resident: Resident) -> str:
    """What people call a device: its name, else its maker, else its address."""
    if resident.name:
        return resident.name
    what = " ".join(part for part in (resident.vendor, resident.model or resident.kind) if part)
    tail = resident.said_of[-5:] if resident.mac else resident.said_of
    return f"{what} ({tail})" if what else f"Unknown device ({tail})"


def _as_said(resident: Resident, words: OwnerWords) -> Resident:
    """The same device with what the owner says of it now; of two stations the last word holds."""
    name, owner, room, kind = (
        _last(texts, resident.keys) for texts in (words.names, words.owners, words.rooms, words.kinds)
    )
    taken_back = name is None and resident.name_source == "owner"  # until the labels follow, what it calls itself
    own = next((called for member in resident.members for called in member.names), None)
    return resident._replace(
        name=own if taken_back else name or resident.name,
        name_source="owner" if name else None if taken_back else resident.name_source,
        owner=owner,  # nobody else can know
        room=room,
        kind=kind or resident.kind,
    )


def _last(texts: Mapping[str, str], keys: Sequence[str]) -> str | None:
    return next((text for key, text in reversed(list(texts.items())) if key in keys), None)
