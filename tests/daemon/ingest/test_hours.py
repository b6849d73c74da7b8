"""Hours of the day: which packets lie in them, by the calendar of the house, and that the rest of a capture is not read."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from daemon.decode.slots import SLOT_US
from daemon.ingest.hours import HoursOfDay, read_hours
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retrieve import Question, look_up
from daemon.ingest.wanted import NotMeantError, Wanted, understand
from daemon.report.night import report
from daemon.report.scope import Scope, Span
from daemon.store.database import read_database
from tests.daemon.ingest.scenes import DAY, HOUR, TABLET, TABLET_MAC, Frame, talk, write
from tests.support.captures import pcap_header, pcap_record
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, ethernet, ipv4, tcp
from tests.support.taken import packets_of, taken, tshark

MINUTE = HOUR // 60


def us(text: str) -> int:
    """Microseconds of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


CHANGES = (us("2026-03-29"), us("2026-10-25"))  # days on which Berlin's clocks go forward and back, from midnight UTC


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23-6", (23, 6)),
        (" 22:00 - 06:00 ", (22, 6)),
        ("0-24", (0, 0)),
        ("18-24", (18, 0)),
        ("7-7", (7, 7)),
        ("24-6", None),
        ("23-25", None),
        ("23", None),
        ("-1-6", None),
        ("22:30-6", None),
        ("night", None),
    ],
)
def test_hours_as_they_are_written(text: str, hours: tuple[int, int] | None) -> None:
    assert read_hours(text) == hours


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hours", [(23, 6), (2, 3), (9, 17), (5, 5)])
def test_every_minute_around_a_change_of_clocks(zone: str, hours: tuple[int, int]) -> None:
    first, end = hours
    clock = ZoneInfo(zone)
    begin = us("2026-03-27")
    times = np.arange(begin, begin + 12 * DAY, 3 * MINUTE)

    def within(time_us: int) -> bool:
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(clock)
        return first == end or (first <= local.hour < end if first < end else not end <= local.hour < first)

    marked = HoursOfDay(hours, zone).mark(times)
    assert marked.tolist() == [within(time_us) for time_us in times.tolist()]


def test_a_stretch_is_left_out_only_where_no_packet_can_be_wanted() -> None:
    night = HoursOfDay((23, 6), "Europe/Berlin")
    for begin in range(us("2026-03-28"), us("2026-03-31"), 7 * MINUTE):
        for length in (0, SLOT_US, 5 * HOUR, 30 * HOUR):
            inside = np.arange(begin, begin + length + 1, MINUTE)
            assert night.any(begin, begin + length) or not night.mark(inside).any()
    assert not night.any(us("2026-03-30T04:00"), us("2026-03-30T20:59:59"))
    assert night.any(us("2026-03-30T04:00"), us("2026-03-30T21:00"))


def test_times_that_no_calendar_has_are_hours_all_the_same() -> None:
    night = HoursOfDay((23, 6), "Europe/Berlin")
    assert night.mark(np.array([-(1 << 62), 1 << 62])).shape == (2,)


def frames() -> list[Frame]:
    """A conversation every 17 minutes, on the days around both changes of clocks, by two devices in turns."""
    out: list[Frame] = []
    for change in CHANGES:
        for number, at in enumerate(range(change - DAY, change + 2 * DAY, 17 * MINUTE)):
            client, mac = (TABLET, TABLET_MAC) if number % 2 else (HOST, HOST_MAC)
            out += talk(
                at,
                f"host{number % 3}.example.com",
                server=f"203.0.113.{number % 3 + 1}",
                port=30000 + number,
                client=client,
                mac=mac,
            )
    return sorted(out)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("hours")
    capture = write(folder / "clocks.pcap", frames())
    database = imported(folder / "home.db", capture)
    relabel_site(database, None, "home", Knowledge(zone="Europe/Berlin"))
    return database, capture


