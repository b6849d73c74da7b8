"""Real packets into files: namespaces, real programs, kills, a full disk, midnight. Needs root; skipped aloud without.

Two numbers tell whether a recording is whole: the number that every test packet carries, and tshark's count.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.decode.sidecar import SUFFIX, SidecarLine, parse_lines
from tests.support import lab as home
from tests.support.disks import fill, small_disk
from tests.support.lab import AP_V4, UPSTREAM_V4, Lab, wait_until
from tests.support.record.names import API, dnsmasq
from tests.support.record.studio import certificate, curl, s_server
from tests.support.recording import SECOND, files_in, lines_of, times_in
from tests.support.wire import Wire, numbers_in

NEEDED = (*home.NEEDED, "setpriv", "tshark")
pytestmark = pytest.mark.skipif(bool(home.missing(NEEDED)), reason=f"it needs {', '.join(home.missing(NEEDED))}")

HOMEPORT = (sys.executable, "-c", "from appliance.main import main; main()")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    with Wire(tmp_path).up() as joined:
        yield joined


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "captures"
    place.mkdir()
    return place


def capture(folder: Path, *more: str, interface: str = "hp1") -> tuple[str, ...]:
    command = (*HOMEPORT, "capture", "-i", interface, "--dir", str(folder), "--trust-clock")
    return (*command, "--status", str(folder.parent), *more)


def by_tshark(path: Path, *fields: str) -> list[str]:
    """A field of every packet, as tshark reads the file; its number where no field is named."""
    asked = [part for field in fields or ("frame.number",) for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", *asked], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.splitlines()


def status(folder: Path) -> dict[str, object]:
    found = json.loads((folder.parent / "capture.json").read_text())
    assert isinstance(found, dict)
    return found


def test_a_session_is_recorded_and_readable_while_it_goes_on(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HOMEPORT_CONFIG", os.devnull)
    with Lab() as lab:
        dnsmasq(lab.ap, "interface=wlan0", "bind-dynamic")
        s_server(lab.upstream, 443, certificate(lab.folder, API))
        for machine in (lab.ap, lab.upstream):  # a dashboard on the box, and somebody's web page elsewhere
            machine.serve(8080, sys.executable, "-m", "http.server", "8080", "--directory", str(tmp_path / "captures"))
        process = lab.ap.start(*capture(folder, interface="wlan0"))
        wait_until(lambda: bool(files_in(folder)), "a capture file")
        (file,) = files_in(folder)
        curl(lab.client, UPSTREAM_V4[0], f"https://{API}/tiny")
        lab.client.run("curl", "-s", "-o", "/dev/null", f"http://{AP_V4}:8080/")
        lab.client.run("curl", "-s", "-o", "/dev/null", f"http://{UPSTREAM_V4[0]}:8080/")
        wait_until(lambda: API in by_tshark(file, "tls.handshake.extensions_server_name"), "the name in the file")
        dump = subprocess.run(["tcpdump", "-nr", str(file)], capture_output=True, text=True, check=False, timeout=30)
        assert "truncated" not in dump.stderr
        assert dump.stdout.count("\n") > 10
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        said = lab.ap.output(process)
    assert process.returncode == 0, said
    last = lines_of(file)[-1]
    assert last.event == "close"
    assert len(by_tshark(file)) == last.written == last.received == len(times_in(file))
    assert last.on_disk == file.stat().st_size
    assert (last.kernel_drops, last.interface_drops) == (0, 0)
    web = {tuple(line.split("\t")) for line in by_tshark(file, "ip.dst", "tcp.dstport") if line.endswith("\t8080")}
    assert web == {(UPSTREAM_V4[0], "8080")}, "the box's own dashboard is left out, somebody else's is not"


def test_it_needs_one_capability_and_no_more(wire: Wire, folder: Path) -> None:
    os.chown(folder, 65_534, 65_534)
    folder.parent.chmod(0o755)
    only = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs")
    caps = ("--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw")
    if not _may_enter(folder):
        pytest.skip("somebody without rights cannot reach the temporary folder here")
    recording = wire.record(*only, *caps, *capture(folder), folder=folder)
    sent = wire.send(50)
    time.sleep(0.5)
    assert recording.end(signal.SIGTERM) < 5
    (file,) = files_in(folder)
    assert numbers_in(file) == sent
    assert file.stat().st_mode & 0o777 == 0o640
    without = wire.receiver.start(*only, "--bounding-set=-all", "--inh-caps=-all", *capture(folder))
    assert without.wait(20) == 3
    assert "CAP_NET_RAW" in wire.receiver.output(without)
    assert len(files_in(folder)) == 1


def _may_enter(folder: Path) -> bool:
    """pytest's own folders are closed to others; they are opened on the way to ours."""
    for parent in list(folder.parents)[:3]:
        if parent.owner() == "root" and "pytest" in parent.name:
            parent.chmod(0o755)
    nobody = ["setpriv", "--reuid=65534", "--clear-groups"]
    done = subprocess.run([*nobody, "ls", str(folder)], capture_output=True, check=False)
    runs = subprocess.run([*nobody, *HOMEPORT, "version"], capture_output=True, check=False, cwd=ROOT)
    return done.returncode == runs.returncode == 0


