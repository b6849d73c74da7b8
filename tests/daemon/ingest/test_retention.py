"""A pass of retention over a home: what people did is forgotten by name and kept by kind, and gateways stay gateways."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import preview, retain_all
from daemon.store import retain as store
from daemon.store.owner import open_owner, say
from daemon.store.retain import Limits
from daemon.store.words import KEEP_NAMES, KIND
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, lookup, talk, write
from tests.support.compare import imbalance
from tests.support.importing import ROOT, imported
from tests.support.packets import HOST_MAC, START_US

WEEK = Limits(detail_days=7, traffic_days=20)
HIDDEN = "very-private-name"


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(query).fetchall()


def month(at: int, days: int = 12) -> Iterator[Frame]:
    """A laptop and a tablet that talk every day, each with a place of its own; a router that is seen to be one."""
    for day in range(days):
        start = at + day * DAY
        yield from [dhcp_request(start, "laptop"), dhcp_request(start + 1000, "ipad", TABLET_MAC)]
        yield from talk(start + SECOND, "www.example.com", port=40000 + day)
        name = f"d{day}.{HIDDEN}.example" if day < 3 else "plain.example.org"
        server = f"198.51.100.{day + 1}"
        yield from lookup(start + HOUR, name, server, client=TABLET, mac=TABLET_MAC)
        yield from talk(start + HOUR + SECOND, name, client=TABLET, mac=TABLET_MAC, server=server, port=42000 + day)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture a day; the owner says that one device is a tablet and the other a speaker."""
    folder = tmp_path_factory.mktemp("template")
    days = [START_US + day * DAY for day in range(12)]
    frames = list(month(START_US))
    paths = [write(folder / f"{day}.pcap", [f for f in frames if day <= f[0] < day + DAY]) for day in days]
    database = imported(folder / "h.db", *paths)
    with closing(open_owner(owner(database))) as db:
        say(db, "home", TABLET_MAC, KIND, "tablet", "test", 1)
        say(db, "home", HOST_MAC, KIND, "speaker", "test", 2)
    relabel_site(database, owner(database), "home")
    return database


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    shutil.copy(owner(template), tmp_path)
    return Path(shutil.copy(template, tmp_path))


def owner(database: Path) -> Path:
    return database.with_name("owner.db")


def retained(database: Path, limits: Limits = WEEK) -> Any:  # noqa: ANN401  the one site's answer
    (done,) = retain_all(database, limits, Knowledge(owner=owner(database)))
    return done


def unbalanced(database: Path) -> list[str]:
    return [line for line in imbalance(database) if "flows + frames" not in line]


SUMS = "SELECT sum(bytes_up), sum(bytes_down), sum(packets_up), sum(packets_down), sum(flows) FROM destinations"


def test_people_lose_names_and_keep_whose_they_were(home: Path) -> None:
    before = rows(home, f"{SUMS} GROUP BY device ORDER BY 1")
    parties = rows(home, "SELECT DISTINCT party, organisation FROM destinations WHERE device = 'ipad'")
    assert retained(home).flows > 0
    assert unbalanced(home) == []
    assert rows(home, f"{SUMS} GROUP BY device ORDER BY 1") == before
    hidden = rows(
        home, "SELECT DISTINCT domain, address, registrable_domain, rule_id FROM destinations WHERE rule_id = 'private'"
    )
    assert hidden == [(None, None, None, "private")]
    assert set(rows(home, "SELECT DISTINCT party, organisation FROM destinations WHERE device = 'ipad'")) == set(
        parties
    )
    assert ("www.example.com",) in rows(home, "SELECT domain FROM destinations WHERE device IS NOT 'ipad'")


