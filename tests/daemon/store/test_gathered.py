"""Columns added up are what the rows of every destination add up to, for any stretch of days, one device or all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from daemon.ingest.retention import retain_all
from daemon.store import gathered
from daemon.store.database import open_database, read_database
from daemon.store.destination_columns import main_of
from daemon.store.gathered import Gathered, gather
from daemon.store.owner import join, open_owner
from daemon.store.retain import Limits
from tests.daemon.ingest.scenes import DAY, SECOND, TABLET, TABLET_MAC, talk, write
from tests.daemon.store.test_whose_days import scope
from tests.support.importing import homeport, imported
from tests.support.packets import HOST_MAC, START_US
from tests.support.reached import rows_reached


def traffic(folder: Path) -> Path:
    """Two devices, some names and addresses, days of two months."""
    files = []
    for day in (0, 1, 40, 41):
        frames = talk(START_US + day * DAY + 60 * SECOND, server="198.51.100.9", port=40999)
        for number, name in enumerate(("api.sonos.com", "graph.facebook.com", "unheard-of.example")):
            at, far = START_US + day * DAY + number * SECOND, f"203.0.113.{number + 1 + day % 2}"
            frames += talk(at, name, server=far, port=40000 + 10 * day + number)
            frames += talk(at + 9 * SECOND, name, client=TABLET, mac=TABLET_MAC, server=far, port=50000 + day)
        files.append(write(folder / f"{day}.pcap", frames))
    return imported(folder / "h.db", *files)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return traffic(tmp_path)


def as_imported(database: Path) -> None:
    """Nothing happens."""


def retain(database: Path) -> None:
    retain_all(database, Limits(detail_days=10), Knowledge())


def join_both(database: Path) -> None:
    retain(database)
    with closing(open_owner(database.with_name("owner.db"))) as owner:
        join(owner, "home", [(HOST_MAC, TABLET_MAC)], "test", START_US)
    relabel_site(database, database.with_name("owner.db"), "home", Knowledge(owner=database.with_name("owner.db")))


def forget(database: Path) -> None:
    retain(database)
    assert homeport("forget", TABLET_MAC, "--db", database, "--yes") in (0, 1)


def _without_columns(database: Path) -> None:
    retain(database)
    with closing(open_database(database)) as db:
        db.execute("DELETE FROM destination_day_column")
        db.execute("DELETE FROM destination_month_column")


def listed(rows: Gathered) -> list[tuple[int, ...]]:
    columns = (
        rows.device, rows.named, rows.verdict, rows.first_us, rows.last_us, rows.flows, rows.packets_up, rows.bytes,
    )  # fmt: skip
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("change", [as_imported, retain, join_both, forget, _without_columns])
def test_the_same_as_the_rows_say(
    database: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    change(database)
    with closing(read_database(database)) as db:
        devices = [None, *(number for (number,) in db.execute("SELECT id FROM device ORDER BY id"))]
        texts: dict[int, str] = dict(db.execute("SELECT id, text FROM name").fetchall())
        texts |= {-number: text for number, text in db.execute("SELECT id, address FROM remote")}
        parties = dict(db.execute("SELECT id, party FROM verdict").fetchall())
        for first, last in ((0, 60), (0, 0.01), (1, 1.5), (40, 41), (41, 60)):
            for number in devices:
                window = scope(db, first, last).of(number).window
                wanted = Counter(
                    (each.device_id, each.domain or each.address, each.party, each.first_us, each.last_us, each.flows,
                     each.packets_up, each.bytes)
                    for each in rows_reached(db, window)
                )  # fmt: skip
                for most in (0, 4_000_000):  # both ways to find out what belongs together
                    monkeypatch.setattr(gathered, "_MOST_CELLS", most)
                    rows = gather(db, window)
                    told = Counter(
                        (device, texts.get(named), parties.get(verdict), *others)
                        for device, named, verdict, *others in listed(rows)
                    )
                    assert told == wanted, (first, last, number)
                assert set(main_of(rows.main).tolist()) <= {0, *(-each for each in texts if each < 0)}


def test_only_what_is_sought(database: Path) -> None:
    with closing(read_database(database)) as db:
        window = scope(db).window
        whole = gather(db, window)
        number = dict(db.execute("SELECT text, id FROM name").fetchall())["graph.facebook.com"]
        some = gather(db, window, named=np.array([number], np.int64))
        assert set(some.named.tolist()) == {number}
        assert some.bytes.sum() == whole.bytes[whole.named == number].sum() > 0
        verdicts = set(whole.verdict[whole.named == number].tolist())
        judged = gather(db, window, verdicts)
        assert set(judged.named.tolist()) == set(whole.named[np.isin(whole.verdict, sorted(verdicts))].tolist())


def test_only_the_columns_that_are_wanted(database: Path) -> None:
    retain(database)
    with closing(read_database(database)) as db:
        whole, some = gather(db, scope(db).window), gather(db, scope(db).window, only=("bytes_up", "last_us"))
    for word in Gathered._fields:
        wanted = getattr(whole, word)
        if word not in ("device", "named", "verdict", "bytes_up", "last_us"):
            assert wanted.any(), word
            wanted = wanted * 0
        assert getattr(some, word).tolist() == wanted.tolist(), word


def test_a_home_without_traffic_has_none(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "empty.db")) as db:
        assert len(gather(db, scope(db).window).named) == 0


def test_parts_of_different_width_are_found_together() -> None:
    narrow, wide = np.array([1, 2], np.int8), np.array([-70_000, 2], np.int64)
    numbers = gathered._numbers([narrow, wide])
    assert numbers.known.tolist() == [-70_000, 1, 2]
    assert numbers.of(narrow).tolist() == [1, 2]
    assert numbers.of(wide).tolist() == [0, 2]