def test_a_silent_link_ends_within_a_second_of_the_signal(wire: Wire, folder: Path) -> None:
    recording = wire.record(*capture(folder), folder=folder)
    time.sleep(0.7)
    assert recording.end(signal.SIGTERM) < 1.0
    assert lines_of(files_in(folder)[0])[-1].more == {"reason": "stopped"}


def test_a_day_ends_exactly_at_midnight_under_traffic_and_nothing_is_lost(wire: Wire, folder: Path) -> None:
    with wire.sending(4000):
        recording = wire.record(
            sys.executable, "-m", "tests.support.capturing", str(folder), "hp1", "--midnight-in", "4", folder=folder
        )
        time.sleep(6)
    time.sleep(0.3)
    recording.end(signal.SIGTERM)
    old, new = files_in(folder)
    assert "_00.00.00_" in new.name
    midnight_us = round(lines_of(new)[0].time_us / SECOND) * SECOND
    assert max(times_in(old)) < midnight_us <= min(times_in(new))
    assert midnight_us - max(times_in(old)) < SECOND // 10
    numbers = numbers_in(old) + numbers_in(new)
    assert numbers == list(range(numbers[0], wire.sent))
    assert lines_of(new)[0].time_us - midnight_us < SECOND


def test_a_day_ends_at_midnight_on_a_silent_link(wire: Wire, folder: Path) -> None:
    recording = wire.record(
        sys.executable, "-m", "tests.support.capturing", str(folder), "hp1", "--midnight-in", "2", folder=folder
    )
    wait_until(lambda: len(files_in(folder)) == 2, "the file of the next day", 6)
    recording.end(signal.SIGTERM)
    assert "_00.00.00_" in files_in(folder)[1].name
    assert [lines_of(file)[-1].event for file in files_in(folder)] == ["close", "close"]


