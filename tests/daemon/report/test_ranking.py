"""Destinations in every order that pages offer: what a person would get by sorting the rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.report.contacts import Tally
from daemon.report.ranking import ORDERS, in_order, ranked
from daemon.report.scope import Scope
from daemon.store.database import read_database
from tests.daemon.store.test_gathered import traffic
from tests.daemon.store.test_whose_days import scope

_KEYS: dict[str, Callable[[Tally[int]], tuple[int, ...]]] = {
    "data": lambda each: (-each.bytes,),
    "sent": lambda each: (-each.bytes_up,),
    "received": lambda each: (-each.bytes_down,),
    "devices": lambda each: (-len([number for number in each.devices if number]), -each.bytes),
    "third": lambda each: (-each.parties.get("third", 0), -each.bytes),
    "first": lambda each: (-each.first_us,),
    "last": lambda each: (-each.last_us,),
}


def of(db: Scope, *, inward: bool, by: str) -> tuple[list[int], list[int]]:
    """The order that is told, and the one of the rows themselves."""
    found = ranked(db)
    rows = [found.tally(number) for number in range(len(found))]
    rows.sort(key=lambda each: (-(each.bytes_down if inward else each.bytes_up), -each.bytes, each.key))
    if by:
        rows.sort(key=_KEYS[by])
    return found.named[in_order(found, inward=inward, by=by)].tolist(), [each.key for each in rows]


@pytest.mark.parametrize("inward", [False, True])
def test_it_is_the_order_of_the_rows(tmp_path: Path, inward: bool) -> None:
    with closing(read_database(traffic(tmp_path))) as db:
        for by in ("", *ORDERS):
            told, wanted = of(scope(db), inward=inward, by=by)
            assert told == wanted, by
            assert len(told) > 3


def test_columns_say_what_the_contacts_do(tmp_path: Path) -> None:
    with closing(read_database(traffic(tmp_path))) as db:
        found = ranked(scope(db))
        for number in range(len(found)):
            each = found.tally(number)
            told = [int(column[number]) for column in (found.flows, found.bytes_up, found.bytes_down, found.last_us)]
            assert told == [each.flows, each.bytes_up, each.bytes_down, each.last_us]
            assert (found.party[number], found.company[number], found.country[number]) == (
                each.party, each.company, each.country,
            )  # fmt: skip


def test_nothing_is_in_order_too(tmp_path: Path) -> None:
    with closing(read_database(traffic(tmp_path))) as db:
        found = ranked(scope(db, 20, 21))
        assert len(found) == 0
        assert in_order(found, inward=False, by="devices").tolist() == []
