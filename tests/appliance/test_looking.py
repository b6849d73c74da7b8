"""Who asks for numbers is seen by the service that makes them."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.looking import somebody_looks
from daemon.ingest.standing import is_looked_at


def test_a_look_is_seen_for_a_while(tmp_path: Path) -> None:
    assert not is_looked_at(tmp_path, time.time())
    somebody_looks(tmp_path)
    assert is_looked_at(tmp_path, time.time())
    assert not is_looked_at(tmp_path, time.time() + 60)


def test_without_a_service_nothing_is_left_behind(tmp_path: Path) -> None:
    somebody_looks(tmp_path / "no-such-folder")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_touched_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "look").symlink_to(tmp_path / "nowhere" / "look")
    somebody_looks(tmp_path)
