"""Two devices, one of whom is not to be recorded, or not by name, while both go on talking.

Needs root and the programs of NEEDED; skipped, with the reason, where they are missing.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.decode.levels import NAME, Levels, format_levels
from daemon.decode.sidecar import SUFFIX, SidecarLine, parse_lines
from daemon.ingest.standing import touch_look
from tests.support import lab as home
from tests.support.compare import imbalance
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, homeport, process
from tests.support.lab import AP_V4, CLIENT_MAC, OTHER_MAC, UPSTREAM_V4, Lab, wait_until
from tests.support.record.names import API, CDN, dnsmasq, question
from tests.support.record.studio import certificate, curl, s_server
from tests.support.recording import files_in, records_in
from tests.support.wire import Wire, numbers_in
from tests.system.test_live import asked

NEEDED = (*home.NEEDED, "dnsmasq", "curl", "openssl")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"a lab needs {', '.join(home.missing(NEEDED))}")

WORDS = [f"{name}={value}" for name, value in NO_SETTINGS.items()]
SECOND = 1_000_000
BOUND_S = 20  # said, heard, done: some two seconds on an idle machine
CLIENT, OTHER = (bytes.fromhex(mac.replace(":", "")) for mac in (CLIENT_MAC, OTHER_MAC))
LEAST_BYTES = 16 + 14 + 20 + 8 + 16  # of a record of `talking`
LABEL = "img"  # the label of CDN that nobody else on the wire says, as DNS and TLS both have it in clear


class Box:
    """The services of one home, and its files."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.run = lab, folder / "run"
        self.captures, self.database, self.owner = folder / "captures", folder / "h.db", folder / "owner.db"
        self.captures.mkdir()
        self.run.mkdir()

    def start(self, verb: str) -> subprocess.Popen[bytes]:
        """One of the services, running."""
        before = len(files_in(self.captures))
        more = {
            "capture": ["--interface", "wlan0", "--trust-clock"],
            "ingest": ["--db", str(self.database), "--owner", str(self.owner)],
        }[verb]
        command = ["env", "-C", str(ROOT), *WORDS, *COMMAND, verb, *more]
        process = self.lab.ap.start(*command, "--dir", str(self.captures), "--status", str(self.run))

        def ready() -> bool:
            assert process.poll() is None, self.lab.ap.output(process)
            return len(files_in(self.captures)) > before if verb == "capture" else (self.run / "ingest.json").exists()

        wait_until(ready, verb, 30)
        return process

    def say(self, level: str) -> int:
        """What the owner does about the client; when."""
        said_us = time.time_ns() // 1000
        assert homeport("devices", "record", CLIENT_MAC, level, "--db", self.database, "--owner", self.owner) == 0
        return said_us

    def goes_on(self, packets: int) -> None:
        """Until so many more were recorded, whosever they are."""
        (file,) = files_in(self.captures)[-1:]
        enough = file.stat().st_size + packets * LEAST_BYTES
        wait_until(lambda: file.stat().st_size >= enough, f"{packets} more packets", 30)

    def heard(self, off: int, no_names: int, since_us: int) -> SidecarLine:
        """The line with which the recorder says that it follows."""

        def lines() -> list[SidecarLine]:
            (file,) = files_in(self.captures)[-1:]
            found = parse_lines(file.with_name(file.name + SUFFIX).read_bytes()).lines
            wanted = {"off": off, "no_names": no_names}
            return [
                line for line in found if line.event == "levels" and line.more == wanted and line.time_us >= since_us
            ]

        wait_until(lambda: bool(lines()), f"levels {off} and {no_names}", BOUND_S)
        return lines()[0]

    def status(self) -> dict[str, object]:
        """What the recorder says of itself."""
        found = json.loads((self.run / "capture.json").read_text())
        assert isinstance(found, dict)
        return found

    def packets(self, number: int = -1) -> list[tuple[int, int, bytes]]:
        """Of a file: time, length on the wire, bytes."""
        return records_in(files_in(self.captures)[number])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Lab() as lab:
        dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic")
        s_server(lab.upstream, 443, certificate(lab.folder, API, CDN))
        yield Box(lab, tmp_path)


