"""Is there a clock behind these times? Pure: times in, rhythms out.

Rule 1: a clock that waits and then acts drifts: what it keeps is the distance from one act to the next, not a grid. So a
        rhythm is judged by links: how many events have another one just a period later.
Rule 2: chance links too. What counts is how many more links there are than events at the same rate, but at any time,
        would have; the same bar for three kinds of tolerance, the strictest of which says most.
Rule 3: silence is no evidence: where the next event is far away (the device slept, nothing was recorded) nobody could
        have been there, and the stretch is left out. Several events at once are one.
Rule 4: two clocks may share a destination: what the first explains is taken out, and the rest is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]

LEAST_EVENTS = 8
MOST_EVENTS = 1000  # the newest: more would only make the same answer surer
MOST_RHYTHMS = 2
_TOLERANCES = (0.02, 0.06, 0.12, 0.25)  # of the period, to either side
_AT_ONCE = 0.1  # of the period: closer events are one
_FAR = 2.5  # periods: nothing for so long is a gap
_ALONE = (0.6, 1.6)  # a clock of its own: the usual distance is its period
_BARS = ((0.85, 4.5), (0.6, 6.0))  # share of the events that are linked, standard deviations above chance
_SHARED_BAR = (0.25, 9.0)  # where another clock's events stand between them
_SHARED_TOLERANCE = 0.12
_LAGS = 4  # how many events ahead a period is looked for
_BINS_A_DECADE = 60
_MOST_CANDIDATES = 8
_NEAR_USUAL, _ONE_DISTANCE, _LEAST_ALIKE = 0.45, 0.1, 6  # of the distances, for a closer look; how many at least


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A period in seconds; `jitter`: how far distances stray from it, as a fraction; `regularity`: 0 to 1, the share of
    events that came when the clock says; `events` that were asked; `sure`: standard deviations above chance.
    """

    period: float
    jitter: float
    regularity: float
    events: int
    sure: float


@dataclass(frozen=True, slots=True)
class _Steps:
    """Events, and the way from each to the one that is nearest to a period later."""

    period: float
    events: Floats  # one for those that came at once
    distance: Floats
    asked: _Bools  # the next event is not beyond a gap
    rate: float  # events a second, gaps left out
    alone: bool  # no other clock's events stand between


@dataclass(frozen=True, slots=True)
class _Links:
    """Which steps are links, within a tolerance."""

    steps: _Steps
    tolerance: float
    sure: float
    covered: float
    linked: _Bools


def may_have_rhythm(times: Floats) -> bool:
    """Whether a closer look may find a clock: some distance occurs much more often than at any time. Quick."""
    if len(times) < LEAST_EVENTS:
        return False
    rest = np.sort(times)[-MOST_EVENTS:]
    steps = np.diff(rest)
    usual = float(np.median(steps[steps > 0.5])) if (steps > 0.5).any() else 0.0
    if not usual:
        return False
    if float((np.abs(steps / usual - 1) <= 0.3).mean()) >= _NEAR_USUAL:
        return True
    distances = np.concatenate([rest[lag:] - rest[:-lag] for lag in range(1, _LAGS + 1)])
    counts = np.bincount(
        np.round(np.log10(np.maximum(distances, 0.5)) * _BINS_A_DECADE).astype(np.int64) + _BINS_A_DECADE
    )
    return bool(np.convolve(counts, (1, 1, 1), "same").max() >= max(_ONE_DISTANCE * len(distances), _LEAST_ALIKE))


def find_rhythms(times: Floats) -> list[Rhythm]:
    """The clocks behind times in seconds (in any order), the surest first; none where they come at any time."""
    rest = np.sort(times)[-MOST_EVENTS:]
    found: list[Rhythm] = []
    while len(found) < MOST_RHYTHMS and len(rest) >= LEAST_EVENTS:
        best = _best(rest)
        if best is None:
            break
        found.append(_rhythm(best))
        near = best.steps.events[best.linked]
        rest = rest[_distance(rest, near) > min(_AT_ONCE, best.tolerance) * best.steps.period]
    return found


def _best(times: Floats) -> _Links | None:
    """The surest period of all; of one and its multiples, which it implies, the one."""
    held: list[_Links] = []
    for period in _candidates(times):
        steps = _steps(times, period)
        if steps is not None:
            held += [links for links in (_links(steps, tolerance) for tolerance in _TOLERANCES) if _holds(links)]
    if not held:
        return None
    best = max(held, key=lambda links: links.sure)
    parts = [links for links in held if links.covered >= 0.8 * best.covered and _divides(links, best)]
    least = min((links.steps.period for links in parts), default=best.steps.period)
    near = [links for links in parts if links.steps.period < 1.2 * least] or [best]
    return _as_wide_as_it_strays(max(near, key=lambda links: links.sure), held)


