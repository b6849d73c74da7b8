"""The reports about companies, destinations, countries, places and months: every number is what dpkt counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon.report import (
    changes,
    companies,
    company_devices,
    countries,
    coverage,
    destination,
    destinations,
    month_changes,
    months,
    places,
    sources,
)
from daemon.report.scope import Scope
from daemon.report.table import Report
from daemon.report.words import size_words
from tests.daemon.ingest.scenes import TABLET_MAC
from tests.support.asking import asked
from tests.support.counted import Packet, packets
from tests.support.twomonths import (
    ADDRESSES,
    APRIL,
    COUNTRIES,
    JUNE,
    LAPTOP_MAC,
    MAY,
    META,
    NASTY,
    NETFLIX,
    SCRIPT,
    UNNAMED,
    atlas,
    home,
    moved,
)

Home = tuple[Path, list[Packet]]
ALL = {*NETFLIX, META, UNNAMED, SCRIPT}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Home:
    database, capture = home(tmp_path_factory.mktemp("months"))
    return database, packets(capture)


@contextmanager
def may(house: Home, mac: str | None = None, **only: str) -> Iterator[Scope]:
    with asked(house[0], MAY, JUNE, mac=mac) as scope:
        yield replace(scope, only=only)


def table(report: Report) -> list[dict[str, Any]]:
    return [dict(zip(report.keys, row, strict=True)) for row in report.rows]


def keyed(report: Report, key: str) -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in table(report)}


def test_companies(house: Home) -> None:
    with may(house) as scope:
        report = companies.report(scope)
    found = keyed(report, "organisation")
    whole = sum(moved(house[1], ALL, MAY, JUNE))
    for name, addresses in ADDRESSES.items():
        up, down = moved(house[1], addresses, MAY, JUNE)
        assert (found[name]["bytes_up"], found[name]["bytes_down"]) == (up, down)
        assert found[name]["share"] == pytest.approx((up + down) / whole)
    assert found["Netflix"]["devices"] == 2
    assert found["Netflix"]["countries"] == "MT US"
    assert (found["Meta (Facebook)"]["new"], found["Netflix"]["new"]) == ("yes", "no")
    assert sum(row["bytes_up"] + row["bytes_down"] for row in table(report)) == whole
    assert "exchanged data with 2 devices" in report.sentences[0]


def test_narrowed_by_device_party_country_and_company(house: Home) -> None:
    told = house[1]
    with may(house, TABLET_MAC) as scope:
        found = keyed(companies.report(scope), "organisation")
        assert found["Netflix"]["bytes_down"] == moved(told, {NETFLIX[1]}, MAY, JUNE, TABLET_MAC)[1]
    with may(house, country="MT") as scope:
        assert set(keyed(companies.report(scope), "organisation")) == {"Netflix"}
    with may(house, company="Meta (Facebook)") as scope:
        assert [row["destination"] for row in table(destinations.report(scope))] == ["graph.facebook.com"]
    with may(house, party="third") as scope:
        assert {row["party"] for row in table(companies.report(scope))} == {"third"}
    with may(house, party="local") as scope:
        assert companies.report(scope).rows == ()


def test_pairs_of_company_and_device(house: Home) -> None:
    with may(house) as scope:
        report = company_devices.report(scope)
    found = {(row["organisation"], row["device"]): row for row in table(report)}
    for device, mac in (("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)):
        row = found["Netflix", device]
        assert (row["bytes_up"], row["bytes_down"]) == moved(house[1], {*NETFLIX}, MAY, JUNE, mac)
    assert "the one that most devices met is Netflix: 2 devices" in report.sentences[0]


def test_destinations_by_what_they_got_and_sources_by_what_they_sent(house: Home) -> None:
    with may(house) as scope:
        went, came = table(destinations.report(scope)), table(sources.report(scope))
    assert {row["destination"] for row in went} == {"www.netflix.com", "graph.facebook.com", UNNAMED, NASTY}
    assert [row["bytes_up"] for row in went] == sorted((row["bytes_up"] for row in went), reverse=True)
    assert [row["bytes_down"] for row in came] == sorted((row["bytes_down"] for row in came), reverse=True)
    assert came[0]["destination"] == "www.netflix.com"
    unnamed = next(row for row in went if row["destination"] == UNNAMED)
    assert (unnamed["bytes_up"], unnamed["bytes_down"]) == moved(house[1], {UNNAMED}, MAY, JUNE)
    times = [each.time_us for each in house[1] if UNNAMED in (each.sender, each.receiver)]
    assert (unnamed["first_us"], unnamed["last_us"]) == (min(times), max(times))


def test_countries_and_how_sure(house: Home) -> None:
    with may(house) as scope:
        report = countries.report(scope)
    found = keyed(report, "country")
    assert {code: (row["bytes_up"], row["bytes_down"]) for code, row in found.items()} == {
        code: moved(house[1], addresses, MAY, JUNE) for code, addresses in COUNTRIES.items()
    }
    assert found["MT"]["name"] == "Malta"
    assert "5 countries" in report.sentences[0]


def test_places_have_coordinates_and_say_how_they_are_known(house: Home) -> None:
    known = atlas(house[0].parent / "data")
    with may(house) as scope:
        found = keyed(places.report(replace(scope, locate=known.look_up)), "country")
        blind = keyed(places.report(scope), "country")
    assert (found["IE"]["located"], found["IE"]["region"]) == ("region", "aws eu-west-1")
    assert found["SG"]["located"] == "country"
    assert found["SG"]["latitude"] == pytest.approx(1.3, abs=0.5)
    inside = [each for each in house[1] if MAY <= each.time_us < JUNE]
    assert found["MT"]["packets_up"] == sum(1 for each in inside if each.receiver == NETFLIX[1])
    assert found["MT"]["packets_down"] == sum(1 for each in inside if each.sender == NETFLIX[1])
    assert blind["IE"]["located"] == "country", "nothing is looked up by the report itself"


def test_months_by_party(house: Home) -> None:
    with asked(house[0], APRIL, JUNE) as scope:
        report = months.report(scope)
    told: dict[str, int] = {}
    for row in table(report):
        told[row["month"]] = told.get(row["month"], 0) + row["bytes_up"] + row["bytes_down"]
    expected = {"2024-04": sum(moved(house[1], ALL, APRIL, MAY)), "2024-05": sum(moved(house[1], ALL, MAY, JUNE))}
    assert told == expected
    assert report.sentences[0].startswith("In May 2024, which may not be over, ")


def test_changes_between_two_months(house: Home) -> None:
    with asked(house[0], APRIL, JUNE) as scope:
        report = month_changes.report(scope)
        kinds = {
            (each.organisation, each.kind)
            for each in month_changes.find(scope, *month_changes.compared(scope) or (0, 0))
        }
        names = changes.report(scope)
        named = coverage.report(scope)
    assert ("Meta (Facebook)", "new") in kinds
    assert ("Netflix", "more") in kinds
    assert not any(kind == "gone" for _, kind in kinds), "May may not be over"
    assert any("Meta (Facebook)" in sentence for sentence in report.sentences)
    assert any("bobs-tablet" in sentence for sentence in names.sentences)
    assert {row["month"] for row in table(named)} == {"2024-04", "2024-05"}


def test_nothing_to_compare_in_one_month(house: Home) -> None:
    with asked(house[0], APRIL, MAY) as scope:
        assert month_changes.report(scope).sentences == ("There are no two months to compare yet.",)


def test_one_destination_in_all_months(house: Home) -> None:
    with may(house, destination="netflix.com") as scope:
        rows = table(destination.report(scope))
    assert {row["destination"] for row in rows} == {"www.netflix.com"}
    assert {row["month"] for row in rows} == {"2024-04", "2024-05"}
    assert sum(row["bytes_up"] for row in rows) == moved(house[1], {*NETFLIX}, APRIL, JUNE)[0]
    assert {row["encrypted"] for row in rows} == {"yes"}
    with may(house, destination=UNNAMED) as scope:
        (row,) = table(destination.report(scope))
        assert (row["bytes_up"], row["bytes_down"]) == moved(house[1], {UNNAMED}, MAY, JUNE)
        assert row["named_by"] == "no DNS answer for the address was seen"
    with may(house, destination="nosuch.example") as scope:
        assert destination.report(scope).rows == ()
    with may(house) as scope:
        assert "Say which" in destination.report(scope).sentences[0]


def test_nothing_in_an_empty_time(house: Home) -> None:
    with asked(house[0], JUNE, JUNE + 86_400_000_000) as scope:
        for report in (companies, destinations, sources, countries, places, months, company_devices):
            made = report.report(scope)
            assert len(made.rows) == 0
            assert made.sentences


def test_what_is_asked_of_one_kind_of_company_is_told_of_it_alone(house: Home) -> None:
    with asked(house[0], APRIL, JUNE) as whole:
        scope = replace(whole, only={"party": "third"})
        (lead,) = months.report(scope).sentences
        changed = month_changes.report(scope).sentences[0]
        sums = [month_changes.month_bytes(scope, scope.newest_month - ago) for ago in (0, 1)]
    assert " were exchanged with third parties; the month before it was " in lead
    assert changed.startswith(
        f"{size_words(sums[0])} were exchanged with third parties in May 2024, {size_words(sums[1])}"
    )
