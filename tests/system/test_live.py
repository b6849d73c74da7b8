"""`homeport ingest` as a process: beside a recording in a home of network namespaces, killed, stopped, and catching up."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from appliance.sample.day import write_day
from daemon.ingest.standing import touch_look
from tests.support import lab as home
from tests.support.compare import imbalance, same
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, imported, process
from tests.support.lab import AP_V4, CLIENT_MAC, CLIENT_V6, UPSTREAM_V4, UPSTREAM_V6, Lab, wait_until
from tests.support.record.names import API, dnsmasq
from tests.support.record.studio import certificate, curl, s_server
from tests.test_hostile import MIB, memory

NEEDED = (*home.NEEDED, "dnsmasq", "curl", "openssl", "udhcpc")
WORDS = [f"{name}={value}" for name, value in NO_SETTINGS.items()]
needs_lab = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"a lab needs {', '.join(home.missing(NEEDED))}")


def asked(database: Path, query: str) -> list[tuple[object, ...]]:
    """Rows; none while there is no database, or no such view in it yet."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def read_packets(database: Path) -> list[int]:
    """How many of each capture are in the database."""
    return [int(str(row[0])) for row in asked(database, "SELECT packets FROM captures")]


def join_by_dhcp(lab: Lab) -> None:
    """The client asks for an address and says who it is."""
    script = lab.folder / "udhcpc.sh"
    script.write_text(
        '#!/bin/sh\n[ "$1" = bound ] || exit 0\nip address add "$ip/24" dev "$interface"\n'
        'ip route add default via "$router"\n'
    )
    script.chmod(0o755)
    lab.client.run("udhcpc", "-i", "eth0", "-n", "-q", "-x", "hostname:living-room-tv", "-s", str(script))


@needs_lab
@pytest.mark.parametrize("together", [False, True], ids=["capture and ingest", "watch"])
def test_session_of_a_device_is_seen_while_it_lasts(tmp_path: Path, together: bool) -> None:
    database, folder, run = tmp_path / "h.db", tmp_path / "captures", tmp_path / "run"
    folder.mkdir()
    run.mkdir()
    common = ["--dir", str(folder), "--status", str(run)]
    capture = ["--interface", "wlan0", "--trust-clock"]
    with Lab(configure_clients=False) as lab:
        begin = ["env", "-C", str(ROOT), *WORDS, *COMMAND]
        dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic", "dhcp-range=192.168.50.20,192.168.50.20,1h", "no-ping")
        s_server(lab.upstream, 443, certificate(lab.folder, API))
        if together:
            services = [lab.ap.start(*begin, "watch", *capture, *common, "--db", str(database))]
        else:
            services = [lab.ap.start(*begin, "capture", *capture, *common)]
            services += [lab.ap.start(*begin, "ingest", *common, "--db", str(database))]
        wait_until(lambda: bool(list(folder.glob("*.pcap"))), "a capture file", 30)
        wait_until((run / "ingest.json").exists, "ingest", 30)
        touch_look(run)
        join_by_dhcp(lab)
        home.addresses(lab.client, "eth0", f"{CLIENT_V6}/64")
        lab.client.run("ip", "-6", "route", "add", "default", "via", home.AP_V6)
        lab.client.run("curl", "-sk", "-m", "5", f"https://{API}/tiny", check=False)  # asks for the name
        curl(lab.client, UPSTREAM_V4[0], f"https://{API}/tiny")
        curl(lab.client, UPSTREAM_V6[0], f"https://{API}/tiny")
        touch_look(run)
        hellos = f"SELECT DISTINCT server_address FROM hellos WHERE name = '{API}'"  # noqa: S608  a constant
        wait_until(lambda: len(asked(database, hellos)) >= 2, "both handshakes in the database", 10)
        place = "SELECT mac, name FROM devices d JOIN destinations USING (device_id) WHERE domain = '{}'"
        wait_until(lambda: bool(asked(database, place.format(API))), "the device and its destination", 5)
        assert asked(database, place.format(API))[0] == (CLIENT_MAC, "living-room-tv")
        flows = asked(database, f"SELECT DISTINCT ip_version, service FROM flows WHERE server_name = '{API}'")  # noqa: S608
        assert set(flows) == {(4, "https"), (6, "https")} or set(flows) == {(4, "tls"), (6, "tls")}
        assert asked(database, f"SELECT count(*) FROM dns_queries WHERE resolver_address = '{AP_V4}'") != [(0,)]  # noqa: S608
        for service in services:
            lab.ap.stop(service, 60)
        (path,) = folder.glob("*.pcap")
    if not together:
        assert process("ingest", *common, "--db", database, "--once").returncode == 0
    assert imbalance(database) == []
    assert asked(database, "SELECT status, kernel_drops FROM captures") == [("done", 0)]
    if shutil.which("tshark"):
        assert asked(database, "SELECT packets FROM captures") == [(counted(path),)]


