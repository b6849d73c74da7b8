"""How many packets a second `homeport capture` takes without losing one, beside tcpdump and dumpcap.

Two network namespaces and a veth pair; tcpreplay sends the same packets at rising rates, one recorder at a time listens
at the other end, on the same machine and the same disk. What was lost is counted, not taken from what a recorder says
of itself: packets that were sent, less those in the file.

Rule: nothing outside the namespaces and one temporary folder is touched. Needs root and tcpreplay.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.lab import NEEDED as LAB
from tests.support.lab import Namespace, cable, missing, wait_until

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "drops.md"
NEEDED = (*LAB, "tcpreplay")

FRAME = 200  # bytes of each packet
SECONDS = 8
RATES = (10_000, 25_000, 50_000, 100_000, 150_000)
FLOWS = 512  # different packets in the file that is sent over and over


@dataclass(frozen=True, slots=True)
class Recorder:
    """A program that records: its command, with `{file}` (a path) and `{folder}` to be filled in."""

    name: str
    program: str
    command: tuple[str, ...]
    beside: tuple[str, ...] = ()  # what runs at the same time


START = "from appliance.main import main; main()"
HOMEPORT = Recorder(
    "homeport capture",
    sys.executable,
    (
        sys.executable,
        "-c",
        "from appliance.main import main; main()",
        "capture",
        "-i",
        "hp1",
        "--dir",
        "{folder}",
        "--trust-clock",
    ),
)
BUSY = replace(
    HOMEPORT,
    name="homeport capture, homeport ingest beside it",
    beside=(sys.executable, "-c", START, "ingest", "--dir", "{folder}", "--db", "{folder}/../facts.db"),
)
RECORDERS = (
    HOMEPORT,
    BUSY,
    Recorder("tcpdump", "tcpdump", ("tcpdump", "-i", "hp1", "-w", "{file}", "-Z", "root")),
    Recorder("tcpdump -B 32768", "tcpdump", ("tcpdump", "-i", "hp1", "-B", "32768", "-w", "{file}", "-Z", "root")),
    Recorder("dumpcap", "dumpcap", ("dumpcap", "-q", "-i", "hp1", "-P", "-w", "{file}")),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One recorder at one rate."""

    recorder: str
    asked: int  # packets a second
    reached: int
    sent: int
    kept: int
    cpu: float  # seconds of CPU for each second of sending

    @property
    def lost(self) -> float:
        """The part of what was sent that is not in the file."""
        return max(0, self.sent - self.kept) / self.sent if self.sent else 0.0


