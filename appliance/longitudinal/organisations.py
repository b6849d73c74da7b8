"""Whose domains are whose: Homeport's table, and what the owner adds by hand.

A file of one's own is TOML in the format of the table, or CSV with the columns `domain` and `organisation` and, where
wanted, `kind`. Both decide parties as the table does; the organisation of a CSV is shown as it was written.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.console import CannotDoError, printable
from appliance.longitudinal.files import read_text

if TYPE_CHECKING:
    from daemon.classify.organisations import Organisation, OrganisationTable

_COLUMNS = ("domain", "organisation", "kind")
_SPELLINGS = {"organization": "organisation"}


@dataclass(frozen=True, slots=True)
class Organisations:
    """The table, and names that were given by hand: suffix -> what to call its organisation."""

    table: OrganisationTable
    by_hand: Mapping[str, str] = field(default_factory=dict)

    def hand_name(self, domain: str) -> str | None:
        """The name given by hand to the longest suffix of a domain, on label boundaries."""
        labels = domain.split(".")
        tails = (".".join(labels[at:]) for at in range(len(labels)))
        return next((self.by_hand[tail] for tail in tails if tail in self.by_hand), None)


def read_organisations(files: Sequence[Path]) -> Organisations:
    """Homeport's table with the owner's files laid over it. Raises CannotDoError."""
    from daemon.classify.organisation_files import OrganisationsError, load_organisations
    from daemon.classify.organisations import build_table

    sheets = [path for path in files if path.suffix.lower() != ".toml"]
    try:
        table = load_organisations([path for path in files if path not in sheets])
        by_hand: dict[str, str] = {}
        for path in sheets:
            rows = _read_sheet(path)
            table = build_table([table.organisations.values(), [_organisation(table, *row) for row in rows]])
            by_hand.update({domain: name for _, domain, name, _ in rows})
    except OrganisationsError as error:
        raise CannotDoError(str(error)) from error
    return Organisations(table, by_hand)


def _read_sheet(path: Path) -> list[tuple[str, str, str, str]]:
    """(place, domain, organisation, kind) of each line."""
    rows = []
    reader = csv.DictReader(io.StringIO(read_text(path)))
    try:
        names = [_SPELLINGS.get(name.strip().lower(), name.strip().lower()) for name in reader.fieldnames or ()]
        if not {"domain", "organisation"} <= set(names):
            raise CannotDoError(f"{printable(path)}: wants a first line `domain,organisation`, or with `,kind`")
        reader.fieldnames = names
        for row in reader:
            domain, name, kind = ((row.get(column) or "").strip() for column in _COLUMNS)
            if domain or name:
                rows.append((f"{path}, line {reader.line_num}", domain.lower().rstrip("."), name, kind))
    except csv.Error as error:
        raise CannotDoError(f"{printable(path)}: line {reader.line_num}: {error}") from error
    return rows


def _organisation(table: OrganisationTable, place: str, domain: str, name: str, kind: str) -> Organisation:
    from daemon.classify.organisation_files import read_organisation

    known = table.by_name(name) or table.by_vendor(name)
    kind = kind or (known.main_kind() if known else "other")
    return read_organisation({"name": known.name if known else name, "domains": {kind: [domain]}}, place)
