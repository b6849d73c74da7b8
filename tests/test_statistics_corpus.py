"""tshark's own statistics of captures that nobody here wrote, against ours: protocol hierarchy, conversations, DNS counts.

Rule 1: of the hierarchy a frame counts under the first transport that stands on IP: what an ICMP error quotes is inside
        ICMP there as it is here, and no traffic of its own.
Rule 2: tshark writes bytes of conversations for people (`39 kB`), so frames are compared exactly and bytes to the digit.
Rule 3: captures are taken in which one frame is one thing: no fragments, tunnels or cut frames, of which tshark tells every
        layer and Homeport the innermost flow.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest

from daemon.report import protocols
from daemon.report.scope import Scope, Span
from daemon.store.database import read_database
from tests.support.importing import ROOT, imported

CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"
CAPTURES = (  # a hub, a camera, a speaker, a refrigerator, a telephone; IPv6; QUIC; errors that quote what they answer
    "HueBridge__Setup-A-1-STA.pcap", "amcrest-cam-wired0.pcap", "echospot0.pcap", "fridge.pcap", "android.pcap",
    "http_ipv6.pcap", "chrome-cloudflare-quic-with-secrets.pcapng", "dns+icmp.pcapng",
)  # fmt: skip
STATISTICS = ("io,phs", "conv,ip", "conv,ipv6", "dns,tree")
TRANSPORTS = ("tcp", "udp", "icmp", "icmpv6", "igmp", "arp", "lldp")
_NODE = re.compile(r"^( *)([\w.-]+) +frames:(\d+) bytes:(\d+)$")
_TALK = re.compile(
    r"^(\S+)\s+<-> (\S+)\s+(\d+) ([\d.,]+) (bytes|kB|MB)\s+(\d+) ([\d.,]+) (bytes|kB|MB)\s+(\d+) ([\d.,]+) (bytes|kB|MB)\s"
)
_DNS = (  # mDNS and LLMNR are protocols of their own for tshark
    "SELECT count(*) FROM dns_queries WHERE transport IN ('udp', 'tcp')",
    "SELECT count(*) FROM dns_responses WHERE transport IN ('udp', 'tcp')",
)
_UNITS = {"bytes": 1, "kB": 1000, "MB": 1_000_000}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS.parent} (HOMEPORT_CORPUS names another)"),
]
Pair = tuple[str, str]


def tshark(path: Path) -> str:
    """All statistics that tshark makes of a capture; names are not looked up."""
    asked = [word for each in STATISTICS for word in ("-z", each)]
    ran = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-q", *asked], capture_output=True, text=True, check=True, timeout=120
    )
    return ran.stdout


def hierarchy(text: str) -> tuple[Counter[str], Counter[str]]:
    """(frames, bytes) by the first transport of each branch, and `all` of the whole capture."""
    frames, octets = Counter[str](), Counter[str]()
    found_at: int | None = None  # depth of the transport in whose branch we are
    for line in text.splitlines():
        node = _NODE.match(line)
        if node is None:
            continue
        depth, name = len(node[1]), node[2]
        if found_at is not None and depth <= found_at:
            found_at = None
        if depth == 0:
            frames["all"] += int(node[3])
            octets["all"] += int(node[4])
        if found_at is None and name in TRANSPORTS:
            found_at = depth
            frames[name] += int(node[3])
            octets[name] += int(node[4])
    return frames, octets


def conversations(text: str) -> dict[Pair, tuple[int, float, int]]:
    """Pair of addresses -> (frames, bytes as they are written, what the last digit is worth)."""
    found = {}
    for line in text.splitlines():
        talk = _TALK.match(line)
        if talk:
            unit = _UNITS[talk[11]]
            pair = sorted_pair(talk[1], talk[2])
            found[pair] = int(talk[9]), float(talk[10].replace(",", "")) * unit, unit
    return found


def sorted_pair(one: str, other: str) -> Pair:
    """Two addresses in one order, as text."""
    first, second = sorted((str(ip_address(one)), str(ip_address(other))))
    return first, second


def dns_counts(text: str) -> tuple[int, int]:
    """(questions, answers)."""
    found = {name: int(number) for name, number in re.findall(r"^ +(Query|Response) +(\d+) ", text, re.MULTILINE)}
    return found.get("Query", 0), found.get("Response", 0)


@pytest.fixture(scope="module", params=CAPTURES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What tshark says of a capture, where it lies, and a database of it alone."""
    path = CORPUS / str(request.param)
    if not path.is_file():
        pytest.skip(f"no {path.name} in this corpus")
    return tshark(path), imported(tmp_path_factory.mktemp("statistics") / "h.db", path, codes=(0, 1))


def test_protocol_hierarchy(both: tuple[str, Path]) -> None:
    said, database = both
    frames, octets = hierarchy(said)
    packets, sizes = Counter[str](), Counter[str]()
    with closing(read_database(database)) as db:
        first, last = db.execute("SELECT min(first_us), max(last_us) FROM capture").fetchone()
        number, name, zone = db.execute("SELECT id, name, zone FROM site").fetchone()
        report = protocols.report(Scope(db, number, name, zone, Span(first, last + 1), last))
        undecoded = db.execute("SELECT sum(undecoded_packets), sum(undecoded_bytes) FROM captures").fetchone()
    for row in (dict(zip(report.keys, row, strict=True)) for row in report.rows):
        packets[str(row["protocol"])] += int(str(row["packets"]))
        sizes[str(row["protocol"])] += int(str(row["bytes"]))
    assert frames["all"] > 0
    assert (packets.total() + undecoded[0], sizes.total() + undecoded[1]) == (frames["all"], octets["all"])
    for protocol in TRANSPORTS:
        assert (packets[protocol], sizes[protocol]) == (frames[protocol], octets[protocol]), protocol


def test_conversations(both: tuple[str, Path]) -> None:
    said, database = both
    theirs = conversations(said)
    ours: dict[Pair, tuple[int, int]] = {}
    with closing(read_database(database)) as db:
        for client, server, *counts in db.execute(
            "SELECT client_address, server_address, packets_up + packets_down, bytes_up + bytes_down FROM flows"
        ):
            pair = sorted_pair(client, server)
            known = ours.get(pair, (0, 0))
            ours[pair] = known[0] + counts[0], known[1] + counts[1]
    assert {pair: number for pair, (number, _) in ours.items()} == {pair: each[0] for pair, each in theirs.items()}
    for pair, (_, octets) in ours.items():
        assert abs(octets - theirs[pair][1]) < theirs[pair][2], pair


def test_dns_counts(both: tuple[str, Path]) -> None:
    said, database = both
    with closing(read_database(database)) as db:
        ours = tuple(db.execute(query).fetchone()[0] for query in _DNS)
    assert ours == dns_counts(said)