def traffic(path: Path) -> None:
    """A pcap of UDP packets of FRAME bytes from many ports."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    payload = FRAME - 42
    frames = [_frame(20_000 + number, payload) for number in range(FLOWS)]
    records = [struct.pack("<IIII", 0, n, len(frame), len(frame)) + frame for n, frame in enumerate(frames)]
    path.write_bytes(head + b"".join(records))


def _frame(port: int, payload: int) -> bytes:
    ethernet = bytes.fromhex("0248500000020248500000010800")
    addresses = socket.inet_aton("198.51.100.1") + socket.inet_aton("198.51.100.2")
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 28 + payload, 0, 0, 64, 17, 0) + addresses
    return ethernet + ip + struct.pack(">HHHH", port, 9, 8 + payload, 0) + bytes(payload)


def count(path: Path) -> int:
    """Records in a pcap file of ours, tcpdump's or dumpcap's, all of one size or not."""
    kept = 0
    with path.open("rb") as file:
        file.seek(24)
        while head := file.read(16):
            if len(head) < 16:
                break
            file.seek(struct.unpack_from("=I", head, 8)[0], os.SEEK_CUR)
            kept += 1
    return kept


def measure(recorder: Recorder, rate: int, ends: tuple[Namespace, Namespace], folder: Path, pcap: Path) -> Outcome:
    """Record while `rate` packets a second are sent for SECONDS."""
    sender, receiver = ends
    place = folder / "recorded"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    command = [part.format(file=place / "file.pcap", folder=place) for part in recorder.command]
    for old in folder.glob("facts.db*"):
        old.unlink()
    process = receiver.start(*command)
    beside = receiver.start(*(part.format(folder=place) for part in recorder.beside)) if recorder.beside else None
    wait_until(lambda: any(place.rglob("*.pcap")), f"{recorder.name} made its file")
    time.sleep(1.0)
    before = _cpu(process.pid)
    loops = max(1, rate * SECONDS // FLOWS)
    report = sender.run(
        "tcpreplay", "-q", "-K", "-i", "hp0", f"--pps={rate}", f"--loop={loops}", str(pcap), timeout=120
    )
    sent = int(_number(r"Actual: (\d+) packets", report))
    reached = _number(r"([\d.]+) pps", report)
    time.sleep(1.5)
    used = _cpu(process.pid) - before
    process.send_signal(signal.SIGINT)
    process.wait(60)
    if beside is not None:
        receiver.stop(beside, 60)
    kept = sum(count(path) for path in place.rglob("*.pcap"))
    return Outcome(recorder.name, rate, round(reached), sent, min(kept, sent), used / (sent / reached))


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError(f"tcpreplay said nothing of {pattern}: {text[-300:]}")
    return float(found[1])


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far (`ip netns exec` becomes the program itself)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as Markdown: a row a rate, a column a recorder."""
    names = list(dict.fromkeys(outcome.recorder for outcome in outcomes))
    lines = [
        "| packets a second asked (slowest of the row) | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for rate in sorted({outcome.asked for outcome in outcomes}):
        row = {outcome.recorder: outcome for outcome in outcomes if outcome.asked == rate}
        slowest = min(outcome.reached for outcome in row.values())
        cells = [f"{_loss(row[name])}, {row[name].cpu:.0%} CPU" if name in row else "" for name in names]
        lines.append(f"| {rate:,} ({slowest:,}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _loss(outcome: Outcome) -> str:
    return "0" if outcome.kept == outcome.sent else f"**{outcome.lost:.2%}**"


def run(rates: Sequence[int] = RATES, recorders: Sequence[Recorder] = RECORDERS) -> list[Outcome]:
    """All recorders at all rates, one at a time."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="hp-drops-") as name:
        folder = Path(name)
        pcap = folder / "sent.pcap"
        traffic(pcap)
        ends = Namespace(f"hp-{os.getpid()}-tx", folder), Namespace(f"hp-{os.getpid()}-rx", folder)
        try:
            for end in ends:
                end.create()
                end.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
            cable(ends[0], "hp0", ends[1], "hp1")
            for rate in rates:
                for recorder in recorders:
                    if shutil.which(recorder.program) is None:
                        continue
                    outcome = measure(recorder, rate, ends, folder, pcap)
                    outcomes.append(outcome)
                    sys.stderr.write(f"{recorder.name} at {outcome.reached:,}: {_loss(outcome)} lost\n")
        finally:
            for end in ends:
                end.end()
    return outcomes


def page(outcomes: Sequence[Outcome], loads: tuple[float, float]) -> str:
    """The page that the table stands on."""
    versions = subprocess.run(["tcpdump", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()
    return (
        "# Losses of a recording\n\n"
        f"UDP packets of {FRAME} bytes over a veth pair, each rate for {SECONDS} s, one recorder at a time, all on the\n"
        f"same machine ({os.cpu_count()} cores, load before and after: {loads[0]:.2f}, {loads[1]:.2f}) and disk. A cell"
        " is the part of the packets\nsent that is not in the file, and the CPU that the recorder took. The sender takes a"
        " core of its own and does\nnot reach the highest rates; what others have to do meanwhile shows there first."
        "\nMade by `python -m tests.bench --drops`"
        f"{f' with {versions[0]}' if versions else ''}.\n\n{table(outcomes)}\n"
    )


def main() -> int:
    """Measure and write the page."""
    if absent := missing(NEEDED):
        sys.stderr.write(f"SKIPPED: the table of drops needs {', '.join(absent)}\n")
        return 1
    load = os.getloadavg()[0]
    outcomes = run()
    PAGE.write_text(page(outcomes, (load, os.getloadavg()[0])), "utf-8")
    sys.stderr.write(f"written: {PAGE}\n")
    return 0
