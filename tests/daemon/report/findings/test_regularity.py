"""Clocks are found behind their jitter, through gaps and beside each other; people and chance have none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from daemon.report.findings.regularity import find_rhythms, may_have_rhythm

Floats = npt.NDArray[np.float64]


def waiting(period: float, stray: float, number: int, seed: int) -> Floats:
    """A program that waits, acts, and waits again."""
    return np.cumsum(period * (1 + np.random.default_rng(seed).uniform(-stray, stray, number)))


def on_a_grid(period: float, stray: float, number: int, seed: int) -> Floats:
    """A program that acts at full minutes and the like, a little late."""
    return np.arange(number) * period + period * np.random.default_rng(seed).uniform(0, stray, number)


@pytest.mark.parametrize("period", [20, 60, 300, 3600, 21_600])
@pytest.mark.parametrize("stray", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("clock", [waiting, on_a_grid])
def test_a_clock_is_found_with_its_period_and_jitter(period: float, stray: float, clock: object) -> None:
    times = clock(period, stray, 48, 3)  # type: ignore[operator]  # both are functions above
    (rhythm,) = find_rhythms(times)
    assert rhythm.period == pytest.approx(period, rel=0.04)
    assert rhythm.regularity > 0.9
    assert rhythm.jitter == pytest.approx(stray, abs=0.09)
    assert may_have_rhythm(times)


@pytest.mark.parametrize("stray", [0.0, 0.05, 0.2])
def test_gaps_are_no_evidence_against_a_clock(stray: float) -> None:
    times = waiting(300, stray, 200, 5)
    holed = times[(times < 9000) | (times > 20_000)]
    holed = holed[(holed < 40_000) | (holed > 43_000)]
    (rhythm,) = find_rhythms(holed)
    assert rhythm.period == pytest.approx(300, rel=0.04)
    assert rhythm.regularity > 0.9


@pytest.mark.parametrize(("first", "second"), [(60, 97), (300, 420), (60, 900), (300, 1000)])
@pytest.mark.parametrize("stray", [0.0, 0.05])
def test_two_clocks_at_one_destination_are_told_apart(first: float, second: float, stray: float) -> None:
    lasting = 60 * max(first, second)
    times = np.concatenate(
        [waiting(first, stray, int(lasting / first), 7), 13 + waiting(second, stray, int(lasting / second), 8)]
    )
    assert sorted(rhythm.period for rhythm in find_rhythms(times)) == pytest.approx([first, second], rel=0.04)


def test_several_connections_at_once_are_one_call() -> None:
    calls = waiting(600, 0.02, 60, 9)
    (rhythm,) = find_rhythms(np.concatenate([calls, calls + 0.2, calls + 0.9]))
    assert rhythm.period == pytest.approx(600, rel=0.02)


def chance(kind: str, seed: int) -> Floats:
    """Times without a clock, of several makes."""
    dice = np.random.default_rng(seed)
    if kind == "any time":
        return np.cumsum(dice.exponential(300, int(dice.integers(10, 400))))
    if kind == "sessions":
        begins = np.cumsum(dice.exponential(3600, int(dice.integers(5, 50))))
        return np.sort(np.concatenate([b + np.cumsum(dice.exponential(20, int(dice.integers(1, 25)))) for b in begins]))
    if kind == "by day":
        times = dice.uniform(0, 7 * 86_400, int(dice.integers(30, 400)))
        return np.sort(times[(times / 3600 % 24 > 7) & (times / 3600 % 24 < 23)])
    return np.cumsum(dice.lognormal(5, 1, 200))


@pytest.mark.parametrize("kind", ["any time", "sessions", "by day", "slow and fast"])
def test_chance_has_no_clock(kind: str) -> None:
    assert [seed for seed in range(30) if find_rhythms(chance(kind, seed))] == []


@pytest.mark.parametrize("times", [[], [1.0], [5.0] * 50, list(range(7))])
def test_too_little_to_tell(times: list[float]) -> None:
    assert find_rhythms(np.array(times, dtype=np.float64)) == []
    assert not may_have_rhythm(np.array(times, dtype=np.float64))
