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
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.responses import FileResponse, Response, StreamingResponse

from daemon.decode.merge import Cut
from daemon.decode.pcap_writing import PcapngWriter, PcapWriter
from daemon.ingest.retrieve import Found, Question, look_up
from daemon.ingest.wanted import NothingMetError, NotMeantError, Wanted, understand
from daemon.report.moments import moment_us
from daemon.report.recording import MEANINGS, counted
from daemon.store.applications import read_applications
from daemon.store.files import CaptureFile, read_file, read_files, read_gaps, sum_files
from daemon.store.roster import Resident
from daemon.store.words import mac_key
from web.pages.captures_asked import HIDDEN, asked_of, choices_of, own_link, put_in_words
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
    wanted = asked_of(visit)
    return visit.page(
        "captures.html",
        files=files[:_A_PAGE],
        after=files[_A_PAGE - 1] if len(files) > _A_PAGE else None,
        sums=sum_files(visit.db, visit.site_id, span.since_us, span.until_us),
        gaps=read_gaps(visit.db, visit.site_id, span.since_us, span.until_us, _MOST_GAPS),
        states=STATES,
        asked=wanted,
        filters=put_in_words(visit, wanted),
        choices=choices_of(visit, wanted),
        hidden=HIDDEN,
        packets=own_link(visit, "/captures/packets"),
        wanted=bool(wanted.said) or device is not None,
        device=device,
        since=since_us,
        until=until_us,
        line=_line(visit, device, wanted),
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
    """Packets of a device, a time and whatever else the captures page narrows by, as one capture."""
    device, wanted = _device(visit), asked_of(visit)
    found = look_up(visit.db, _question(visit, device, wanted))
    if not found.parts:
        raise _nothing(found)
    asked = again(visit)
    if asked is not None:
        return asked
    cuts = found.packets()
    first = next(cuts, None)
    if first is None:
        raise _nothing(found)
    name = _download_name(visit, device, wanted)
    taken(visit, f"packets of {name}")
    mixed = len(found.links) > 1 or len(found.link_names) > 1
    headers = {"content-disposition": f'attachment; filename="{name}.{"pcapng" if mixed else "pcap"}"'}
    return StreamingResponse(_stream(found, chain((first,), cuts), mixed=mixed), media_type=PCAP, headers=headers)


def _nothing(found: Found) -> NotHereError:
    why = found.missing[0].why if found.missing else "no recording has packets of that"
    return NotHereError(f"There is nothing to download: {why}.")


def _stream(found: Found, cuts: Iterator[Cut], *, mixed: bool) -> Iterator[bytes]:
    writer = PcapngWriter(nano=found.nano) if mixed else PcapWriter(next(iter(found.links), 1), nano=found.nano)
    yield writer.head()
    for cut in cuts:
        yield bytes(writer.packets(cut))


def _question(visit: Visit, device: Resident | None, wanted: Wanted) -> Question:
    since_us, until_us = _moments(visit)
    try:
        terms = understand(visit.db, visit.site_id, wanted, lambda: read_applications(visit.owner))
    except NothingMetError as error:
        raise NotHereError(f"{error.said[:1].upper()}{error.said[1:]} {error.text}.") from error
    except NotMeantError as error:
        raise NotHereError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    stations = None if device is None else tuple(_station(key) for key in device.keys)
    return Question(visit.site_id, visit.zone, since_us, until_us, stations, terms)


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


def _line(visit: Visit, device: Resident | None, wanted: Wanted) -> str:
    """The same packets by ssh, for a terminal."""
    words = ["homeport", "pcap"]
    if device is not None:
        words += ["--device", device.said_of]
    for word, text in wanted.said:
        words += [f"--{word.replace('_', '-')}", text]
    zone = ZoneInfo(visit.zone)
    for flag, time_us in zip(("--since", "--until"), _moments(visit), strict=True):
        words += [flag, f"{datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone):%Y-%m-%dT%H:%M:%S}"]
    if visit.site != visit.options.site:
        words += ["--site", visit.site]
    return shlex.join([*words, "-w", "-"])


def _download_name(visit: Visit, device: Resident | None, wanted: Wanted) -> str:
    parts = [label_of(device) if device else "home", *(text for _, text in wanted.said), visit.range.key]
    return _NAME.sub("-", "_".join(part for part in parts if part)).strip("-.")[:100] or "packets"


PAGES = (
    Page("/captures", show),
    Page("/captures/files/{number}", download_file),
    Page("/captures/packets", download_packets),
)
