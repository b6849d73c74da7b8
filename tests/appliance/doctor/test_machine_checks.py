"""One thing is broken at a time: its check says so, all others stay as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.doctor.facts import UNITS, InterfaceFacts, Machine, ServiceFacts
from appliance.doctor.finding import ABSENT, BAD, OK, WARN, Finding, needs_attention
from appliance.doctor.machine_checks import check_machine
from tests.appliance.doctor.facts import GIB, NOW_US, WELL, said, unit

CHECKS = ("interface", "permission", "clock", "disk", "ballast", "units", "recording")


def found(machine: Machine) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_machine(machine)}


def test_all_is_well() -> None:
    findings = check_machine(WELL)
    assert tuple(finding.check for finding in findings) == CHECKS
    assert {finding.status for finding in findings} == {OK, ABSENT}
    assert [finding.check for finding in findings if finding.status == ABSENT] == ["ballast"]
    assert not needs_attention(findings)


GONE = InterfaceFacts("wlan7", exists=False, others=("eth0", "wlan0"))
DOWN = replace(WELL.interface, up=False, carrier=None)
FAILED = (unit(UNITS[0], active="failed", sub="failed", result="oom-kill"), *WELL.units[1:])
RESTARTED = (*WELL.units[:1], unit(UNITS[1], restarts=12), *WELL.units[2:])
IDLE = (*WELL.units[:1], unit(UNITS[1], active="inactive", sub="dead"), *WELL.units[2:])
WITHOUT_WEB = (*WELL.units[:2], unit(UNITS[2], active="inactive", sub="dead", enabled="disabled"), *WELL.units[3:])
UNREAD = said("ingest", "following", "Follows 1 file.", given_up_unread=["a.pcap"])
UNSEEN = said("capture", "capturing", "Records wlan0.", synced=False)


@pytest.mark.parametrize(
    ("machine", "check", "status", "words"),
    [
        (replace(WELL, interface=GONE), "interface", BAD, "no interface wlan7; there is eth0, wlan0"),
        (replace(WELL, interface=InterfaceFacts("", exists=False)), "interface", BAD, "No interface is named"),
        (replace(WELL, interface=DOWN), "interface", BAD, "wlan0 is down"),
        (replace(WELL, interface=replace(WELL.interface, carrier=False)), "interface", WARN, "nothing is connected"),
        (replace(WELL, clock=replace(WELL.clock, now_us=86_400_000_000)), "clock", BAD, "1970-01-02 00:00 UTC: it was n"),
        (replace(WELL, clock=replace(WELL.clock, synced=False)), "clock", WARN, "Nobody has set the clock"),
        (replace(WELL, clock=replace(WELL.clock, synced=None)), "clock", OK, "nobody can tell"),
        (replace(WELL, capture=UNSEEN), "clock", WARN, "capture service cannot see that"),
        (replace(WELL, disk=replace(WELL.disk, exists=False)), "disk", BAD, "captures is missing"),
        (replace(WELL, disk=replace(WELL.disk, free=GIB)), "disk", WARN, "1.07 GB of 34.4 GB are free"),
        (replace(WELL, disk=replace(WELL.disk, floor=21 * GIB)), "disk", BAD, "less than the 22.5 GB"),
        (replace(WELL, ingest=UNREAD), "disk", BAD, "1 capture had to go before it was read, the last a.pcap."),
        (replace(WELL, disk=replace(WELL.disk, budget=2 * GIB)), "disk", OK, "take 1.07 GB of the 2.15 GB that they may"),
        (replace(WELL, disk=replace(WELL.disk, ballast=0, ballast_wanted=1 << 25)), "ballast", WARN, "0 B of 33.6 MB"),
        (replace(WELL, disk=replace(WELL.disk, ballast=1 << 25, ballast_wanted=1 << 25)), "ballast", OK, "33.6 MB"),
        (replace(WELL, units=FAILED), "units", BAD, "homeport-capture.service has failed (it needed more memory"),
        (replace(WELL, units=RESTARTED), "units", WARN, "homeport-ingest.service had to be started again 12 times"),
        (replace(WELL, units=IDLE), "units", WARN, "homeport-ingest.service is enabled and does not run"),
        (replace(WELL, units=WITHOUT_WEB), "units", OK, "Switched off: homeport-web.service"),
        (replace(WELL, capture=ServiceFacts("capture")), "recording", WARN, "has not run since"),
        (replace(WELL, capture=ServiceFacts("capture", error="x: not JSON")), "recording", WARN, "x: not JSON"),
        (replace(WELL, capture=said("capture", "capturing", "Records.", 90)), "recording", BAD, "silent 90 seconds ago"),
        (replace(WELL, capture=said("capture", "stopped", "Done.")), "recording", BAD, "Nothing is recorded"),
        (replace(WELL, capture=said("capture", "paused", "The disk is full.")), "recording", BAD, "The disk is full."),
        (replace(WELL, capture=said("capture", "x", "Records.", kernel_drops=7)), "recording", WARN, "7 packets came too"),
    ],
)  # fmt: skip
def test_what_is_broken_is_said(machine: Machine, check: str, status: str, words: str) -> None:
    now = found(machine)
    assert (now[check].status, words in now[check].sentence) == (status, True), now[check]
    assert bool(now[check].remedy) == (status in (WARN, BAD)), (
        "a complaint comes with what to do, and nothing else does"
    )
    others = {name: finding.status for name, finding in now.items() if name != check}
    assert others == {name: finding.status for name, finding in found(WELL).items() if name != check}


@pytest.mark.parametrize("net_raw", [True, False])
def test_permission_without_a_service(net_raw: bool) -> None:
    laptop = replace(WELL, capture=ServiceFacts("capture"), units=(), net_raw=net_raw)
    assert found(laptop)["permission"].status == (OK if net_raw else WARN)


def test_the_unit_has_the_right_that_this_user_lacks() -> None:
    assert found(replace(WELL, capture=ServiceFacts("capture")))["permission"].status == OK


def test_a_laptop_that_records_nothing_needs_no_attention() -> None:
    laptop = Machine(
        appliance=False,
        group=False,
        interface=InterfaceFacts("", exists=False, others=("wlp3s0",)),
        net_raw=False,
        clock=replace(WELL.clock, synced=False),
        disk=replace(WELL.disk, exists=False),
        systemd=True,
        units=tuple(unit(name, load="not-found", active="inactive", sub="dead", enabled="") for name in UNITS),
        capture=ServiceFacts("capture"),
        ingest=ServiceFacts("ingest"),
    )
    findings = check_machine(laptop)
    assert not needs_attention(findings)
    assert sum(finding.status == ABSENT for finding in findings) == 6


def test_what_others_have_named_is_escaped() -> None:
    hostile = replace(
        WELL, capture=said("capture", "paused", "\x1b[31mred\nBAD all"), interface=replace(GONE, name="\x1b[")
    )
    sentences = [finding.sentence for finding in check_machine(hostile)]
    assert all(sentence.isprintable() for sentence in sentences)


def test_a_clock_that_was_set_back_silences_nobody() -> None:
    back = replace(WELL, clock=replace(WELL.clock, now_us=NOW_US - 3_600_000_000))
    assert found(back)["recording"].status == OK
