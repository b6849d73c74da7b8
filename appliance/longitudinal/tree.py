"""Captures filed by device: `<root>/by-name/<device>/<...>/<date>_<anything>.pcap`, grouped by device and month.

Rule 1: a file belongs to the month in its name, whole, as people have always sorted them with `2025-07-*.pcap`: packets
        that it has of the next month's first hours stay with it, and no packet is in two months.
Rule 2: a capture that cannot be filed is said with the reason, never passed over silently.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.console import CannotDoError, printable
from daemon.report.longitudinal.months import Month, is_capture_name, month_of_capture

BY_NAME = "by-name"

Groups = Mapping[str, Mapping[Month, tuple[Path, ...]]]  # device -> month -> captures, in order of name


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies below a root; `problems` are (what, why)."""

    groups: Groups
    problems: tuple[tuple[str, str], ...]


def device_folders(root: Path) -> dict[str, Path]:
    """Name -> folder, in order of name. `root` holds `by-name`, or is it. Raises OSError."""
    home = root if root.name == BY_NAME and not (root / BY_NAME).is_dir() else root / BY_NAME
    return {path.name: path for path in sorted(home.iterdir()) if path.is_dir() and not path.name.startswith(".")}


def find_captures(root: Path, devices: Collection[str] = (), years: Collection[int] = ()) -> Tree:
    """The captures that a person means. Raises CannotDoError where there is none."""
    try:
        folders = device_folders(root)
    except OSError as error:
        raise CannotDoError(
            f"{printable(error.filename)}: {(error.strerror or str(error)).lower()};"
            f" captures lie in {printable(root / BY_NAME)}/DEVICE, a folder for each device"
        ) from error
    missing = [device for device in devices if device not in folders]
    if missing:
        there = ", ".join(map(printable, folders)) or "none"
        raise CannotDoError(
            f"no folder for {', '.join(map(printable, missing))} in {printable(root)}; there are: {there}"
        )
    tree = read_tree({name: path for name, path in folders.items() if not devices or name in devices}, years)
    if not any(tree.groups.values()):
        wanted = f" of {', '.join(map(str, sorted(years)))}" if years else ""
        said = "".join(f"; {printable(what)}: {printable(why)}" for what, why in tree.problems[:3])
        raise CannotDoError(f"no captures{wanted} in {printable(root)}{said}")
    return tree


def read_tree(folders: Mapping[str, Path], years: Collection[int] = ()) -> Tree:
    """All captures in these folders, of these years (none given: of all)."""
    groups: dict[str, dict[Month, tuple[Path, ...]]] = {}
    problems: list[tuple[str, str]] = []
    for device, folder in folders.items():
        months: dict[Month, list[Path]] = {}
        for path in _captures(folder, problems):
            month = month_of_capture(path.name)
            if month is None:
                problems.append(
                    (str(path), "its name does not begin with a date such as 2025-07-31: no month is its own")
                )
            elif not path.name.isprintable():
                problems.append((str(path), "its name holds characters that no list of files can hold"))
            elif not years or month.year in years:
                months.setdefault(month, []).append(path)
        groups[device] = {
            month: tuple(sorted(paths, key=lambda path: (path.name, str(path))))
            for month, paths in sorted(months.items())
        }
    return Tree(groups, tuple(problems))


def _captures(folder: Path, problems: list[tuple[str, str]]) -> Iterator[Path]:
    """Files named like captures, in the folder and all below it, each folder once, however links lead."""
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        problems.append((str(error.filename), (error.strerror or str(error)).lower()))

    for place, below, names in os.walk(folder, onerror=unreadable, followlinks=True):
        about = Path(place).stat()
        if (about.st_dev, about.st_ino) in seen:
            below.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(place) / name for name in sorted(names) if not name.startswith(".") and is_capture_name(name))
