"""The public schema, to the letter: others rely on it (DESIGN.md). Columns may be added at the end, never changed."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from daemon.store.export import VIEWS, export_rows
from tests.daemon.ingest.scenes import HOUR, evening, lookup, questions, talk, write
from tests.support import packets as p
from tests.support.importing import imported
from tests.support.packets import START_US

COLUMNS = {
    "captures": "capture_id site series path link_types size cursor packets bytes undecoded_packets undecoded_bytes first_us"
    " last_us status kernel_drops interface_drops clock_offset_us error",
    "capture_gaps": "site series from_us to_us reason",
    "local_networks": "site prefix source first_seen_us last_seen_us",
    "devices": "device_id site name name_source owner room mac mac_random vendor model kind first_seen_us last_seen_us"
    " bytes_up bytes_down",
    "device_addresses": "device_id site address first_seen_us last_seen_us",
    "device_hints": "device_id site mac address source key value first_seen_us last_seen_us",
    "flows": "flow_id capture_id site device_id peer_device_id protocol ip_version client_address client_port"
    " server_address server_port service encrypted server_name name_source tunnel end count first_seen_us last_seen_us"
    " packets_up packets_down bytes_up bytes_down",
    "hellos": "seen_us site device_id client_address client_port server_address server_port source name alpn version"
    " chosen_version cipher ech ja4 certificate_names method user_agent",
    "dns_queries": "seen_us site device_id client_address resolver_address transport name type",
    "dns_responses": "seen_us site device_id client_address resolver_address transport name type rcode answers",
    "dns_answers": "seen_us site device_id client_address resolver_address transport section query_name name type value ttl",
    "traffic": "slot_us site device_id peer_device_id remote_address domain protocol ip_version service encrypted scope"
    " packets_up packets_down bytes_up bytes_down",
    "destinations": "month site device_id device domain registrable_domain tenant infrastructure address party organisation"
    " asn country country_confidence purpose rule_id reason name_source flows packets_up packets_down bytes_up bytes_down"
    " first_seen_us last_seen_us",
}
WORDS = {
    ("captures", "status"): {"live", "done", "torn", "corrupt", "unsupported", "unsynced", "deleted"},
    ("flows", "encrypted"): {"yes", "no", "unknown"},
    ("flows", "end"): {"open", "fin", "rst", "idle", "cut"},
    ("hellos", "source"): {"tls", "quic", "http"},
    ("dns_queries", "transport"): {"udp", "tcp", "mdns", "llmnr"},
    ("dns_answers", "section"): {"answer", "authority", "additional"},
    ("traffic", "scope"): {"internet", "local", "chatter"},
    ("traffic", "encrypted"): {"yes", "no", "unknown"},
}
RECORDED = sorted((Path(__file__).parents[2] / "data").glob("*.pcap*"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that was recorded, and an evening with a crowd."""
    folder = tmp_path_factory.mktemp("views")
    day = write(
        folder / "day.pcap", evening(), questions(START_US + HOUR, 150), lookup(START_US + 3 * HOUR, "end.example")
    )
    return imported(folder / "h.db", day, *RECORDED)


def column(database: Path, view: str, name: str) -> set[Any]:
    with closing(sqlite3.connect(database)) as db:
        return {row[0] for row in db.execute(f"SELECT DISTINCT {name} FROM {view}")}  # noqa: S608  names from this file


def test_every_view_is_listed() -> None:
    assert set(VIEWS) == set(COLUMNS)


@pytest.mark.parametrize("view", COLUMNS)
def test_columns_are_as_published(database: Path, view: str) -> None:
    columns, rows = export_rows(database, view)
    rows.close()  # type: ignore[attr-defined]  # a generator, which closes its database
    published = COLUMNS[view].split()
    assert columns[: len(published)] == published


@pytest.mark.parametrize("view", COLUMNS)
def test_export_gives_the_rows_of_the_view(database: Path, view: str) -> None:
    columns, rows = export_rows(database, view)
    exported = sorted(rows, key=str)
    with closing(sqlite3.connect(database)) as db:
        assert exported == sorted(db.execute(f"SELECT * FROM {view}"), key=str)  # noqa: S608  a view of this file
    assert all(len(row) == len(columns) for row in exported)
    if view != "capture_gaps":
        assert exported


def test_only_views_can_be_exported(database: Path) -> None:
    with pytest.raises(ValueError, match="sqlite_master"):
        export_rows(database, "sqlite_master")


