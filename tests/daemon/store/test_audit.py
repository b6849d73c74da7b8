"""What was done is written down, the newest lines for good."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from daemon.store.audit import MOST, PACKETS, Line, latest, note
from daemon.store.owner import open_owner


def test_the_last_comes_first_and_texts_are_bounded(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path / "owner.db")) as db:
        note(db, Line(1, "owner", "192.168.1.2", PACKETS, "TV, 3 May 2026"))
        note(db, Line(2, "token p", "192.168.1.3", PACKETS, "x" * 10_000))
        first, second = latest(db, 9)
        assert (first.at_us, len(first.about)) == (2, 500)
        assert second == Line(1, "owner", "192.168.1.2", PACKETS, "TV, 3 May 2026")
        assert len(latest(db, 1)) == 1


def test_old_lines_go(tmp_path: Path) -> None:
    with closing(open_owner(tmp_path / "owner.db")) as db:
        db.execute("INSERT INTO audit (id, at_us, who, address, what, about) VALUES (1, 1, 'a', 'b', 'c', 'd')")
        db.execute(
            "INSERT INTO audit (id, at_us, who, address, what, about) VALUES (?, 2, 'a', 'b', 'c', 'd')", (MOST,)
        )
        note(db, Line(3, "owner", "", PACKETS, ""))
        assert [line.at_us for line in latest(db, 9)] == [3, 2]