def counted(path: Path) -> int:
    """Packets of a file, as tshark counts them."""
    told = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.number"], capture_output=True, text=True, check=True
    )
    return len(told.stdout.split())


def begin(folder: Path, database: Path, *more: str) -> subprocess.Popen[bytes]:
    """The service as a process of its own."""
    command = [*COMMAND, "ingest", "--dir", str(folder), "--db", str(database), "--status", str(database.parent), *more]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **NO_SETTINGS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.drill)])
def test_killed_while_the_file_grows(tmp_path: Path, kills: int) -> None:
    folder, database, rng = tmp_path / "in", tmp_path / "h.db", random.Random(kills)
    folder.mkdir()
    write_day(tmp_path / "day.pcap", seed=3, packets=12_000)
    data = (tmp_path / "day.pcap").read_bytes()
    path = folder / "2026-03-14_00.00.00_wlan0.pcap"
    over = threading.Event()
    there = 1  # shares of the file that may be there: it is not to be whole before the last kill

    def grow() -> None:
        with path.open("wb", buffering=0) as file:
            while (begin := file.tell()) < len(data):
                piece = len(data) if over.is_set() else rng.randrange(1, len(data) // (20 * kills))
                file.write(data[begin : min(begin + piece, len(data) * there // (kills + 1))])
                touch_look(tmp_path)
                over.wait(0.02)

    writer = threading.Thread(target=grow)
    writer.start()
    packets: list[int] = []
    took = 0.0  # until a child has read something, on a machine as busy as this one is
    for there in range(1, kills + 1):  # noqa: B007  the writer looks at it
        began, child = time.monotonic(), begin(folder, database)
        if took:
            time.sleep(rng.uniform(0.3, 1.5) * took)
        else:
            wait_until(lambda: max(read_packets(database), default=0) > 0, "the first packets", 120)
            took = min(time.monotonic() - began, 10.0)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        packets += read_packets(database)
    there = kills + 1
    over.set()
    writer.join()
    assert begin(folder, database, "--once").wait() == 0
    assert packets == sorted(packets)  # what was committed stays
    assert len(set(packets)) > 1
    assert imbalance(database) == []
    assert same(imported(tmp_path / "once.db", path), database) == []
    if shutil.which("tshark"):
        assert asked(database, "SELECT packets FROM captures") == [(counted(path),)]


def test_catching_up_takes_bounded_memory_and_ends_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_day(folder / "2026-03-14_00.00.00_wlan0.pcap", seed=4, packets=200_000)
    stopped = begin(folder, tmp_path / "h.db")
    wait_until(lambda: asked(tmp_path / "h.db", "SELECT packets FROM captures WHERE packets > 0") != [], "a commit", 60)
    asked_s = time.monotonic()
    stopped.terminate()
    assert stopped.wait(30) == 0
    assert time.monotonic() - asked_s < 5  # two seconds are promised, on a machine that does nothing else
    code, peak = memory("ingest", "--dir", folder, "--db", tmp_path / "h.db", "--status", tmp_path, "--once")
    assert code == 0
    assert peak < 150 * MIB
    assert same(imported(tmp_path / "once.db", folder), tmp_path / "h.db") == []
    said = json.loads((tmp_path / "ingest.json").read_text())
    assert (said["state"], said["set_aside"]) == ("stopped", [])


def test_bad_file_shows_in_the_exit_code_and_does_not_block(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.pcap").write_bytes(b"no capture at all\n")
    write_day(folder / "b.pcap", seed=5, packets=500)
    ran = process("ingest", "--dir", folder, "--db", tmp_path / "h.db", "--status", tmp_path, "--once")
    assert ran.returncode == 1
    assert "a.pcap: set aside: this is text, not a capture file" in ran.stderr
    assert asked(tmp_path / "h.db", "SELECT packets, status FROM captures") == [(500, "done")]


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    ran = process("ingest", "--dir", tmp_path / "none", "--db", tmp_path / "h.db")
    assert ran.returncode == 3
    assert "is not a folder" in ran.stderr
