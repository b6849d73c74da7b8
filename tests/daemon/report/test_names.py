"""Names and those who are asked for them: counted as dpkt counts the questions in the capture."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from daemon.report import names_asked, names_by_device, resolvers
from daemon.store.asked import counted_since, read_asked
from tests.daemon.ingest.scenes import ROUTER, TABLET_MAC
from tests.daemon.report.test_network import keyed
from tests.support.asking import asked
from tests.support.newweek import BURST, DOH, GOOGLE_DNS, LAPTOP_MAC, MIDNIGHT, NOBODYS_DNS, SPAN, UNTIL, home, told

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("names"))


def test_servers_by_device_and_how_it_came_to_them(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        report = resolvers.report(scope)
    found = keyed(report, "device", "resolver")
    asks = Counter((each.source, each.receiver) for each in told(week[1]) if each.question)
    for name, mac, server in (
        ("adas-laptop", LAPTOP_MAC, ROUTER),
        ("bobs-tablet", TABLET_MAC, GOOGLE_DNS),
        ("bobs-tablet", TABLET_MAC, NOBODYS_DNS),
    ):
        assert found[name, server]["queries"] == asks[mac, server]
    assert found["adas-laptop", ROUTER]["how"] == "given by the network"
    assert found["bobs-tablet", GOOGLE_DNS]["how"] == "its own choice (hard-coded)"
    assert (found["bobs-tablet", GOOGLE_DNS]["run_by"], found["bobs-tablet", NOBODYS_DNS]["run_by"]) == ("Google", None)
    hidden = found["adas-laptop", DOH]
    assert (hidden["transport"], hidden["queries"], hidden["run_by"]) == ("doh", None, "Google")
    assert report.sentences == (
        "bobs-tablet (203.0.113.53 and Google) asks a DNS server of its own choice.",
        "adas-laptop hides what it asks (DoH, DoT or DoQ).",
        "bobs-tablet asks a server that nobody here knows.",
    )


def test_without_an_announcement_nobody_can_tell(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        asks = read_asked(scope.db, scope.window)
        ends = {number: end._replace(address="2001:4860:4860::8888") for number, end in asks.resolvers.items()}
        found = resolvers.find_servers(scope, asks._replace(resolvers=ends))
    assert {each.how for each in found if each.queries is not None} == {resolvers.UNTOLD}  # DHCP told of IPv4 alone


def test_names_asked_for_most(week: Home) -> None:
    asks = Counter(each.question for each in told(week[1]) if each.question)
    with asked(week[0], SPAN, UNTIL) as scope:
        report = names_asked.report(scope)
    rows = keyed(report, "domain")
    assert {name: row["queries"] for name, row in rows.items()} == asks
    assert next(iter(rows)) == "clock.example"
    assert rows["clock.example"]["device"] == "bobs-tablet"
    assert (
        report.sentences[0]
        == f"{asks.total()} questions about 5 names; most, {BURST}, were about clock.example, all by bobs-tablet."
    )


def test_names_by_device(week: Home) -> None:
    asks = Counter((each.source, each.question) for each in told(week[1]) if each.question)
    with asked(week[0], SPAN, UNTIL) as scope:
        found = keyed(names_by_device.report(scope), "device", "domain")
    macs = {"adas-laptop": LAPTOP_MAC, "bobs-tablet": TABLET_MAC}
    assert {(macs[device], name): row["queries"] for (device, name), row in found.items()} == asks
    with asked(week[0], SPAN, UNTIL, mac=TABLET_MAC) as scope:
        assert {row[1] for row in names_by_device.report(scope).rows} == {"bobs-tablet"}


def test_single_questions_go_back_so_far_only(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        assert counted_since(scope.db, scope.window) is None
        assert names_asked.report(scope).notes == ()
    with asked(week[0], MIDNIGHT - 10 * 86_400_000_000, UNTIL) as scope:
        assert "counted here since 15 November 2023, 12:00" in names_asked.report(scope).notes[0]


def test_a_silent_time(week: Home) -> None:
    with asked(week[0], MIDNIGHT - 20 * 86_400_000_000, MIDNIGHT - 10 * 86_400_000_000) as scope:
        for report in (resolvers.report(scope), names_asked.report(scope), names_by_device.report(scope)):
            assert report.rows == ()
            assert "No device asked" in report.sentences[0]