@pytest.mark.parametrize(("view", "name"), WORDS, ids=".".join)
def test_words_are_from_their_list(database: Path, view: str, name: str) -> None:
    assert column(database, view, name) <= WORDS[view, name]


@pytest.mark.parametrize("view", COLUMNS)
def test_values_have_their_form(database: Path, view: str) -> None:
    """Addresses canonical, MACs lower case with colons, times in microseconds of this age, names without escapes."""
    for name in COLUMNS[view].split():
        values = column(database, view, name) - {None}
        if name.endswith("address") or name == "address":
            assert all(str(ip_address(value)) == value for value in values), name
        elif name == "mac":
            assert all(re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", value) for value in values)
        elif name.endswith("_us") and name != "clock_offset_us":
            assert all(1_600_000_000_000_000 < value < 2_000_000_000_000_000 for value in values), name
        elif name in ("domain", "server_name", "query_name"):
            assert all(value == value.lower() and not value.endswith(".") for value in values), name
            assert all(0x21 <= ord(char) <= 0x7E for value in values for char in value), name
        elif name.startswith(("packets", "bytes")):
            assert all(isinstance(value, int) and value >= 0 for value in values), name
        elif name in ("protocol", "service"):
            assert all(value == value.lower() and " " not in value for value in values), name


def test_ids_lead_to_their_rows(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db:
        for view in ("flows", "hellos", "traffic", "dns_queries", "dns_responses", "dns_answers", "device_addresses"):
            lost = db.execute(
                f"SELECT count(*) FROM {view} WHERE device_id NOT IN (SELECT device_id FROM devices)"  # noqa: S608  one of VIEWS
            ).fetchone()
            assert lost == (0,), view
        assert db.execute("SELECT count(DISTINCT flow_id) = count(*) FROM flows").fetchone() == (1,)
        assert db.execute(
            "SELECT count(*) FROM flows WHERE capture_id NOT IN (SELECT capture_id FROM captures)"
        ).fetchone() == (0,)


def test_months_and_slots_are_utc(database: Path) -> None:
    assert all(re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month) for month in column(database, "destinations", "month"))
    assert all(slot % 900_000_000 == 0 for slot in column(database, "traffic", "slot_us"))


def test_up_is_what_the_device_sent_whoever_asked(tmp_path: Path) -> None:
    """A server in the house: in `flows` up is the client's, in `traffic` and `devices` the device's."""
    frames = talk(START_US, client="198.51.100.9", mac=p.ROUTER_MAC, server="192.168.1.10", reply=5000)
    path = write(tmp_path / "day.pcap", [(t, f[:6] + f[6:12] + f[12:]) for t, f in _to_host(frames)])
    with closing(sqlite3.connect(imported(tmp_path / "h.db", path))) as db:
        flow = db.execute("SELECT bytes_up, bytes_down FROM flows").fetchone()
        assert db.execute("SELECT bytes_up, bytes_down, remote_address FROM traffic").fetchone() == (
            *flow[::-1],
            "198.51.100.9",
        )
        assert (
            db.execute("SELECT bytes_up, bytes_down FROM devices WHERE mac = ?", (p.HOST_MAC,)).fetchone() == flow[::-1]
        )


def _to_host(frames: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The same conversation with the server behind the host's MAC."""
    host, router = p.mac_bytes(p.HOST_MAC), p.mac_bytes(p.ROUTER_MAC)
    return [(at, (host + router if place_of(frame) else router + host) + frame[12:]) for at, frame in frames]


def place_of(frame: bytes) -> bool:
    """Whether a frame goes to the server of the house."""
    return frame[30:34] == ip_address("192.168.1.10").packed


def test_capture_of_a_radio_is_unsupported_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "radio.pcap"
    path.write_bytes(p.pcap([(START_US + n, b"\x80\0" + bytes(60)) for n in range(5)], link=105))
    database = imported(tmp_path / "h.db", path, codes=(3,))
    with closing(sqlite3.connect(database)) as db:
        told = db.execute(
            "SELECT link_types, packets, bytes, undecoded_packets, undecoded_bytes, status, error FROM captures"
        )
        assert told.fetchall() == [
            ("IEEE802_11", 5, 310, 5, 310, "unsupported", "link type 105 (IEEE802_11) is not decoded")
        ]
