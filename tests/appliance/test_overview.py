from __future__ import annotations

from pathlib import Path

import pytest

from appliance.overview import TABLES, Table, rows, show
from daemon.store.database import open_database
from tests.appliance.conftest import Homeport
from tests.support.packets import HOST_MAC, SERVER, Conversation, pcap


@pytest.mark.parametrize("wanted", TABLES, ids=lambda wanted: wanted.title)
def test_database_without_facts_gives_empty_tables(wanted: Table, tmp_path: Path) -> None:
    open_database(tmp_path / "home.db").close()
    assert rows(tmp_path / "home.db", wanted) == []


def test_tables_say_who_talked_to_whom(homeport: Homeport, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(pcap(Conversation().open().send(b"x" * 5000).reply(b"y" * 900).close().frames))
    homeport("import", capture, "--db", tmp_path / "home.db")
    found = {wanted.title: rows(tmp_path / "home.db", wanted) for wanted in TABLES}
    assert HOST_MAC in {row[1] for row in found["Devices, by traffic"]}
    assert SERVER in {row[0] for row in found["Destinations, by traffic"]}
    assert [row[0] for row in found["Months"]] == ["2023-11"]
    show(tmp_path / "home.db")
    out = capsys.readouterr().out
    assert [wanted.title for wanted in TABLES if wanted.title in out] == [wanted.title for wanted in TABLES]
