"""A box: Homeport's units under a real systemd, in a container.

Needs root and systemd-nspawn (`.ci/tools test` installs it); elsewhere it is skipped. Each worker boots a container of
its own, in about a second, from this machine's own root folder; the drill also from a Debian that the session makes once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container import OWN, Container, ContainerError, missing, tree
from tests.support.lab import CLIENT_MAC, LabError, wait_until
from tests.support.units import UNITS, settings

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no container without {', '.join(missing())}")

CONFIG = '[capture]\ninterface = "wlan0"\nclock = "trust"\n'
REPLAY = """
import socket, struct, sys, time
data = open(sys.argv[1], "rb").read()
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("device0", 0))
for _ in range(int(sys.argv[2])):
    at = 24
    while at < len(data):
        size = struct.unpack("<I", data[at + 8:at + 12])[0]
        out.send(data[at + 16:at + 16 + size])
        at += 16 + size
    time.sleep(0.03)
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
        "make a file among captures",
    },
    "homeport-web": {
        "AF_UNIX", "AF_INET", "read captures/a.pcap", "read homeport.db", "write homeport.db", "read owner.db",
        "write owner.db",
    },
}  # fmt: skip
PACKETS = 104  # of the recording that REPLAY sends
BOTH = ["homeport-capture", pytest.param("homeport-ingest", marks=pytest.mark.drill)]  # the second is the slower


@pytest.fixture(scope="module", params=["this system", pytest.param("a new Debian", marks=pytest.mark.drill)])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is booted. The tree is shared by all workers, and by later sessions where HOMEPORT_TEST_TREE names a folder."""
    if request.param == "this system":
        return OWN
    shared = Path(os.environ.get("HOMEPORT_TEST_TREE") or tmp_path_factory.getbasetemp())
    if shared.name.startswith("popen-"):  # a worker of pytest-xdist
        shared = shared.parent
    if absent := missing(shared):
        pytest.skip(f"no tree for a container without {', '.join(absent)}")
    try:
        return tree(shared)
    except ContainerError as error:
        pytest.skip(f"no tree for a container: {error}")


@pytest.fixture(scope="module")
def box(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A box with Homeport on it, an interface wlan0 and, behind it, a device."""
    container = Container(base, tmp_path_factory.mktemp("box"))
    try:
        container.__enter__()
    except (ContainerError, LabError) as error:
        pytest.skip(f"no container can be booted here: {error}")
    try:
        container.run("ip", "link", "add", "wlan0", "type", "veth", "peer", "name", "device0")
        for link in ("wlan0", "device0"):
            container.run("ip", "link", "set", link, "up")
        container.write("/etc/homeport/homeport.toml", CONFIG)
        yield container
    finally:
        container.__exit__()


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


def as_delivered(box: Container, unit: str) -> None:
    """Without the drop-in."""
    box.run("rm", "-r", f"/run/systemd/system/{unit}.service.d")
    box.run("systemctl", "daemon-reload")


def probe(box: Container, service: str, program: str, *lines: str) -> str:
    """Start a unit that is `service` in everything but its program. The journal of it."""
    text = (UNITS / f"{service}.service").read_text()
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


def export(box: Container, user: str, view: str) -> list[dict[str, object]]:
    """A view, as somebody sees it."""
    said = box.run("runuser", "-u", user, "--", "/opt/homeport/bin/homeport", "export", view, "--format", "jsonl")
    return [json.loads(line) for line in said.splitlines()]


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


def test_the_timer_is_listed_and_its_service_keeps_its_word(box: Container) -> None:
    box.run("systemctl", "enable", "--now", "homeport-retain.timer")
    assert "homeport-retain.timer" in box.run("systemctl", "list-timers", "--all", "--no-pager")
    box.run("systemctl", "start", "homeport-retain.service")  # there may be no database: a condition, no failure
    assert box.show("homeport-retain.service", "ActiveState") != "failed"


def test_ready_means_that_it_works(box: Container) -> None:
    """`systemctl start` comes back when the service has said so: by then there is a file, and a database."""
    box.run("sh", "-c", "rm -f /var/lib/homeport/homeport.db* /var/lib/homeport/captures/*")
    for unit in ("homeport-capture", "homeport-ingest"):
        box.run("systemctl", "start", unit)
    assert len(box.run("sh", "-c", "ls /var/lib/homeport/captures/*.pcap").split()) == 1
    assert json.loads(box.run("cat", "/run/homeport/capture.json"))["state"] == "capturing"
    assert export(box, "homeport-web", "captures") == []
    stop(box, "homeport-capture", "homeport-ingest")


def test_from_the_wire_to_a_reader_while_ingest_is_stopped(box: Container) -> None:
    start(box, "homeport-capture", "homeport-ingest")
    box.python(REPLAY, "/opt/homeport/recorded/tls13.pcap", "1")
    seen: list[dict[str, object]] = []

    def arrived() -> bool:
        box.run("touch", "/run/homeport/look")
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
    box.run("systemctl", "start", "homeport-retain.service")  # beside the writer
    assert "home: 0 flows that ended" in box.journal("homeport-retain")
    stop(box, "homeport-capture", "homeport-ingest")


