"""Questions to reports, as the command line and the pages ask them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from daemon.report.scope import Scope, Span
from daemon.store.database import read_database
from daemon.store.roster import read_residents


@contextmanager
def asked(
    database: Path, since_us: int, until_us: int, *, mac: str | None = None, night: tuple[int, int] = (22, 6)
) -> Iterator[Scope]:
    """A question about the only home of a database, and perhaps one device, by its MAC or address."""
    with closing(read_database(database)) as db:
        number, name, zone = db.execute("SELECT id, name, zone FROM site").fetchone()
        (newest,) = db.execute("SELECT max(last_us) FROM capture").fetchone()
        residents = read_residents(db, name)
        names = {each.device_id: each.name or each.said_of for each in residents}
        device = next((each.device_id for each in residents if mac is not None and mac in each.keys), None)
        assert mac is None or device is not None, f"no device {mac}"
        yield Scope(db, number, name, zone, Span(since_us, until_us), newest, device, names, night)
