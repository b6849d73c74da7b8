"""The hunt over a small home: what is found and how it is said, what is only usual, and names that stay the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from daemon.report.findings.evidence import evidence_of
from daemon.report.findings.hunt import hunt
from daemon.report.findings.listing import report
from daemon.report.findings.vocabulary import BEACONING, HIGH, MEDIUM, PORT, USUAL
from daemon.report.registry import REPORTS
from daemon.store.database import read_database
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND
from tests.support.importing import imported
from tests.support.planted import BEGIN, TUNED, Gadget, Home
from tests.support.planted_home import make_small
from tests.support.scoring import database_of, hunted, scope_of


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a beacon, a telnet and ordinary life."""
    return database_of(make_small(), tmp_path_factory.mktemp("small"))


def test_what_is_found_and_in_which_order(small: Path) -> None:
    found = hunted(small)
    assert [(each.kind, each.severity, each.subject.called) for each in found.serious] == [
        (PORT, HIGH, "Philips-hue"),
        (BEACONING, MEDIUM, "meter"),
    ]
    assert [(each.trace.place, each.severity) for each in found.usual] == [("ws.meethue.com", USUAL)]


def test_numbers_are_those_of_the_packets(small: Path) -> None:
    home = make_small()
    meter = next(thing.key for thing in home.planted if thing.kind == BEACONING)
    opened = [
        frame for _, frame in home.frames if frame[6:12].hex(":") == meter and frame[23] == 6 and frame[47] == 0x02
    ]
    beacon = next(each for each in hunted(small).serious if each.kind == BEACONING)
    assert beacon.connections == len(opened)
    assert beacon.sentence.startswith("meter connects to in.tarn-relay.example")
    assert "every 5 minutes" in beacon.sentence
    facts = {fact.label: fact.value for fact in beacon.facts}
    assert float(str(facts["Comes when expected"])) > 0.95
    assert facts["Connections asked"] == len(opened)
    assert float(str(facts["Strays from the period by up to"])) == pytest.approx(0.02, abs=0.005)


def test_evidence_has_every_connection(small: Path) -> None:
    with closing(read_database(small)) as db:
        scope = scope_of(db)
        found = hunt(scope)
        beacon = next(each for each in found.serious if each.kind == BEACONING)
        evidence = evidence_of(scope, beacon, found.since_us, found.until_us)
    assert len(evidence.times) == beacon.connections
    assert sum(number for _, number in evidence.by_hour) == beacon.connections
    assert [(low, high) for low, high, number in evidence.distances if number] == [(270, 390)]


def test_a_finding_keeps_its_name(small: Path, tmp_path: Path) -> None:
    """Numbers of devices and ends differ; the name is made of what is the same."""
    other = Gadget("first", 9, "00:00:5e:00:53:fe")
    home = make_small()
    home.asks(other, "example.org", home.somewhere(), BEGIN + 5 * SECOND, 0)
    again = {each.finding_id for each in hunted(database_of(home, tmp_path)).findings}
    names = {each.finding_id for each in hunted(small).findings}
    assert names <= again
    assert all(each.startswith(("beaconing-", "odd-port-")) for each in names)


def test_of_one_device(small: Path) -> None:
    with closing(read_database(small)) as db:
        scope = scope_of(db)
        meter = next(number for number, name in scope.names.items() if name == "meter")
        assert {each.subject.called for each in hunt(scope.of(meter)).findings} == {"meter"}


def test_the_report_has_a_row_for_each(small: Path) -> None:
    with closing(read_database(small)) as db:
        made = REPORTS["findings"].make(scope_of(db))
    assert made.sentences[0].startswith("2 things on 2 devices may be worth a look, 1 of them")
    assert [row[made.keys.index("kind")] for row in made.rows] == [PORT, BEACONING]
    assert made.notes == ("1 regular connection is usual for the device that makes it.",)


def test_an_hour_of_nothing_is_calm(tmp_path: Path) -> None:
    home = Home(TUNED)
    plug = Gadget("plug", 2)
    home.asks(plug, "0.pool.ntp.org", home.somewhere(), BEGIN + HOUR, 0)
    with closing(read_database(imported(tmp_path / "h.db", *home.write(tmp_path)))) as db:
        made = report(scope_of(db))
    assert made.rows == ()
    assert made.sentences == ("No connection of this time is kept one by one, so nothing can be said about it.",)


def test_a_clock_at_the_makers_is_usual_and_at_a_strangers_is_not(tmp_path: Path) -> None:
    """The same packets to two destinations: whose they are makes the difference."""
    home = Home(TUNED)
    hue = Gadget("Philips-hue", 31)
    for name in ("ws.meethue.com", "ws.somebody-else.example"):
        server = home.somewhere()
        home.asks(hue, name, server, BEGIN + HOUR, 1)
        home.connects(hue, server, 443, home.clock(BEGIN + HOUR, 600, 0.05, DAY / SECOND), name=name)
    home.frames.insert(0, make_small().frames[1])  # how the hub says its name
    found = hunted(database_of(home, tmp_path))
    assert {each.trace.place: each.severity for each in found.findings} == {
        "ws.meethue.com": USUAL,
        "ws.somebody-else.example": MEDIUM,
    }
