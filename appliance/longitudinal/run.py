"""The step `run`: everything, for all devices and years, from a tree of captures.

Rule 1: what is in the database already is not read again, and a file that would not change is not written: a run that
        was interrupted is repeated, and goes on.
Rule 2: a month without captures has no files; a month whose captures cannot be read is said; neither stops the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.longitudinal.about import About, write_about
from appliance.longitudinal.bring_in import BroughtIn, bring_in
from appliance.longitudinal.extract import Extractor, Part
from appliance.longitudinal.files import write_json, write_lines
from appliance.longitudinal.first_party import find_maker
from appliance.longitudinal.geolocate import locate
from appliance.longitudinal.layout import ANALYSIS, DeviceFolder, input_list
from appliance.longitudinal.lists import write_addresses, write_domains
from appliance.longitudinal.party import Judge, Partied, write_parties

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.longitudinal.tree import Groups
    from daemon.classify.place import Atlas
    from daemon.report.longitudinal.months import Month
    from daemon.report.longitudinal.vocabulary import MonthFacts


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do."""

    groups: Groups
    out: Path
    manufacturer: str | None
    judge: Judge
    atlas: Atlas


@dataclass(slots=True)
class DeviceSummary:
    """What came out for one device."""

    device: str
    files: int = 0
    months: int = 0
    addresses: set[str] = field(default_factory=set)
    bytes: int = 0
    unnamed_bytes: int = 0
    about: About = field(default_factory=About)
    partied: Partied = field(default_factory=Partied)

    def add(self, facts: MonthFacts, files: int) -> None:
        """One more month, of so many files."""
        self.months += 1
        self.files += files
        self.addresses.update(facts.addresses)
        self.bytes += facts.bytes
        self.unnamed_bytes += sum(each.bytes for each in facts.unnamed)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run did."""

    devices: tuple[DeviceSummary, ...]
    brought_in: BroughtIn
    problems: tuple[tuple[str, str], ...]


def run(job: Job, config: Config) -> RunSummary:
    """Lists, import, and all tables. Raises StoreError and OSError; what is wrong with files is in the summary."""
    everything = [path for months in job.groups.values() for paths in months.values() for path in paths]
    for device, months in job.groups.items():
        for month, paths in months.items():
            write_lines(input_list(job.out, device, month), (str(path.absolute()) for path in paths))
    found = bring_in(everything, config)
    problems = list(found.problems)
    devices: list[DeviceSummary] = []
    if found.captures:  # else no database was made, or nothing of these files is in it
        with Extractor(config.store.database, config.site.name) as extractor:
            filed = _captures(job.groups, found.captures)
            devices = _write_lists(job, extractor, filed)
            for summary in devices:
                summary.partied = write_parties(
                    DeviceFolder(job.out / ANALYSIS, summary.device), job.judge, summary.about.maker, summary.about.kind
                )
                problems += summary.partied.problems
    return RunSummary(tuple(devices), found, tuple(problems))


def _captures(groups: Groups, captures: Mapping[Path, int]) -> dict[str, dict[Month, list[int]]]:
    """Device -> month -> captures that are in the database; what has none is left out."""
    known: dict[str, dict[Month, list[int]]] = {}
    for device, months in groups.items():
        filed = {month: [captures[path] for path in paths if path in captures] for month, paths in months.items()}
        known[device] = {month: ids for month, ids in filed.items() if ids}
    return {device: months for device, months in known.items() if months}


def _write_lists(
    job: Job, extractor: Extractor, filed: Mapping[str, Mapping[Month, Sequence[int]]]
) -> list[DeviceSummary]:
    """Lists of all devices and months: one pass over the database, whatever their number."""
    numbers = extractor.devices({device: list(chain(*months.values())) for device, months in filed.items()})
    summaries = {device: DeviceSummary(device) for device in filed}
    order = [(device, month) for device, months in filed.items() for month in months]
    parts = [Part(tuple((capture, numbers.get(device)) for capture in filed[device][month])) for device, month in order]
    for place, facts in extractor.facts(parts):
        device, month = order[place]
        target = DeviceFolder(job.out / ANALYSIS, device).month(month)
        write_domains(target, facts)
        write_addresses(target, facts)
        write_json(target.geolocation, locate(facts.addresses, job.atlas))
        summaries[device].add(facts, len(filed[device][month]))
    for device, summary in summaries.items():
        summary.about = _about(job, extractor, device, numbers.get(device))
        write_about(DeviceFolder(job.out / ANALYSIS, device), summary.about)
    return list(summaries.values())


def _about(job: Job, extractor: Extractor, device: str, number: int | None) -> About:
    row = extractor.about(number) if number is not None else None
    table = job.judge.organisations.table
    maker = find_maker(table, option=job.manufacturer, folder=device, identified=row.vendor if row else None)
    return About(maker, row.kind if row else None, row.mac if row else None)
