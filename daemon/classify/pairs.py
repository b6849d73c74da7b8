"""Pairs of a device and a domain, as rows of a table, with a verdict added to each. Pure: rows in, rows out.

Rule 1: every column that came in goes out as it came, in its place; the verdict's columns follow.
Rule 2: one row in, one row out, in order, and no row is kept: a table may be as long as it likes.
Rule 3: a table that cannot be understood is refused with its line and what is wanted; a domain that says nothing is not
        a mistake of the table, its verdict says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict

NEEDED = ("device_vendor", "device", "domain")
ADDED = ("party", "organisation", "purpose", "rule_id", "reason")

Judge = Callable[[DeviceProfile, Destination], Verdict]


class PairsError(Exception):
    """The table cannot be understood; the message says where and what is wanted."""


def judged_rows(rows: Iterable[Sequence[str]], judge: Judge) -> Iterator[list[str]]:
    """The table with its verdicts: header first. Empty rows are left out, as in any CSV. Raises PairsError."""
    lines = iter(rows)
    header = next((list(row) for row in lines if row), None)
    if header is None:
        raise PairsError(f"is empty; wants a header with {', '.join(NEEDED)}")
    at = _columns(header)
    yield [*header, *ADDED]
    for number, row in enumerate(lines, start=2):
        if not row:
            continue
        cells = _fitted(row, len(header), number)
        verdict = judge(_profile(cells, at), Destination(domain=host_of(cells[at["domain"]]) or None))
        yield [*cells, *_answers(verdict)]


def host_of(text: str) -> str:
    """The name or address in what people call a domain: also of a URL, a pattern `*.example.com`, a host with its port."""
    host = text.strip()
    if "://" in host:
        host = host.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if host.count(":") == 1 and host.rpartition(":")[2].isdigit():
        host = host.partition(":")[0]
    return host.removeprefix("*").strip(".")


def _columns(header: Sequence[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        hint = "; fields are separated by commas" if len(header) == 1 and set(header[0]) & set(";\t|") else ""
        raise PairsError(f"has no column {' and no column '.join(missing)}; wants {', '.join(NEEDED)}{hint}")
    twice = sorted({name for name in (*NEEDED, *ADDED) if names.count(name) > (name in NEEDED)})
    if twice:
        raise PairsError(f"has the column {twice[0]} already; rename it, because the verdict is written there")
    return {name: names.index(name) for name in NEEDED}


def _fitted(row: Sequence[str], width: int, number: int) -> list[str]:
    cells = list(row) + [""] * (width - len(row))
    if any(cells[width:]):
        raise PairsError(f"row {number} has {len(row)} fields, the header {width}; a comma inside a field wants quotes")
    return cells[:width]


def _answers(verdict: Verdict) -> list[str]:
    """The added cells. The organisation is written as people know it, as nobody has a table of owners beside it."""
    organisation = verdict.called or verdict.organisation or ""
    return [verdict.party, organisation, verdict.purpose or "", verdict.rule_id, verdict.reason]


def _profile(cells: Sequence[str], at: dict[str, int]) -> DeviceProfile:
    return DeviceProfile(vendor=cells[at["device_vendor"]].strip() or None, name=cells[at["device"]].strip() or None)
