"""The step `first-party`: the domains of a device's maker, and who that maker is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.classify.kinds import KINDS
from daemon.classify.vocabulary import FIRST

if TYPE_CHECKING:
    from daemon.classify.organisations import Organisation, OrganisationTable

BY_OPTION, BY_FOLDER, BY_DEVICE = "--manufacturer", "name of the folder", "what the device shows of itself"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made a device, in the table's words where it knows the maker, and how that is known."""

    name: str
    source: str


def find_maker(
    table: OrganisationTable, *, option: str | None, folder: str, identified: str | None = None
) -> Maker | None:
    """What the person says, else what the folder is called (`sonos-one`), else what the device was identified as."""
    if option:
        known = table.by_vendor(option)
        return Maker(known.name if known else option, BY_OPTION)
    words = re.sub(r"[-_.\s]+", " ", folder)
    known = table.by_device(words)  # a folder is called as a device is: `tv` is no company's
    if known is not None:
        return Maker(known.name, BY_FOLDER)
    if identified:
        known = table.by_vendor(identified)
        return Maker(known.name if known else identified, BY_DEVICE)
    return None


def maker_domains(table: OrganisationTable, maker: Organisation) -> list[str]:
    """The suffixes that are first party to a maker's devices: its own, its owners' and its sisters'."""
    return sorted(
        {
            suffix
            for suffix, match in table.suffixes.items()
            if KINDS[match.kind].own == FIRST and table.related(maker, match.organisation)
        }
    )


def reference_list(table: OrganisationTable, maker: Organisation | None, seen: Iterable[str] = ()) -> list[str]:
    """The maker's suffixes, and of the registrable domains `seen` as first party those that no suffix covers."""
    known = maker_domains(table, maker) if maker is not None else []
    return sorted({*known, *(domain for domain in seen if table.match(domain) is None)})
