"""One name or address: which devices had to do with it, in which months, in which way, and whose it is.

Rule 1: what is asked for is a name, with all below it, or an address; an address also has the traffic that went to it
        under a name, told by the names.
Rule 2: all months are told, whatever the scope's time: how long it has been going on is half of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.report.coverage import NAMED, UNNAMED
from daemon.report.months import all_months
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SIZE, TIME, Column, Report
from daemon.report.words import counted, size_words
from daemon.store.calendar import month_text
from daemon.store.one_destination import Part, find_names, find_remote, read_history
from daemon.store.whose import Label, read_labels, read_texts

_COLUMNS = (
    Column("month", "Month"),
    Column("destination", "Name or address"),
    Column("device_id", "Number", COUNT),
    Column("device", "Device"),
    Column("organisation", "Company"),
    Column("party", "Kind of company"),
    Column("protocol", "Protocol"),
    Column("ip_version", "IP version"),
    Column("service", "Service"),
    Column("encrypted", "Encrypted"),
    Column("named_by", "Name known from"),
    Column("flows", "Connections", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("first_us", "First seen", TIME),
    Column("last_us", "Last seen", TIME),
)


_SUMS = ("flows", "packets_up", "packets_down", "bytes_up", "bytes_down")
_MAIN, _FLOWS = Part._fields.index("main_id"), Part._fields.index("flows")


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept about a destination. `names` by number; `remote` its number, where it is an address."""

    text: str
    names: dict[int, str]
    remote: int | None
    parts: Sequence[Part]
    labels: dict[int, Label]

    def label(self, part: Part) -> Label:
        """What is said of a part."""
        return self.labels[part.verdict_id]

    @property
    def bytes(self) -> int:
        """Both ways, of all months."""
        return sum(part.bytes for part in self.parts)


def report(scope: Scope) -> Report:
    """One row a (month, name, device, way) of the destination that the scope asks for."""
    text = scope.only.get("destination")
    if text is None:
        say = "Say which name or address is meant (in a command: `--destination NAME`)."
        return Report("One destination", _COLUMNS, (), (say,))
    found = find(scope, text)
    if found is None or not found.parts:
        return Report("One destination", _COLUMNS, (), ("Nothing is kept of a destination of this name.",))
    texts = read_texts(scope.db, {part.named for part in found.parts})
    rows = tuple(
        (
            month_text(part.month), texts.get(part.named), part.device_id or None, scope.called(part.device_id),
            found.label(part).organisation, found.label(part).party, part.protocol, f"IPv{part.ip_version}",
            part.service or None, part.encrypted, named_words(part.name_source), part.flows, part.bytes_up,
            part.bytes_down, part.first_us, part.last_us,
        )
        for part in _by_way(found.parts)
    )  # fmt: skip
    devices = {part.device_id for part in found.parts} - {0}
    sentence = f"{counted(len(devices), 'device')} exchanged {size_words(found.bytes)} with it."
    return Report("One destination", _COLUMNS, rows, (sentence,))


def _by_way(parts: Sequence[Part]) -> list[Part]:
    """Parts that differ in nothing but the address behind them as one."""
    sums: dict[tuple[object, ...], Part] = {}
    for part in parts:
        key = (*part[:_MAIN], *part[_MAIN + 1 : _FLOWS])
        known = sums.get(key)
        sums[key] = part if known is None else _added(known, part)
    return list(sums.values())


def _added(one: Part, other: Part) -> Part:
    counts = {word: getattr(one, word) + getattr(other, word) for word in _SUMS}
    return one._replace(**counts, first_us=min(one.first_us, other.first_us), last_us=max(one.last_us, other.last_us))


def find(scope: Scope, text: str) -> Found | None:
    """All that is kept of a name (as asked, and below it) or an address; None where neither is known."""
    wanted = text.strip().rstrip(".").lower()
    names, remote = find_names(scope.db, wanted), find_remote(scope.db, wanted)
    if not names and remote is None:
        return None
    parts = read_history(scope.db, scope.site_id, all_months(scope), names, remote)
    if scope.device_id is not None:
        parts = [part for part in parts if part.device_id == scope.device_id]
    return Found(wanted, names, remote, parts, read_labels(scope.db, {part.verdict_id for part in parts}))


def named_words(name_source: str) -> str:
    """How a name came about, or why there is none, in words."""
    if name_source.startswith("-"):
        return UNNAMED.get(name_source[1:] or "unknown", name_source)
    return NAMED.get(name_source, name_source or "unknown")
