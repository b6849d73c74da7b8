"""Captures of real programs (tests/data), imported and read back through the public views.

What must be found stands in the JSON beside each capture, and comes from what the recipe did, confirmed by tshark: see
tests/data/README.md.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest import import_captures

DATA = Path(__file__).parents[1] / "data"
FACTS: dict[str, dict[str, Any]] = {}  # capture -> facts; the same packets in another container have the same facts
for _path in sorted(DATA.glob("*.json")):
    _facts = json.loads(_path.read_text())
    FACTS |= dict.fromkeys([_facts["capture"], *_facts["same_packets"]], _facts)

EXPECTATIONS = [
    pytest.param(capture, expectation, id=f"{capture}-{number}-{expectation['view']}")
    for capture, facts in FACTS.items()
    for number, expectation in enumerate(facts["facts"])
]
VIEWS = (
    "captures",
    "devices",
    "device_hints",
    "dns_answers",
    "dns_queries",
    "dns_responses",
    "flows",
    "hellos",
    "local_networks",
    "traffic",
)

Open = Callable[[str], sqlite3.Connection]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Databases of single captures, each imported once."""
    made: dict[str, sqlite3.Connection] = {}
    folder = tmp_path_factory.mktemp("recorded")

    def database(capture: str) -> sqlite3.Connection:
        if capture not in made:
            path = folder / f"{capture}.db"
            import_captures([str(DATA / capture)], path)
            made[capture] = sqlite3.connect(path)
        return made[capture]

    yield database
    for connection in made.values():
        connection.close()


def comparable(column: str, value: object) -> object:
    """A value as it compares: certificates list their names in an order that means nothing."""
    if column == "certificate_names" and isinstance(value, str):
        return tuple(sorted(value.split()))
    return value


def found(database: sqlite3.Connection, expectation: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """The rows of a view that an expectation is about."""
    assert expectation["view"] in VIEWS
    columns, where = expectation["columns"], expectation["where"]
    condition = " AND ".join(f'"{column}" IS ?' for column in where) or "1"
    listed = ", ".join(f'"{column}"' for column in columns)
    query = f"SELECT {listed} FROM {expectation['view']} WHERE {condition}"  # noqa: S608 - names from our own files
    return Counter(
        tuple(comparable(column, value) for column, value in zip(columns, row, strict=True))
        for row in database.execute(query, list(where.values()))
    )


def test_every_capture_has_facts_and_the_other_way_round() -> None:
    captures = {path.name for path in DATA.iterdir() if ".pcap" in path.name}
    assert captures == set(FACTS)
    assert len(captures) > 30


@pytest.mark.parametrize(("capture", "expectation"), EXPECTATIONS)
def test_what_the_programs_did_is_found(imported: Open, capture: str, expectation: dict[str, Any]) -> None:
    got = found(imported(capture), expectation)
    wanted = Counter(
        tuple(comparable(column, value) for column, value in zip(expectation["columns"], row, strict=True))
        for row in expectation["rows"]
    )
    missing, more = wanted - got, got - wanted
    if expectation["match"] == "some":
        assert not missing, f"among {sorted(got, key=str)}"
    else:
        assert (missing, more) == (Counter(), Counter()), expectation["why"]


@pytest.mark.parametrize("capture", FACTS)
def test_every_packet_and_byte_is_in_traffic(imported: Open, capture: str) -> None:
    facts, database = FACTS[capture], imported(capture)
    row = database.execute("SELECT packets, bytes, undecoded_packets, status, error FROM captures").fetchall()
    assert row == [(facts["packets"], facts["bytes"], 0, "done", None)]
    summed = database.execute(
        "SELECT sum(packets_up + packets_down), sum(bytes_up + bytes_down) FROM traffic"
    ).fetchone()
    assert summed == (facts["packets"], facts["bytes"])


@pytest.mark.parametrize("capture", FACTS)
def test_every_ip_packet_is_in_one_flow(imported: Open, capture: str) -> None:
    flows, rest = (
        imported(capture).execute(query).fetchone()[0]
        for query in (
            "SELECT coalesce(sum(packets_up + packets_down), 0) FROM flows",
            "SELECT coalesce(sum(packets_up + packets_down), 0) FROM traffic WHERE ip_version IS NULL",
        )
    )
    assert flows + rest == FACTS[capture]["packets"]


def _export(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All views without what may differ between databases."""
    rows = {}
    with closing(sqlite3.connect(path)) as database:
        for view in VIEWS:
            cursor = database.execute(f"SELECT * FROM {view}")  # noqa: S608 - a constant
            kept = [
                i
                for i, column in enumerate(cursor.description)
                if not column[0].endswith("_id") and column[0] != "path"
            ]
            rows[view] = sorted((tuple(row[i] for i in kept) for row in cursor), key=str)
    return rows


def test_order_of_import_and_number_of_workers_change_nothing(tmp_path: Path) -> None:
    captures = [str(DATA / facts["capture"]) for name, facts in FACTS.items() if name == facts["capture"]]
    plans = {"forward.db": (captures, 1), "backward.db": (captures[::-1], 1), "workers.db": (captures, 2)}
    for name, (paths, jobs) in plans.items():
        import_captures(paths, tmp_path / name, jobs=jobs)
    forward, backward, workers = (_export(tmp_path / name) for name in plans)
    for view in VIEWS:
        assert forward[view] == backward[view], view
        assert forward[view] == workers[view], view


def test_the_same_packets_in_another_container_say_the_same(tmp_path: Path) -> None:
    names = ["tls12.pcap", *FACTS["tls12.pcap"]["same_packets"]]
    for name in names:
        import_captures([str(DATA / name)], tmp_path / f"{name}.db")
    exports = [_export(tmp_path / f"{name}.db") for name in names]
    for view in VIEWS:
        if view != "captures":  # sizes of files differ
            assert all(export[view] == exports[0][view] for export in exports), view


def test_the_same_bytes_again_add_nothing(tmp_path: Path) -> None:
    capture, path = str(DATA / "dhcp_dns_http.pcap"), tmp_path / "again.db"
    import_captures([capture], path)
    once = _export(path)
    import_captures([capture], path)
    assert _export(path) == once
