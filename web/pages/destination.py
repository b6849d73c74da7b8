"""One name or address: whose it is and why, which devices, since when, in which way, and where it stands.

Rule 1: a name is shown with all names below it, each named; an address also with the names it answered for.
Rule 2: what Homeport believes is said with its reason, once for each way in which devices see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from daemon.classify.place import LOW
from daemon.classify.purposes import WATCHING
from daemon.classify.vocabulary import THIRD
from daemon.report.contacts import NOBODY
from daemon.report.destination import Found, find, named_words
from daemon.report.scope import Scope
from daemon.report.words import counted, listed, size_words
from daemon.store.one_destination import Part, read_leads, read_names_of, read_ports
from daemon.store.whose import Label, read_addresses, read_texts
from web.pages.families import parent_of
from web.pages.history import YEAR, History, drawn, first_month
from web.routing import Page
from web.templating import PARTIES
from web.templating import path as quoted
from web.visit import NotHereError, Visit

_MOST = 12  # of each small list
_ENCRYPTED = {"yes": "encrypted", "no": "not encrypted", "unknown": "nobody can tell whether encrypted"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one device had to do with it."""

    device_id: int
    flows: int
    bytes_up: int
    bytes_down: int
    first_us: int
    last_us: int
    parties: Mapping[str, int]

    @property
    def party(self) -> str:
        """The party of most bytes."""
        return max(self.parties, key=lambda party: self.parties[party])


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict, and the devices for which it holds."""

    label: Label
    devices: Sequence[tuple[str, str | None]]


def show(visit: Visit) -> Response:
    """The page."""
    name, scope = visit.param("name"), visit.scope()
    found = find(scope, name)
    if found is None or not found.parts:
        raise NotHereError(f"Nothing is kept of a destination called {name[:253]}.")
    parts = found.parts
    devices = _devices(parts, found)
    opinions = _opinions(visit, found)
    texts = read_texts(scope.db, {part.named for part in parts})
    address = found.text if found.remote is not None else None
    months = {part.month for part in parts}
    latest = max(parts, key=lambda part: part.last_us)
    return visit.page(
        "destination.html",
        name=found.text,
        address=address,
        lead=_lead(visit, found, devices, opinions),
        opinions=opinions,
        watches=address is None
        and any(each.label.party == THIRD and each.label.purpose in WATCHING for each in opinions),
        devices=[(_called(visit, each.device_id), each, visit.keys.get(each.device_id)) for each in devices],
        history=_history(scope, found),
        first_us=min(part.first_us for part in parts),
        last_us=latest.last_us,
        names=_below(visit, found, texts),
        answered=_answered(scope, found),
        ways=_ways(parts),
        sources=_sources(parts),
        ports=read_ports(scope.db, scope.site_id, latest.last_us, list(found.names), address, _MOST),
        leads=read_leads(scope.db, scope.site_id, months, list(found.names), _MOST) if found.names else [],
        places=_places(scope, parts),
        csv=visit.link("/reports/destination.csv", destination=found.text),
    )


def _called(visit: Visit, number: int) -> tuple[str, str | None]:
    if number not in visit.names:
        return "no device of this house", None
    return visit.names[number], visit.device_link(number)


def _devices(parts: Iterable[Part], found: Found) -> list[Seen]:
    """By device, most bytes first."""
    sums: dict[int, list[Part]] = {}
    for part in parts:
        sums.setdefault(part.device_id, []).append(part)
    out = []
    for device, of in sums.items():
        parties: dict[str, int] = {}
        for part in of:
            party = found.label(part).party
            parties[party] = parties.get(party, 0) + part.bytes
        out.append(
            Seen(
                device, sum(part.flows for part in of), sum(part.bytes_up for part in of),
                sum(part.bytes_down for part in of), min(part.first_us for part in of), max(part.last_us for part in of),
                parties,
            )
        )  # fmt: skip
    return sorted(out, key=lambda each: (-each.bytes_up - each.bytes_down, each.device_id))


def _opinions(visit: Visit, found: Found) -> list[Opinion]:
    """What is said of it in each device's newest month, that of most bytes first."""
    newest: dict[tuple[int, int], Part] = {}
    for part in found.parts:
        known = newest.get((part.device_id, part.named))
        if known is None or (part.month, part.bytes) >= (known.month, known.bytes):
            newest[part.device_id, part.named] = part
    devices: dict[tuple[str, str | None, str | None], dict[int, Part]] = {}
    for part in sorted(newest.values(), key=lambda part: (-part.bytes, part.device_id)):
        label = found.label(part)
        devices.setdefault((label.party, label.organisation, label.purpose), {}).setdefault(part.device_id, part)
    return [
        Opinion(found.label(next(iter(parts.values()))), [_called(visit, device) for device in parts])
        for _, parts in sorted(
            devices.items(), key=lambda each: (-sum(part.bytes for part in each[1].values()), str(each[0]))
        )
    ]


