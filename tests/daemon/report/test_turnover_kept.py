"""News that is kept says what news that is found now would say, whatever happened since."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from daemon.ingest.forget import Request, forget_device
from daemon.ingest.hunting import look_at_newest
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import retain_all
from daemon.report.changes import report, told
from daemon.report.turnover_kept import read_changes
from daemon.store import owner, words
from daemon.store.calendar import month_number
from daemon.store.database import open_database
from daemon.store.months import known_devices
from daemon.store.retain import Limits
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, Frame, talk, write
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC, START_US
from tests.support.scoring import scope_of

METER, METER_MAC = "192.168.1.12", "02:00:00:00:00:12"
FIRST, LAST = month_number("2023-11"), month_number("2024-04")
MONTH = 30 * DAY
LAST_TOLD = "2024-04"
Told = tuple[tuple[tuple[object, ...], ...], tuple[str, ...]]

# Of each month: who met whom.
STORY: tuple[dict[str, tuple[str | None, ...]], ...] = (
    {HOST: ("a.example.com", "b.example.net", None), TABLET: ("c.example.org",)},
    {HOST: ("a.example.com", "d.example.org", None), TABLET: ("c.example.org", "ads.doubleclick.net")},
    {HOST: ("a.example.com", "d.example.org"), METER: ("ota.tuyaeu.com",)},  # the tablet is away
    {HOST: ("b.example.net",), TABLET: ("c.example.org", None), METER: ("ota.tuyaeu.com", "d.example.org")},
    {HOST: ("b.example.net", "a.example.com"), TABLET: ("api.spotify.com",)},
    {HOST: ("b.example.net",), TABLET: ("api.spotify.com", "c.example.org"), METER: ("d.example.org",)},
)
MACS = {HOST: HOST_MAC, TABLET: TABLET_MAC, METER: METER_MAC}
HOSTS = ("203.0.113.7", "203.0.113.9")  # of what has no name, in even and in odd months


def scenes(month: int) -> Iterable[list[Frame]]:
    places = [(who, name) for who, names in STORY[month].items() for name in names]
    for number, (who, name) in enumerate(places):
        server = HOSTS[month % 2] if name is None else f"198.51.100.{sum(name.encode()) % 250 + 1}"
        at = START_US + month * MONTH + number * SECOND
        yield talk(at, name, client=who, mac=MACS[who], server=server, port=40000 + number, reply=3000 + 700 * number)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("captures")
    return [write(folder / f"{month}.pcap", *scenes(month)) for month in range(len(STORY))]


@pytest.fixture(scope="module")
def template(captures: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported, and looked at."""
    database = imported(tmp_path_factory.mktemp("template") / "h.db", *captures)
    look(database)
    return database


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path))


def look(database: Path) -> None:
    with closing(open_database(database)) as db:
        look_at_newest(db, 1, Knowledge())


def kept(database: Path) -> tuple[list[int], list[int]]:
    """The months whose news is kept, and of which it is kept what they are compared with."""
    with closing(sqlite3.connect(database)) as db:
        months = [month for (month,) in db.execute("SELECT month FROM turnover_month ORDER BY month")]
        return months, [month for (month,) in db.execute("SELECT month FROM turnover_before")]


def answers(database: Path) -> list[Told]:
    """For the whole house and for each device, for all months and for some."""
    with closing(sqlite3.connect(database)) as db:
        devices = known_devices(db)
        spans = ((FIRST - 3, LAST), (FIRST + 2, FIRST + 3), (LAST, LAST + 4))
        made = [
            told(read_changes(db, 1, device, *span, LAST), devices, LAST)
            for span in spans
            for device in (None, *devices)
        ]
        return [(tuple(each.rows), each.sentences) for each in made]


def right(database: Path) -> list[Told]:
    """What is told with what is kept, which must be what is told without."""
    bare = Path(shutil.copy(database, database.with_name("bare.db")))
    with closing(sqlite3.connect(bare)) as db:
        db.execute("DELETE FROM turnover_month")
        db.execute("DELETE FROM turnover_before")
        db.commit()
    found = answers(bare)
    assert answers(database) == found
    return found


def test_all_months_that_are_over_are_kept(home: Path) -> None:
    assert kept(home) == (list(range(FIRST, LAST)), [LAST])
    (rows, sentences), *_ = right(home)
    assert {row[3] for row in rows} == {"begins", "new", "gone"}
    news = {(month, device, change, destination) for month, device, _, change, destination, *_ in rows}
    assert {
        (LAST_TOLD, 2, "new", "example.org"),
        ("2023-12", 1, "new", HOSTS[1]),
        ("2023-12", 1, "gone", HOSTS[0]),
    } <= news
    assert len({row[0] for row in rows}) == len(STORY)
    assert sentences[0].startswith("November 2023, ")


