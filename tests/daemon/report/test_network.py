"""The reports about the network: every number is what dpkt counts in the capture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from daemon.report import encryption, ip_versions, protocols, reach, slots
from daemon.report.scope import Scope
from daemon.report.sums import Key, Sum
from daemon.report.table import Report
from tests.daemon.ingest.scenes import DAY, HOUR, TABLET_MAC
from tests.support.asking import asked
from tests.support.newweek import LAPTOP_MAC, MIDNIGHT, SPAN, UNTIL, Told, chatter, home, local, octets, told

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("network"))


def keyed(report: Report, *keys: str) -> dict[Any, dict[str, Any]]:
    """Rows by the values of some columns, or of one."""
    rows = [dict(zip(report.keys, row, strict=True)) for row in report.rows]
    return {tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]]: row for row in rows}


def _outside(frames: list[Told]) -> list[Told]:
    return [each for each in frames if not local(each) and not chatter(each)]


def test_protocols_by_packets_bytes_and_mean_length(week: Home) -> None:
    frames = told(week[1])
    dns = [each for each in frames if 53 in each.ports]
    web = [each for each in frames if 80 in each.ports]
    with asked(week[0], SPAN, UNTIL) as scope:
        report = protocols.report(scope)
    found = keyed(report, "protocol", "service")
    for key, each in ((("udp", "dns"), dns), (("tcp", "http"), web)):
        assert (found[key]["packets"], found[key]["bytes"]) == (len(each), octets(each))
        assert found[key]["mean_length"] == octets(each) / len(each)
    assert sum(row["packets"] for row in found.values()) == len(frames)
    assert sum(row["bytes"] for row in found.values()) == octets(frames)
    assert sum(row["share"] for row in found.values()) == pytest.approx(1)
    for place, measure in (("rank_packets", "packets"), ("rank_bytes", "bytes"), ("rank_length", "mean_length")):
        order = sorted(found.values(), key=lambda row: row[place])
        assert [row[place] for row in order] == list(range(1, len(order) + 1))
        assert [row[measure] for row in order] == sorted((row[measure] for row in order), reverse=True)
    assert f"in {len(frames)} packets" in report.sentences[0]


def test_packets_that_were_joined_before_they_were_recorded_are_explained(week: Home) -> None:
    usual: dict[Key, Sum] = {(1, "tcp", "https", "yes", 4, "internet"): Sum(10, 10, 600, 15_000)}
    joined: dict[Key, Sum] = {(1, "tcp", "http", "no", 4, "internet"): Sum(10, 10, 600, 150_000)}
    with asked(week[0], SPAN, UNTIL) as scope:
        assert protocols.report_of(scope, usual).notes == ()
        (note,) = protocols.report_of(scope, usual | joined).notes
    assert "already joined several into one" in note


def test_one_device_has_its_own_protocols(week: Home) -> None:
    frames = [each for each in told(week[1]) if each.of(TABLET_MAC)]
    with asked(week[0], SPAN, UNTIL, mac=TABLET_MAC) as scope:
        found = keyed(protocols.report(scope), "protocol", "service")
    assert sum(row["packets"] for row in found.values()) == len(frames)
    assert ("tcp", "doh") not in found


def test_who_sends_in_the_open(week: Home) -> None:
    frames = _outside(told(week[1]))
    opened = [each for each in frames if {53, 80} & set(each.ports)]
    with asked(week[0], SPAN, UNTIL) as scope:
        report = encryption.report(scope)
    found = keyed(report, "device")
    assert found["bobs-tablet"]["open"] == octets([each for each in opened if each.of(TABLET_MAC)])
    assert found["bobs-tablet"]["open_packets"] == len([each for each in opened if each.of(TABLET_MAC)])
    assert found["bobs-tablet"]["open_services"] == "dns and http"
    assert found["adas-laptop"]["open"] == 0
    assert sum(row["encrypted"] for row in found.values()) == octets([each for each in frames if 443 in each.ports])
    assert next(iter(found)) == "bobs-tablet"
    assert "bobs-tablet sent or received in the open" in report.sentences[1]


def test_what_leaves_the_house_what_stays_and_what_is_chatter(week: Home) -> None:
    frames = told(week[1])
    parts = {
        "chatter": [each for each in frames if chatter(each)],
        "local": [each for each in frames if local(each) and not chatter(each)],
        "internet": _outside(frames),
    }
    with asked(week[0], SPAN, UNTIL) as scope:
        found = keyed(reach.report(scope), "scope")
    assert {where: (row["packets"], row["bytes"]) for where, row in found.items()} == {
        where: (len(each), octets(each)) for where, each in parts.items()
    }
    assert sum(len(each) for each in parts.values()) == len(frames)


def test_versions_of_ip_and_who_uses_the_new_one(week: Home) -> None:
    frames = told(week[1])
    with asked(week[0], SPAN, UNTIL) as scope:
        report = ip_versions.report(scope)
    found = keyed(report, "device")
    assert sum(row["ipv4"] for row in found.values()) == octets([each for each in frames if each.version == 4])
    assert sum(row["ipv6"] for row in found.values()) == octets([each for each in frames if each.version == 6])
    six = [each for each in _outside(frames) if each.version == 6]
    assert (found["adas-laptop"]["ipv6"], found["adas-laptop"]["internet_ipv6"]) == (octets(six), octets(six))
    assert found["bobs-tablet"]["ipv6"] == 0
    assert report.sentences[1] == "1 of 2 devices reached the internet over IPv6: adas-laptop."


def test_every_quarter_of_an_hour_is_a_row(week: Home) -> None:
    frames = told(week[1])
    quarter = HOUR // 4
    packets, sizes = Counter(each.time_us // quarter for each in frames), Counter[int]()
    for each in frames:
        sizes[each.time_us // quarter] += each.size
    with asked(week[0], SPAN, UNTIL) as scope:
        report = slots.report(scope)
    rows = keyed(report, "time_us")
    assert list(rows) == list(range(SPAN, UNTIL, quarter))
    for at, row in rows.items():
        assert row["packets_up"] + row["packets_down"] == packets[at // quarter]
        assert row["bytes_up"] + row["bytes_down"] == sizes[at // quarter]
    asks = Counter(each.time_us // quarter for each in frames if each.ports[1] == 53)
    assert {at // quarter: row["dns_queries"] for at, row in rows.items() if row["dns_queries"]} == asks


def test_one_device_over_time_sees_both_of_its_ends(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL, mac=TABLET_MAC) as scope:
        rows = slots.report(scope).rows
    frames = told(week[1])
    assert sum(row[3] for row in rows) == octets([each for each in frames if each.source == TABLET_MAC])  # type: ignore[misc]  # numbers
    received = octets([each for each in frames if each.target == TABLET_MAC])
    assert sum(row[4] for row in rows) == received  # type: ignore[misc]  # numbers
    assert LAPTOP_MAC != TABLET_MAC


@pytest.mark.parametrize(("days", "step"), [(2, "slot"), (10, "hour"), (400, "day")])
def test_steps_fit_the_span(week: Home, days: int, step: str) -> None:
    with asked(week[0], UNTIL - days * DAY, UNTIL) as scope:
        assert slots.step_of(scope) == step
        assert sum(row[1] + row[2] for row in slots.report(scope).rows) == len(  # type: ignore[operator]  # numbers
            [each for each in told(week[1], new=False) if each.time_us >= UNTIL - days * DAY]
        )


def test_of_no_time_nothing_is_said(week: Home) -> None:
    with asked(week[0], MIDNIGHT - 9 * DAY, MIDNIGHT - 8 * DAY) as scope:
        for each in (protocols, encryption, reach, ip_versions, slots):
            report = each.report(scope)
            assert "Nothing" in report.sentences[0]


def test_of_a_scope_of_hours_only_these_count(week: Home) -> None:
    begin = SPAN + 13 * HOUR
    frames = [each for each in told(week[1]) if begin <= each.time_us < begin + HOUR]
    with asked(week[0], begin, begin + HOUR) as scope:
        assert _packets(scope) == len(frames)
    with asked(week[0], begin, UNTIL) as scope:
        assert _packets(scope) == len([each for each in told(week[1]) if each.time_us >= begin])
    with asked(week[0], SPAN - 2 * DAY, begin) as scope:
        before = [each for each in told(week[1], new=False) if SPAN - 2 * DAY <= each.time_us < begin]
        assert _packets(scope) == len(before)


def _packets(scope: Scope) -> int:
    return sum(int(str(row[2])) for row in protocols.report(scope).rows)
