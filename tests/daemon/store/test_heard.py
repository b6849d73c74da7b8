"""The hours of devices, against the packets that were written: of stations that are one device, and of one alone."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.store.heard import read_heard
from daemon.store.owner import join, open_owner
from tests.daemon.ingest.scenes import HOUR, TABLET_MAC
from tests.support.asking import asked
from tests.support.newweek import LAPTOP_MAC, SPAN, UNTIL, chatter, home, local, told

_SLOTS = 4
Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("heard"))


def _written(capture: Path) -> dict[str, set[int]]:
    """MAC -> the hours in which it exchanged something with the internet."""
    hours = defaultdict(set)
    for each in told(capture):
        for mac in (TABLET_MAC, LAPTOP_MAC):
            if SPAN <= each.time_us < UNTIL and each.of(mac) and not local(each) and not chatter(each):
                hours[mac].add(each.time_us // HOUR * _SLOTS)
    return hours


def test_hours_are_those_of_the_packets(week: Home) -> None:
    written = _written(week[1])
    with asked(week[0], SPAN, UNTIL) as scope:
        found = read_heard(scope.db, scope.window)
        names = {name: number for number, name in scope.names.items()}
        alone = read_heard(scope.db, scope.of(names["bobs-tablet"]).window)
    for name, mac in (("bobs-tablet", TABLET_MAC), ("adas-laptop", LAPTOP_MAC)):
        heard = found[names[name]]
        assert set(heard.outside.tolist()) == written[mac]
        assert heard.every.tolist() == sorted(set(heard.every.tolist()) | written[mac])
    assert set(alone) == {names["bobs-tablet"]}
    assert alone[names["bobs-tablet"]].outside.tolist() == sorted(written[TABLET_MAC])


def test_stations_of_a_device_are_heard_together(tmp_path: Path) -> None:
    database, capture = home(tmp_path)
    written = _written(capture)
    with closing(open_owner(tmp_path / "owner.db")) as owner:
        join(owner, "home", [(LAPTOP_MAC, TABLET_MAC)], "test", SPAN)
    relabel_site(database, tmp_path / "owner.db", "home", Knowledge(owner=tmp_path / "owner.db"))
    with asked(database, SPAN, UNTIL) as scope:
        (outside,) = (each.outside for each in read_heard(scope.db, scope.window).values() if len(each.outside))
    assert outside.tolist() == sorted(written[TABLET_MAC] | written[LAPTOP_MAC])
