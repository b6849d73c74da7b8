"""`homeport pcap` as it is typed; which packets it gives is tested with `daemon.ingest.retrieve`."""

from __future__ import annotations

import os
import pty
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.captures import START_US, pcap, read
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, homeport, imported
from tests.support.packets import HOST_MAC, ethernet, ipv4, udp
from tests.support.taken import taken

FRAMES = [ethernet(ipv4(udp(bytes([n]), 5000, 9999))) for n in range(30)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "day.pcap").write_bytes(pcap(FRAMES, step_us=1_000_000))
    return imported(tmp_path / "home.db", tmp_path / "day.pcap")


def test_into_a_pipe(database: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "pcap", "--db", database],
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        capture_output=True,
        check=True,
    )
    assert read(done.stdout).frames(done.stdout) == FRAMES
    assert done.stderr == b"30 packets, 1.29 kB\n"


def test_wireshark_s_tools_read_from_the_pipe(database: Path) -> None:
    if not shutil.which("tshark"):
        pytest.skip("no tshark here to read it")
    command = (
        f"{' '.join(COMMAND[:2])} '{COMMAND[2]}' pcap --db {database} -w - | tshark -r - -T fields -e frame.number"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env={**os.environ, **NO_SETTINGS}, capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == [str(number) for number in range(1, 31)]


def test_a_reader_may_leave(database: Path) -> None:
    (database.parent / "big.pcap").write_bytes(pcap([bytes(1400)] * 1000))
    imported(database, database.parent / "big.pcap")
    command = f"{COMMAND[0]} -c '{COMMAND[2]}' pcap --db {database}; echo $?"
    done = subprocess.run(
        ["bash", "-c", f"({command} >&3) 3>&1 | head -c 30 >/dev/null"], cwd=ROOT, env={**os.environ, **NO_SETTINGS},
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "fault" not in done.stderr


def test_a_terminal_is_refused_with_what_to_do(database: Path) -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "pcap", "--db", database], cwd=ROOT, env={**os.environ, **NO_SETTINGS}, stdout=follower,
        stderr=subprocess.PIPE, check=False, text=True,
    )  # fmt: skip
    os.close(follower)
    os.close(leader)
    assert done.returncode == 3
    assert "-w FILE" in done.stderr
    assert "wireshark -k -i -" in done.stderr


def test_nothing_found_is_a_capture_without_packets(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert taken(database, "--until", "1990-01-01") == []
    assert "no packet" in capsys.readouterr().err
    assert database.with_name("taken.pcap").stat().st_size == 24


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("--device", "nobody"), 3, "no device 'nobody'"),
        (("--destination", "example.net"), 3, "went to 'example.net'"),
        (("--company", "Nobody Inc"), 3, "went to 'Nobody Inc'"),
        (("--asked", "example.net"), 3, "asked for 'example.net'"),
        (("--country", "Atlantis"), 2, "--country: there is no country 'Atlantis'"),
        (("--party", "local"), 2, "--party: party 'local' cannot be"),
        (("--application", "None"), 2, "--application: there is no application 'None'"),
        (("--service", "gopher"), 2, "--service: there is no service 'gopher'"),
        (("--protocol", "\x1b[31m"), 2, "--protocol: there is no protocol"),
        (("--ip-version", "5"), 2, "--ip-version: ip version '5' cannot be; it is one of: 4, 6"),
        (("--encrypted", "perhaps"), 2, "yes, no, unknown"),
        (("--scope", "moon"), 2, "internet, local, chatter"),
        (("--flow", "12345"), 3, "no flow 12345"),
        (("--flow", str(1 << 70)), 3, "no flow"),
        (("--site", "elsewhere"), 3, "elsewhere"),
        (("--since", "noon"), 2, "--since: 'noon' is no time"),
        (("--since", "2025-07-02", "--until", "2025-07-01"), 2, "later than"),
        (("--filter", "tcp prt 443"), 2, "filter"),
        (("--filter", "\x1b[31m"), 2, "filter"),
        (("-w", "/nonexistent/out.pcap"), 3, "cannot be written"),
    ],
    ids=range(20),
)
def test_what_cannot_be_is_explained(
    database: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], code: int, words: str
) -> None:
    out = database.with_name("out.pcap")
    assert homeport("pcap", "--db", database, "-w", out, *flags) == code
    said = capsys.readouterr().err
    assert words in said
    assert "\x1b" not in said
    assert len(said.splitlines()) == 1
    assert not out.exists()


def test_what_holds_together(database: Path) -> None:
    every = taken(database, "--protocol", "udp", "--ip-version", "4", "--scope", "internet")
    assert [each.frame for each in every] == FRAMES
    assert taken(database, "--protocol", "udp", "--ip-version", "6") == []
    assert taken(database, "--service", "kasa", "--encrypted", "no", "--since", "2023-11-14T22:13:45Z") == every[25:]


def test_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert homeport("pcap", "--db", tmp_path / "none.db") == 3
    assert "homeport import" in capsys.readouterr().err


def test_a_capture_is_not_written_over(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (database.parent / "day.pcap").read_bytes()
    assert homeport("pcap", "--db", database, "-w", database.parent / "day.pcap") == 3
    assert (database.parent / "day.pcap").read_bytes() == before
    assert "choose another name" in capsys.readouterr().err


def test_times_are_the_home_s(database: Path) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE site SET zone = 'Asia/Kolkata'")
    # START_US is 2023-11-14 22:13:20 UTC, which is 03:43:20 of the next day there.
    found = taken(database, "--since", "2023-11-15T03:43:25", "--until", "2023-11-15T03:43:27")
    assert [each.time_us for each in found] == [START_US + 5_000_000, START_US + 6_000_000]
    assert len(taken(database, "--until", "2023-11-15")) == 30
    assert taken(database, "--since", "1h") == []


def test_a_device_that_was_forgotten_has_no_packets(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(taken(database, "--device", HOST_MAC)) == 30
    other = database.parent / "other.pcap"
    other.write_bytes(pcap([ethernet(ipv4(udp(b"x", 1, 2), src="192.168.1.77"), src="02:00:00:00:00:77")]))
    imported(database, other)
    assert homeport("forget", HOST_MAC, "--db", database, "--yes") == 0
    capsys.readouterr()
    assert homeport("pcap", "--db", database, "--device", HOST_MAC, "-w", database.with_name("o.pcap")) == 3
    assert "no device" in capsys.readouterr().err
    assert [each.frame[6:12].hex(":") for each in taken(database)] == ["02:00:00:00:00:77"]


def test_help_names_the_forms(capsys: pytest.CaptureFixture[str]) -> None:
    assert homeport("pcap", "--help") == 0
    said = capsys.readouterr().out
    assert "yesterday 21:00" in " ".join(said.split())
