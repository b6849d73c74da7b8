"""Captures that are cut, damaged, forged or flooded: what stands before the damage is kept, and nothing falls over."""

from __future__ import annotations

import gzip
import os
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.settle import settle_site
from daemon.store.database import open_database
from tests.bench.workload import write_flood
from tests.daemon.decode.hellos import alpn, client_hello, records, sni
from tests.daemon.ingest.scenes import ROUTER, SECOND, at_borders, dhcp_request, dns, evening, lookup, talk, wire_name
from tests.support import captures as c
from tests.support import packets as p
from tests.support.compare import imbalance
from tests.support.importing import COMMAND, NO_SETTINGS, ROOT, homeport, imported
from tests.support.packets import HOST, START_US

MIB = 1 << 20
EVENING = sorted(evening(), key=lambda frame: frame[0])
SMALL = [*lookup(START_US, "a.example", "192.0.2.1"), *talk(START_US + SECOND, "b.example", reply=100)[:4]]


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def ends_of(content: bytes) -> list[int]:
    """Where each record of a pcap or pcapng file (without trailing blocks) ends."""
    data = c.read(content)
    ends = [row.offset + row.captured for row in data.rows]
    if content[:4] == b"\x0a\x0d\x0d\x0a":
        return [end + -end % 4 + 4 for end in ends]  # padding and the length that closes the block
    return ends


KNOWLEDGE = Knowledge()  # loaded once
FORMATS = {
    "pcap": p.pcap(SMALL),
    "pcap-ns-be": p.pcap(SMALL, nanosecond=True, big_endian=True),
    "pcapng": p.pcapng(SMALL),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_capture_cut_at_every_byte(tmp_path: Path, kind: str) -> None:
    content = FORMATS[kind]
    ends = ends_of(content)
    assert len(ends) == len(SMALL)
    assert ends[-1] == len(content)
    path, database = tmp_path / "cut.pcap", tmp_path / "h.db"
    with closing(open_database(database)) as db:
        for size in range(len(content) + 1):
            path.write_bytes(content[:size])
            outcome = import_file(db, database, Task(path, f"cut at {size}"))
            whole = sum(end <= size for end in ends)
            assert outcome.packets == whole, size
            if whole:
                assert outcome.status == ("done" if size in ends else "torn"), size
                assert size in ends or "cut" in outcome.message
            else:
                assert outcome.status in ("empty", "unreadable"), size
        for size in range(ends[0], len(content) + 1, 29):  # sums are made when a site is settled; that takes its time
            settle_site(db, database, f"cut at {size}", (), KNOWLEDGE)
    told = rows(database, "SELECT site, packets, status FROM captures")
    assert {site: (packets, status) for site, packets, status in told} == {
        f"cut at {size}": (sum(end <= size for end in ends), "done" if size in ends else "torn")
        for size in range(ends[0], len(content) + 1)
    }
    settled = {f"cut at {size}" for size in range(ends[0], len(content) + 1, 29)}
    counted = rows(
        database,
        "SELECT k.site, k.undecoded_packets + (SELECT sum(t.packets_up + t.packets_down) FROM traffic t"
        " WHERE t.site = k.site) FROM captures k",
    )
    assert {row for row in counted if row[0] in settled} == {row[:2] for row in told if row[0] in settled}


def test_gzip_cut_anywhere_keeps_what_it_gave(tmp_path: Path) -> None:
    content = gzip.compress(p.pcap(EVENING))
    path, database = tmp_path / "cut.pcap.gz", tmp_path / "h.db"
    best = 0
    with closing(open_database(database)) as db:
        for size in range(2, len(content), 97):
            path.write_bytes(content[:size])
            outcome = import_file(db, database, Task(path, f"cut at {size}"))
            assert outcome.status in ("torn", "empty", "unreadable"), size
            assert outcome.packets >= best
            if outcome.packets:
                settle_site(db, database, f"cut at {size}", (), KNOWLEDGE)
            best = outcome.packets
    assert best > len(EVENING) // 2
    assert imbalance(database) == []


# --- bits that flipped


def flipped(content: bytes, flips: list[tuple[int, int]], spared: int) -> tuple[bytes, int]:
    """The content with bits flipped behind the first `spared` bytes; the place of the first."""
    damaged = bytearray(content)
    first = len(content)
    for number, bit in flips:
        place = spared + number % (len(content) - spared)
        damaged[place] ^= 1 << bit
        first = min(first, place)
    return bytes(damaged), first


FLIPS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 7)), min_size=1, max_size=12)


