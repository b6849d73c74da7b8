"""Who wakes at night, by handmade nights; and what counts as a night, by a small home in another time zone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.report.findings import night_only
from daemon.report.findings.nights import nights_of
from daemon.report.findings.vocabulary import MEDIUM, USUAL, Finding, Known, Night, Stream, Subject, View
from daemon.store.database import read_database
from daemon.store.finding_facts import Moment, StreamRow, VerdictRow
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, dhcp_request, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US
from tests.support.scoring import scope_of

FULL, EMPTY, HEARTBEAT = Night(300_000, 2000, 1, 2), Night(0, 2000, 0, 0), Night(9000, 18_000, 1, 2)
BUSY = Night(300_000, 600_000, 1, 2)
VACUUM = Subject(7, "00:00:5e:00:53:07", "vacuum", "vacuum", personal=False, media=False, vendor=None, first_us=0)


def _stream(subject: Subject, party: str = "unknown") -> Stream:
    row = StreamRow(
        7,
        1,
        2,
        3,
        4,
        "up.example",
        "203.0.113.9",
        "tcp",
        4,
        "https",
        "yes",
        443,
        5,
        5,
        5,
        0,
        0,
        50,
        50,
        9000,
        900,
        1,
        9,
    )
    verdict = VerdictRow(party, None, None, None, None, None, "up.example")
    return Stream(subject, "up.example", (row,), verdict)


def found(nights: Sequence[Night], stream: Stream, night: tuple[int, int] = (22, 6)) -> list[Finding]:
    moment = Moment(1, 2, 443, 3, 4, 0, 1, 1, 100, 9000, 900, 50)
    view = View(
        0, 99, 0, [stream], lambda streams: {each: [moment] for each in streams}, lambda _streams: MappingProxyType({}),
        lambda: Known(frozenset(), frozenset()), lambda: {7}, night, lambda: {7: nights}, lambda _time: True,
    )  # fmt: skip
    return list(night_only.find(view))


@pytest.mark.parametrize(
    ("nights", "told"),
    [
        ([FULL] * 4, True),
        ([EMPTY] * 8 + [FULL] * 4, True),  # it began last week
        ([FULL, FULL, EMPTY, FULL, FULL, EMPTY], True),
        ([FULL] * 3, False),
        ([FULL, EMPTY, EMPTY] * 4, False),
        ([HEARTBEAT] * 14, False),
        ([BUSY] * 14, False),
        ([*[FULL] * 4, *[BUSY] * 6], False),
        ([], False),
    ],
)
def test_silent_by_day_and_a_burst_in_most_nights(nights: list[Night], told: bool) -> None:
    assert bool(found(nights, _stream(VACUUM))) == told


def test_it_says_how_many_nights_and_to_whom() -> None:
    (finding,) = found([EMPTY, *[FULL] * 5, EMPTY], _stream(VACUUM))
    assert finding.sentence == (
        "vacuum wakes at night: in 5 of the last 6 nights it exchanged about 300 kB with the internet between 22:00 and"
        " 06:00, most of it with up.example, and on a day about 2.0 kB."
    )
    assert (finding.severity, finding.trace.place) == (MEDIUM, "up.example")
    assert {fact.label: fact.value for fact in finding.facts}["Nights with a burst"] == 5


def test_the_makers_own_is_usual_and_people_are_left_alone() -> None:
    (update,) = found([FULL] * 6, _stream(VACUUM, "first"))
    assert update.severity == USUAL
    (upload,) = found([FULL] * 6, _stream(VACUUM, "support"))  # more goes out than comes in
    assert upload.severity == MEDIUM
    for who in (replace(VACUUM, personal=True), replace(VACUUM, media=True)):
        assert found([FULL] * 6, _stream(who)) == []


def test_the_hours_are_the_owners() -> None:
    """Of a night of one hour a fifth of a day's bytes are as many as an hour has; a night of all hours is none."""
    evenly = [Night(60_000, 250_000, 1, 2)] * 6
    assert found(evenly, _stream(VACUUM), (3, 4))
    assert not found(evenly, _stream(VACUUM), (22, 6))
    assert not found([FULL] * 6, _stream(VACUUM), (0, 0))


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days in Berlin: a laptop that talks each hour, but for one day of which nothing is recorded."""
    folder, begin = tmp_path_factory.mktemp("nights"), START_US // DAY * DAY
    frames = [dhcp_request(begin, "laptop")]
    for hour in range(5 * 24):
        if not 48 <= hour < 72:
            frames += talk(begin + hour * HOUR + SECOND, "www.example.com", port=40_000 + hour)
    database = imported(folder / "h.db", write(folder / "week.pcap", sorted(frames, key=lambda frame: frame[0])))
    relabel_site(database, None, "home", Knowledge(zone="Europe/Berlin"))
    return database


def test_nights_lie_where_the_house_is_and_only_recorded_ones_count(week: Path) -> None:
    with closing(read_database(week)) as db:
        scope = replace(scope_of(db), night=(22, 6))
        (device,) = scope.names
        subject = replace(VACUUM, device_id=device, first_us=START_US)
        nights = nights_of(scope, scope.newest_us + 1, {device: subject})[device]
        parts = db.execute(
            "SELECT slot, sum(bytes_up + bytes_down) FROM hour_total h JOIN way w ON w.id = h.way_id"
            " WHERE w.scope = 'internet' GROUP BY slot"
        ).fetchall()
    sums: dict[tuple[int, bool], int] = {}
    for slot, octets in parts:
        at = datetime.fromtimestamp(slot * 900, UTC).astimezone(ZoneInfo("Europe/Berlin"))
        night = at.hour >= 22 or at.hour < 6
        key = at.date().toordinal() - (night and at.hour < 6), night
        sums[key] = sums.get(key, 0) + octets
    days = sorted({day for day, _ in sums})
    whole = [day for day in days if (day, True) in sums and (day, False) in sums]
    expected = {(sums[day, True], sums[day, False]) for day in whole}
    assert {(each.at_night, each.by_day) for each in nights} <= expected
    assert 2 <= len(nights) <= 3  # of five evenings: the last has no night, and of two nothing or half was recorded
