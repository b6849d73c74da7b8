"""`homeport forget`: asked first, told in full, and gone."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport
from tests.daemon.ingest.scenes import (
    DAY,
    SECOND,
    TABLET,
    TABLET_MAC,
    dhcp_request,
    lookup,
    talk,
    write,
)
from tests.support.compare import imbalance, same
from tests.support.forgetting import folded
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, import_live, imported
from tests.support.packets import START_US

TRACES = (b"bobs-tablet", b"diary.example", bytes.fromhex(TABLET_MAC.replace(":", "")), TABLET_MAC.encode())


def day(folder: Path, number: int) -> Path:
    at = START_US + number * DAY
    return write(
        folder / f"{number}.pcap",
        talk(at, "www.example.com", port=40000 + number),
        talk(at + SECOND, "other.example", server="198.51.100.7", port=41000 + number),
        [dhcp_request(at + 2 * SECOND, "bobs-tablet", TABLET_MAC)],
        lookup(at + 3 * SECOND, "diary.example", "203.0.113.66", client=TABLET, mac=TABLET_MAC),
        talk(
            at + 4 * SECOND, "diary.example", client=TABLET, mac=TABLET_MAC, server="203.0.113.66", port=42000 + number
        ),
    )


@pytest.fixture
def captures(tmp_path: Path) -> list[Path]:
    return [day(tmp_path / "captures", number) for number in range(2)]


@pytest.fixture
def database(tmp_path: Path, captures: list[Path]) -> Path:
    return imported(tmp_path / "h.db", *captures)


def traces(*paths: Path) -> list[tuple[str, bytes]]:
    return [(path.name, trace) for path in paths for trace in TRACES if trace in path.read_bytes()]


def test_device_is_gone_from_database_captures_and_words(
    homeport: Homeport, database: Path, captures: list[Path], tmp_path: Path
) -> None:
    homeport("devices", "name", TABLET_MAC, "Bobs secret tablet", "--db", database)
    homeport("devices", "room", TABLET_MAC, "Attic", "--db", database)
    homeport("devices", "undo", "--db", database)
    ran = homeport("forget", "Bobs secret tablet", "--db", database, "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Bobs secret tablet (02:00:00:00:00:11) is forgotten.",
        "  database  30 packets and 0 rows of sums",
        "  captures  30 packets in 2 files, written anew",
        "  words     2 words of its owner",
    ]
    assert imbalance(database) == []
    assert traces(database, *captures, tmp_path / "owner.db") == []
    assert b"secret" not in (tmp_path / "owner.db").read_bytes()
    assert same(imported(tmp_path / "fresh.db", *captures), database) == []
    ran = homeport("forget", TABLET_MAC, "--db", database, "--yes")
    assert ran.code == 3
    assert "no device" in ran.err


def test_nobody_is_asked_where_nobody_can_answer(homeport: Homeport, database: Path, captures: list[Path]) -> None:
    before = [path.read_bytes() for path in captures]
    ran = homeport("forget", TABLET_MAC, "--db", database)
    assert ran.code == 2
    assert "cannot be brought back; add --yes" in ran.err
    assert [path.read_bytes() for path in captures] == before


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 3), ("\n", 3)])
def test_person_at_a_terminal_is_asked(database: Path, captures: list[Path], answer: str, code: int) -> None:
    ran = answered(answer, TABLET_MAC, "--db", str(database))
    assert ran.returncode == code
    assert (
        "Forget bobs-tablet (02:00:00:00:00:11), in the database and the captures? It cannot be brought back."
        in ran.stderr
    )
    assert bool(traces(*captures)) == bool(code)


def answered(answer: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, as somebody at a terminal has it."""
    master, slave = os.openpty()
    os.write(master, answer.encode())
    ran = subprocess.run(
        [*COMMAND, "forget", *words],
        cwd=ROOT, env={**os.environ, **NO_SETTINGS}, stdin=slave, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(master)
    os.close(slave)
    return ran


def test_person_is_told_before_more_goes_than_was_asked(homeport: Homeport, tmp_path: Path) -> None:
    """Of a month that is kept as a sum nobody can say which part of it was before a day."""
    database = imported(tmp_path / "h.db", *(day(tmp_path / "captures", number) for number in range(3)))
    folded(database, START_US + 2 * DAY)
    words = (TABLET_MAC, "--db", str(database), "--since", "2023-11-15")
    ran = answered("n\n", *words)
    assert ran.returncode == 3
    assert (
        "Only sums by month are left of some of it, so that these go whole: the sums of 1 destination of 2023-11,"
        " with what was before that day. It cannot be brought back."
    ) in " ".join(ran.stderr.split())
    done = homeport("forget", *words, "--yes")
    assert done.code == 0
    assert (
        "  months    could not be divided by days, and went whole: the sums of 1 destination of 2023-11,"
        " with what was before that day"
    ) in done.out.splitlines()


def test_since_a_day(homeport: Homeport, database: Path, captures: list[Path]) -> None:
    homeport("devices", "room", TABLET_MAC, "Attic", "--db", database)
    ran = homeport("forget", TABLET_MAC, "--db", database, "--since", "2023-11-15", "--yes")
    assert ran.code == 0
    assert ran.out.startswith("bobs-tablet (02:00:00:00:00:11) is forgotten since 2023-11-15.")
    assert "words" not in ran.out
    assert traces(captures[0])
    assert traces(captures[1]) == []
    assert imbalance(database) == []


@pytest.mark.parametrize("since", ["yesterday", "2023-13-01", "15.11.2023"])
def test_since_what_is_no_day(homeport: Homeport, database: Path, since: str) -> None:
    ran = homeport("forget", TABLET_MAC, "--db", database, "--since", since, "--yes")
    assert ran.code == 2
    assert "--since wants a day such as 2025-07-14" in ran.err


def test_captures_may_keep_its_packets(homeport: Homeport, database: Path, captures: list[Path]) -> None:
    ran = homeport("forget", TABLET_MAC, "--db", database, "--keep-pcaps", "--yes")
    assert ran.code == 0
    assert "2 files kept as asked, with its packets" in ran.out
    assert traces(*captures)
    assert imbalance(database) == []
    assert traces(database) == []


def test_what_could_not_be_forgotten_is_named(homeport: Homeport, database: Path, captures: list[Path]) -> None:
    captures[0].unlink()
    live = day(captures[0].parent, 2)
    import_live(database, live, None)
    ran = homeport("forget", TABLET_MAC, "--db", database, "--yes")
    assert ran.code == 1
    first, second = ran.err.splitlines()[-2:]
    assert first.startswith(f"not forgotten: {captures[0]}: the file is not there any more")
    assert second.startswith(f"not forgotten: {live}: it is being written or has not been read to its end")
    assert imbalance(database) == []


@pytest.mark.parametrize("name", ["nobody", "02:00:00:00:00:99"])
def test_unknown_device(homeport: Homeport, database: Path, name: str) -> None:
    ran = homeport("forget", name, "--db", database, "--yes")
    assert ran.code == 3
    assert "no device" in ran.err


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.drill)])
def test_killed_at_any_instant_it_goes_on(tmp_path: Path, kills: int) -> None:
    """A process that gets SIGKILL leaves a whole database; the same command ends what it began."""
    chance = random.Random(4)
    for number in range(kills):
        folder = tmp_path / str(number)
        captures = [day(folder / "captures", place) for place in range(3)]
        database = imported(folder / "h.db", *captures)
        command = [*COMMAND, "forget", TABLET_MAC, "--db", str(database), "--yes"]
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **NO_SETTINGS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.3, 0.9))
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert imbalance(database) == []
        with closing(sqlite3.connect(database)) as db:
            known = db.execute("SELECT 1 FROM devices WHERE mac = ?", (TABLET_MAC,)).fetchone()
        if known:
            subprocess.run(command, cwd=ROOT, env={**os.environ, **NO_SETTINGS}, check=True, capture_output=True)
        assert imbalance(database) == []
        assert traces(*captures) == []
        imported(database, *captures)
        assert same(imported(folder / "fresh.db", *captures), database) == []
