from __future__ import annotations

import json
from pathlib import Path

from tests.appliance.conftest import Homeport

RECORDED = Path(__file__).parents[2] / "data" / "tls13.pcap"


def test_on_a_machine_that_records_nothing_it_checks_what_there_is(homeport: Homeport, tmp_path: Path) -> None:
    database = tmp_path / "homeport.db"
    assert homeport("import", RECORDED, "--db", database).code == 0
    ran = homeport("doctor", "--db", database, "--dir", tmp_path, "--format", "json")
    findings = {finding["check"]: finding for finding in json.loads(ran.out)}
    assert findings["database"]["status"] == "ok"
    assert findings["losses"]["status"] in ("ok", "not applicable")
    assert findings["owner's words"]["status"] == "not applicable"
    assert ran.code == (1 if any(finding["status"] in ("warn", "bad") for finding in findings.values()) else 0)


def test_something_that_needs_attention(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("doctor", "--interface", "nosuch0", "--dir", tmp_path / "gone", "--db", tmp_path / "no.db")
    assert ran.code == 1
    assert "BAD" in ran.out
    assert "There is no interface nosuch0" in ran.out
    assert "interface: Plug the adapter in." in ran.out
    assert ran.out.rstrip().endswith("Something needs attention.")


def test_nothing_is_made(homeport: Homeport, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    homeport("doctor", "--dir", tmp_path, "--db", tmp_path / "no.db", "--owner", tmp_path / "owner.db")
    assert sorted(tmp_path.rglob("*")) == before