def _as_wide_as_it_strays(best: _Links, held: list[_Links]) -> _Links:
    """The strictest tolerance of the same period that has nearly all that any has."""
    same = [links for links in held if links.steps.period == best.steps.period and links.sure >= best.sure / 2]
    most = max(links.covered for links in same)
    return min((links for links in same if links.covered >= 0.95 * most), key=lambda links: links.tolerance)


def _divides(part: _Links, whole: _Links) -> bool:
    times = whole.steps.period / part.steps.period
    return times > 1.5 and abs(times - round(times)) < 0.15


def _holds(links: _Links) -> bool:
    if int(links.linked.sum()) < LEAST_EVENTS:
        return False
    if links.steps.alone and any(links.covered >= share and links.sure >= sure for share, sure in _BARS):
        return True
    share, sure = _SHARED_BAR
    return links.covered >= share and links.sure >= sure and links.tolerance <= _SHARED_TOLERANCE


def _candidates(times: Floats) -> list[float]:
    """Distances that occur most, between neighbours and those a little further on."""
    distances = np.concatenate([times[lag:] - times[:-lag] for lag in range(1, min(_LAGS, len(times) - 1) + 1)])
    distances = distances[distances > 0.5]
    if not len(distances):
        return []
    bins = np.round(np.log10(distances) * _BINS_A_DECADE).astype(np.int64)
    bins -= bins.min()
    smooth = np.convolve(np.bincount(bins), (0.25, 0.5, 1.0, 0.5, 0.25), "same")
    padded = np.pad(smooth, 2)
    highest = np.max([padded[at : at + len(smooth)] for at in range(5)], axis=0)
    peaks = np.flatnonzero((smooth >= highest) & (smooth > 1))
    top = peaks[np.argsort(-smooth[peaks], kind="stable")][:_MOST_CANDIDATES]
    return [float(np.median(np.diff(times))), *(float(np.median(distances[np.abs(bins - at) <= 2])) for at in top)]


def _steps(times: Floats, period: float) -> _Steps | None:
    if period <= 0.5:
        return None
    events = times[np.concatenate([[True], np.diff(times) > _AT_ONCE * period])]
    if len(events) < LEAST_EVENTS:
        return None
    after = np.searchsorted(events, events + period)
    right = events[np.minimum(after, len(events) - 1)] - events
    left = events[after - 1] - events
    distance = np.where(np.abs(right - period) < np.abs(left - period), right, left)
    following = np.diff(events)
    asked = np.append(following <= _FAR * period, False)
    trials = int(asked.sum())
    if trials < LEAST_EVENTS - 1 or trials < 0.5 * len(events):
        return None
    usual = float(np.median(following)) / period
    rate = trials / float(following[asked[:-1]].sum())
    return _Steps(period, events, distance, asked, rate, _ALONE[0] <= usual <= _ALONE[1])


def _links(steps: _Steps, tolerance: float) -> _Links:
    """How many events have another one a period later, and how many would have by chance."""
    hit = steps.asked & (np.abs(steps.distance - steps.period) <= tolerance * steps.period)
    trials, hits = int(steps.asked.sum()), int(hit.sum())
    chance = min(1 - float(np.exp(-2 * tolerance * steps.period * steps.rate)), 0.95)
    sure = (hits - trials * chance) / (trials * chance * (1 - chance)) ** 0.5
    linked = hit.copy()
    linked[np.searchsorted(steps.events, steps.events[hit] + steps.distance[hit] - 1e-6)] = True  # a link's later end
    return _Links(steps, tolerance, sure, hits / trials, linked)


def _rhythm(links: _Links) -> Rhythm:
    steps = links.steps
    hit = steps.asked & (np.abs(steps.distance - steps.period) <= links.tolerance * steps.period)
    period = float(np.median(steps.distance[hit]))
    stray = np.abs(steps.distance[hit] / period - 1)
    # Of distances spread evenly up to a bound, nine tenths lie within nine tenths of it.
    jitter = float(np.quantile(stray, 0.9)) / 0.9
    return Rhythm(period, jitter, links.covered, int(links.linked.sum()), links.sure)


def _distance(times: Floats, marks: Floats) -> Floats:
    """From each time to the nearest mark."""
    at = np.clip(np.searchsorted(marks, times), 1, len(marks) - 1)
    nearest: Floats = np.minimum(np.abs(times - marks[at - 1]), np.abs(times - marks[at]))
    return nearest