def test_a_disk_that_somebody_fills_pauses_the_recording_and_it_goes_on_by_itself(wire: Wire, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        recording = wire.record(
            sys.executable, "-m", "tests.support.capturing", str(disk), "hp1", "--retry", "1", folder=disk
        )
        (file,) = files_in(disk)
        with wire.sending(2000):
            time.sleep(0.5)
            fill(disk / "photos")
            wait_until(lambda: "paused: the disk is full" in recording.said(), "the pause")
            full = times_in(file)  # fails if anything is torn
            time.sleep(1.5)
            assert len(times_in(file)) == len(full)
            (disk / "photos").unlink()
            freed = time.monotonic()
            wait_until(lambda: "recording again" in recording.said(), "the end of the pause", 60)
            assert time.monotonic() - freed < 60
            time.sleep(0.3)
        time.sleep(0.3)
        recording.end(signal.SIGTERM)
        lines = lines_of(file)
        events = [line.event for line in lines if line.event != "sample"]
        assert events == ["open", "pause", "resume", "close"]
        lost = int(next(line.more["lost"] for line in lines if line.event == "resume") or 0)
        numbers = numbers_in(file)
        assert len(numbers) == len(set(numbers)) == lines[-1].written
        assert lines[-1].received == lines[-1].written + lost
        assert numbers == sorted(numbers)
        assert numbers[-1] == wire.sent - 1
        assert len(by_tshark(file)) == lines[-1].written


def test_an_interface_that_is_taken_down_and_put_back_is_recorded_on(wire: Wire, folder: Path) -> None:
    recording = wire.record(*capture(folder), folder=folder)
    before = wire.send(20)
    time.sleep(0.4)
    wire.receiver.run("ip", "link", "set", "hp1", "down")
    wait_until(lambda: status(folder)["state"] == "paused", "the pause", 10)
    assert "Nothing of hp1 has been recorded" in str(status(folder)["sentence"])
    wire.receiver.run("ip", "link", "set", "hp1", "up")
    wait_until(lambda: status(folder)["state"] == "capturing", "the end of the pause", 10)
    after = wire.send(20)
    time.sleep(0.4)
    wire.receiver.run("ip", "link", "del", "hp1")  # a stick that is pulled
    wait_until(lambda: status(folder)["state"] == "paused", "the second pause", 10)
    wire.join()
    wait_until(lambda: status(folder)["state"] == "capturing", "the end of the second pause", 10)
    last = wire.send(20)
    time.sleep(0.4)
    recording.end(signal.SIGTERM)
    (file,) = files_in(folder)
    assert numbers_in(file) == before + after + last
    events = [line.event for line in lines_of(file) if line.event != "sample"]
    assert events == ["open", "pause", "resume", "pause", "resume", "close"]


def kill_drill(wire: Wire, folder: Path, kills: int) -> None:
    """SIGKILL at random instants while packets come; then all that was ever said about the files is checked."""
    rng = random.Random(4)
    command = (sys.executable, "-m", "tests.support.capturing", str(folder), "hp1", "--flush", "0.15")
    claims: dict[Path, int] = {}
    with wire.sending(3000):
        for _ in range(kills):
            recording = wire.record(*command, folder=folder)
            time.sleep(rng.uniform(0, 0.4))
            newest = max(files_in(folder), key=lambda file: file.stat().st_mtime_ns)
            recording.end(signal.SIGKILL)
            claims[newest] = max((line.on_disk for line in _readable_lines(newest)), default=0)
        recording = wire.record(*command, folder=folder)
        time.sleep(0.5)
    time.sleep(0.3)
    recording.end(signal.SIGTERM)
    files = sorted(files_in(folder), key=lambda file: _readable_lines(file)[0].monotonic_us)
    assert len(files) == kills + 1
    seen: set[int] = set()
    records = 0
    together = (folder / "all").open("wb")
    for file in files:
        assert claims.get(file, 0) <= file.stat().st_size
        whole = _without_torn_end(file)
        numbers = numbers_in(whole)
        first = numbers[0] if numbers else 0
        assert numbers == list(range(first, first + len(numbers))), file.name
        assert not seen & set(numbers), "a packet is in one file"
        seen.update(numbers)
        close = _readable_lines(file)[-1]
        assert close.event == "close"
        assert close.more["reason"] == ("stopped" if file == files[-1] else "killed")
        assert close.on_disk == file.stat().st_size
        records += len(times_in(whole))
        together.write(whole.read_bytes()[24 if together.tell() else 0 :])
    together.close()
    assert len(by_tshark(Path(together.name))) == records
    assert any(claims.values()), "some were killed after an fdatasync"


def _readable_lines(path: Path) -> tuple[SidecarLine, ...]:
    """The lines of a sidecar that a kill may have torn."""
    return parse_lines(path.with_name(path.name + SUFFIX).read_bytes()).lines


def _without_torn_end(path: Path) -> Path:
    """The file, or a copy without the record in which the kill fell."""
    data = path.read_bytes()
    at = 24
    while at + 16 <= len(data):
        following = at + 16 + int.from_bytes(data[at + 8 : at + 12], sys.byteorder)
        if following > len(data):
            break
        at = following
    if at >= len(data):
        return path
    copy = path.with_suffix(".whole")
    shutil.copyfile(path, copy)
    os.truncate(copy, max(at, 24))
    return copy


def test_kills_cost_nothing_that_was_written(wire: Wire, folder: Path) -> None:
    kill_drill(wire, folder, 20)


@pytest.mark.drill
def test_two_hundred_kills(wire: Wire, folder: Path) -> None:
    kill_drill(wire, folder, 200)
