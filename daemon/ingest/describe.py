"""Which stations are one device, and what each device is: evidence from the store, judged, written back."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence

from daemon.classify.vocabulary import DeviceProfile
from daemon.identify.devices import identify
from daemon.identify.vocabulary import Device, Station
from daemon.ingest.knowledge import Knowledge
from daemon.store import devices as store
from daemon.store.stations import Regrouped, write_devices_of_stations

MAKER = "maker"
Makers = tuple[tuple[str, int], ...]  # (organisation, bytes exchanged with its own domains), most bytes first


class Census:
    """The devices of one site. Grouping comes first, since names depend on it; what a device is may depend on names."""

    def __init__(self, db: sqlite3.Connection, site_id: int, site: str, knowledge: Knowledge) -> None:
        self._db, self._site_id, self._knowledge = db, site_id, knowledge
        self._words = knowledge.words(site)
        self._stations = store.read_stations(db, site_id)
        self._devices = self._identify(self._stations)

    def group(self) -> Regrouped:
        """Write whose each station is; what of that has changed."""
        groups = [(station, device.stations[0]) for device in self._devices for station in device.stations]
        return write_devices_of_stations(self._db, self._site_id, groups)

    def describe(self) -> set[int]:
        """Write what each device is; the devices that destinations must be judged anew for."""
        before = store.read_profiles(self._db, self._site_id)
        if any(device.vendor is None for device in self._devices):
            stations = self._with_makers()
            if stations != self._stations:
                self._devices = self._identify(stations)
        macs = {station.station_id: station.mac for station in self._stations}
        store.write_devices(self._db, self._site_id, self._devices, macs)
        after = store.read_profiles(self._db, self._site_id)
        return {
            device for device in before.keys() | after.keys() if self._differ(before.get(device), after.get(device))
        }

    def _differ(self, before: DeviceProfile | None, after: DeviceProfile | None) -> bool:
        """Whether judgements may. Who names a device changes none, unless the name tells its maker."""
        if before is None or after is None or before == after:
            return before != after
        about = self._knowledge.classifier.about
        return about(before) != about(after)

    def _identify(self, stations: Sequence[Station]) -> list[Device]:
        return identify(stations, self._words, self._knowledge.vendors, self._knowledge.devices_told)

    def _with_makers(self) -> list[Station]:
        """The stations of devices whose vendor nothing tells, with the makers whose own domains they talk to."""
        unknown = {station for device in self._devices if device.vendor is None for station in device.stations}
        makers = self._makers(unknown)
        return [
            station._replace(makers=makers[station.station_id]) if makers.get(station.station_id) else station
            for station in self._stations
        ]

    def _makers(self, stations: set[int]) -> dict[int, Makers]:
        """Of these stations; found out anew where they have exchanged something with a name, or the files are others."""
        files = self._knowledge.organisations_digest
        known: dict[int, Makers] = {}
        for station, text in store.read_makers(self._db, self._site_id).items():
            by, found = json.loads(text)
            if by == files:
                known[station] = tuple((name, size) for name, size in found)
        wanted = stations - known.keys()
        if wanted:
            found = self._find_makers(wanted)
            known |= found
            rows = [(station, json.dumps([files, each], ensure_ascii=False)) for station, each in found.items()]
            store.write_makers(self._db, rows)
        return known

    def _find_makers(self, stations: set[int]) -> dict[int, Makers]:
        match_of = self._knowledge.classifier.match
        moved: dict[int, dict[str, int]] = {station: defaultdict(int) for station in stations}
        matches = [(number, match_of(name)) for number, name in store.read_names_of(self._db, stations).items()]
        makers = {number: match.organisation.name for number, match in matches if match and match.kind == MAKER}
        for station, number, size in store.read_sizes(self._db, stations, makers) if makers else ():
            moved[station][makers[number]] += size
        return {station: _ranked(each) for station, each in moved.items()}


def _ranked(moved: Mapping[str, int]) -> Makers:
    return tuple(sorted(moved.items(), key=lambda each: (-each[1], each[0])))
