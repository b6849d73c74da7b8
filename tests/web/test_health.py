"""What is broken is said with its cure; what is well is a line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.store.missing import Held
from web.health import BAD, WARN, Facts, find_troubles, health_lines, troubles_at_first
from web.options import ServiceState

NOW = 1_700_000_000_000_000
HELD = Held(1, 1000, 900_000, 0, 0, 0, 0, 1, 0, 0, 0, 0, NOW - 3_600_000_000, NOW)
CAPTURE = ServiceState(
    "capture", running=True, state="capturing", sentence="Recording wlan0: 1,000 packets, none lost.", silent_seconds=1,
    numbers={"written": 1000, "kernel_drops": 0, "interface_drops": 0, "synced": True},
)  # fmt: skip
INGEST = ServiceState(
    "ingest", running=True, state="following", sentence="", silent_seconds=1,
    numbers={"lag_s": 1.5, "free_bytes": 8_000_000_000, "floor_bytes": 1_000_000_000, "captures_bytes": 3_000_000_000},
)  # fmt: skip


def facts(capture: ServiceState | None = CAPTURE, ingest: ServiceState | None = INGEST, held: Held = HELD) -> Facts:
    return Facts([each for each in (capture, ingest) if each], held, 0, 0, NOW - 2_000_000, NOW)


def said(service: ServiceState, **numbers: object) -> ServiceState:
    return replace(service, numbers={**service.numbers, **numbers})


def test_all_is_well() -> None:
    assert find_troubles(facts()) == []
    lines = health_lines(facts())
    assert all(line.fine for line in lines)
    assert [line.about for line in lines] == ["Recording", "Gaps", "Lost", "Understood", "Clock", "Disk"]
    assert lines[-1].says == "8.0 GB free, captures take 3.0 GB"


def test_a_laptop_with_imported_captures_has_no_trouble() -> None:
    alone = facts(None, None, HELD._replace(watched=0))
    assert find_troubles(alone) == []
    assert "no recorder runs on this machine" in health_lines(alone)[0].says
    assert "nobody knows" in health_lines(alone)[2].says


def test_before_the_first_packet_a_silent_recorder_is_no_trouble_and_a_dead_one_is() -> None:
    assert troubles_at_first([]) == []
    assert troubles_at_first([CAPTURE, INGEST]) == []
    (dead, *_) = troubles_at_first([replace(CAPTURE, running=False), INGEST])
    assert (dead.level, dead.command) == (BAD, "sudo systemctl restart homeport-capture && homeport doctor")


@pytest.mark.parametrize(
    ("broken", "level", "words"),
    [
        (facts(None), BAD, "Nothing is being recorded"),
        (facts(replace(CAPTURE, running=False, sentence="It ended: no such interface.")), BAD, "no such interface"),
        (
            facts(replace(CAPTURE, state="paused", sentence="Nothing of wlan0: the disk is full.")),
            BAD,
            "the disk is full",
        ),
        (facts(said(CAPTURE, synced=False)), WARN, "Nobody has set the clock"),
        (facts(said(CAPTURE, kernel_drops=50)), WARN, "50 packets were lost"),
        (facts(ingest=None), WARN, "not being read"),
        (facts(ingest=said(INGEST, lag_s=900.0)), WARN, "15 minutes behind"),
        (facts(ingest=said(INGEST, given_up_unread=["a.pcap", "b.pcap"])), BAD, "2 captures were deleted"),
        (facts(ingest=said(INGEST, free_bytes=5_000_000)), WARN, "The disk is nearly full: 5.0 MB"),
        (replace(facts(), newest_us=NOW - 7_200_000_000), WARN, "No packet has come for 2 hours"),
    ],
)
def test_every_trouble_has_a_cure(broken: Facts, level: str, words: str) -> None:
    (trouble,) = find_troubles(broken)
    assert trouble.level == level
    assert words in trouble.sentence
    assert trouble.cure
    assert trouble.command


def test_the_worst_comes_first() -> None:
    both = facts(None, said(INGEST, lag_s=900.0))
    assert [each.level for each in find_troubles(both)] == [BAD, WARN]


@pytest.mark.parametrize("value", ["many", None, True, [], {"a": 1}, float("nan")])
def test_numbers_of_no_shape_break_nothing(value: object) -> None:
    names = (
        "kernel_drops",
        "interface_drops",
        "written",
        "synced",
        "lag_s",
        "free_bytes",
        "floor_bytes",
        "given_up_unread",
    )
    odd = facts(said(CAPTURE, **dict.fromkeys(names, value)), said(INGEST, **dict.fromkeys(names, value)))
    assert all(each.sentence for each in find_troubles(odd))
    assert len(health_lines(odd)) == 6


def test_lines_tell_what_is_off() -> None:
    held = HELD._replace(kernel_drops=500, undecoded_packets=30, unsynced=2)
    lines = {line.about: line for line in health_lines(replace(facts(held=held), gaps=3, gaps_us=1_200_000_000))}
    assert {about for about, line in lines.items() if not line.fine} == {"Gaps", "Lost", "Understood", "Clock"}
    assert lines["Gaps"].says == "3 in this time, together 20 minutes"
    assert lines["Understood"].says == "30 of 1,000 packets not understood"
