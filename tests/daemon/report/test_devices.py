"""Devices in a table: what it says is what dpkt counts in the capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.report import device_addresses, device_destinations, device_hints, device_sources, devices
from daemon.report.scope import Scope, Span
from daemon.store.by_device import read_met
from tests.daemon.ingest.scenes import DAY, HOUR, TABLET, TABLET_MAC
from tests.support.asking import asked
from tests.support.counted import outside, packets, received, sent
from tests.support.threedays import DAYS, LAPTOP_MAC, MIDNIGHT, UNTIL, home

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("devices"))


def _table(scope: Scope) -> dict[str, dict[str, object]]:
    report = devices.report(scope)
    return {str(row[0]): dict(zip(report.keys, row, strict=True)) for row in report.rows}


@pytest.mark.parametrize(("name", "mac"), [("adas-laptop", LAPTOP_MAC), ("bobs-tablet", TABLET_MAC)])
def test_bytes_packets_and_questions_are_those_of_the_capture(three_days: Home, name: str, mac: str) -> None:
    frames = packets(three_days[1])
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        row = _table(scope)[name]
    assert (row["bytes_up"], row["bytes_down"]) == (sent(frames, mac), received(frames, mac))
    assert row["packets_up"] == sum(each.source == mac for each in frames)
    assert row["packets_down"] == sum(each.target == mac for each in frames)
    assert row["dns_queries"] == sum(each.source == mac and bool(each.question) for each in frames)
    local = sent(frames, mac, lambda each: not outside(each)) + received(frames, mac, lambda each: not outside(each))
    assert row["local_bytes"] == local
    parties = sum(int(str(row[f"{party}_bytes"])) for party in devices.PARTIES)
    assert parties == sent(frames, mac, outside) + received(frames, mac, outside)


def test_a_day_counts_its_own(three_days: Home) -> None:
    day = Span(MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    frames = [each for each in packets(three_days[1]) if day.since_us <= each.time_us < day.until_us]
    with asked(three_days[0], day.since_us, day.until_us) as scope:
        found = devices.measured(scope)
        assert {scope.called(number): each.bytes for number, each in found.items()} == {
            "adas-laptop": sent(frames, LAPTOP_MAC) + received(frames, LAPTOP_MAC),
            "bobs-tablet": sent(frames, TABLET_MAC) + received(frames, TABLET_MAC),
        }


def test_one_device_is_one_row(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL) as whole, asked(three_days[0], MIDNIGHT, UNTIL, mac=TABLET_MAC) as one:
        assert list(_table(one)) == ["bobs-tablet"]
        assert _table(one)["bobs-tablet"] == _table(whole)["bobs-tablet"]


def test_strips_have_the_bytes_of_their_steps(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        strips = devices.strips(scope)
        moved = devices.measured(scope)
    assert {number: sum(strip) for number, strip in strips.items()} == {
        number: each.bytes for number, each in moved.items()
    }
    assert {len(strip) for strip in strips.values()} == {DAYS * 24 // 2}, "of two hours each"


def test_new_is_who_came_after_the_recording_began(three_days: Home) -> None:
    database, _ = three_days
    with asked(database, MIDNIGHT + DAY, UNTIL) as scope:
        number = {name: number for number, name in scope.names.items()}
        seen = {number["bobs-tablet"]: MIDNIGHT + DAY + 1, number["adas-laptop"]: MIDNIGHT}
        assert devices.newcomers(scope, seen) == {number["bobs-tablet"]}
        said = " ".join(devices.sentences(scope, list(seen.items()), devices.measured(scope)))
        assert said.endswith("New: bobs-tablet.")
    with asked(database, MIDNIGHT - DAY, UNTIL) as scope:
        assert devices.newcomers(scope, seen) == set(), "nobody watched before"


def test_sentence_has_the_whole_of_the_house_once(three_days: Home) -> None:
    frames = packets(three_days[1])
    whole = sum(each.size for each in frames) / 1000
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        assert devices.report(scope).sentences[0].startswith(f"2 devices sent and received {whole:.1f} kB in 3 days")


def test_destinations_and_sources_are_ranked_by_bytes(three_days: Home) -> None:
    frames = packets(three_days[1])
    with asked(three_days[0], MIDNIGHT, UNTIL, mac=LAPTOP_MAC) as scope:
        report = device_destinations.report(scope)
        sources = device_sources.report(scope)
        rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
        came = [dict(zip(sources.keys, row, strict=True)) for row in sources.rows]
    assert [row["destination"] for row in rows] == ["www.example.com", "198.51.100.7"]
    for row, server in zip(rows, ("203.0.113.5", "198.51.100.7"), strict=True):
        assert row["bytes_up"] == sum(
            each.size for each in frames if each.receiver == server and each.source == LAPTOP_MAC
        )
        assert row["bytes_down"] == sum(each.size for each in frames if each.sender == server)
        assert row["flows"] == DAYS
    assert "TLS" in str(rows[0]["name_source"])
    assert "nobody in the house asked" in str(rows[1]["name_source"])
    assert (came[0]["destination"], came[0]["bytes_down"]) == ("www.example.com", rows[0]["bytes_down"])
    assert sum(float(str(row["share"])) for row in came) == pytest.approx(1)


def test_addresses_are_those_that_were_used(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL, mac=TABLET_MAC) as scope:
        report = device_addresses.report(scope)
    rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
    assert [(row["station"], row["address"], row["version"]) for row in rows] == [(TABLET_MAC, TABLET, "IPv4")]
    assert rows[0]["first_seen_us"] == MIDNIGHT + 1800 * 1_000_000


def test_what_devices_say_of_themselves_is_told_as_they_said_it(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        report = device_hints.report(scope)
    rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
    names = {(row["device"], row["value"]): row for row in rows if row["key"] == "hostname"}
    assert set(names) == {("adas-laptop", "adas-laptop"), ("bobs-tablet", "bobs-tablet")}
    told = names["bobs-tablet", "bobs-tablet"]
    assert (told["said_as"], told["occasion"]) == ("its name", "when it asked for an address")
    assert (told["first_seen_us"], told["last_seen_us"]) == (MIDNIGHT + HOUR // 2, MIDNIGHT + 2 * DAY + HOUR // 2)
    assert report.sentences[0].startswith("2 devices said ")
    with asked(three_days[0], MIDNIGHT, UNTIL, mac=TABLET_MAC) as scope:
        one = device_hints.report(scope)
    assert {row[0] for row in one.rows} == {"bobs-tablet"}
    assert one.sentences[0].startswith("bobs-tablet said ")


def test_companies_met_before_are_those_of_the_days_before(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT, UNTIL, mac=LAPTOP_MAC) as scope:
        assert scope.device_id is not None
        day = scope.days[0]
        assert read_met(scope.db, scope.device_id, day, 12) == set()
        known = {each[4] for each in device_destinations.report(scope).rows if each[4]}
        assert read_met(scope.db, scope.device_id, day + 1, 12) == known


def test_nothing_yet_is_said(three_days: Home) -> None:
    with asked(three_days[0], UNTIL + DAY, UNTIL + 2 * DAY + HOUR) as scope:
        assert devices.report(scope).sentences[0].startswith("0 of 2 devices sent and received 0 B")
        assert device_destinations.report(scope).sentences == ("Nothing went to the internet in this time.",)
        assert device_sources.report(scope).rows == ()


def test_questions_are_counted_as_far_back_as_they_are_kept(three_days: Home) -> None:
    with asked(three_days[0], MIDNIGHT - 40 * DAY, UNTIL) as scope:
        assert any("DNS questions are counted since" in note for note in devices.report(scope).notes)
    with asked(three_days[0], MIDNIGHT, UNTIL) as scope:
        assert devices.report(scope).notes == ()