@contextmanager
def talking(lab: Lab) -> Iterator[None]:
    """Both devices send packets with numbers all the time."""
    over = threading.Event()
    sockets = []
    for machine in (lab.client, lab.other):
        with machine.entered():
            sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def run() -> None:
        number = 0
        while not over.wait(0.004):
            for each in sockets:
                each.sendto(b"homeport" + struct.pack(">Q", number) + bytes(60), (UPSTREAM_V4[2], 4000))
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for each in sockets:
            each.close()


def numbers(packets: list[tuple[int, int, bytes]], mac: bytes) -> list[int]:
    """The numbers that a device sent, in order."""
    return [
        struct.unpack_from(">Q", data, data.index(b"homeport") + 8)[0]
        for _, _, data in packets
        if data[6:12] == mac and b"homeport" in data
    ]


def of(packets: list[tuple[int, int, bytes]], mac: bytes) -> list[tuple[int, int, bytes]]:
    return [packet for packet in packets if mac in (packet[2][:6], packet[2][6:12])]


def knows_both(box: Box) -> bool:
    touch_look(box.run)
    return {(CLIENT_MAC,), (OTHER_MAC,)} <= set(asked(box.database, "SELECT mac FROM devices"))


def test_a_device_that_is_off_leaves_no_packet_and_nobody_else_loses_one(box: Box) -> None:
    capture, ingest = box.start("capture"), box.start("ingest")
    with talking(box.lab):
        wait_until(lambda: knows_both(box), "both devices in the database", 30)
        said_us = box.say("off")
        line = box.heard(1, 0, said_us)
        box.goes_on(200)
        back = box.heard(0, 0, box.say("full"))
        box.goes_on(100)
        box.heard(1, 0, box.say("off"))
        wait_until(lambda: box.status()["not_recorded"] == 1, "the status file", 10)
        box.lab.ap.stop(ingest, 60)
        box.lab.ap.stop(capture, 60)
        box.start("capture")  # nobody is there to tell it
        box.goes_on(100)
        box.lab.ap.end()
    packets = box.packets(0)
    assert line.time_us - said_us < BOUND_S * SECOND
    gone = [time_us for time_us, _, _ in of(packets, CLIENT) if line.time_us < time_us < back.time_us]
    assert gone == [], "neither from it nor to it"
    others = numbers(packets, OTHER)
    assert others == list(range(others[0], others[-1] + 1)), "none of another's is missing"
    assert sum(line.time_us < time_us < back.time_us for time_us, _, _ in of(packets, OTHER)) >= 50
    came = numbers(packets, CLIENT)
    assert any(time_us > back.time_us for time_us, _, _ in of(packets, CLIENT)), "in full again, it is there again"
    assert came == sorted(set(came))
    assert (line.kernel_drops, back.kernel_drops) == (0, 0)
    after = box.packets(1)
    assert of(after, CLIENT) == [], "from the first packet after a start"
    assert len(numbers(after, OTHER)) >= 20
    names = [path.name for path in box.captures.iterdir() if CLIENT_MAC.encode() in path.read_bytes()]
    assert names == [".levels.json"], "the sidecars name nobody"
    assert (
        process("ingest", "--dir", box.captures, "--db", box.database, "--owner", box.owner, "--once").returncode == 0
    )
    assert imbalance(box.database) == []


@pytest.mark.parametrize("changes", [6, pytest.param(60, marks=pytest.mark.drill)])
def test_nobody_loses_a_packet_when_the_filter_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    """libpcap's own way to change it refuses everything for a moment, and counts nothing."""
    folder = tmp_path / "captures"
    folder.mkdir()
    for name, value in {**NO_SETTINGS, "PYTHONPATH": str(ROOT)}.items():
        monkeypatch.setenv(name, value)
    command = (*COMMAND, "capture", "-i", "hp1", "--dir", str(folder), "--trust-clock", "--status", str(tmp_path))
    with Wire(tmp_path).up() as wire:
        recording = wire.record(*command, folder=folder)
        (file,) = files_in(folder)

        def told() -> int:
            lines = parse_lines(file.with_name(file.name + SUFFIX).read_bytes()).lines
            return sum(line.event == "levels" for line in lines)

        wait_until((tmp_path / "capture.json").exists, "the recorder", 20)
        with wire.sending(4000):
            for change in range(changes):
                put(folder / "fresh", folder / NAME, Levels((b"\x02" + change.to_bytes(5, "big"),)))
                wait_until(lambda change=change: told() > change, "the recorder to follow", BOUND_S)  # type: ignore[misc]  # mypy and defaults
        recording.end(signal.SIGTERM)
        last = parse_lines(file.with_name(file.name + SUFFIX).read_bytes()).lines[-1]
        assert (last.kernel_drops, last.interface_drops) == (0, 0)
        found = numbers_in(file)
        assert found == list(range(found[0], found[-1] + 1))
        assert len(found) > 100 * changes


