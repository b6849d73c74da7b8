"""The units of `deploy/systemd`: as text, and under a real systemd in a container.

The container tests need root, systemd-nspawn and mmdebstrap (`.ci/tools test` installs both); elsewhere they are skipped.
Each worker boots a container of its own, in about a second, from a tree that the session makes once.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container import ROOT, Container, ContainerError, missing, tree
from tests.support.lab import wait_until

DEPLOY = ROOT / "deploy"
SERVICES = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))
MIB = 1 << 20
RECORDED = ROOT / "tests" / "data" / "tls13.pcap"
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
needs_container = pytest.mark.skipif(bool(missing()), reason=f"no container without {', '.join(missing())}")


def settings(unit: str) -> dict[str, str]:
    """The [Service] section; of a key that stands there twice, the last value."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of units keep their case
    parser.read(DEPLOY / "systemd" / unit)
    return dict(parser["Service"])


def runnable(folder: Path, unit: str) -> Path:
    """The unit with a program that exists on this machine, too."""
    text = (DEPLOY / "systemd" / unit).read_text()
    place = folder / unit
    place.write_text(text.replace("/opt/homeport/bin/homeport", "/bin/true"))
    return place


@needs_analyze
@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_at_most_one_and_a_half(unit: str) -> None:
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=15"]
    run = subprocess.run([*command, str(DEPLOY / "systemd" / unit)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, "\n".join(line for line in run.stdout.splitlines() if "✓" not in line) + run.stderr


@needs_analyze
@pytest.mark.parametrize("unit", [*SERVICES, "homeport-retain.timer"])
def test_systemd_understands_every_line(unit: str, tmp_path: Path) -> None:
    places = [runnable(tmp_path, name) for name in SERVICES]
    shutil.copy(DEPLOY / "systemd" / "homeport-retain.timer", tmp_path)
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in run.stderr.splitlines() if "homeport" in line]
    assert (run.returncode, about_ours) == (0, []), run.stderr
    assert places


def test_what_runs_for_years_is_watched_and_started_again() -> None:
    for unit in SERVICES:
        if unit == "homeport-retain.service":
            continue
        held = settings(unit)
        assert (held["Type"], held["Restart"]) == ("notify", "always"), unit
        assert int(held["WatchdogSec"]) <= 120, unit
        assert "StartLimitIntervalSec=0" in (DEPLOY / "systemd" / unit).read_text(), unit


def test_rights_and_memory_are_those_that_were_promised() -> None:
    rights = {unit: settings(unit)["CapabilityBoundingSet"] for unit in SERVICES}
    assert {unit for unit, right in rights.items() if right} == {"homeport-capture.service"}
    assert rights["homeport-capture.service"] == "CAP_NET_RAW"
    memory = {unit: settings(unit)["MemoryMax"] for unit in SERVICES}
    assert memory["homeport-capture.service"] == "64M"
    assert memory["homeport-ingest.service"] == "150M"
    assert memory["homeport-web.service"] == "120M"


# --- under a real systemd -------------------------------------------------------------------------------------------

CONFIG = '[capture]\ninterface = "wlan0"\nclock = "trust"\n'
REPLAY = """
import socket, struct, sys
data = open(sys.argv[1], "rb").read()
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("device0", 0))
at = 24
while at < len(data):
    size = struct.unpack("<I", data[at + 8:at + 12])[0]
    out.send(data[at + 16:at + 16 + size])
    at += 16 + size
"""
# What a program under a unit may do, tried out: name -> name of the error, or "can".
PROBE = """
import errno, json, os, socket, sys
def attempt(name, call):
    try:
        call()
        done[name] = "can"
    except OSError as error:
        done[name] = errno.errorcode[error.errno]
done = {}
attempt("AF_INET", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("AF_UNIX", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("AF_PACKET", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
for name in ("homeport.db", "owner.db", "captures/a.pcap"):
    attempt("read " + name, lambda: open("/var/lib/homeport/" + name, "rb").close())
    attempt("write " + name, lambda: open("/var/lib/homeport/" + name, "ab").close())
attempt("make a file among captures", lambda: open("/var/lib/homeport/captures/new", "wb").close())
attempt("make a file in /etc", lambda: open("/etc/new", "wb").close())
attempt("make a file in /opt/homeport", lambda: open("/opt/homeport/new", "wb").close())
attempt("read /root", lambda: os.listdir("/root"))
attempt("become root", lambda: os.setuid(0))
attempt("another namespace", lambda: __import__("ctypes").CDLL(None, use_errno=True).unshare(0x10000000)
        and (_ for _ in ()).throw(OSError(__import__("ctypes").get_errno(), "unshare")))
json.dump(done, open("/run/homeport/probe.json", "w"))
"""


# The rest of what is tried comes to nothing.
MAY = {
    "homeport-capture": {
        "AF_PACKET", "AF_UNIX", "read captures/a.pcap", "write captures/a.pcap", "make a file among captures",
    },
    "homeport-ingest": {
        "AF_UNIX", "read captures/a.pcap", "read homeport.db", "write homeport.db", "read owner.db", "write owner.db",
    },
    "homeport-web": {
        "AF_UNIX", "AF_INET", "read captures/a.pcap", "read homeport.db", "write homeport.db", "read owner.db",
        "write owner.db",
    },
}  # fmt: skip
PACKETS = 104  # of RECORDED


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree, shared by all workers of the session, and by later sessions where HOMEPORT_TEST_TREE names a folder."""
    shared = Path(os.environ.get("HOMEPORT_TEST_TREE") or tmp_path_factory.getbasetemp())
    if shared.name.startswith("popen-"):  # a worker of pytest-xdist
        shared = shared.parent
    try:
        return tree(shared)
    except ContainerError as error:
        pytest.skip(f"no tree for a container: {error}")


@pytest.fixture(scope="module")
def box(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A box with Homeport on it, an interface wlan0 and, behind it, a device."""
    with Container(base, tmp_path_factory.mktemp("box")) as container:
        container.run("ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "device0")
        for link in ("wlan0", "device0"):
            container.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{link}/disable_ipv6 || true")
            container.run("ip", "link", "set", link, "up")
        container.write("/etc/homeport/homeport.toml", CONFIG)
        yield container


def start(box: Container, *units: str) -> None:
    for unit in units:
        box.run("systemctl", "start", unit, check=False)
        box.wait_for(unit, "ActiveState", "active")


def stop(box: Container, *units: str) -> None:
    for unit in units:
        box.run("systemctl", "stop", unit)


def restart_quickly(box: Container, unit: str, more: str = "") -> None:
    """A drop-in of the test: what takes minutes on a box takes seconds here."""
    box.write(f"/run/systemd/system/{unit}.service.d/test.conf", f"[Service]\nRestartSec=100ms\n{more}")
    box.run("systemctl", "daemon-reload")


def probe(box: Container, service: str, program: str, *lines: str) -> str:
    """Start a unit that is `service` in everything but its program. The journal of it."""
    text = (DEPLOY / "systemd" / f"{service}.service").read_text()
    kept = [
        line
        for line in text.split("[Install]")[0].splitlines()
        if line.split("=")[0] not in ("Type", "ExecStart", "Restart", "RestartSec", "WatchdogSec", "TimeoutStartSec")
    ]
    at = kept.index("[Service]") + 1
    kept[at:at] = ["Type=oneshot", f"ExecStart={program}", *lines]
    box.write(f"/run/systemd/system/probe-{service}.service", "\n".join(kept) + "\n")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "start", f"probe-{service}.service", check=False)
    return box.journal(f"probe-{service}.service")


def tried(box: Container, service: str) -> dict[str, str]:
    """What a program under the unit of a service can do: see PROBE."""
    box.write("/opt/homeport-test/probe.py", PROBE)
    journal = probe(box, service, "/usr/bin/python3 /opt/homeport-test/probe.py")
    assert box.show(f"probe-{service}", "Result") == "success", journal
    said: dict[str, str] = json.loads(box.run("cat", "/run/homeport/probe.json"))
    box.run("rm", "-f", "/run/homeport/probe.json", "/var/lib/homeport/captures/new")
    return said


def gone(box: Container, unit: str, pid: str, seconds: float) -> bool:
    """Whether another process has taken the place of this one within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if box.show(unit, "MainPID") not in ("0", pid):
            return True
        time.sleep(0.1)
    return False


def own_python_is_the_distributions() -> bool:
    return Path(sys.base_prefix) == Path("/usr")


def export(box: Container, user: str, view: str) -> list[dict[str, object]]:
    """A view, as somebody sees it."""
    said = box.run("runuser", "-u", user, "--", "/opt/homeport/bin/homeport", "export", view, "--format", "jsonl")
    return [json.loads(line) for line in said.splitlines()]


@needs_container
def test_accounts_and_folders(box: Container) -> None:
    groups = box.run("id", "-nG", "homeport-capture").split()
    assert groups == ["homeport-capture", "homeport"]
    listed = box.run(
        "stat", "-c", "%a %U %G %n",
        "/var/lib/homeport", "/var/lib/homeport/captures", "/var/lib/homeport/data", "/run/homeport",
    )  # fmt: skip
    assert listed.splitlines() == [
        "2770 root homeport /var/lib/homeport",
        "2770 homeport-capture homeport /var/lib/homeport/captures",
        "2775 root homeport /var/lib/homeport/data",
        "3770 root homeport /run/homeport",
    ]


@needs_container
def test_the_timer_is_listed_and_its_service_keeps_its_word(box: Container) -> None:
    box.run("systemctl", "enable", "--now", "homeport-retain.timer")
    assert "homeport-retain.timer" in box.run("systemctl", "list-timers", "--all", "--no-pager")
    box.run("systemctl", "start", "homeport-retain.service")  # there may be no database: a condition, no failure
    assert box.show("homeport-retain.service", "ActiveState") != "failed"


@needs_container
def test_from_the_wire_to_a_reader_while_ingest_is_stopped(box: Container) -> None:
    start(box, "homeport-capture", "homeport-ingest")
    box.python(REPLAY, "/opt/homeport/recorded/tls13.pcap")
    seen: list[dict[str, object]] = []

    def arrived() -> bool:
        seen[:] = export(box, "homeport-web", "captures")
        return sum(int(str(row["packets"])) for row in seen) >= PACKETS

    wait_until(arrived, "what was sent, in the database", 90)
    assert "Recording wlan0" in box.show("homeport-capture", "StatusText")
    stop(box, "homeport-ingest")
    left = box.run("sh", "-c", "ls /var/lib/homeport").split()
    assert "homeport.db-shm" not in left, "the reader has to make its own"
    program = "/bin/sh -c '/opt/homeport/bin/homeport export captures --format jsonl >/run/homeport/seen'"
    journal = probe(box, "homeport-web", program)
    assert box.show("probe-homeport-web", "Result") == "success", journal
    assert [json.loads(line) for line in box.run("cat", "/run/homeport/seen").splitlines()] == seen
    start(box, "homeport-ingest")  # what a reader has left behind does not stop the writer
    files = box.run("sh", "-c", "stat -c '%a %U %G' /var/lib/homeport/captures/*.pcap /var/lib/homeport/homeport.db")
    *captures, database = files.splitlines()
    assert set(captures) <= {"640 homeport-capture homeport", "660 homeport-capture homeport"}
    assert database == "660 homeport-ingest homeport"
    stop(box, "homeport-capture", "homeport-ingest")


@needs_container
@pytest.mark.parametrize("service", ["homeport-capture", "homeport-ingest"])
def test_a_killed_service_is_there_again(box: Container, service: str) -> None:
    restart_quickly(box, service)
    start(box, service)
    before = box.show(service, "MainPID")
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", service)
    wait_until(lambda: box.show(service, "MainPID") not in ("0", before), f"{service} after kill -9", 20)
    box.wait_for(service, "ActiveState", "active")
    assert box.show(service, "NRestarts") == "1"
    stop(box, service)
    assert box.show(service, "Result") == "success"


@needs_container
@pytest.mark.parametrize("service", ["homeport-capture", "homeport-ingest"])
def test_a_hung_service_is_ended_by_the_watchdog_and_started_again(box: Container, service: str) -> None:
    restart_quickly(box, service, "WatchdogSec=3\n")
    start(box, service)
    before = box.show(service, "MainPID")
    assert not gone(box, service, before, 4.5), "a service that does its work is fed"
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", service)
    assert gone(box, service, before, 15), "a stopped process does not feed the watchdog"
    box.wait_for(service, "ActiveState", "active")
    assert "Watchdog timeout" in box.journal(service)
    stop(box, service)


@needs_container
def test_stopping_is_quick_and_said(box: Container) -> None:
    restart_quickly(box, "homeport-capture")
    start(box, "homeport-capture")
    began = time.monotonic()
    stop(box, "homeport-capture")
    assert time.monotonic() - began < 3
    assert json.loads(box.run("cat", "/run/homeport/capture.json"))["state"] == "stopped"


@needs_container
def test_what_a_service_says_has_fields_in_the_journal(box: Container) -> None:
    if not own_python_is_the_distributions():
        pytest.skip("python3-systemd of the container belongs to another Python than ours")
    start(box, "homeport-capture")
    said = box.run(
        "journalctl", "--no-pager", "-o", "cat", "HOMEPORT_INTERFACE=wlan0", "SYSLOG_IDENTIFIER=homeport-capture"
    )
    assert "Recording wlan0" in said
    stop(box, "homeport-capture")


@needs_container
def test_the_sandbox(box: Container) -> None:
    box.run(
        "sh", "-c",
        "cd /var/lib/homeport && echo x >owner.db && echo x >captures/a.pcap && touch homeport.db && "
        "chown homeport-capture captures/a.pcap && chmod 660 owner.db homeport.db && chmod 640 captures/a.pcap",
    )  # fmt: skip
    try:
        may = {service: tried(box, service) for service in ("homeport-capture", "homeport-ingest", "homeport-web")}
    finally:
        box.run("sh", "-c", "cd /var/lib/homeport && rm -f owner.db captures/a.pcap homeport.db")
    assert {service: {what for what, how in done.items() if how == "can"} for service, done in may.items()} == MAY
    assert may["homeport-capture"]["read owner.db"] == "ENOENT", "not even that it exists"
    assert may["homeport-ingest"]["AF_INET"] == "EAFNOSUPPORT"


@needs_container
@pytest.mark.parametrize("service", ["homeport-capture", "homeport-ingest"])
def test_more_memory_than_promised_is_the_end(box: Container, service: str) -> None:
    if not box.memory_limits:
        pytest.skip("this kernel lets no container limit memory")
    half = int(settings(f"{service}.service")["MemoryMax"].rstrip("M")) // 2
    taking = "/usr/bin/python3 -c \"x = b'x' * ({} << 20); print(len(x))\""
    probe(box, service, taking.format(half))
    assert box.show(f"probe-{service}", "Result") == "success"
    probe(box, service, taking.format(half * 3))
    assert box.show(f"probe-{service}", "Result") in ("signal", "oom-kill")


@needs_container
def test_the_doctor_of_a_box(box: Container) -> None:
    start(box, "homeport-capture", "homeport-ingest")
    said = box.run("/opt/homeport/bin/homeport", "doctor", "--format", "json", check=False)
    findings = {finding["check"]: finding for finding in json.loads(said)}
    assert {
        name: findings[name]["status"] for name in ("interface", "recording", "captures", "ingest", "database")
    } == dict.fromkeys(("interface", "recording", "captures", "ingest", "database"), "ok"), said
    stop(box, "homeport-ingest", "homeport-capture")
    said = box.run("/opt/homeport/bin/homeport", "doctor", "--format", "json", check=False)
    findings = {finding["check"]: finding for finding in json.loads(said)}
    assert findings["recording"]["status"] == "bad"


@needs_container
@pytest.mark.drill
def test_each_stays_within_its_memory_while_it_works(box: Container) -> None:
    start(box, "homeport-capture", "homeport-ingest")
    for _ in range(300):
        box.python(REPLAY, "/opt/homeport/recorded/tls13.pcap")
    time.sleep(70)  # a commit a minute
    assert box.show("homeport-capture", "NRestarts") == "0"
    assert box.show("homeport-ingest", "NRestarts") == "0"
    stop(box, "homeport-capture", "homeport-ingest")
