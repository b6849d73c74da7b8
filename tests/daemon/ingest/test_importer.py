"""Many files, one database: neither their order nor the number of workers shows, and homes do not mix."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.ingest.scenes import (
    DAY,
    HOUR,
    SECOND,
    TABLET,
    TABLET_MAC,
    Frame,
    dhcp_request,
    evening,
    hello,
    lookup,
    questions,
    router_advertisement,
    talk,
    write,
)
from tests.support import packets as p
from tests.support.compare import differences, imbalance, same, views
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, ROUTER_MAC, START_US

HOST6 = "2001:db8:1::10"
LATE = 20 * SECOND


def long_talk() -> list[Frame]:
    """One connection of three minutes: in the second part the server speaks first, and no part but the first has a name."""
    conversation = p.Conversation(client_port=45000, start_us=START_US + LATE, gap_us=2 * SECOND)
    conversation.open().send(b"\x17\x03\x03" + b"x" * 4000)
    for _ in range(12):
        conversation.reply(b"y" * 900)
    return conversation.send(b"z").close().frames


def files(folder: Path) -> list[Path]:
    """Four captures of a home that only together tell everything; every flow over a border is cut where it hurts."""
    whole = long_talk()
    first, second = whole[:7], whole[7:20]
    first[3] = (first[3][0], p.tcp_frame(hello("long.example"), sport=45000, seq=1001, flags=p.PSH | p.ACK))
    at = START_US + HOUR
    return [
        write(folder / "1.pcap", evening(), first, lookup(START_US + 30 * SECOND, "late.example", "198.51.100.99")),
        write(folder / "2.pcap", second, talk(START_US + 250 * SECOND, server="198.51.100.99", port=46000)),
        write(
            folder / "3.pcap",
            whole[20:],
            [router_advertisement(at, "2001:db8:1::")],
            questions(at, 120),
            _gateway(at),
            [(at + 600 * SECOND, p.udp_frame(b"x"))],
        ),
        write(
            folder / "4.pcap",
            talk(at + SECOND, client=HOST6, server="2001:db8:9::9", port=47000),
            [dhcp_request(at + 2 * SECOND, "laptop-2"), dhcp_request(at + 2 * SECOND, "laptop-3")],
            talk(at + 3 * SECOND, client=TABLET, mac=TABLET_MAC, server="203.0.113.77", port=48000),
            lookup(at + HOUR, "end.example"),
        ),
    ]


def _gateway(at: int) -> list[Frame]:
    """What only the third file shows: the router sends for two addresses of the internet."""
    return [
        (at + number, p.ethernet(p.ipv4(p.udp(b"x", 443, 50000), source, HOST), src=ROUTER_MAC, dst=HOST_MAC))
        for number, source in enumerate(("198.51.100.1", "198.51.100.2"))
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return files(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def together(home: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = imported(tmp_path_factory.mktemp("together") / "h.db", *home)
    assert imbalance(database) == []
    return database


def test_what_only_all_files_tell(together: Path) -> None:
    with closing(sqlite3.connect(together)) as db:
        parts = db.execute(
            "SELECT server_name, name_source FROM flows WHERE client_port = 45000 ORDER BY first_seen_us"
        ).fetchall()
        named = db.execute(
            "SELECT server_name, name_source FROM flows WHERE client_port IN (46000, 48000) ORDER BY 1 DESC"
        ).fetchall()
        owned = db.execute(
            "SELECT d.mac FROM flows f JOIN devices d USING (device_id) WHERE client_address = ? AND client_port = 47000",
            (HOST6,),
        ).fetchall()
        crowd = db.execute("SELECT count FROM flows WHERE count > 1").fetchall()
    assert parts == [("long.example", "tls"), *[("long.example", "continued")] * 2]
    assert named == [("late.example", "dns"), (None, None)]  # an hour later nothing is said of the other any more
    assert owned == [(HOST_MAC,)]
    assert crowd == [(120,)]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_every_order_one_by_one(home: list[Path], together: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    for place in order:
        imported(tmp_path / "h.db", home[place])
    assert same(together, tmp_path / "h.db") == []


@pytest.mark.parametrize("jobs", [2, 3])
def test_number_of_workers(home: list[Path], together: Path, tmp_path: Path, jobs: int) -> None:
    assert same(together, imported(tmp_path / "h.db", *home[::-1], jobs=jobs)) == []


def test_copies_among_the_files(home: list[Path], together: Path, tmp_path: Path) -> None:
    copies = []
    for place, path in enumerate(home):
        copies.append(tmp_path / "b" / path.name)
        copies[-1].parent.mkdir(exist_ok=True)
        shutil.copy(path, copies[-1])
        copies.append(tmp_path / "b" / f"{place}-short.pcap")
        copies[-1].write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    for name, jobs in (("one.db", 1), ("two.db", 2)):
        database = imported(tmp_path / name, *copies, *home, *copies, jobs=jobs, codes=(0, 1))
        assert same(together, database, {"captures": {"path"}}) == []


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(1, 200), min_size=1, max_size=3), order=st.permutations(range(4)))
def test_borders_between_files_lose_nothing(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], order: list[int]
) -> None:
    """One stream of frames, cut into files anywhere: totals do not depend on the cuts, views not on the order."""
    folder = tmp_path_factory.mktemp("cut")
    frames = sorted([*evening(), *long_talk(), *questions(START_US + HOUR, 60)], key=lambda frame: frame[0])
    edges = [0, *sorted({cut % len(frames) for cut in cuts}), len(frames)]
    paths = [write(folder / f"{start}.pcap", frames[start:stop]) for start, stop in pairwise(edges) if stop > start]
    ordered = [paths[place] for place in order if place < len(paths)]
    forward, other = imported(folder / "forward.db", *paths), imported(folder / "other.db", *ordered)
    assert imbalance(forward) == []
    assert same(forward, other) == []
    whole = imported(folder / "whole.db", write(folder / "whole.pcap", frames))
    assert moved(forward) == moved(whole)


def moved(database: Path) -> Counter[tuple[object, ...]]:
    """Packets and bytes by slot, device and protocol."""
    with closing(sqlite3.connect(database)) as db:
        return Counter(
            db.execute(
                "SELECT slot_us, mac, protocol, sum(packets_up + packets_down), sum(t.bytes_up + t.bytes_down)"
                " FROM traffic t LEFT JOIN devices USING (device_id) GROUP BY slot_us, mac, protocol"
            ).fetchall()
        )


def test_homes_with_the_same_addresses_do_not_mix(tmp_path: Path) -> None:
    """Same MACs, same addresses, other answers: each home as if it were alone."""
    scenes = {
        site: write(
            tmp_path / f"{site}.pcap",
            evening(),
            lookup(START_US + 40 * SECOND, f"{site}.example", "198.51.100.50"),
            talk(START_US + 41 * SECOND, server="198.51.100.50", port=49000),
            [dhcp_request(START_US + 42 * SECOND, f"{site}-laptop")],
            [router_advertisement(START_US + 43 * SECOND, f"2001:db8:{site[:2].encode().hex()}::")],
        )
        for site in ("flat", "cottage")
    }
    shared = tmp_path / "shared.db"
    for site, path in scenes.items():
        imported(shared, path, site=site)
    got = views(shared)
    for site, path in scenes.items():
        alone = views(imported(tmp_path / f"{site}.db", path, site=site))
        here = {view: Counter({row: n for row, n in rows.items() if site in row}) for view, rows in got.items()}
        assert differences(alone, here) == [], site


def test_same_capture_in_two_homes_counts_in_both(home: list[Path], tmp_path: Path) -> None:
    for site in ("flat", "cottage", "flat"):
        imported(tmp_path / "h.db", home[0], site=site)
    assert sorted(row[1] for row in views(tmp_path / "h.db")["captures"]) == ["cottage", "flat"]


def test_bad_files_beside_good_ones_are_set_aside(
    home: list[Path], together: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.pcap.gz"
    bad.write_bytes(b"\x1f\x8b\x08\x00" + b"\xff" * 40)
    gone = tmp_path / "gone"
    gone.mkdir()
    for jobs in (1, 2):
        database = imported(tmp_path / f"{jobs}.db", *home, bad, gone, jobs=jobs, codes=(1,))
        assert same(together, database) == []
        assert {"bad.pcap.gz", "gone"} <= set(capsys.readouterr().out.replace(":", "/").split("/"))


def test_days_apart(tmp_path: Path) -> None:
    """What a late file says of a MAC changes what an early one is taken for, whichever came first."""
    early = write(
        tmp_path / "early.pcap",
        [router_advertisement(START_US, "2001:db8:1::")],
        lookup(START_US, "own.example", "198.51.100.9", client=HOST6),
        lookup(START_US + 1, "other.example", "198.51.100.9", client=TABLET, mac=TABLET_MAC),
        talk(START_US + SECOND, server="198.51.100.9", port=40001),
    )
    late = write(
        tmp_path / "late.pcap",
        [
            (START_US + 40 * DAY + n, p.udp_frame(b"x", source, "192.168.1.99", 443, 50000, mac=HOST_MAC))
            for n, source in enumerate(("198.51.100.1", "198.51.100.2"))
        ],
    )
    both = imported(tmp_path / "both.db", early, late)
    for order in ((early, late), (late, early)):
        database = tmp_path / f"{order[0].stem}.db"
        imported(database, order[0])
        assert same(both, imported(database, order[1])) == []