def test_who_is_off_is_left_out_by_units_that_may_no_more_than_delivered(box: Container) -> None:
    box.run("sh", "-c", "rm -f /var/lib/homeport/captures/*.pcap*")
    for user, words in (
        ("homeport-ingest", "import /opt/homeport/recorded/tls13.pcap"),
        ("homeport-web", f"devices record {CLIENT_MAC} off"),
    ):
        box.run(
            "runuser", "-u", user, "-g", "homeport", "--", "sh", "-c", f"umask 007; /opt/homeport/bin/homeport {words}"
        )
    start(box, "homeport-capture", "homeport-ingest")
    status = ("cat", "/run/homeport/capture.json")
    wait_until(lambda: json.loads(box.run(*status))["not_recorded"] == 1, "the recorder to follow", 30)
    box.python(REPLAY, "/opt/homeport/recorded/tls13.pcap", "1")
    stop(box, "homeport-ingest", "homeport-capture")
    said = json.loads(box.run(*status))
    assert said["state"] == "stopped"
    assert said["written"] < PACKETS // 10, "all of these are from or to it; the kernel says a word of its own"
    listed = box.run("stat", "-c", "%a %U %G", "/var/lib/homeport/captures/.levels.json").strip()
    assert listed == "640 homeport-ingest homeport"
    box.run("sh", "-c", "cd /var/lib/homeport && rm -f owner.db* homeport.db* captures/.levels.json captures/*")


GET = """
import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080" + sys.argv[1], timeout=10).read().decode())
"""


def test_the_dashboard_shows_what_is_known_while_ingest_is_stopped(box: Container) -> None:
    open_to_all = "/opt/homeport/bin/homeport serve --host 127.0.0.1 --port 8080 --open"  # else the page is of a login
    restart_quickly(box, "homeport-web", f"ExecStart=\nExecStart={open_to_all}\n")
    as_ingest = "umask 007; /opt/homeport/bin/homeport import /opt/homeport/recorded/tls13.pcap"
    box.run("runuser", "-u", "homeport-ingest", "-g", "homeport", "--", "sh", "-c", as_ingest)
    start(box, "homeport-web")
    assert "ok" in box.python(GET, "/healthz").lower()
    shown = json.loads(box.python(GET, "/api/v1/reports/destinations"))
    assert shown["rows"], "the device's destinations"
    before = box.show("homeport-web", "MainPID")
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "homeport-web")
    wait_until(lambda: box.show("homeport-web", "MainPID") not in ("0", before), "the dashboard after kill -9", 60)
    box.wait_for("homeport-web", "ActiveState", "active")
    assert json.loads(box.python(GET, "/api/v1/reports/destinations"))["rows"] == shown["rows"]
    start(box, "homeport-ingest")  # what a reader has left behind does not stop the writer
    stop(box, "homeport-web", "homeport-ingest")
    assert box.show("homeport-web", "Result") == "success"
    as_delivered(box, "homeport-web")


@pytest.mark.parametrize("service", BOTH)
def test_a_killed_service_is_there_again(box: Container, service: str) -> None:
    restart_quickly(box, service)
    start(box, service)
    before = box.show(service, "MainPID")
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", service)
    wait_until(lambda: box.show(service, "MainPID") not in ("0", before), f"{service} after kill -9", 60)
    box.wait_for(service, "ActiveState", "active")
    assert box.show(service, "NRestarts") == "1"
    stop(box, service)
    assert box.show(service, "Result") == "success"
    as_delivered(box, service)


@pytest.mark.parametrize("service", BOTH)
def test_a_hung_service_is_ended_by_the_watchdog_and_started_again(box: Container, service: str) -> None:
    restart_quickly(box, service, "WatchdogSec=5\n")
    start(box, service)
    before = box.show(service, "MainPID")
    assert not gone(box, service, before, 6.5), "a service that does its work is fed"
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", service)
    assert gone(box, service, before, 40), "a stopped process does not feed the watchdog"
    box.wait_for(service, "ActiveState", "active")
    assert "Watchdog timeout" in box.journal(service)
    stop(box, service)
    as_delivered(box, service)


def test_stopping_is_quick_and_said(box: Container) -> None:
    restart_quickly(box, "homeport-capture")
    start(box, "homeport-capture")
    began = time.monotonic()
    stop(box, "homeport-capture")
    assert time.monotonic() - began < 5  # a second is promised, on a machine that does nothing else
    assert json.loads(box.run("cat", "/run/homeport/capture.json"))["state"] == "stopped"
    as_delivered(box, "homeport-capture")


def test_what_a_service_says_has_fields_in_the_journal(box: Container) -> None:
    if not box.journal_fields:
        pytest.skip("systemd-python is not there, or made for another Python than ours")
    start(box, "homeport-capture")
    said = box.run(
        "journalctl", "--no-pager", "-o", "cat", "HOMEPORT_INTERFACE=wlan0", "SYSLOG_IDENTIFIER=homeport-capture"
    )
    assert "Recording wlan0" in said
    stop(box, "homeport-capture")


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


@pytest.mark.drill
def test_each_stays_within_its_memory_while_it_works(box: Container) -> None:
    start(box, "homeport-capture", "homeport-ingest")
    before = sum(int(str(row["packets"])) for row in export(box, "homeport-web", "captures"))
    rounds = 600
    box.python(REPLAY, "/opt/homeport/recorded/tls13.pcap", str(rounds))

    def arrived() -> bool:
        box.run("touch", "/run/homeport/look")
        now = sum(int(str(row["packets"])) for row in export(box, "homeport-web", "captures"))
        return now - before >= rounds * PACKETS

    wait_until(arrived, "every packet that was sent, in the database", 400)
    again = {unit: box.show(unit, "NRestarts") for unit in ("homeport-capture", "homeport-ingest")}
    assert again == dict.fromkeys(again, "0"), box.journal("homeport-ingest")[-2000:]
    stop(box, "homeport-capture", "homeport-ingest")