def test_a_report_of_a_page_says_the_same(home: Path) -> None:
    with closing(sqlite3.connect(home)) as db:
        before = report(scope_of(db))
        db.execute("DELETE FROM turnover_month")
        assert (tuple(before.rows), before.sentences) == (tuple(report(scope_of(db)).rows), before.sentences)
        assert len(before.rows) > 0


def test_an_import_keeps_nothing_and_leaves_nothing_that_is_wrong(captures: list[Path], tmp_path: Path) -> None:
    chance, database = random.Random(4), tmp_path / "h.db"
    order = chance.sample(captures, len(captures))
    for paths in (order[:3], order[3:5], order[5:]):
        before = kept(database)[0] if database.exists() else []
        imported(database, *paths)
        assert set(kept(database)[0]) <= set(before)
        look(database)
        right(database)
    assert kept(database) == (list(range(FIRST, LAST)), [LAST])


def test_what_comes_late_takes_its_month_and_those_that_were_compared_with_it(
    captures: list[Path], tmp_path: Path
) -> None:
    database = imported(tmp_path / "h.db", *captures)
    look(database)
    at = START_US + 2 * MONTH + HOUR
    imported(database, write(tmp_path / "late.pcap", talk(at, "z.example.com", port=45000)))
    # The tablet of the month after was away in this one, and is compared with the one before.
    assert kept(database) == ([FIRST, FIRST + 1, FIRST + 4], [])
    right(database)
    look(database)
    assert kept(database) == (list(range(FIRST, LAST)), [LAST])
    right(database)


def test_a_month_is_not_over_in_the_first_hour_of_the_next(captures: list[Path], tmp_path: Path) -> None:
    begins = 1_711_929_600 * SECOND  # 2024-04-01
    database = imported(tmp_path / "h.db", *captures[:-1], write(tmp_path / "n.pcap", talk(begins, "a.example.com")))
    look(database)
    assert kept(database) == (list(range(FIRST, LAST - 1)), [LAST - 1])
    right(database)
    imported(database, write(tmp_path / "o.pcap", talk(begins + HOUR + SECOND, "b.example.net", port=40001)))
    look(database)
    assert kept(database) == (list(range(FIRST, LAST)), [LAST])
    right(database)


def test_a_look_keeps_some_months_at_a_time_the_latest_first(captures: list[Path], tmp_path: Path) -> None:
    database = imported(tmp_path / "h.db", *captures)
    with closing(open_database(database)) as db:
        look_at_newest(db, 1, Knowledge(), 2)
    assert kept(database) == ([LAST - 2, LAST - 1], [LAST])
    right(database)


def test_nothing_is_kept_while_something_waits_to_be_added_up(home: Path) -> None:
    """A second change to it would not be heard of."""
    with closing(open_database(home)) as db:
        db.execute("INSERT INTO whose_stale VALUES (?, 0, 1)", (FIRST + 1,))
    assert FIRST + 1 not in kept(home)[0]
    look(home)
    assert FIRST + 1 not in kept(home)[0]
    right(home)


def _said(home: Path, key: str, about: str, value: str) -> None:
    with closing(owner.open_owner(home.with_name("owner.db"))) as db:
        owner.say(db, "home", key, about, value, "test", 1)


def _joined(home: Path) -> None:
    with closing(owner.open_owner(home.with_name("owner.db"))) as db:
        owner.join(db, "home", [(METER_MAC, TABLET_MAC)], "test", 1)


def test_whatever_happens_to_a_home(home: Path, tmp_path: Path) -> None:
    """A device that is something else, two that are one, rules, months without their days, names that go."""
    table = tmp_path / "mine.toml"
    table.write_text(
        '[[organisation]]\nname = "Tarn"\n[organisation.domains]\ncloud = ["example.org"]\n', encoding="utf-8"
    )
    spoken, before = home.with_name("owner.db"), right(home)
    acts: list[Callable[[], object]] = [
        lambda: retain_all(home, Limits(detail_days=1), Knowledge()),
        lambda: _said(home, METER_MAC, words.KIND, "plug"),
        lambda: _joined(home),
        lambda: forget_device(home, Request("home", ((int(HOST_MAC.replace(":", ""), 16), ""),), pcaps=False), Knowledge()),
    ]  # fmt: skip
    for act in acts:
        act()
        relabel_site(home, spoken if spoken.exists() else None, "home", Knowledge(organisations=(table,)))
        after = right(home)
    assert after != before
    assert kept(home)[0]
