from __future__ import annotations

import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.report.registry import KINDS
from daemon.store.database import open_database
from tests.bench import __main__ as bench
from tests.bench.measure import CommandFailedError, Cost, run, summarise
from tests.bench.pages import addresses
from tests.bench.report import Facts, Load, Row, page
from tests.bench.tools import CONTROL, HOMEPORT, PEERS, TOOLS, Tool
from tests.bench.workload import write_flood

BURN = "x = 0\nfor i in range(3_000_000): x += i"


def test_counts_the_cpu_of_the_whole_process_tree(tmp_path: Path) -> None:
    idle = run([sys.executable, "-c", "pass"], cwd=tmp_path)
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
    assert run([sys.executable, "-c", child], cwd=tmp_path).cpu > idle.cpu


def test_sees_the_peak_memory_of_the_command_and_not_its_last(tmp_path: Path) -> None:
    """In a process of its own: this one may be large by now, and Linux would carry its size over."""
    measured = (
        "import pathlib, sys; from tests.bench.measure import run; print(run([sys.executable, '-c', sys.argv[1]],"
    )
    measured += " cwd=pathlib.Path(sys.argv[2])).memory)"
    command = [sys.executable, "-c", measured, "a = bytearray(200 << 20); del a", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 200 < float(shown.stdout) < 260


def test_a_failing_command_says_what_it_said_last(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="exit 3: no such day"):
        run([sys.executable, "-c", "import sys; print('no such day', file=sys.stderr); sys.exit(3)"], cwd=tmp_path)


def test_the_middle_round_counts_and_the_extremes_are_kept() -> None:
    found = summarise([Cost(3.0, 9.0, 50.0), Cost(1.0, 7.0, 70.0), Cost(2.0, 8.0, 60.0)])
    assert (found.cpu, found.cpu_min, found.cpu_max, found.wall, found.memory) == (2.0, 1.0, 3.0, 8.0, 70.0)


def test_a_flood_has_as_many_flows_as_packets(tmp_path: Path) -> None:
    path = tmp_path / "flood.pcap"
    write_flood(path, flows=120_500)
    data = path.read_bytes()
    assert len(data) == 24 + 120_500 * 70
    records = [data[at : at + 70] for at in range(24, len(data), 70)]
    assert all(struct.unpack_from("<II", record, 8) == (54, 54) for record in records)
    assert len({record[16 + 26 : 16 + 38] for record in records}) == 120_500
    header = records[-1][30:50]
    assert sum(struct.unpack(">10H", header)) % 0xFFFF == 0  # RFC 1071: with its checksum, a header sums to all ones


@pytest.mark.parametrize("flows", [0, (1 << 32) + 1])
def test_an_impossible_flood_is_refused(flows: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a flood has between"):
        write_flood(tmp_path / "flood.pcap", flows=flows)


def test_the_whole_bench_measures_a_command_beside_the_control(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--packets", "3000", "--rounds", "2", "--large", "--flood", "500", "--folder", str(tmp_path / "captures")]
    out = tmp_path / "page.md"
    assert bench.main([*argv, "--command", "cat {pcap}", "--only", "", "--out", str(out)]) == 0
    text = out.read_text()
    assert "| command | as given | " in text
    assert "| five days' worth | 15,000 | 3 |" in text
    assert "| flood: a flow a packet | 500 | 1 |" in text
    assert not list((tmp_path / "captures").iterdir())
    assert "round 2: cat" in capsys.readouterr().err


def test_without_its_subject_the_bench_fails_and_keeps_the_old_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.md"
    out.write_text("the last good run")
    argv = ["--packets", "100", "--rounds", "1", "--command", "false {pcap}", "--only", "", "--out", str(out)]
    assert bench.main(argv) == 1
    assert out.read_text() == "the last good run"
    said = capsys.readouterr()
    assert "command failed: exit 1" in said.err
    assert "not measured: exit 1" in said.out


def test_a_missing_tool_is_named_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pcap = tmp_path / "some.pcap"
    pcap.write_bytes(b"nothing")
    rows = bench.compare([Tool("absent", "", ("no-such-program-anywhere",)), CONTROL], pcap, tmp_path, 1)
    assert [row.absent for row in rows] == ["not installed", ""]
    assert "absent is left out: not installed" in capsys.readouterr().err


def test_lists_the_debian_packages_of_the_peers(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--list-tools"]) == 0
    assert capsys.readouterr().out.split() == list(TOOLS)
    assert set(TOOLS) == {"tshark", "tcpdump", "libndpi-bin", "argus-server"}


def test_every_report_is_timed_as_a_page_and_as_the_api_tells_it(tmp_path: Path) -> None:
    database = tmp_path / "home.db"
    open_database(database).close()
    timed = addresses(database)
    assert len(timed) == len(set(timed))
    for kind in KINDS:
        paths = f"/reports/{kind.name}", f"/reports/{kind.name}.csv", f"/api/v1/reports/{kind.name}"
        assert {f"{path}?range=365d" for path in paths} <= set(timed)


def test_the_page_compares_with_homeport_and_names_no_machine() -> None:
    half, whole = summarise([Cost(1.0, 1.0, 20.0)]), summarise([Cost(2.0, 2.5, 100.0)])
    rows = [Row(HOMEPORT, whole), Row(CONTROL, half), Row(PEERS[3], None, "not installed")]
    text = page(rows, [Load("the day", 1_000_000, whole)], Facts(1_000_000, 914_000_000, 1, 1, 0.1, 0.2))
    assert "| 2.00 (2.00-2.00) | 1.00 | 500,000 | 100 | 2.50 |" in text
    assert "| 1.00 (1.00-1.00) | 0.50 | 1,000,000 | 20 | 1.00 |" in text
    assert "not measured: not installed" in text
    assert "| the day | 1,000,000 | 1 | 2.00 | 2.00 | 100 |" in text
    assert socket.gethostname() not in text
    assert str(Path.cwd()) not in text
