from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from appliance.data.sources import COUNTRY_ANSWERS
from tests.appliance.conftest import Homeport
from tests.support.atlas import mmdb, serving

# As large as a real one must be at least: a record that nobody asks for fills it up.
COUNTRY = mmdb(
    {address: {"country_code": code} for address, code in COUNTRY_ANSWERS}
    | {"240.0.0.0/8": {"filler": "x" * (1 << 20)}}
)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "server-country.mmdb").write_bytes(COUNTRY)
    return folder


def test_status_of_nothing_tells_what_to_do(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("data", "status", "--folder", tmp_path / "data")
    assert ran.code == 0
    assert [line.split()[:3] for line in ran.out.splitlines()[2:5]] == [
        ["cloud.mmdb", "cloud", "absent"], ["country.mmdb", "country", "absent"], ["asn.mmdb", "asn", "absent"],
    ]  # fmt: skip
    assert "homeport data update" in ran.err


def test_update_from_a_folder_then_status(homeport: Homeport, tmp_path: Path, stick: Path) -> None:
    data = tmp_path / "data"
    ran = homeport("data", "update", "country", "--folder", data, "--source", stick)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("country.mmdb: updated: built 2026-06-17, ")
    ran = homeport("data", "status", "--folder", data, "--format", "json")
    assert ran.code == 0
    rows = {row["name"]: row for row in json.loads(ran.out)}
    assert rows["country.mmdb"]["built"] == "2026-06-17"
    assert rows["country.mmdb"]["licence"] == "PDDL 1.0"
    assert rows["asn.mmdb"]["state"] == "absent"
    ran = homeport("data", "status", "--folder", data)
    assert "country.mmdb: ip-location-db (https://github.com/sapics/ip-location-db)" in ran.out


def test_update_from_a_server(homeport: Homeport, tmp_path: Path) -> None:
    digest = hashlib.sha256(COUNTRY).hexdigest().encode()
    with serving({"/server-country.mmdb": COUNTRY, "/server-country.mmdb.sha256": digest}) as web:
        ran = homeport("data", "update", "country", "--folder", tmp_path, "--source", web.address)
        assert ran.code == 0, ran.err
        again = homeport("data", "update", "country", "--folder", tmp_path, "--source", web.address)
    assert again.out == "country.mmdb: current: the newest there is, built 2026-06-17\n"


def test_in_part_is_another_exit_code_than_not_at_all(homeport: Homeport, tmp_path: Path, stick: Path) -> None:
    ran = homeport("data", "update", "--folder", tmp_path / "data", "--source", stick)
    assert ran.code == 1
    assert ran.out.startswith("country.mmdb: updated")
    assert "asn.mmdb: not changed: " in ran.err
    ran = homeport("data", "update", "--folder", tmp_path / "other", "--source", "http://127.0.0.1:1")
    assert ran.code == 3
    assert "nothing was changed; the databases that were there go on being used" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("update", "planets"), 2, "no database 'planets'; there are country, asn, cloud, country-dbip, city-dbip"),
        (("update", "country", "--source", "http://192.0.2.1/x"), 3, "only https is fetched"),
        (("build",), 2, "--from"),
        (("build", "--from", "absent"), 3, "absent: No such file or directory; nothing was changed"),
        (("update", "--patience", "0"), 2, "patience"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    homeport: Homeport, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = homeport("data", *arguments, "--folder", tmp_path / "data")
    assert ran.code == code
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_an_unusable_file_is_an_exit_code_of_its_own(homeport: Homeport, tmp_path: Path) -> None:
    (tmp_path / "na\nme.mmdb").write_bytes(b"?")
    ran = homeport("data", "status", "--folder", tmp_path)
    assert ran.code == 1
    assert "na\\nme.mmdb" in ran.out
