"""What of a span counts as the same as before: the same company for a device, the same country for the house.

Rule: pairs (station, number of whose something is) are numbers, as in `daemon.store.whose_columns`: a house has thousands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from daemon.report.picture import Picture
from daemon.store.columns import Ints, told
from daemon.store.whose_columns import BITS
from daemon.store.whose_days import Owned

_SURE = ("high", "medium")
_NUMBER = (1 << BITS) - 1


class Alike:
    """Companies and countries of a picture, by which it is compared with what was met earlier."""

    def __init__(self, owned: Mapping[int, Owned], devices: Mapping[int, int], picture: Picture) -> None:
        self._devices, self._picture = devices, picture
        companies = {number: whose.organisation for number, whose in owned.items() if whose.organisation}
        countries = {  # where something is, if that is no guess
            number: whose.country for number, whose in owned.items() if whose.country and whose.confidence in _SURE
        }
        self._names, self._company = _numbered(companies)
        self._codes, self._country = _numbered(countries)
        pairs, up, down = picture.met
        self._number, self._octets, self._device = pairs & _NUMBER, up + down, told(pairs >> BITS, devices, 0)
        self._there = set(told(self._number, self._country, -1).tolist()) - {-1}

    def candidates(self, earlier: Ints) -> Ints:
        """All pairs that would make something in the picture known that `earlier` does not know."""
        stations = _Lists(list(self._devices.values()), list(self._devices))
        numbers, places = (_Lists(list(of.values()), list(of)) for of in (self._company, self._country))
        keys = np.setdiff1d(self._companies_of(self._picture.met.pairs), self._companies_of(earlier))
        row, number = numbers.of(keys & _NUMBER)
        at, station = stations.of((keys >> BITS)[row])
        countries = np.array(sorted(self._there - self._countries_of(earlier)), np.int64)
        _, place = places.of(countries)
        anybody = np.array(list(self._devices), np.int64)
        abroad = (anybody[:, None] << BITS | place).ravel()
        return np.unique(np.concatenate((station << BITS | number[at], abroad)))

    def new_companies(self, earlier: Ints) -> Iterator[tuple[int, str, bool, int, int]]:
        """(device, company, whether the house knew it, number of `Owned`, bytes), in order of the pairs."""
        before = self._companies_of(earlier)
        company = told(self._number, self._company, -1)
        keys = self._device << BITS | company
        fresh = (self._device != 0) & (company >= 0) & ~np.isin(keys, before)
        known = set((before & _NUMBER).tolist())
        columns = (each[fresh].tolist() for each in (self._device, company, self._number, self._octets))
        for device, at, number, octets in zip(*columns, strict=True):
            yield device, self._names[at], at in known, number, octets

    def new_countries(self, earlier: Ints) -> dict[str, dict[int, int]]:
        """Bytes by country of the house, and by device."""
        country = told(self._number, self._country, -1)
        sums: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        fresh = np.isin(country, sorted(self._there - self._countries_of(earlier)))
        columns = (each[fresh].tolist() for each in (country, self._device, self._octets))
        for at, device, octets in zip(*columns, strict=True):
            sums[self._codes[at]][device] += octets
        return sums

    def _companies_of(self, pairs: Ints) -> Ints:
        """Numbers for (device, company) of pairs, each once."""
        company = told(pairs & _NUMBER, self._company, -1)
        known = company >= 0
        return np.unique(told(pairs[known] >> BITS, self._devices, 0) << BITS | company[known])

    def _countries_of(self, pairs: Ints) -> set[int]:
        return set(told(pairs & _NUMBER, self._country, -1).tolist()) - {-1}


def _numbered(words: Mapping[int, str]) -> tuple[list[str], dict[int, int]]:
    """The different words, and the place of each in that list."""
    different = list(dict.fromkeys(words.values()))
    places = {word: at for at, word in enumerate(different)}
    return different, {number: places[word] for number, word in words.items()}


class _Lists:
    """What belongs to each of some keys: `members` in the order of `keys`."""

    def __init__(self, keys: Sequence[int], members: Sequence[int]) -> None:
        order = np.argsort(np.array(keys, np.int64), kind="stable")
        self._keys, self._members = np.array(keys, np.int64)[order], np.array(members, np.int64)[order]

    def of(self, keys: Ints) -> tuple[Ints, Ints]:
        """All that belongs to these keys, and which of them it belongs to."""
        begin, end = (np.searchsorted(self._keys, keys, side) for side in ("left", "right"))
        many = end - begin
        row = np.repeat(np.arange(len(keys)), many)
        within = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        return row, self._members[begin[row] + within]
