"""Captures: the daily files, what they hold and lack, and the packets behind anything, to take away.

Rule 1: packets leave the box only after the password was said again, and that is written down.
Rule 2: what is downloaded is streamed: memory holds one piece of each file, whatever is asked for.
Rule 3: a file is handed out by its number; no text of a request becomes a path.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.responses import FileResponse, Response, StreamingResponse

from daemon.decode.pcap_writing import PcapngWriter, PcapWriter
from daemon.flow.local import address_number
from daemon.ingest.retrieve import Found, Question, look_up
from daemon.report.moments import moment_us
from daemon.report.recording import MEANINGS, counted
from daemon.store.behind import find_destination
from daemon.store.files import CaptureFile, read_file, read_files, read_gaps, sum_files
from daemon.store.roster import Resident
from daemon.store.words import address_key, mac_key
from web.pages.device_recording import everybody_unrecorded
from web.routing import Page
from web.security.again import again, taken
from web.visit import NotHereError, Visit, label_of

PCAP = "application/vnd.tcpdump.pcap"
_A_PAGE = 60
_MOST_GAPS = 50
_NAME = re.compile(r"[^A-Za-z0-9.-]+")
STATES = {  # status -> what it means for people
    "live": "being written",
    "done": "complete",
    "torn": "ends in the middle of a packet",
    "corrupt": "damaged in places",
    "unsupported": "not readable",
    "unsynced": "waits for the clock",
    "deleted": "deleted; what was read of it stays",
}


def show(visit: Visit) -> Response:
    """The list of files, the gaps, and the form for packets."""
    span = visit.range.span
    files = read_files(visit.db, visit.site_id, span.since_us, span.until_us, _A_PAGE + 1, _before(visit))
    device = _device(visit)
    since_us, until_us = _moments(visit)
    left_out = everybody_unrecorded(visit)
    wanted = visit.query("device") is not None or visit.query("destination") is not None
    return visit.page(
        "captures.html",
        files=files[:_A_PAGE],
        after=files[_A_PAGE - 1] if len(files) > _A_PAGE else None,
        sums=sum_files(visit.db, visit.site_id, span.since_us, span.until_us),
        gaps=read_gaps(visit.db, visit.site_id, span.since_us, span.until_us, _MOST_GAPS),
        states=STATES,
        wanted=wanted,
        device=device,
        since=since_us,
        until=until_us,
        line=_line(visit, device),
        unrecorded=left_out,
        left_out=counted(left_out),
        meanings=MEANINGS,
        there=_there,
        file_name=_file_name,
    )


def download_file(visit: Visit) -> Response:
    """One file as it lies on the disk."""
    number = visit.param("number")
    found = read_file(visit.db, visit.site_id, int(number)) if number.isdecimal() and len(number) < 18 else None
    if found is None:
        raise NotHereError("There is no such capture file in this home.")
    path = _there(found)
    if path is None:
        raise NotHereError(f"{_file_name(found)} is not there any more; what was read of it stays.")
    asked = again(visit)
    if asked is not None:
        return asked
    taken(visit, f"the file {path.name}")
    return FileResponse(path, media_type="application/gzip" if path.suffix == ".gz" else PCAP, filename=path.name)


def download_packets(visit: Visit) -> Response:
    """Packets of a device, a destination and a time, as one capture."""
    device = _device(visit)
    question = _question(visit, device)
    found = look_up(visit.db, question)
    if not found.parts:
        why = found.missing[0].why if found.missing else "no recording has packets of that"
        raise NotHereError(f"There is nothing to download: {why}.")
    asked = again(visit)
    if asked is not None:
        return asked
    name = _download_name(visit, device)
    taken(visit, f"packets of {name}")
    mixed = len(found.links) > 1 or len(found.link_names) > 1
    headers = {"content-disposition": f'attachment; filename="{name}.{"pcapng" if mixed else "pcap"}"'}
    return StreamingResponse(_stream(found, mixed=mixed), media_type=PCAP, headers=headers)


def _stream(found: Found, *, mixed: bool) -> Iterator[bytes]:
    writer = PcapngWriter(nano=found.nano) if mixed else PcapWriter(next(iter(found.links), 1), nano=found.nano)
    yield writer.head()
    for cut in found.packets():
        yield bytes(writer.packets(cut))


def _question(visit: Visit, device: Resident | None) -> Question:
    since_us, until_us = _moments(visit)
    destination = visit.query("destination")
    address = None if destination is None else address_key(destination)
    meant = None
    if destination is not None and address is None:
        meant = find_destination(visit.db, visit.site_id, destination)
        if not meant.names and not meant.judged:
            raise NotHereError(f"Nothing that is known here went to {destination}.")
    stations = None if device is None else tuple(_station(key) for key in device.keys)
    number = None if address is None else address_number(address)
    return Question(visit.site_id, visit.zone, since_us, until_us, stations, number, meant)


def _moments(visit: Visit) -> tuple[int, int]:
    """The span that is asked for: `since` and `until` as people write them, else the page's range."""
    span = visit.range.span
    try:
        since, until = (
            moment_us(text, visit.zone, visit.newest_us, ends=ends) if (text := visit.query(name)) else default
            for name, default, ends in (("since", span.since_us, False), ("until", span.until_us, True))
        )
    except ValueError as error:
        raise NotHereError(f"That time cannot be read: {error}.") from error
    if since >= until:
        raise NotHereError("That time ends before it begins.")
    return since, until


def _station(key: str) -> tuple[int, str]:
    return (int(key.replace(":", ""), 16), "") if mac_key(key) else (-1, key)


def _device(visit: Visit) -> Resident | None:
    asked = visit.query("device")
    return None if asked is None else visit.resident(asked)


def _before(visit: Visit) -> tuple[int, int] | None:
    first, _, number = (visit.query("before") or "").partition("-")
    good = first.isdecimal() and number.isdecimal() and len(first) < 18 and len(number) < 18
    return (int(first), int(number)) if good else None


def _there(file: CaptureFile) -> Path | None:
    """Where the file lies; beside its name where somebody compressed it. None where it is gone."""
    plain = Path(file.path)
    return next((path for path in (plain, plain.with_name(f"{plain.name}.gz")) if path.is_file()), None)


def _file_name(file: CaptureFile) -> str:
    return Path(file.path).name


def _line(visit: Visit, device: Resident | None) -> str:
    """The same packets by ssh, for a terminal."""
    words = ["homeport", "pcap"]
    if device is not None:
        words += ["--device", device.said_of]
    if visit.query("destination"):
        words += ["--destination", visit.query("destination") or ""]
    zone = ZoneInfo(visit.zone)
    for flag, time_us in zip(("--since", "--until"), _moments(visit), strict=True):
        words += [flag, f"{datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone):%Y-%m-%dT%H:%M:%S}"]
    if visit.site != visit.options.site:
        words += ["--site", visit.site]
    return shlex.join([*words, "-w", "-"])


def _download_name(visit: Visit, device: Resident | None) -> str:
    parts = [label_of(device) if device else "home", visit.query("destination") or "", visit.range.key]
    return _NAME.sub("-", "_".join(part for part in parts if part)).strip("-.")[:100] or "packets"


PAGES = (
    Page("/captures", show),
    Page("/captures/files/{number}", download_file),
    Page("/captures/packets", download_packets),
)
