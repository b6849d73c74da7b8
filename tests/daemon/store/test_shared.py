"""Two services of one group share a database: what one of them makes, the other can use."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

import pytest

from daemon.store.database import open_database
from daemon.store.owner import open_owner


@pytest.fixture
def group_umask() -> Iterator[None]:
    before = os.umask(0o007)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.usefixtures("group_umask")
@pytest.mark.parametrize("opened", [open_database, open_owner])
def test_the_group_may_write_what_lies_beside_a_database_too(
    opened: Callable[[Path], Connection], tmp_path: Path
) -> None:
    with closing(opened(tmp_path / "x.db")) as db:
        db.execute("CREATE TABLE more (x)")
        db.execute("INSERT INTO more VALUES (1)")
        assert modes(tmp_path) == {"x.db": 0o660, "x.db-wal": 0o660, "x.db-shm": 0o660}


def test_a_database_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.touch(mode=0o600)
    with closing(open_database(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