# 23:00 to 6:00 in Berlin, in UTC, written by hand: one hour ahead in winter, two in summer.
NIGHTS = (
    ("2026-03-27T22:00", "2026-03-28T05:00"), ("2026-03-28T22:00", "2026-03-29T04:00"),
    ("2026-03-29T21:00", "2026-03-30T04:00"), ("2026-03-30T21:00", "2026-03-31T04:00"),
    ("2026-10-23T21:00", "2026-10-24T04:00"), ("2026-10-24T21:00", "2026-10-25T05:00"),
    ("2026-10-25T22:00", "2026-10-26T05:00"), ("2026-10-26T22:00", "2026-10-27T05:00"),
)  # fmt: skip


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark here to compare with")
@pytest.mark.parametrize(
    ("flags", "besides"),
    [
        ((), ""),
        (
            ("--device", TABLET_MAC, "--address", "203.0.113.2", "--since", "2026-10-01"),
            f" && eth.addr == {TABLET_MAC} && ip.addr == 203.0.113.2 && frame.time_epoch >= {us('2026-10-01') / 1e6:f}",
        ),
        (("--name", "host1.example.com", "--service", "https", "--port", "443"), " && ip.addr == 203.0.113.2"),
    ],
)
def test_the_nights_packets_are_tshark_s(
    house: tuple[Path, Path], tmp_path: Path, flags: tuple[str, ...], besides: str
) -> None:
    spans = [(us(begin) / 1e6, us(end) / 1e6) for begin, end in NIGHTS]
    nights = " || ".join(f"(frame.time_epoch >= {begin:f} && frame.time_epoch < {end:f})" for begin, end in spans)
    truth = tshark(tmp_path, f"({nights}){besides}", house[1])
    assert truth
    assert taken(house[0], "--hours", "23-6", *flags) == truth


def test_a_day_is_its_night_and_the_rest(house: tuple[Path, Path]) -> None:
    night, rest = taken(house[0], "--hours", "23-6"), taken(house[0], "--hours", "06:00-23:00")
    assert sorted(night + rest) == sorted(packets_of(house[1]))
    assert taken(house[0], "--hours", "4-4") == packets_of(house[1])


def test_the_rows_of_the_report_of_nights(house: tuple[Path, Path]) -> None:
    with closing(read_database(house[0])) as db:
        scope = Scope(
            db, 1, "home", "Europe/Berlin", Span(CHANGES[0] - 2 * DAY, CHANGES[0] + 3 * DAY), CHANGES[1] + 2 * DAY
        )
        night = report(replace(scope, night=(23, 6)))
        at = {key: night.keys.index(key) for key in ("device_id", "destination", "protocol", "service", "packets")}
        rows = [tuple(str(row[place]) for place in at.values()) for row in night.rows]
        macs = dict(db.execute("SELECT device_id, mac FROM station"))
        assert len(rows) == 6
        for device, name, protocol, service, packets in rows:
            terms = understand(
                db, 1, Wanted(name=name, protocol=protocol, service=service, scope="internet", hours="23-6")
            )
            question = Question(
                1, "Europe/Berlin", scope.span.since_us, scope.span.until_us, ((macs[int(device)], ""),), terms
            )
            assert sum(len(cut.offset) for cut in look_up(db, question).packets()) == int(packets)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of 16 hours in several blocks."""
    folder = tmp_path_factory.mktemp("long")
    frame = ethernet(ipv4(tcp(bytes(1380), 40_000, 443)))
    begin = us("2026-03-28T18:00")
    records = [pcap_record(frame, begin + number * 6 * 1_000_000) for number in range(9600)]
    (folder / "long.pcap").write_bytes(pcap_header() + b"".join(records))
    return imported(folder / "home.db", folder / "long.pcap")


def read_at(database: Path, hours: str) -> tuple[int, int]:
    """(packets, bytes of the stretches that are read)."""
    with closing(read_database(database)) as db:
        found = look_up(db, Question(1, "UTC", terms=understand(db, 1, Wanted(hours=hours))))
        size = sum((end or 0) - begin for part in found.parts for begin, end, _ in part.stretches)
        return sum(len(cut.offset) for cut in found.packets()), size


def test_other_hours_are_not_read(long: Path) -> None:
    size = long.with_name("long.pcap").stat().st_size
    assert read_at(long, "0-24") == (9600, size)
    packets, octets = read_at(long, "7-8")
    assert packets == 600
    assert octets < size / 2
    assert read_at(long, "11-17") == (0, 0)


@pytest.mark.parametrize("text", ["25-6", "night", "6", "6-", "22:30-6"])
def test_no_hours_are_said_to_be_none(house: tuple[Path, Path], text: str) -> None:
    with closing(read_database(house[0])) as db, pytest.raises(NotMeantError, match="hours of the day"):
        understand(db, 1, Wanted(hours=text))
