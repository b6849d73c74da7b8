"""What is new in a span: devices, companies that a device met for the first time, countries the house never reached.

Rule 1: new is what was not met in the MONTHS before (or since recording began, if that was later); devices are new when
        they were never seen.
Rule 2: of a house that was not recorded before the span nothing is new, and that is said.
Rule 3: things come before people's devices: a phone meets new companies every day, a lamp does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from daemon.classify.countries import COUNTRIES
from daemon.classify.evidence import PERSONAL
from daemon.report.alike import Alike
from daemon.report.picture import Picture, read_picture
from daemon.report.scope import Scope
from daemon.report.table import SIZE, TIME, Column, Report
from daemon.report.words import counted, listed
from daemon.store.by_device import first_recorded
from daemon.store.columns import Ints
from daemon.store.stations_seen import devices_of_stations, first_seen, kinds_of_devices
from daemon.store.whose_days import Owned, has_days, met_before, met_in_days, met_in_months, read_owned

MONTHS = 3
DEVICE, COMPANY, COUNTRY = "device", "company", "country"
_COLUMNS = (
    Column("what", "What"),
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("country", "Country"),
    Column("bytes", "Data", SIZE),
    Column("first_us", "First seen", TIME),
    Column("in_house", "For the whole home"),
)
_THIRD = "third"
_ORDER = {_THIRD: 0, "unknown": 1, "platform": 2, "first": 3, "support": 4, "local": 5}
_MOST_NAMED = 3
_MANY = 20_000  # look-ups of a pair on a day, above which a month is added up instead


class Piece(NamedTuple):
    """One piece of news. A country has no party, a device neither company nor country."""

    what: str
    device_id: int
    organisation: str | None
    party: str | None
    country: str | None
    bytes: int
    first_us: int | None
    in_house: bool  # new for every device


def report(scope: Scope) -> Report:
    """One row a piece of news: devices, then companies by device (third parties first), then countries."""
    picture = read_picture(scope)
    pieces = find_news(scope, picture)
    if pieces is None:
        return Report("News", _COLUMNS, (), ("Recording began in this time, so nothing can be called new yet.",))
    rows = tuple(
        (
            each.what, each.device_id, scope.called(each.device_id), each.organisation, each.party, each.country, each.bytes,
            each.first_us, "yes" if each.in_house else "no",
        )
        for each in pieces
    )  # fmt: skip
    return Report("News", _COLUMNS, rows, tuple(_sentences(scope, pieces)), _NOTES)


_NOTES = (f"New is what was not met in the {MONTHS} months before, as far as they were recorded.",)


def find_news(scope: Scope, picture: Picture, owned: Mapping[int, Owned] | None = None) -> list[Piece] | None:
    """The news of a span whose picture is known; None where nothing was recorded before it."""
    known = owned or read_owned(scope.db)
    devices = devices_of_stations(scope.db, scope.site_id)
    alike = Alike(known, devices, picture)
    earlier = _earlier(scope, alike)
    began = first_recorded(scope.db, scope.site_id)
    if not len(earlier) and (began is None or began >= scope.span.since_us):
        return None
    seen = first_seen(scope.db, scope.site_id)
    pieces = _new_devices(scope, picture, seen)
    fresh = {each.device_id for each in pieces}
    people = {device for device, kind in kinds_of_devices(scope.db, scope.site_id).items() if kind in PERSONAL}
    companies = [each for each in _new_companies(alike, known, earlier) if each.device_id not in fresh]
    pieces += sorted(
        companies, key=lambda each: (_ORDER[each.party or "unknown"], each.device_id in people, -each.bytes)
    )
    pieces += _new_countries(alike, earlier)
    return [each for each in pieces if scope.device_id in (None, each.device_id)]


def _new_companies(alike: Alike, owned: Mapping[int, Owned], earlier: Ints) -> list[Piece]:
    """By device."""
    sums: dict[tuple[int, str], dict[tuple[str, str | None], int]] = {}
    in_house: dict[str, bool] = {}
    kinds = {number: (whose.party, whose.country) for number, whose in owned.items()}
    for device, name, known, number, octets in alike.new_companies(earlier):
        met, kind = (device, name), kinds[number]
        parts = sums.get(met)
        if parts is None:  # mostly
            sums[met] = {kind: octets}
            in_house[name] = not known
        else:
            parts[kind] = parts.get(kind, 0) + octets
    out = []
    for (device, name), parts in sums.items():
        party, country = next(iter(parts))
        if len(parts) > 1:
            party, country = max(parts, key=lambda part: (parts[part], part[0], part[1] or ""))
        out.append(Piece(COMPANY, device, name, party, country, sum(parts.values()), None, in_house[name]))
    return out


def _new_countries(alike: Alike, earlier: Ints) -> list[Piece]:
    """Of the house, each with the device that sent and received most there."""
    out = []
    sums = alike.new_countries(earlier)
    for country, devices in sorted(sums.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        device = max(devices, key=lambda each: (devices[each], -each))
        out.append(Piece(COUNTRY, device, None, None, country, sum(devices.values()), None, in_house=True))
    return out


def _earlier(scope: Scope, alike: Alike) -> Ints:
    """What was met before the span: in whole months, and what is asked for of the days of the month in which it begins."""
    first_month, first_day = scope.months[0], scope.days[0]
    earlier = met_in_months(scope.db, scope.site_id, first_month - MONTHS, first_month - 1)
    begins = (date(first_month // 12, first_month % 12 + 1, 1) - date(1970, 1, 1)) // timedelta(days=1)
    if has_days(scope.db, first_month, range(begins, first_day)):
        asked = alike.candidates(earlier)
        if len(asked) * (first_day - begins) > _MANY:
            return np.union1d(earlier, met_before(scope.db, scope.site_id, first_month, first_day))
        days = range(begins, first_day)
        return np.union1d(earlier, met_in_days(scope.db, scope.site_id, first_month, days, asked))
    return earlier


def _new_devices(scope: Scope, picture: Picture, seen: Mapping[int, int]) -> list[Piece]:
    fresh = [device for device, first_us in seen.items() if scope.span.since_us <= first_us < scope.span.until_us]
    return [
        Piece(
            DEVICE, device, None, None, None, sum(picture.devices.get(device, {}).values()), seen[device], in_house=True
        )
        for device in sorted(fresh, key=lambda each: -seen[each])
    ]


def _sentences(scope: Scope, pieces: Collection[Piece]) -> Iterable[str]:
    devices = [each for each in pieces if each.what == DEVICE]
    if devices:
        names = listed([scope.called(each.device_id) for each in devices], _MOST_NAMED)
        yield f"{counted(len(devices), 'new device')}: {names}."
    by_device: dict[int, list[Piece]] = defaultdict(list)
    for each in pieces:
        if each.what == COMPANY:
            by_device[each.device_id].append(each)
    for device, met in list(by_device.items())[:_MOST_NAMED]:
        names = listed([each.organisation or "" for each in met], _MOST_NAMED)
        yield f"{scope.called(device)} met {counted(len(met), 'new company', 'new companies')}: {names}."
    if len(by_device) > _MOST_NAMED:
        yield f"{counted(len(by_device) - _MOST_NAMED, 'more device')} met new companies."
    countries = [_named(each.country or "") for each in pieces if each.what == COUNTRY]
    if countries:
        yield f"Data went for the first time to {counted(len(countries), 'country', 'countries')}: {listed(countries, 9)}."
    if not pieces:
        yield "Nothing is new: no device, no company and no country that was not there before."


def _named(code: str) -> str:
    country = COUNTRIES.get(code)
    return country.name if country else code
