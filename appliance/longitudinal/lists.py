"""The steps `domains` and `map-ips`: what a month's captures say, as files.

Rule: both steps write what one function makes of one MonthFacts, alone as well as in a run, so that their files agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.console import CannotDoError, plural, printable
from appliance.longitudinal.bring_in import bring_in
from appliance.longitudinal.extract import Extractor, Part
from appliance.longitudinal.files import read_text, write, write_json
from appliance.longitudinal.layout import MonthFolder
from daemon.report.longitudinal.plain_pickle import dumps

if TYPE_CHECKING:
    from appliance.config import Config
    from daemon.report.longitudinal.vocabulary import MonthFacts


@dataclass(frozen=True, slots=True)
class Listed:
    """What a step found in the captures of an input list."""

    facts: MonthFacts
    files: int
    devices: tuple[str, ...]  # folders of which one device counts; of all other captures everything does
    problems: tuple[tuple[str, str], ...]

    def words(self, experiment: str | None) -> str:
        """`sonos_domains, 3 captures of sonos-one`"""
        called = f"{printable(experiment)}, " if experiment else ""
        whose = f" of {', '.join(map(printable, self.devices))}" if self.devices else ""
        return f"{called}{plural(self.files, 'capture')}{whose}"


def write_domains(folder: MonthFolder, facts: MonthFacts) -> None:
    """`domain_list/`: contacted_domains.json, unique_domains.json, aliases.json."""
    write_json(
        folder.contacted,
        {
            domain: {
                "query_types": list(contact.query_types),
                "addresses": list(contact.addresses),
                "count": contact.count,
                "first_us": contact.first_us,
                "last_us": contact.last_us,
            }
            for domain, contact in facts.contacts.items()
        },
    )
    write_json(folder.unique, sorted(facts.contacts))
    write_json(folder.aliases, facts.aliases)


def write_addresses(folder: MonthFolder, facts: MonthFacts) -> None:
    """`ip_list/`: all_ips.json, ip_domain_map.json and .pkl, unnamed.json."""
    write_json(folder.all_ips, list(facts.addresses))
    write_json(folder.ip_map, {address: list(names) for address, names in facts.names.items()})
    write(folder.ip_pickle, dumps(facts.names))
    write_json(folder.unnamed, _unnamed(facts))


def _unnamed(facts: MonthFacts) -> dict[str, object]:
    octets = sum(each.bytes for each in facts.unnamed)
    reasons: dict[str, dict[str, int]] = {}
    for each in facts.unnamed:
        sums = reasons.setdefault(each.reason, {"addresses": 0, "bytes": 0})
        sums["addresses"] += 1
        sums["bytes"] += each.bytes
    return {
        "addresses": facts.contacted,
        "unnamed_addresses": len(facts.unnamed),
        "bytes": facts.bytes,
        "unnamed_bytes": octets,
        "unnamed_share_of_bytes": unnamed_share(facts),
        "reasons": dict(sorted(reasons.items())),
        "unnamed": [
            {"address": each.address, "bytes": each.bytes, "conversations": each.flows, "reason": each.reason}
            for each in facts.unnamed
        ],
    }


def unnamed_share(facts: MonthFacts) -> float:
    """Bytes exchanged with addresses without a name, of all bytes exchanged with anybody elsewhere; 0 to 1."""
    return round(sum(each.bytes for each in facts.unnamed) / facts.bytes, 6) if facts.bytes else 0.0


def read_input_list(path: Path) -> list[Path]:
    """The captures that a list names, one a line. Raises CannotDoError."""
    paths = [Path(line) for line in read_text(path).splitlines() if line.strip()]
    if not paths:
        raise CannotDoError(f"{printable(path)} lists no capture; nothing was written")
    return list(dict.fromkeys(paths))


def read_captures(paths: list[Path], config: Config) -> Listed:
    """Import what a list names and gather it. Of captures in a `by-name` folder only its device counts.

    Raises CannotDoError where none of them could be read, and StoreError.
    """
    from daemon.ingest.capture_file import folder_device

    found = bring_in(paths, config)
    if not found.captures:
        said = "; ".join(f"{printable(what)}: {printable(why)}" for what, why in found.problems[:3])
        raise CannotDoError(
            f"none of the captures could be read ({said or 'they hold no packet'}); nothing was written"
        )
    folders: dict[str, list[int]] = {}
    for path, capture in found.captures.items():
        folders.setdefault(folder_device(path) or "", []).append(capture)
    with Extractor(config.store.database, config.site.name) as extractor:
        devices = extractor.devices({name: captures for name, captures in folders.items() if name})
        part = Part(tuple((each, devices.get(name)) for name, captures in folders.items() for each in captures))
        _, facts = next(extractor.facts([part]))
    return Listed(facts, len(found.captures), tuple(devices), found.problems)
