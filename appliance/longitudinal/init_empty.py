"""The step `init-empty`: empty address lists for a device whose months have no captures yet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from appliance.longitudinal.files import write, write_json
from appliance.longitudinal.layout import DeviceFolder
from daemon.report.longitudinal.months import months_of
from daemon.report.longitudinal.plain_pickle import dumps


def init_empty(base: Path, device: str, years: Iterable[int]) -> tuple[int, int]:
    """(files made, files that were there and were left alone), over all months of the years."""
    made = kept = 0
    for year in sorted(set(years)):
        for month in months_of(year):
            folder = DeviceFolder(base, device).month(month)
            for path in (folder.all_ips, folder.ip_map, folder.ip_pickle):
                if path.exists():
                    kept += 1
                    continue
                made += 1
                if path == folder.ip_pickle:
                    write(path, dumps({}))
                else:
                    write_json(path, [] if path == folder.all_ips else {})
    return made, kept