def _lead(visit: Visit, found: Found, devices: Sequence[Seen], opinions: Sequence[Opinion]) -> list[str]:
    label = opinions[0].label
    called = [_called(visit, each.device_id)[0] for each in devices if each.device_id]
    if label.organisation:
        owner = parent_of(label.organisation, [label])
        whose = f"{found.text} belongs to {label.organisation}{f', a company of {owner}' if owner else ''}"
    else:
        whose = f"Nobody that we know runs {found.text}"
    up, down = sum(each.bytes_up for each in devices), sum(each.bytes_down for each in devices)
    out = [f"{whose}: {_roles(opinions)}."]
    if called:
        out.append(
            f"{listed(called, 3)} sent it {size_words(up)} and received {size_words(down)} in "
            f"{counted(len({part.month for part in found.parts}), 'month')}, first on "
            f"{visit.scope().moment(min(part.first_us for part in found.parts)).partition(',')[0]}."
        )
    if any(part.encrypted == "no" and part.bytes > 0 for part in found.parts):
        open_bytes = sum(part.bytes for part in found.parts if part.encrypted == "no")
        out.append(f"{size_words(open_bytes)} of it were not encrypted.")
    return out


def _roles(opinions: Sequence[Opinion]) -> str:
    """`infrastructure`, or what it is to whom where devices differ."""
    parties: dict[str, list[str]] = {}
    for each in opinions:
        parties.setdefault(each.label.party, []).extend(name for name, _ in each.devices)
    if len(parties) == 1:
        return PARTIES.get(opinions[0].label.party, opinions[0].label.party)
    said = [
        f"{PARTIES.get(party, party)} for {listed(list(dict.fromkeys(names)), 2)}" for party, names in parties.items()
    ]
    return "; ".join(said)


def _history(scope: Scope, found: Found) -> History:
    months: dict[int, dict[str, int]] = {}
    for part in found.parts:
        parties = months.setdefault(part.month, {})
        party = found.label(part).party
        parties[party] = parties.get(party, 0) + part.bytes
    last = max(scope.newest_month, *months)
    first = max(min(first_month(scope), *months), last - 2 * YEAR)
    return drawn(
        [(month, months.get(month, {})) for month in range(first, last + 1)], f"Data exchanged with {found.text}"
    )


def _below(visit: Visit, found: Found, texts: Mapping[int, str]) -> list[tuple[str, str, int]]:
    """(name, its page, bytes) of the names that are taken together, where they are several."""
    sums: dict[int, int] = {}
    for part in found.parts:
        sums[part.named] = sums.get(part.named, 0) + part.bytes
    if len(sums) < 2:
        return []
    ordered = sorted(sums.items(), key=lambda each: (-each[1], each[0]))
    return [(texts[named], _page(visit, texts[named]), octets) for named, octets in ordered if named in texts]


def _answered(scope: Scope, found: Found) -> list[tuple[str, int]]:
    """(name, bytes) of the names for which an address answered, in the scope's time."""
    if found.remote is None:
        return []
    rows = read_names_of(scope.db, scope.window, found.remote, _MOST)
    texts = read_texts(scope.db, [name for name, _ in rows])
    return [(texts[name], octets) for name, octets in rows]


def _ways(parts: Iterable[Part]) -> Sequence[tuple[str, str, int, Mapping[str, str]]]:
    """(protocol and service, whether encrypted, bytes, the words of its packets), most bytes first."""
    sums: dict[tuple[str, str, int, str], int] = {}
    for part in parts:
        key = (part.protocol, part.service, part.ip_version, part.encrypted)
        sums[key] = sums.get(key, 0) + part.bytes
    out = []
    for (protocol, service, version, secret), octets in sorted(sums.items(), key=lambda each: (-each[1], each[0])):
        words = {
            "protocol": protocol, "service": service or NOBODY, "ip_version": str(version), "encrypted": secret,
            "scope": "internet",
        }  # fmt: skip
        said = f"{service or protocol} over {protocol}, IPv{version}"
        out.append((said, _ENCRYPTED.get(secret, secret), octets, words))
    return out[:_MOST]


def _sources(parts: Iterable[Part]) -> list[tuple[str, int]]:
    """(how the name is known, or why there is none, connections)."""
    sums: dict[str, int] = {}
    for part in parts:
        words = named_words(part.name_source)
        sums[words] = sums.get(words, 0) + part.flows
    return sorted(sums.items(), key=lambda each: (-each[1], each[0]))


def _places(scope: Scope, parts: Iterable[Part]) -> list[tuple[str, str | None, bool, str | None, str | None, int]]:
    """(address, country, whether that is a guess, cloud region, network, bytes) of the addresses behind it."""
    sums: dict[int, int] = {}
    for part in parts:
        sums[part.main_id] = sums.get(part.main_id, 0) + part.bytes
    ordered = sorted(sums, key=lambda each: (-sums[each], each))[:_MOST]
    addresses = read_addresses(scope.db, ordered)
    out = []
    for number in ordered:
        if number in addresses:
            place = scope.locate(addresses[number])
            region = f"{place.provider} {place.region}" if place and place.provider and place.region else None
            words = [f"AS{place.asn}", place.as_name] if place and place.asn else []
            network = " ".join(word for word in words if word)
            country, guess = (place.country, place.confidence == LOW) if place else (None, False)
            out.append((addresses[number], country, guess, region, network or None, sums[number]))
    return out


def _page(visit: Visit, name: str) -> str:
    return visit.link(f"/destinations/{quoted(name)}")


PAGES = (Page("/destinations/{name:path}", show),)
