"""The hunt, scored: thirty-three planted things in a home that it was not made with, and real captures that have none.

What is measured is published in docs/findings.md; these tests hold the page to it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from daemon.report.findings.vocabulary import HAMMERING, HIGH, KIND_WORDS
from tests.daemon.ingest.scenes import HOUR
from tests.support.importing import ROOT, homeport
from tests.support.planted import BEGIN, TUNED, UNSEEN, Gadget, Home, Plan
from tests.support.planted_home import make_home
from tests.support.scoring import Score, database_of, hunted, score

CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"
# Captures of things in homes, in order of their names: the first, third, ... were looked at while the hunt was made.
CAPTURES = (
    "Aria__Setup-A-1-STA.pcap", "D-LinkHomeHub__Setup-A-1-STA.pcap", "EdimaxPlug1101W__Setup-A-1-STA.pcap",
    "HueBridge__Setup-A-1-STA.pcap", "Lightify__Setup-C-1-STA.pcap", "TP-LinkPlugHS100__Setup-A-1-STA.pcap",
    "WeMoInsightSwitch__Setup-A-1-STA.pcap", "Withings__Setup-A-1-STA.pcap", "alexa-app.pcapng",
    "amcrest-cam-wired0.pcap", "echospot0.pcap", "fridge.pcap", "google-home-mini3.pcap", "homepod.pcap", "invoke.pcap",
    "nest-tstat.pcap", "roku-tv.pcap", "schlage-lock-01.pcap", "sonos.pcapng", "t-philips-hub.pcap", "tplink-plug.pcap",
    "wemo-plug.pcap", "yi_camera_sample.pcap",
)  # fmt: skip
WANTED = 0.9  # of precision, and of recall


def published(heading: str) -> dict[str, list[str]]:
    """First cell of each row of the table below a heading of the page -> the others."""
    page = (ROOT / "docs" / "findings.md").read_text("utf-8")
    _, _, rest = page.partition(f"\n### {heading}\n")
    assert rest, f"no table below {heading!r}"
    rows = re.findall(r"^\| (.+) \|$", rest.split("\n#", 1)[0], re.MULTILINE)[1:]  # without the head
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {row[0]: row[1:] for row in cells}


def measured(plan: Plan, folder: Path) -> Score:
    """Make a home, import it, hunt in it."""
    home = make_home(plan)
    assert len(home.planted) == 33
    return score(home.planted, hunted(database_of(home, folder)))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Score:
    """The score of the home that the hunt was not made with."""
    return measured(UNSEEN, tmp_path_factory.mktemp("unseen"))


def check(row: list[str], result: Score) -> None:
    """What was measured is enough, and what the page says."""
    found, planted, false = len(result.found), len(result.found) + len(result.missed), len(result.false)
    precision, recall = found / (found + false), found / planted
    assert precision >= WANTED, [each.sentence for each in result.false]
    assert recall >= WANTED, result.missed
    assert row == [str(planted), str(found), str(false), f"{precision:.2f}", f"{recall:.2f}"]


def test_the_unseen_home(unseen: Score) -> None:
    check(published("Planted things")["another home"], unseen)


def test_each_kind_is_found(unseen: Score) -> None:
    found = Counter(thing.kind for thing in unseen.found)
    planted = found + Counter(thing.kind for thing in unseen.missed)
    rows = published("By kind")
    assert rows == {KIND_WORDS[kind]: [str(planted[kind]), str(found[kind])] for kind in KIND_WORDS}


@pytest.mark.drill
def test_the_home_that_the_hunt_was_made_with(tmp_path: Path) -> None:
    check(published("Planted things")["the home that the hunt was made with"], measured(TUNED, tmp_path))


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (HOMEPORT_CORPUS names another)")
def test_real_captures_of_things_are_calm(unseen: Score, tmp_path: Path) -> None:
    alarms: dict[str, list[str]] = {}
    for name in CAPTURES:
        database = tmp_path / f"{name}.db"
        assert homeport("import", CORPUS / name, "--db", database, "--jobs", "1") in (0, 1), name
        alarms[name] = [each.sentence for each in hunted(database).serious]
    rows = published("Real captures")
    for half, names in (("looked at before", CAPTURES[::2]), ("others", CAPTURES[1::2])):
        false = [sentence for name in names for sentence in alarms[name]]
        assert rows[half] == [str(len(names)), str(len(false))], false
    every = len(unseen.false) + sum(map(len, alarms.values()))
    assert len(unseen.found) / (len(unseen.found) + every) >= WANTED


@pytest.mark.drill
def test_a_million_packets_in_five_days(tmp_path: Path) -> None:
    """The display that was forgotten: 25 packets in ten seconds, day and night, to a server that knows no limit."""
    home = Home(TUNED)
    display = Gadget("display", 2)
    server = home.somewhere()
    home.asks(display, "departures.linefour.example", server, BEGIN + HOUR, 5)
    home.connects(
        display, server, 443, home.clock(BEGIN + HOUR, 3.6, 0.1, 5 * 86_400), name="departures.linefour.example"
    )
    (found,) = hunted(database_of(home, tmp_path)).serious
    facts = {fact.label: fact.value for fact in found.facts}
    assert (found.kind, found.severity) == (HAMMERING, HIGH)
    assert int(str(facts["Packets"])) > 1_000_000
    assert float(str(facts["Connections an hour"])) == pytest.approx(1000, rel=0.02)
    assert "in 5 days: 17 times a minute" in found.sentence
