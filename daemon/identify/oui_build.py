"""Makes the table of hardware makers out of the IEEE's registry, as the package `pymanuf` carries it. Runs at build time.

Rule 1: imports nothing of ours, so that the build hook can load this file from a source tree by its path.
Rule 2: what the registry does not tell (`Private`, blocks it sells in parts) is no entry.
Rule 3: a table that cannot be made leaves the one that is there: it is older, but right.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

TARGET = "daemon/identify/oui.bin"
WITHOUT = "without it makers of devices are known only where devices name them"
_MAGIC = b"HPOUI\x00\x01\n"  # daemon/identify/oui.py describes the format; a test holds both together
_WIDTHS = {24: 3, 28: 4, 36: 5}
_NOBODY = frozenset({"private", "ieee registration authority"})
_FEWEST = 30_000  # blocks; the registry has passed that long ago, so fewer is a file that was cut
_MOST_NAMES = 0xFFFF


def build(root: Path) -> str | None:
    """Write the table into the tree at `root`; why that was not possible, None where it was."""
    source = find_source()
    if source is None:
        return "the package pymanuf is missing: pip install pymanuf"
    entries = dict(parse(source.read_text("utf-8").splitlines()))
    if len(entries) < _FEWEST:
        return f"{source.name} of pymanuf has only {len(entries)} blocks"
    if len(set(entries.values())) > _MOST_NAMES:
        return f"{source.name} of pymanuf has more makers than the table can number"
    target = root / TARGET
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        made.write_bytes(pack(entries))
        made.replace(target)
    except OSError as error:
        return f"{target}: {error.strerror}"
    finally:
        made.unlink(missing_ok=True)
    return None


def find_source() -> Path | None:
    """The registry in the installed package, which is found but not imported."""
    spec = find_spec("pymanuf")
    path = Path(spec.origin).with_name("manuf.txt") if spec and spec.origin else None
    return path if path and path.is_file() else None


def parse(lines: Iterable[str]) -> Iterator[tuple[tuple[int, int], str]]:
    """((bits, prefix), maker) of each line `AA:BB:CC<tab>...<tab>maker` or `AA:BB:CC:D0:00:00/28<tab>maker`."""
    for line in lines:
        block, _, names = line.partition("\t")
        digits, _, bits = block.strip().partition("/")
        try:
            number = bytes.fromhex(digits.replace(":", ""))
            length = int(bits or "24")
        except ValueError:  # a comment, or a line in a form that came after us
            continue
        maker = " ".join(names.rpartition("\t")[2].split())
        if length in _WIDTHS and len(number) * 8 >= length and maker and maker.lower() not in _NOBODY:
            yield (length, int.from_bytes(number, "big") >> (len(number) * 8 - length)), maker


def pack(entries: dict[tuple[int, int], str]) -> bytes:
    """The table as bytes."""
    names = sorted(set(entries.values()))
    number = {name: place for place, name in enumerate(names)}
    parts = []
    counts = []
    for bits, width in _WIDTHS.items():
        block = sorted((prefix, number[maker]) for (length, prefix), maker in entries.items() if length == bits)
        counts.append(len(block))
        parts += [prefix.to_bytes(width, "big") for prefix, _ in block]
        parts.append(struct.pack(f">{len(block)}H", *[place for _, place in block]))
    texts = [name.encode() for name in names]
    starts = [0]
    for text in texts:
        starts.append(starts[-1] + len(text))
    header = _MAGIC + struct.pack(">4I", *counts, len(names))
    return b"".join([header, *parts, struct.pack(f">{len(starts)}I", *starts), *texts])
