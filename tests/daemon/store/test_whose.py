"""Destinations by number say what destinations in words say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from daemon.store.months import last_months
from daemon.store.whose import read_addresses, read_labels, read_met, read_met_of_company, read_texts
from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.asking import asked
from tests.support.reached import rows_reached
from tests.support.twomonths import APRIL, JUNE, NETFLIX, home


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home(tmp_path_factory.mktemp("whose"))[0]


@pytest.mark.parametrize("mac", [None, TABLET_MAC])
def test_the_same_as_in_words(database: Path, mac: str | None) -> None:
    with asked(database, APRIL, JUNE, mac=mac) as scope:
        reached, met = rows_reached(scope.db, scope.window), read_met(scope.db, scope.window)
        texts = read_texts(scope.db, {each.named for each in met})
        labels = read_labels(scope.db, {each.verdict_id for each in met})
        mains = read_addresses(scope.db, {each.main_id for each in met})
    words: Counter[tuple[object, ...]] = Counter()
    for each in reached:
        words[each.device_id, each.place, each.party, each.organisation, each.country, each.first_us, each.last_us] += (
            each.bytes * 1000 + each.packets_up + each.packets_down
        )
    numbers: Counter[tuple[object, ...]] = Counter()
    for one in met:
        label = labels[one.verdict_id]
        key = (
            one.device_id,
            texts[one.named],
            label.party,
            label.organisation,
            label.country,
            one.first_us,
            one.last_us,
        )
        numbers[key] += one.bytes * 1000 + one.packets_up + one.packets_down
    assert numbers == words
    assert {mains[each.main_id] for each in met if texts[each.named] == "www.netflix.com"} <= {*NETFLIX}


@pytest.mark.parametrize("company", ["Netflix", "Meta (Facebook)", None, "Nobody At All"])
def test_one_company_is_sought_by_key(database: Path, company: str | None) -> None:
    with asked(database, APRIL, JUNE) as scope:
        every = read_met(scope.db, scope.window)
        labels = read_labels(scope.db, {each.verdict_id for each in every})
        found = read_met_of_company(scope.db, scope.window, company)
    assert found is not None
    wanted = {each for each in every if labels[each.verdict_id].organisation == company}
    assert wanted <= set(found)
    assert {labels[each.verdict_id].organisation for each in found} <= {company}


def test_months_in_order(database: Path) -> None:
    with asked(database, APRIL, JUNE) as scope:
        assert last_months(scope.db, scope.site_id) == [2024 * 12 + 3, 2024 * 12 + 4]
        assert last_months(scope.db) == [2024 * 12 + 3, 2024 * 12 + 4]
        assert last_months(scope.db, 99) == []
