"""What is new, gone or different between the months of a device, as rows and in words.

Rule 1: a destination is a registrable domain (or an address, or an organisation where no more is kept) in one role:
        hosts come and go, but that a maker's domain begins to serve advertising is news.
Rule 2: months are compared with the last month in which the device was seen; one in which it was not is no news.
Rule 3: nothing is gone from a month that is not over.
Rule 4: a device's first month is a beginning, told as such, and not a long list of news.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from daemon.classify.vocabulary import UNKNOWN
from daemon.report.scope import Scope
from daemon.report.table import SIZE, Column, Report
from daemon.report.words import device_words, listed, month_words, party_words
from daemon.store.calendar import month_text
from daemon.store.months import Contact, Known, known_devices, read_contacts, read_earlier

NEW, GONE, CHANGED, BEGINS = "new", "gone", "changed", "begins"
_MOST_NAMED = 3
_NAMELESS = "destinations that are not named any more"
_SURE = ("high", "medium")
_PARTY_ORDER = ("third", "platform", "unknown", "support", "first", "local")

COLUMNS = (
    Column("month", "month"),
    Column("device_id", "number"),
    Column("device", "device"),
    Column("change", "change"),
    Column("destination", "destination"),
    Column("organisation", "organisation"),
    Column("party", "party"),
    Column("country", "country"),
    Column("before", "before"),
    Column("bytes", "traffic", SIZE),
)


class Role(NamedTuple):
    """A destination and what it is to the device."""

    destination: str
    party: str


class Met(NamedTuple):
    """How a device met a destination in one month: whose and where it is, of most of the bytes, and how many these are."""

    organisation: str | None
    country: str | None  # only where it is not a guess
    bytes: int


class Change(NamedTuple):
    """One piece of news; `before` is what the destination was, of `changed`."""

    month: int
    device_id: int
    kind: str
    role: Role
    met: Met
    before: str | None


Months = dict[int, dict[Role, Met]]


def find_changes(contacts: Iterable[Contact], since: int, newest: int) -> list[Change]:
    """News of the months from `since` on; `newest` is the month that may not be over.

    Contacts of the months before are what `since` is compared with.
    """
    out: list[Change] = []
    for device, months in sorted(_by_device(contacts).items()):
        before: dict[Role, Met] | None = None
        for month in sorted(months):
            now = months[month]
            if month >= since:
                out += _begins(month, device, now) if before is None else _between(month, device, before, now, newest)
            before = now
    out.sort(key=lambda change: (change.month, change.device_id))
    return out


def _by_device(contacts: Iterable[Contact]) -> dict[int, Months]:
    """Device -> month -> role -> how it was met."""
    devices: dict[int, Months] = defaultdict(lambda: defaultdict(dict))
    for contact in contacts:  # those with most bytes first
        met = devices[contact.device_id][contact.month]
        role = Role(contact.destination or contact.organisation or _NAMELESS, contact.party or UNKNOWN)
        known = met.get(role)
        if known is None:
            country = contact.country if contact.country_confidence in _SURE else None
            met[role] = Met(contact.organisation, country, contact.bytes)
        else:
            met[role] = known._replace(bytes=known.bytes + contact.bytes)
    return devices


def _begins(month: int, device: int, now: Mapping[Role, Met]) -> list[Change]:
    return [Change(month, device, BEGINS, role, met, None) for role, met in _by_size(now)]


def _between(month: int, device: int, before: Mapping[Role, Met], now: Mapping[Role, Met], newest: int) -> list[Change]:
    """A destination in another role than before, and no longer in the old one, has changed; in one more it is new."""
    came = [(role, met) for role, met in _by_size(now) if role not in before]
    went = {role.destination: role.party for role, _ in reversed(_by_size(before)) if role not in now}
    out = []
    for role, met in came:
        was = went.pop(role.destination, None)
        out.append(Change(month, device, CHANGED if was else NEW, role, met, f"party {was}" if was else None))
    for role, met in _by_size(now):
        differences = _differences(before[role], met) if role in before else []
        if differences:
            out.append(Change(month, device, CHANGED, role, met, "; ".join(differences)))
    if month < newest:
        gone = [(role, met) for role, met in _by_size(before) if went.get(role.destination) == role.party]
        out += [Change(month, device, GONE, role, met, None) for role, met in gone if role not in now]
    return out


def _differences(was: Met, now: Met) -> list[str]:
    """What it was, of all that is known on both sides and not the same."""
    pairs = (("organisation", was.organisation, now.organisation), ("country", was.country, now.country))
    return [f"{what} {old}" for what, old, new in pairs if old and new and old != new]


def _by_size(met: Mapping[Role, Met]) -> list[tuple[Role, Met]]:
    return sorted(met.items(), key=lambda item: (-item[1].bytes, item[0]))


def tell(changes: Sequence[Change], devices: Mapping[int, Known]) -> list[str]:
    """One sentence or a few for each month and device with news."""
    groups: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for change in changes:
        groups[change.month, change.device_id].append(change)
    return [_tell(month, device_words(devices.get(device)), news) for (month, device), news in groups.items()]


def _tell(month: int, device: str, news: Sequence[Change]) -> str:
    kinds: dict[str, list[Change]] = defaultdict(list)
    for change in news:
        kinds[change.kind].append(change)
    parts = []
    if kinds[BEGINS]:
        count = Counter(change.role.party for change in kinds[BEGINS])
        parties = [f"{count[party]} {party_words(party, count[party])}" for party in _PARTY_ORDER if count[party]]
        parts.append(f"seen for the first time, with {listed(parties, 9)}")
    for party in _PARTY_ORDER:
        met = [change for change in kinds[NEW] if change.role.party == party]
        if met:
            parts.append(f"{len(met)} new {party_words(party, len(met))} ({_named(met)})")
    if kinds[CHANGED]:
        said = [f"{change.role.destination} (was {change.before})" for change in kinds[CHANGED]]
        parts.append(f"different: {listed(said, _MOST_NAMED)}")
    if kinds[GONE]:
        parts.append(f"no longer contacted: {listed([change.role.destination for change in kinds[GONE]], _MOST_NAMED)}")
    return f"{month_words(month)}, {device}: {'; '.join(parts)}."


def _named(changes: Sequence[Change]) -> str:
    names = []
    for change in changes:
        destination, organisation = change.role.destination, change.met.organisation
        names.append(
            f"{destination} of {organisation}" if organisation and organisation != destination else destination
        )
    return listed(names, _MOST_NAMED)


def report(scope: Scope) -> Report:
    """The same of the months that a span touches, with devices called as the owner calls them."""
    since, until = scope.months
    asked = scope.site_id, scope.device_id

    def read() -> list[Contact]:
        return [*read_earlier(scope.db, since, *asked), *read_contacts(scope.db, since, until, *asked)]

    contacts = scope.remember(("contacts of months", scope.months, scope.device_id), read)
    devices = {
        number: known._replace(name=scope.names.get(number) or known.name)
        for number, known in known_devices(scope.db).items()
    }
    return changes_report(contacts, devices, since, scope.newest_month)


def changes_report(contacts: Sequence[Contact], devices: Mapping[int, Known], since: int, newest: int) -> Report:
    """The report `changes` of the months from `since` on."""
    changes = find_changes(contacts, since, newest)
    rows = tuple(
        (
            month_text(change.month), change.device_id or None, device_words(devices.get(change.device_id)), change.kind,
            change.role.destination, change.met.organisation, change.role.party, change.met.country, change.before,
            change.met.bytes,
        )
        for change in changes
    )  # fmt: skip
    notes = (f"{month_words(newest)} may not be over: what has not been contacted yet is not called gone.",)
    sentences = tuple(tell(changes, devices)) or ("Nothing changed between these months.",)
    return Report("Changes between months", COLUMNS, rows, sentences, notes)
