"""Cells of flows, from tables of what flows moved: what `daemon.store.cells` says of them in SQL, a table at a time.

Rule 1: columns of flows: slot, kind, client, server, turned, station of the capture (0: none), name (0: none), said, its
        number, flows, first, last, packets up and down, bytes up and down; all as they were counted.
Rule 2: columns of cells: slot, station, peer, end, name, end where there is no name, flows, packets up and down, bytes up
        and down, first, last, manner; as the station sees them.
Rule 3: `said` is a text, which is a number below zero: where the name is from, or why there is none. A number of those
        below where only the beginning of the flow can tell; what comes of it is one of REASONS, the first of all texts.
Rule 4: what is written in C (`_tables_cells.h`), where it could be built, gives the same as what stands here, which is its
        oracle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from daemon.store.tables import NATIVE, Table, numbers, rows_of, table_of

if NATIVE:
    from daemon.store import _tables

FLOW_WIDTH, CELL_WIDTH = 16, 14
SCOPES = ("internet", "local", "chatter")
INTERNET, LOCAL, CHATTER = range(len(SCOPES))
SAID_BIT = 40  # in a manner, above kind * 3 + scope
REASONS = ("-", "-ech", "-before")
NOT_BEFORE, BEFORE, BEFORE_AS_TCP = range(3)


def plain_cells(flows: Table, ends: Table, kinds: Table, hidden: Table) -> Table:
    """What flows moved, as their stations see it.

    `ends`: their number, station (0: none), whether inside; `kinds`: their number, whether chatter, whether TCP; `hidden`:
    numbers of flows whose hello hides the name. A flow without its ends or its kind is left out.
    """
    end_of = {row[0]: row[1:] for row in rows_of(ends, 3)}
    kind_of = {row[0]: row[1:] for row in rows_of(kinds, 3)}
    return table_of(_cells(rows_of(flows, FLOW_WIDTH), end_of, kind_of, {*numbers(hidden)}))


def _cells(
    flows: Sequence[Sequence[int]],
    ends: Mapping[int, Sequence[int]],
    kinds: Mapping[int, Sequence[int]],
    hidden: set[int],
) -> Iterator[tuple[int, ...]]:
    for slot, kind, client, server, turned, whole, name, said, flow, count, first, last, *moved in flows:
        if client not in ends or server not in ends or kind not in kinds:
            continue
        (asking, client_inside), (asked, server_inside), (chatter, tcp) = ends[client], ends[server], kinds[kind]
        inward = not asking and asked != 0
        scope = CHATTER if chatter else LOCAL if client_inside and server_inside else INTERNET
        source = -1 if inward or scope != INTERNET else _source(said, tcp=tcp != 0, hides=flow in hidden)
        station, peer = whole or asking or asked, asked if asking else 0
        end, shown = (client, 0) if inward else (server, name)
        places = (1, 0, 3, 2) if turned != inward else (0, 1, 2, 3)  # whether the station got what was counted as up
        counts = [moved[place] for place in places]
        manner = kind * len(SCOPES) + scope | (-source - 1) << SAID_BIT
        yield slot, station, peer, end, shown, 0 if shown else end, count, *counts, first, last, manner


def _source(said: int, *, tcp: bool, hides: bool) -> int:
    if said < 0:
        return said
    before = said == BEFORE or (said == BEFORE_AS_TCP and tcp)
    return -2 if hides else -3 if before else -1


cells = _tables.cells if NATIVE else plain_cells
