"""The file that is given up first."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.ingest import ballast

SIZE = 3 << 20


def test_it_takes_room_and_gives_it_back(tmp_path: Path) -> None:
    path = ballast.ballast_beside(tmp_path / "homeport.db")
    assert (path.parent, ballast.held(path), ballast.give_up(path)) == (tmp_path, 0, 0)
    assert ballast.make(path, SIZE)
    assert ballast.held(path) == SIZE
    assert path.stat().st_blocks * 512 >= SIZE, "blocks of the disk, and no hole"
    assert path.stat().st_mode & 0o007 == 0
    assert ballast.make(path, SIZE // 3)
    assert ballast.held(path) == SIZE // 3
    assert ballast.give_up(path) == SIZE // 3
    assert not path.exists()


def test_a_hole_is_no_ballast(tmp_path: Path) -> None:
    path = tmp_path / "ballast"
    with path.open("wb") as file:
        file.truncate(SIZE)
    assert ballast.held(path) < SIZE
    assert ballast.make(path, SIZE)
    assert ballast.held(path) == SIZE


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"x" * 100)
    (tmp_path / "ballast").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic"):
        ballast.make(tmp_path / "ballast", SIZE)
    assert (tmp_path / "precious").read_bytes() == b"x" * 100