@pytest.mark.parametrize("content", [p.pcap(EVENING), p.pcapng(EVENING)], ids=["pcap", "pcapng"])
@given(flips=FLIPS)
def test_flipped_bits_lose_nothing_that_stands_before(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, flips: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    ends = ends_of(content)
    damaged, first = flipped(content, flips, ends[0])
    path, clean = folder / "damaged.pcap", folder / "clean.pcap"
    path.write_bytes(damaged)
    before = sum(end <= first for end in ends)
    clean.write_bytes(content[: ends[before - 1]])
    database = imported(folder / "h.db", path, codes=(0, 1))
    reference = imported(folder / "clean.db", clean)
    assert imbalance(database) == []
    assert rows(database, "SELECT packets FROM captures")[0][0] >= before  # type: ignore[operator]  # a count
    for query in ("SELECT seen_us, name, type FROM dns_queries", "SELECT seen_us, name, ja4 FROM hellos"):
        assert set(rows(reference, query)) <= set(rows(database, query))


@settings(max_examples=30)
@given(flips=FLIPS)
def test_flipped_bits_in_gzip(tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]) -> None:
    folder = tmp_path_factory.mktemp("flip")
    path = folder / "damaged.pcap.gz"
    path.write_bytes(flipped(gzip.compress(p.pcap(EVENING)), flips, 0)[0])
    if homeport("import", path, "--db", folder / "h.db") != 3:
        assert imbalance(folder / "h.db") == []


@settings(max_examples=40)
@given(
    start=st.sampled_from([b"", c.pcap_header(), c.section() + c.interface(), b"\x1f\x8b\x08\0"]),
    rest=st.binary(max_size=2000),
)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, start: bytes, rest: bytes) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    (folder / "garbage.pcap").write_bytes(start + rest)
    code = homeport("import", folder / "garbage.pcap", "--db", folder / "h.db")
    assert code in (0, 1, 3)
    if (folder / "h.db").exists():
        assert imbalance(folder / "h.db") == []


@settings(max_examples=40)
@given(body=st.binary(max_size=120), link=st.sampled_from([0, 1, 9, 101, 113, 276, 105]))
def test_frames_of_garbage(tmp_path_factory: pytest.TempPathFactory, body: bytes, link: int) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    frames = [(START_US + n, body[n:]) for n in range(len(body))] or [(START_US, b"")]
    (folder / "garbage.pcap").write_bytes(p.pcap(frames, link=link))
    assert homeport("import", folder / "garbage.pcap", "--db", folder / "h.db") in (0, 1, 3)
    assert rows(folder / "h.db", "SELECT packets FROM captures") == [(len(frames),)]
    assert imbalance(folder / "h.db") == []


# --- lengths that lie


LIES = {
    "block of 4 GiB": struct.pack("<II", 6, 0xFFFFFFFC) + bytes(40),
    "block of nothing": struct.pack("<II", 6, 0) + bytes(40),
    "block that ends in itself": struct.pack("<II", 6, 8) + bytes(40),
    "frame longer than its block": c.block(6, struct.pack("<IIIII", 0, 0, 0, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(60)),
    "unknown interface": c.enhanced(b"x" * 60, number=4_000_000_000),
    "options that run off": c.block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 2, 0xFFFF)),
    "second section with a length that lies": c.block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, 1 << 62)),
}