def test_no_byte_of_a_private_name_is_left(home: Path) -> None:
    assert HIDDEN.encode() in home.read_bytes()
    retained(home)
    with closing(sqlite3.connect(home)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert HIDDEN.encode() not in home.read_bytes()  # overwritten, even before anybody says VACUUM
    with closing(sqlite3.connect(home)) as db:
        db.execute("VACUUM")
    assert HIDDEN.encode() not in home.read_bytes()


def test_names_that_their_owner_wants_stay(home: Path) -> None:
    with closing(open_owner(owner(home))) as db:
        say(db, "home", TABLET_MAC, KEEP_NAMES, "yes", "test", 3)
    retained(home)
    assert (f"d0.{HIDDEN}.example",) in rows(home, "SELECT domain FROM destinations WHERE device = 'ipad'")
    assert unbalanced(home) == []


def test_sums_forget_names_once_it_turns_out_whose_they_are(home: Path) -> None:
    with closing(open_owner(owner(home))) as db:
        say(db, "home", TABLET_MAC, KIND, "bulb", "test", 3)
    relabel_site(home, owner(home), "home")
    retained(home)
    assert (f"d0.{HIDDEN}.example",) in rows(home, "SELECT domain FROM destinations")
    before = rows(home, SUMS)
    with closing(open_owner(owner(home))) as db:
        say(db, "home", TABLET_MAC, KIND, "phone", "test", 4)
    relabel_site(home, owner(home), "home")
    retained(home)
    assert not [name for (name,) in rows(home, "SELECT domain FROM destinations") if name and HIDDEN in name]
    assert not [name for (name,) in rows(home, "SELECT domain FROM traffic") if name and HIDDEN in name]
    assert rows(home, SUMS) == before
    assert unbalanced(home) == []


def test_gateways_stay_gateways_and_devices_devices(home: Path) -> None:
    devices = "SELECT mac, name, kind, bytes_up, bytes_down FROM devices ORDER BY mac"
    before = rows(home, devices)
    ends = rows(home, "SELECT count(*) FROM endpoint")[0][0]
    retained(home, Limits(detail_days=1))
    relabel_site(home, owner(home), "home")
    assert rows(home, devices) == before
    assert rows(home, "SELECT count(*) FROM endpoint")[0][0] < ends
    imported(home, write(home.with_name("next.pcap"), talk(START_US + 13 * DAY, "www.example.com", port=47000)))
    assert [row[0] for row in rows(home, devices)] == [row[0] for row in before]
    assert unbalanced(home) == []


def test_preview_says_what_would_go_and_changes_nothing(home: Path) -> None:
    before = rows(home, "SELECT count(*) FROM flow")
    (told,) = preview(home, WEEK)
    assert rows(home, "SELECT count(*) FROM flow") == before
    done = retained(home)
    assert (told.flows, told.plan) == (done.flows, done.plan)
    assert rows(home, "SELECT count(*) FROM flow") == [(before[0][0] - done.flows,)]
    (again,) = preview(home, WEEK)
    assert again.flows == 0


def test_twice_is_once(home: Path) -> None:
    retained(home)
    said = [rows(home, f"SELECT * FROM {table}") for table in ("destinations", "traffic", "devices")]  # noqa: S608  of these
    assert retained(home).flows == 0
    assert [rows(home, f"SELECT * FROM {table}") for table in ("destinations", "traffic", "devices")] == said  # noqa: S608


def test_room_is_made_where_detail_is_too_large(home: Path) -> None:
    assert rows(home, "SELECT count(*) FROM flow")[0][0] > 40
    done = retained(home, Limits(detail_days=3650, detail_bytes=20_000))
    assert len(done.plan.steps) > 2
    assert rows(home, "SELECT min(last_seen_us) FROM flows")[0][0] >= done.plan.before_us
    assert unbalanced(home) == []


def test_slots_go_and_hours_stay(home: Path) -> None:
    hours = "SELECT sum(bytes_up), sum(bytes_down) FROM hour_total"
    before = rows(home, hours)
    done = retained(home, Limits(detail_days=2, traffic_days=4))
    assert done.slots > 0
    assert rows(home, hours) == before
    assert rows(home, "SELECT min(slot_us) FROM traffic")[0][0] >= done.plan.newest_us - 4 * DAY - 900_000_000


@pytest.mark.parametrize("place", range(4))
def test_interrupted_after_any_day_it_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    sums, calls = rows(home, SUMS), 0

    def some(*given: Any) -> tuple[int, set[int]]:  # noqa: ANN401  what fold is given
        nonlocal calls
        calls += 1
        if calls > place:
            raise KeyboardInterrupt
        done: tuple[int, set[int]] = fold(*given)
        return done

    fold = store.fold
    with monkeypatch.context() as patch:
        patch.setattr(store, "fold", some)
        with pytest.raises(KeyboardInterrupt):
            retained(home)
    assert unbalanced(home) == []
    assert rows(home, SUMS) == sums
    retained(home)
    assert unbalanced(home) == []
    assert rows(home, SUMS) == sums


def test_killed_process_leaves_a_whole_database(home: Path) -> None:
    sums = rows(home, SUMS)
    command = (
        "from pathlib import Path; from daemon.ingest.retention import *; from daemon.ingest.knowledge import Knowledge;"
        f" retain_all(Path({str(home)!r}), Limits(1), Knowledge(owner=Path({str(owner(home))!r})))"
    )
    for wait in (0.2, 0.5, 0.7):
        child = subprocess.Popen([sys.executable, "-c", command], cwd=ROOT, env=dict(os.environ))
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert unbalanced(home) == []
        assert rows(home, SUMS) == sums
    retained(home, Limits(1))
    assert unbalanced(home) == []
    assert rows(home, SUMS) == sums
