"""A home in network namespaces, taped while real programs talk, and imported.

Needs root and the programs of NEEDED; skipped, with the reason, where they are missing.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest import import_captures
from tests.support import lab as home
from tests.support.lab import AP_V4, CLIENT_MAC, CLIENT_V4, CLIENT_V6, UPSTREAM_V4, UPSTREAM_V6, Lab, LabError
from tests.support.record.names import API, dnsmasq, question
from tests.support.record.studio import Take, certificate, curl, s_server

NEEDED = (*home.NEEDED, "dnsmasq", "curl", "openssl")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"a lab needs {', '.join(home.missing(NEEDED))}")

Rows = list[tuple[object, ...]]


def _ask(lab: Lab, name: str) -> None:
    with lab.client.entered():
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with asking:
        asking.settimeout(5)
        asking.sendto(question(7, name, 1), (AP_V4, 53))
        asking.recv(512)


def _rows(database: Path, query: str) -> Rows:
    with closing(sqlite3.connect(database)) as connection:
        return sorted(connection.execute(query).fetchall(), key=str)  # NULLs do not sort


def test_what_a_device_does_is_found_while_the_tape_rolls_and_after(tmp_path: Path) -> None:
    live, once = tmp_path / "live.db", tmp_path / "once.db"
    with Lab() as lab:
        take = Take(lab, tmp_path / "tape.pcap")
        dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic")
        s_server(lab.upstream, 443, certificate(lab.folder, API))
        with take.rolling():
            _ask(lab, API)
            first = curl(lab.client, UPSTREAM_V4[0], f"https://{API}/tiny")
            import_captures([str(take.path)], live)
            before = _rows(live, "SELECT name FROM hellos")
            second = curl(lab.client, UPSTREAM_V6[0], f"https://{API}/tiny")
            _ask(lab, "nothing.vendor.example")
    import_captures([str(take.path)], live)
    import_captures([str(take.path)], once)
    assert before == [(API,)]
    assert _rows(live, "SELECT client_address, client_port, server_address, name FROM hellos") == sorted(
        [(CLIENT_V4, first, UPSTREAM_V4[0], API), (CLIENT_V6, second, UPSTREAM_V6[0], API)]
    )
    assert _rows(live, "SELECT name, type, rcode FROM dns_responses") == [
        (API, "A", "NOERROR"),
        ("nothing.vendor.example", "A", "NXDOMAIN"),
    ]
    for query in (
        "SELECT client_port, server_address, service, server_name, end, bytes_up, bytes_down FROM flows",
        "SELECT seen_us, name, alpn, ja4, chosen_version FROM hellos",
        "SELECT slot_us, remote_address, service, packets_up, packets_down, bytes_up, bytes_down FROM traffic",
    ):
        assert _rows(live, query) == _rows(once, query)


def test_pings_are_counted_both_ways(tmp_path: Path) -> None:
    with Lab() as lab:
        take = Take(lab, tmp_path / "tape.pcap")
        with take.rolling(only=f"icmp and ether host {CLIENT_MAC}"):
            lab.client.run("ping", "-c", "3", "-i", "0.1", UPSTREAM_V4[1])
    import_captures([str(take.path)], tmp_path / "ping.db")
    wanted = [
        ("icmp", CLIENT_V4, UPSTREAM_V4[1], 3, 3, 294, 294)
    ]  # 98 bytes each: 14 Ethernet, 20 IPv4, 8 ICMP, 56 data
    columns = "protocol, client_address, server_address, packets_up, packets_down, bytes_up, bytes_down"
    assert _rows(tmp_path / "ping.db", f"SELECT {columns} FROM flows") == wanted  # noqa: S608 - a constant


def test_a_lab_leaves_nothing_behind() -> None:
    folders = []

    def failing() -> None:
        with Lab() as lab:
            folders.append(lab.folder)
            lab.client.start("sleep", "600")
            lab.client.run("false")

    with pytest.raises(LabError, match="false"):
        failing()
    names = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert f"hp-{os.getpid()}-" not in names
    assert [folder.exists() for folder in folders] == [False]
    assert not list(Path("/etc").glob(f"netns/hp-{os.getpid()}-*"))
