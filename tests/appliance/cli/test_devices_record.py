"""`homeport devices record`: how much of a device is recorded, said, shown, undone, and kept when it is forgotten."""

from __future__ import annotations

import csv
import io
import shlex
import shutil
from pathlib import Path

import pytest

from daemon.store.owner import words_at
from tests.appliance.cli.test_devices import Devices, Row
from tests.appliance.conftest import Homeport, Ran
from tests.daemon.ingest.scenes import SECOND, TABLET, TABLET_MAC, dhcp_request, talk, write
from tests.support.importing import imported
from tests.support.packets import START_US


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a tablet that said its name."""
    folder = tmp_path_factory.mktemp("template")
    scenes = [dhcp_request(START_US, "bobs-galaxy", TABLET_MAC)], talk(START_US + SECOND, client=TABLET, mac=TABLET_MAC)
    return imported(folder / "home.db", write(folder / "evening.pcap", *scenes))


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "home.db"))


@pytest.fixture
def devices(homeport: Homeport, database: Path) -> Devices:
    def command(*arguments: str | Path) -> Ran:
        return homeport("devices", *arguments, "--db", database)

    return command


def listed(devices: Devices) -> Row:
    (row,) = csv.DictReader(io.StringIO(devices("--format", "csv").out))
    return row


def test_how_much_is_recorded_is_said_shown_and_undone(devices: Devices) -> None:
    ran = devices("record", "bobs-galaxy", "off")
    assert ran.code == 0
    assert "bobs-galaxy" in ran.out
    assert "is not recorded from now on" in ran.out
    assert "What was recorded before stays" in ran.out
    assert "Under a new one a device is recorded in full until that is joined to it" in ran.out
    assert "`homeport ingest` does, as soon as it runs" in ran.err
    assert "is not recorded already; nothing was changed" in devices("record", "bobs-galaxy", "off").out
    assert listed(devices)["recording"] == "off"
    assert "not at all since" in devices("show", "bobs-galaxy").out
    assert "recorded" in devices().out.splitlines()[1]
    again = devices(*shlex.split(ran.out.partition("To undo: ")[2])[2:4])
    assert "recorded in full now" in again.out
    assert listed(devices)["recording"] == "full"
    assert "not at all" not in devices("show", "bobs-galaxy").out


def test_a_level_survives_forgetting_and_is_taken_back_by_mac(
    devices: Devices, homeport: Homeport, database: Path
) -> None:
    assert devices("record", TABLET_MAC, "no-names").code == 0
    assert homeport("forget", "bobs-galaxy", "--yes", "--db", database).code == 0
    assert words_at(database.with_name("owner.db"), "home").levels[TABLET_MAC].level == "no-names"
    ran = devices("record", TABLET_MAC.upper(), "full")
    assert f"{TABLET_MAC} is recorded in full from now on" in ran.out
    assert words_at(database.with_name("owner.db"), "home").levels == {}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("record", "bobs-galaxy", "some"), 2, "some"),
        (("record", "bobs-galaxy"), 2, "full|no-names|off"),
        (("record", "nobody", "off"), 3, "nobody"),
        (("record", "02:00:00:00:00:99", "off"), 3, "02:00:00:00:00:99"),
    ],
)
def test_no_level_of_nobody(devices: Devices, words: tuple[str, ...], code: int, says: str) -> None:
    ran = devices(*words)
    assert ran.code == code
    assert says.lower() in ran.err.lower()
