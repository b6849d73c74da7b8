"""Steps of a house and lines of its devices, against sums that are made in another way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from daemon.store.steps import read_lines, read_steps
from daemon.store.totals import DAYS, HOURS, SLOTS, read_totals
from tests.daemon.ingest.scenes import DAY, HOUR, TABLET_MAC
from tests.support.asking import asked
from tests.support.newweek import LAPTOP_MAC, SPAN, UNTIL, chatter, home, local, octets, told

Home = tuple[Path, Path]
WIDTH = {SLOTS: HOUR // 4, HOURS: HOUR, DAYS: DAY}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("steps"))


def _at(time_us: int, tier: str) -> int:
    """The number of a step; hours are numbered by their first quarter."""
    begin = time_us // WIDTH[tier] * WIDTH[tier]
    return begin // DAY if tier == DAYS else begin // (HOUR // 4)


@pytest.mark.parametrize("tier", [SLOTS, HOURS, DAYS])
def test_steps_of_a_house(week: Home, tier: str) -> None:
    sizes, asks = Counter[int](), Counter[int]()
    for each in told(week[1]):
        sizes[_at(each.time_us, tier)] += each.size
        asks[_at(each.time_us, tier)] += each.ports[1] == 53
    with asked(week[0], SPAN, UNTIL) as scope:
        steps = read_steps(scope.db, scope.window, tier)
    assert {each.at: each.bytes_up + each.bytes_down for each in steps} == sizes
    assert {each.at: each.dns_packets_up for each in steps} == {at: asks[at] for at in sizes}
    assert [each.at for each in steps] == sorted(sizes)


@pytest.mark.parametrize("tier", [HOURS, DAYS])
def test_lines_of_devices(week: Home, tier: str) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        devices = {name: number for number, name in scope.names.items()}
        lines = read_lines(scope.db, scope.window, tier, devices.values())
        only = read_lines(scope.db, scope.window, tier, [devices["bobs-tablet"]])
    wanted = Counter[tuple[int, int]]()
    for each in told(week[1]):
        if not local(each) and not chatter(each):
            device = "bobs-tablet" if each.of(TABLET_MAC) else "adas-laptop"
            assert each.of(TABLET_MAC) or each.of(LAPTOP_MAC)
            wanted[devices[device], _at(each.time_us, tier)] += each.size
    assert lines == wanted
    assert only == {key: number for key, number in wanted.items() if key[0] == devices["bobs-tablet"]}


def test_no_tier_coarser_than_asked(week: Home) -> None:
    with asked(week[0], SPAN + 13 * HOUR, SPAN + 14 * HOUR) as scope:
        fine, coarse = (read_totals(scope.db, scope.window, ("scope",), least=tier) for tier in (SLOTS, DAYS))
        frames = [each for each in told(week[1]) if SPAN + 13 * HOUR <= each.time_us < SPAN + 14 * HOUR]
        day = [each for each in told(week[1]) if each.time_us < SPAN + DAY]
    assert sum(row[-1] + row[-2] for row in fine) == octets(frames)
    assert sum(row[-1] + row[-2] for row in coarse) == octets(day)


def test_hours_of_a_device_are_its_part_of_the_house(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        whole = read_totals(scope.db, scope.window, ("device", "hour"), both_ends=True)
        for number in scope.names:
            own = read_totals(scope.db, scope.of(number).window, ("hour",))
            assert [row[1:] for row in whole if row[0] == number] == own
