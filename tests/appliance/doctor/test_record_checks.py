from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.doctor.facts import (
    AddressFacts,
    BacklogFacts,
    DatabaseFacts,
    LevelFacts,
    Machine,
    OwnerFacts,
    Records,
    ServiceFacts,
)
from appliance.doctor.finding import ABSENT, BAD, OK, WARN, Finding, needs_attention
from appliance.doctor.record_checks import check_records
from tests.appliance.doctor.facts import KEPT, NOW_US, SIDECAR, WELL, said

BASE, OWN = KEPT.database, KEPT.owner
AWAY = replace(WELL, ingest=ServiceFacts("ingest"))


def found(records: Records, machine: Machine = WELL) -> dict[str, Finding]:
    return {finding.check: finding for finding in check_records(machine, records)}


def test_all_is_well() -> None:
    findings = check_records(WELL, KEPT)
    assert {finding.status for finding in findings} == {OK}
    assert "1.07 GB, 537 MB of it single flows and messages; 1,000,000 packets; schema 5" in findings[3].sentence


@pytest.mark.parametrize(
    ("records", "check", "status", "words"),
    [
        (replace(KEPT, sidecar=None), "captures", WARN, "has not recorded"),
        (replace(KEPT, sidecar=replace(SIDECAR, event="pause", reason="disk full")), "captures", BAD, "paused: disk full"),
        (replace(KEPT, sidecar=replace(SIDECAR, time_us=NOW_US - 300_000_000)), "captures", BAD, "5 min 0 s ago"),
        (replace(KEPT, sidecar=replace(SIDECAR, event="close")), "captures", BAD, "was written to last"),
        (replace(KEPT, sidecar=replace(SIDECAR, synced=False)), "captures", OK, "corrected when the clock is set"),
        (replace(KEPT, database=DatabaseFacts("x.db", exists=False)), "database", WARN, "no database at x.db"),
        (replace(KEPT, database=replace(BASE, damage=("page 7 is odd",))), "database", BAD, "page 7 is odd"),
        (replace(KEPT, database=replace(BASE, checked=False, detail=None)), "database", OK, "too large to be checked"),
        (replace(KEPT, database=replace(BASE, mode=0o640)), "database", WARN, "mode 640: the services cannot share it"),
        (replace(KEPT, database=replace(BASE, broken=("a", "b", "c", "d"))), "set aside", WARN, "4 captures could not"),
        (replace(KEPT, database=replace(BASE, lost=1)), "losses", OK, "1 of the last 100,001 packets were lost (0.00%)"),
        (replace(KEPT, database=replace(BASE, lost=3000)), "losses", WARN, "(2.91%)"),
        (replace(KEPT, owner=OwnerFacts("o.db", exists=False)), "owner's words", ABSENT, "Nothing was said yet"),
        (replace(KEPT, owner=replace(OWN, damage=("x",))), "owner's words", BAD, "is damaged: x"),
        (replace(KEPT, owner=replace(OWN, mode=0o644)), "owner's words", WARN, "mode 644: the services cannot share it"),
        (replace(KEPT, owner=replace(OWN, group="root")), "owner's words", WARN, "belongs to the group root"),
        (replace(KEPT, backlog=BacklogFacts(1 << 30, 3)), "ingest", WARN, "1.07 GB of captures are not in the database"),
        (replace(KEPT, levels=None), "levels", OK, "recorded in full"),
        (replace(KEPT, levels=LevelFacts(2, 1, "of another list", 3)), "levels", WARN, "2 MACs not recorded, 1 without"),
        (replace(KEPT, levels=LevelFacts(1, 0, "followed", 1)), "levels", OK, "1 MAC not recorded, 0 without names"),
        (replace(KEPT, levels=LevelFacts(wished=2)), "levels", WARN, "wishes 2 MACs left out"),
        (replace(KEPT, levels=LevelFacts(0, 0, "followed", 1)), "levels", WARN, "was told otherwise"),
        (replace(KEPT, levels=LevelFacts(1, 0, "followed", 0)), "levels", WARN, "was told otherwise"),
        (replace(KEPT, levels=LevelFacts(0, 0, "followed", 0)), "levels", OK, "0 MACs not recorded"),
        (replace(KEPT, levels=LevelFacts(error="l: it has no end")), "levels", BAD, "it has no end"),
        (replace(KEPT, addresses=AddressFacts((("c.mmdb", "unusable"),), None)), "addresses", WARN, "be used: c.mmdb"),
        (replace(KEPT, addresses=AddressFacts((("c.mmdb", "old"),), 400)), "addresses", WARN, "Old: c.mmdb, up to 400"),
        (replace(KEPT, addresses=AddressFacts((("c.mmdb", "absent"),), None)), "addresses", WARN, "No country"),
    ],
)  # fmt: skip
def test_what_is_broken_is_said(records: Records, check: str, status: str, words: str) -> None:
    now = found(records)
    assert (now[check].status, words in now[check].sentence) == (status, True), now[check]
    assert bool(now[check].remedy) == (status in (WARN, BAD))


def test_a_database_that_cannot_be_opened() -> None:
    now = found(replace(KEPT, database=DatabaseFacts("x.db", exists=True, error="x.db is not a Homeport database.")))
    assert (now["database"].status, now["losses"].status, now["set aside"].status) == (BAD, ABSENT, ABSENT)


@pytest.mark.parametrize(("behind", "status"), [(0, WARN), (1, BAD)])
def test_without_ingest_what_waits_makes_it_worse(behind: int, status: str) -> None:
    assert found(replace(KEPT, backlog=BacklogFacts(behind, 1)), AWAY)["ingest"].status == status
    silent = replace(WELL, ingest=said("ingest", "following", "Follows.", 45))
    assert found(replace(KEPT, backlog=BacklogFacts(behind, 1)), silent)["ingest"].status == status


def test_an_unreadable_status_is_said() -> None:
    now = found(KEPT, replace(WELL, ingest=ServiceFacts("ingest", error="no permission")))
    assert (now["ingest"].status, "no permission" in now["ingest"].sentence) == (WARN, True)


def test_a_laptop_with_imported_captures_needs_no_attention() -> None:
    laptop = replace(AWAY, appliance=False, group=False)
    records = replace(
        KEPT,
        sidecar=None,
        owner=replace(OWN, mode=0o644, group="users"),
        addresses=AddressFacts((), None),
        backlog=None,
    )
    assert not needs_attention(check_records(laptop, records))


def test_names_of_files_are_escaped() -> None:
    hostile = replace(KEPT, database=replace(BASE, broken=("\x1b[2J\n.pcap",)), sidecar=replace(SIDECAR, file="a\nb"))
    assert all(finding.sentence.isprintable() for finding in check_records(WELL, hostile))
