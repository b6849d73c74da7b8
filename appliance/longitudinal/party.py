"""The step `party`: from the lists on disk to the monthly tables, and what follows from all months of a device.

Rule 1: it reads files of earlier steps and no capture, so that it can be repeated alone, after a better table of
        organisations or an edit by hand.
Rule 2: whatever is missing never stops it: a month without lists is skipped, a month without its address map goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.console import CannotDoError, plural
from appliance.longitudinal.files import read_json, write_csv, write_json, write_lines
from appliance.longitudinal.first_party import Maker, reference_list
from appliance.longitudinal.layout import DeviceFolder, MonthFolder
from daemon.classify.vocabulary import FIRST, Destination, DeviceProfile, Verdict
from daemon.report.longitudinal.months import Month
from daemon.report.longitudinal.naming import organisation_name
from daemon.report.longitudinal.parties import CATEGORIES, HEADER, Judged, party_rows, platforms, sld_table
from daemon.report.longitudinal.vocabulary import Contact

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.longitudinal.organisations import Organisations
    from daemon.classify.classifier import Classifier

_PURPOSE_KINDS: Mapping[str, str] = {"cloud": "cloud", "content delivery": "cdn"}


@dataclass(frozen=True, slots=True)
class Partied:
    """What the step did for one device."""

    months: int = 0
    names: int = 0
    parties: Mapping[str, int] = field(default_factory=dict)  # party -> names in all months
    problems: tuple[tuple[str, str], ...] = ()

    def words(self) -> str:
        """`12 domains: 7 First-party, 5 Support-party`; a name counts in every month that has it."""
        shares = [f"{self.parties[party]} {word}" for party, word in CATEGORIES.items() if self.parties.get(party)]
        return f"{plural(self.names, 'domain')}: {', '.join(shares) or 'none judged'}"


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges names and says what to call their organisations."""

    classifier: Classifier
    organisations: Organisations

    def judge(self, profile: DeviceProfile, month: Month, lists: _Lists) -> Iterator[Judged]:
        """Every name of a month, in order."""
        for domain, contact in sorted(lists.contacts.items()):
            destination = Destination(
                domain=domain,
                address=contact.addresses[0] if contact.addresses else None,
                alias_target=lists.aliases.get(domain),
                month=month.text,
            )
            verdict = self.classifier.judge(profile, destination)
            yield Judged(month, domain, contact, verdict, self._called(domain, verdict))

    def is_certain(self, judged: Judged) -> bool:
        """Whether the name itself, and not something behind it, tells whose it is."""
        return self.organisations.table.match(judged.domain) is not None

    def _called(self, domain: str, verdict: Verdict) -> str:
        by_hand = self.organisations.hand_name(domain)
        if by_hand is not None or verdict.organisation is None:
            return by_hand or ""
        match = self.organisations.table.match(domain)
        known = self.organisations.table.by_name(verdict.organisation)
        kind = match.kind if match is not None else _PURPOSE_KINDS.get(verdict.purpose or "")
        return organisation_name(verdict.organisation, kind, known.aliases if known else ())


def open_judge(organisations: Sequence[Path], config: Config) -> Judge:
    """A judge with Homeport's table, those of the configuration and these. Raises CannotDoError."""
    from appliance.longitudinal.organisations import read_organisations
    from daemon.classify.classifier import Classifier
    from daemon.store.atlas_files import open_atlas

    known = read_organisations([*map(Path, config.classify.organisations), *organisations])
    return Judge(Classifier(known.table, open_atlas(config.data.folder).look_up), known)


def write_parties(
    folder: DeviceFolder, judge: Judge, maker: Maker | None, kind: str | None, years: Collection[int] = ()
) -> Partied:
    """The tables of the years (none given: of all) and, from all months, platforms, SLDs and first-party domains."""
    profile = DeviceProfile(vendor=maker.name if maker else None, name=folder.device, kind=kind)
    judged: list[Judged] = []
    problems: list[tuple[str, str]] = []
    months = 0
    parties: Counter[str] = Counter()
    for month in folder.months():
        lists = _read_lists(folder.month(month), problems)
        if lists is None:
            continue
        found = list(judge.judge(profile, month, lists))
        judged += found
        if not years or month.year in years:
            write_csv(folder.table(month), HEADER, party_rows(found))
            months += 1
            parties.update(each.verdict.party for each in found)
    if judged or months:
        _write_overviews(folder, judge, maker, judged)
    return Partied(months, len({each.domain for each in judged}), parties, tuple(problems))


def _write_overviews(folder: DeviceFolder, judge: Judge, maker: Maker | None, judged: list[Judged]) -> None:
    write_json(folder.platforms, platforms(judged, judge.is_certain))
    slds = sld_table(judged)
    write_lines(folder.sld_list, slds)
    write_json(folder.sld_statistics, slds)
    own = {each.verdict.registrable_domain for each in judged if each.verdict.party == FIRST} - {None}
    table = judge.organisations.table
    known = table.by_vendor(maker.name) if maker else None
    write_lines(folder.first_party, reference_list(table, known, (domain for domain in own if domain)))


# --- what earlier steps wrote


@dataclass(frozen=True, slots=True)
class _Lists:
    contacts: Mapping[str, Contact]
    aliases: Mapping[str, str]


def _read_lists(folder: MonthFolder, problems: list[tuple[str, str]]) -> _Lists | None:
    """The lists of a month; None where there is nothing in them, or they are no lists."""
    contacts: dict[str, Contact] = {}
    for path, take in ((folder.contacted, _contacts), (folder.ip_map, _mapped)):
        try:
            if path.exists():
                for domain, contact in take(_mapping(path)):
                    contacts.setdefault(domain, contact)
        except CannotDoError as error:
            problems.append((str(path), str(error).removeprefix(f"{path}: ")))
    if not contacts and not folder.contacted.exists():
        return None
    try:
        aliases = _mapping(folder.aliases) if folder.aliases.exists() else {}
    except CannotDoError as error:
        problems.append((str(folder.aliases), str(error).removeprefix(f"{folder.aliases}: ")))
        aliases = {}
    return _Lists(contacts, {name: end for name, end in aliases.items() if isinstance(end, str)})


def _mapping(path: Path) -> Mapping[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise CannotDoError(f"{path}: wants a JSON object")
    return value


def _contacts(found: Mapping[str, Any]) -> Iterator[tuple[str, Contact]]:
    for domain, said in found.items():
        entry = said if isinstance(said, dict) else {}
        addresses = _texts(entry.get("addresses"))
        types = _texts(entry.get("query_types")) or _types_of(addresses)
        numbers = [entry.get(key) for key in ("count", "first_us", "last_us")]
        count, first, last = (number if isinstance(number, int) else 0 for number in numbers)
        yield domain, Contact(tuple(sorted(types)), tuple(addresses), count, first, last)


def _mapped(found: Mapping[str, Any]) -> Iterator[tuple[str, Contact]]:
    """Names that somebody has added to the address map, or that only it still has."""
    addresses: dict[str, list[str]] = {}
    for address, names in found.items():
        for name in _texts(names):
            addresses.setdefault(name, []).append(address)
    for name, known in sorted(addresses.items()):
        yield name, Contact(tuple(sorted(_types_of(known))), tuple(sorted(known)), 0, 0, 0)


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _types_of(addresses: Iterable[str]) -> set[str]:
    return {"AAAA" if ":" in address else "A" for address in addresses}
