from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bench.drops import FLOWS, FRAME, Outcome, count, page, table, traffic
from tests.support.recording import records_in


def test_the_traffic_is_a_capture_of_packets_of_one_size(tmp_path: Path) -> None:
    path = tmp_path / "sent.pcap"
    traffic(path)
    records = records_in(path)
    assert {(wire, len(data)) for _, wire, data in records} == {(FRAME, FRAME)}
    assert len({data for _, _, data in records}) == FLOWS == count(path)


def test_a_torn_end_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "sent.pcap"
    traffic(path)
    path.write_bytes(path.read_bytes() + b"\0" * 9)
    assert count(path) == FLOWS


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_takes_the_packets_for_whole_udp(tmp_path: Path) -> None:
    path = tmp_path / "sent.pcap"
    traffic(path)
    argv = ["tshark", "-r", str(path), "-c", "3", "-T", "fields", "-e", "udp.length", "-e", "ip.dst"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{FRAME - 34}\t198.51.100.2"] * 3


def test_the_table_shows_losses_by_rate_and_recorder() -> None:
    outcomes = [
        Outcome("a", 1000, 990, 8000, 8000, 0.05),
        Outcome("b", 1000, 995, 8000, 7600, 0.25),
        Outcome("a", 2000, 1500, 16_000, 15_999, 0.5),
    ]
    assert table(outcomes).splitlines() == [
        "| packets a second asked (slowest of the row) | a | b |",
        "|---|---|---|",
        "| 1,000 (990) | 0, 5% CPU | **5.00%**, 25% CPU |",
        "| 2,000 (1,500) | **0.01%**, 50% CPU |  |",
    ]
    assert page(outcomes, (1.5, 1.6)).startswith("# Losses of a recording\n")
