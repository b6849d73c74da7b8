"""Packets that `homeport pcap` gives, and those that tshark picks from the same files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.support.captures import read
from tests.support.importing import homeport


class Taken(NamedTuple):
    """One packet as a capture has it."""

    time_us: int
    link: int
    wire: int
    frame: bytes


def packets_of(path: Path) -> list[Taken]:
    """All packets of a pcap or pcapng file, in its order."""
    data = path.read_bytes()
    found = read(data)
    assert not found.damage
    return [
        Taken(row.time_us, row.link, row.wire, frame) for row, frame in zip(found.rows, found.frames(data), strict=True)
    ]


def taken(database: Path, *flags: str | int, codes: Iterable[int] = (0,)) -> list[Taken]:
    """What `homeport pcap` writes to a file, which must end with one of `codes`."""
    out = database.with_name("taken.pcap")
    out.unlink(missing_ok=True)
    code = homeport("pcap", "--db", database, *map(str, flags), "-w", out)
    assert code in codes, f"exit code {code}"
    return packets_of(out)


def tshark(folder: Path, expression: str, *paths: Path) -> list[Taken]:
    """What tshark's display filter picks from these files together, by time."""
    merged, out = folder / "merged.pcapng", folder / "truth.pcap"
    subprocess.run(["mergecap", "-w", merged, *paths], check=True)
    kind = "nsecpcap" if any("-ns" in path.name for path in paths) else "pcap"
    command = ["tshark", "-r", str(merged), *(["-Y", expression] if expression else []), "-F", kind, "-w", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return packets_of(out)


class Ends(NamedTuple):
    """Whom tshark sees in one frame: MACs of the outermost, addresses of the first IP header; empty where there is none."""

    macs: frozenset[str]
    addresses: frozenset[str]


def ends_of(path: Path) -> list[Ends]:
    """The ends of each frame of a file, as tshark dissects it."""
    fields = ("eth.src", "eth.dst", "sll.src.eth", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst")
    command = [
        "tshark",
        "-r",
        str(path),
        "-T",
        "fields",
        "-E",
        "occurrence=f",
        *(word for each in fields for word in ("-e", each)),
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    return [Ends(frozenset(row[:3]) - {""}, frozenset(row[3:]) - {""}) for row in rows]
