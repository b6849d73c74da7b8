"""Where no service runs, the dashboard itself lets the labels follow, and forgets who is to be forgotten."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from appliance.config import Config, load_config
from appliance.dashboard import Follower
from daemon.store import owner
from daemon.store.database import read_database
from daemon.store.roster import Resident, read_residents
from tests.daemon.ingest.scenes import TABLET_MAC, write
from tests.support.counted import packets
from tests.support.forgetting import laptop, tablet
from tests.support.importing import NO_SETTINGS, imported
from tests.support.packets import HOST_MAC, START_US

PATIENCE_S = 120.0


def _config(folder: Path) -> Config:
    capture = write(folder / "day.pcap", laptop(START_US), tablet(START_US + 1000))
    imported(folder / "h.db", capture)
    return load_config({"store.database": str(folder / "h.db"), "store.owner": str(folder / "owner.db")}, NO_SETTINGS)


def _residents(config: Config) -> list[Resident]:
    with closing(read_database(config.store.database)) as db:
        return read_residents(db, "home")


def _wish(config: Config) -> None:
    with closing(owner.open_owner(config.store.owner)) as db:
        owner.wish_forgotten(db, "home", [TABLET_MAC], "web", START_US)


def _wished(config: Config) -> bool:
    with closing(owner.open_owner(config.store.owner)) as db:
        return bool(owner.wishes(db, "home"))


def _followed() -> None:
    """Wait until the labels have followed."""
    for thread in threading.enumerate():
        if thread.name == "labels follow":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_a_device_is_forgotten_while_the_dashboard_runs(tmp_path: Path) -> None:
    config = _config(tmp_path)
    assert any(TABLET_MAC in each.keys for each in _residents(config))
    _wish(config)
    Follower(config).follow("home")
    _followed()
    assert not _wished(config)
    assert not any(TABLET_MAC in each.keys for each in _residents(config))
    left = {each.source for each in packets(tmp_path / "day.pcap")}
    assert HOST_MAC in left
    assert TABLET_MAC not in left


def test_what_an_earlier_dashboard_did_not_finish_is_gone_on_with(tmp_path: Path) -> None:
    config = _config(tmp_path)
    Follower(config).resume("home")  # nobody wished anything
    assert not _wished(config)
    _wish(config)
    Follower(config).resume("home")
    _followed()
    assert not _wished(config)


def test_a_name_becomes_a_label(tmp_path: Path) -> None:
    config = _config(tmp_path)
    with closing(owner.open_owner(config.store.owner)) as db:
        owner.say(db, "home", TABLET_MAC, "name", "Kitchen pad", "web", START_US)
    Follower(config).follow("home")
    _followed()
    assert "Kitchen pad" in {each.name for each in _residents(config)}