@pytest.mark.parametrize("lie", LIES)
def test_pcapng_with_absurd_lengths(tmp_path: Path, lie: str) -> None:
    good = p.pcapng(SMALL)
    path = tmp_path / "lie.pcapng"
    path.write_bytes(good + LIES[lie])
    database = imported(tmp_path / "h.db", path, codes=(0, 1))
    assert rows(database, "SELECT packets >= ? FROM captures".replace("?", str(len(SMALL)))) == [(1,)]
    assert imbalance(database) == []


def test_pcap_record_with_an_absurd_length_loses_only_itself(tmp_path: Path) -> None:
    content = bytearray(p.pcap(EVENING * 3))
    start = at_borders(EVENING)[10]
    content[start + 8 : start + 16] = b"\xff\xff\xff\x7f" * 2
    (tmp_path / "lie.pcap").write_bytes(content)
    database = imported(tmp_path / "h.db", tmp_path / "lie.pcap", codes=(1,))
    assert rows(database, "SELECT packets, status FROM captures") == [(3 * len(EVENING) - 1, "corrupt")]
    assert f"byte {start}" in str(rows(database, "SELECT error FROM captures"))


# --- floods


# A process starts with the peak of whoever started it, so that one is kept small.
_STARTER = """
import os, subprocess, sys
running = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(running.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
"""


def memory(*arguments: str | Path) -> tuple[int, int]:
    """Exit code and peak memory in bytes of a command in a process of its own."""
    shown = subprocess.run(
        [sys.executable, "-c", _STARTER, *COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **NO_SETTINGS},
        capture_output=True,
        check=True,
    )
    code, peak = map(int, shown.stdout.split())
    return code, peak


@pytest.mark.parametrize("flows", [200_000, pytest.param(5_000_000, marks=pytest.mark.drill)])
def test_flood_of_flows_stays_within_bounds(tmp_path: Path, flows: int) -> None:
    path, database = tmp_path / "flood.pcap", tmp_path / "h.db"
    write_flood(path, flows=flows)
    code, peak = memory("import", path, "--db", database)
    assert code == 0
    assert peak < 300 * MIB
    assert imbalance(database) == []
    assert rows(database, "SELECT sum(count) FROM flows") == [(flows,)]


# --- names


CONTROL = bytes(range(32)) + b"\x7f\x80\xff"


def test_names_as_long_as_they_come_and_with_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    assert len(long) == 253
    rude = b"\x1b[2Jx\0y\xff"
    question = dns("x")[:12] + bytes([len(rude)]) + rude + wire_name("example") + b"\0\1\0\1"
    hello = records(client_hello(sni(rude) + alpn(b"h2\x1b")))
    path = tmp_path / "names.pcap"
    frames = [
        *lookup(START_US, long, "192.0.2.1"),
        (START_US + SECOND, p.udp_frame(question, HOST, ROUTER, 40001, 53)),
        *p.Conversation(client_port=40002, start_us=START_US + 2 * SECOND).open().send(hello).close().frames,
        *p.Conversation(client_port=40003, start_us=START_US + 3 * SECOND, server="203.0.113.80")
        .open().send(b"GET / HTTP/1.1\r\nHost: a\x1b[31m.example\r\nUser-Agent: \x1b]0;x\x07\r\n\r\n").close().frames,
        dhcp_request(START_US + 4 * SECOND, "my\x1b[2Jpc"),
    ]  # fmt: skip
    path.write_bytes(p.pcap(frames))
    database = imported(tmp_path / "h.db", path)
    assert {name for (name,) in rows(database, "SELECT name FROM dns_queries")} == {long, r"\027[2jx\000y\255.example"}
    assert r"\027[2jx\000y\255" in {name for (name,) in rows(database, "SELECT name FROM hellos")}
    for view in ("hellos", "dns_queries", "device_hints", "devices", "flows", "destinations"):
        text = str(rows(database, f"SELECT * FROM {view}"))  # noqa: S608  a word of this line
        assert "\\x1b" not in text, view
        assert "\\x00" not in text, view
        assert homeport("export", view, "--db", database, "--format", "csv") == 0
    printed = capsys.readouterr()
    assert not set(printed.out + printed.err) & {chr(byte) for byte in CONTROL if byte not in b"\t\r\n"}