def put(fresh: Path, place: Path, levels: Levels) -> None:
    fresh.write_bytes(format_levels(levels))
    fresh.replace(place)


def ask(lab: Lab, name: str, *, of_other: bool) -> None:
    machine = lab.other if of_other else lab.client
    with machine.entered():
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with asking:
        asking.settimeout(5)
        asking.sendto(question(7, name, 1), (AP_V4, 53))
        asking.recv(512)


def test_without_names_no_name_is_on_the_disk_and_every_byte_is_counted(box: Box, tmp_path: Path) -> None:
    capture, ingest = box.start("capture"), box.start("ingest")
    beside = tmp_path / "tape"
    tape = box.lab.ap.start("tcpdump", "-i", "wlan0", "-s", "0", "-U", "-Z", "root", "-w", str(beside))
    wait_until(lambda: beside.exists() and beside.stat().st_size >= 24, "tcpdump", 10)
    curl(box.lab.client, UPSTREAM_V4[0], f"https://{API}/tiny")
    curl(box.lab.other, UPSTREAM_V4[0], f"https://{API}/tiny")
    wait_until(lambda: knows_both(box), "both devices in the database", 30)
    line = box.heard(0, 1, box.say("no-names"))
    ask(box.lab, CDN, of_other=False)
    curl(box.lab.client, UPSTREAM_V4[1], f"https://{CDN}/tiny")
    ask(box.lab, CDN, of_other=True)  # what the house knows must not be lent to the device
    curl(box.lab.client, UPSTREAM_V4[1], f"https://{CDN}/tiny")
    with box.lab.other.entered():
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with plain:
        plain.connect((UPSTREAM_V4[1], 443))  # nor withheld from others
    named = "SELECT count(*) FROM flows JOIN devices USING (device_id) WHERE mac = '{}' AND server_address = '{}'"
    wait_until(
        lambda: knows_both(box) and asked(box.database, named.format(CLIENT_MAC, UPSTREAM_V4[1])) == [(2,)],
        "both connections in the database",
        30,
    )
    box.lab.ap.stop(ingest, 60)
    box.lab.ap.stop(capture, 60)
    box.lab.ap.stop(tape, 10)
    mine = [packet for packet in of(box.packets(), CLIENT) if packet[0] > line.time_us]
    theirs = [packet for packet in of(records_in(beside), CLIENT) if packet[0] > line.time_us]
    assert len(mine) > 20
    assert any(LABEL.encode() in data for _, _, data in theirs), "the names were on the wire"
    assert not any(LABEL.encode() in data for _, _, data in mine)
    assert [wire for _, wire, _ in mine] == [wire for _, wire, _ in theirs], "each packet, with its length"
    done = process("ingest", "--dir", box.captures, "--db", box.database, "--owner", box.owner, "--once")
    assert done.returncode == 0, done.stderr
    assert imbalance(box.database) == []
    names = named.replace("count(*)", "DISTINCT server_name")
    assert asked(box.database, names.format(CLIENT_MAC, UPSTREAM_V4[0])) == [(API,)], "what was before stays"
    assert asked(box.database, names.format(CLIENT_MAC, UPSTREAM_V4[1])) == [(None,)]
    assert asked(box.database, names.format(OTHER_MAC, UPSTREAM_V4[1])) == [(CDN,)]
    counted = asked(
        box.database,
        "SELECT sum(flows.bytes_up + flows.bytes_down) FROM flows JOIN devices USING (device_id)"  # noqa: S608  constants
        f" WHERE mac = '{CLIENT_MAC}' AND server_address = '{UPSTREAM_V4[1]}'",
    )
    server = socket.inet_aton(UPSTREAM_V4[1])
    assert counted == [(sum(wire for _, wire, data in theirs if server in (data[26:30], data[30:34])),)]
