"""One device in a sentence or two: with whom it talked, who of them is new, who got most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.report.devices import Measured
from daemon.report.scope import Scope
from daemon.report.watching import watching_words
from daemon.report.words import counted, size_words
from daemon.store.by_device import first_recorded, read_met
from daemon.store.reached import Reached

_YEAR = 12  # months before a span, in which somebody must not have been met to be new
_MUCH = 0.02  # of the data, from which third parties are worth a word


@dataclass(frozen=True, slots=True)
class Company:
    """What a device exchanged with one company; `name` None where nobody knows whose the destinations are."""

    name: str | None
    party: str  # of most of its bytes
    bytes: int
    destinations: int
    new: bool


def companies(scope: Scope, reached: Sequence[Reached]) -> list[Company]:
    """With whom a device talked in the span, most bytes first. `scope` is of one device."""
    size: dict[str | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    places: dict[str | None, set[str]] = defaultdict(set)
    for each in reached:
        size[each.organisation][each.party or "unknown"] += each.bytes
        places[each.organisation].add(each.place)
    met = met_before(scope)
    found = [
        Company(
            name, max(parties, key=lambda party: parties[party]), sum(parties.values()), len(places[name]),
            met is not None and name is not None and name not in met,
        )
        for name, parties in size.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.bytes, each.name or ""))


def met_before(scope: Scope) -> set[str] | None:
    """Companies of the year before the span; None where the device was not watched then: nobody could be called new."""
    assert scope.device_id is not None  # noqa: S101  one device is asked about
    began = first_recorded(scope.db, scope.site_id)
    if began is None or began >= scope.span.since_us:
        return None
    met = read_met(scope.db, scope.device_id, scope.days[0], _YEAR)
    return met or None


def sentences(name: str, label: str, moved: Measured, found: Sequence[Company], watching: int = 0) -> tuple[str, ...]:
    """The page's answer. `label`: the span as people say it, `in the last 7 days`; `watching`: bytes of third parties."""
    if not moved.bytes:
        return (f"Nothing was heard of {name} {label}.",)
    known = [each for each in found if each.name is not None]
    if not found:
        return (
            f"{name} stayed in the house {label}: it moved {size_words(moved.bytes)}, none of it with the internet.",
        )
    new = [each.name or "" for each in known if each.new]
    fresh = f", {len(new)} of them new: {_listed(new)}" if new else ""
    said = [f"{name} talked to {counted(len(known), 'company', 'companies')} {label}{fresh}."]
    outside = sum(each.bytes for each in found)
    most = found[0]
    if most.name is not None and len(found) > 1 and most.bytes * 2 > outside:
        said.append(f"Most of its data, {size_words(most.bytes)} of {size_words(outside)}, was with {most.name}.")
    third = moved.parties.get("third", 0)
    if third and third >= _MUCH * outside:
        said.append(f"{size_words(third)} went to or came from third parties{watching_words(watching)}.")
    return tuple(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
