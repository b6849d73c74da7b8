"""Addresses are looked up in the box's own files, and in those that took their place."""

from __future__ import annotations

import os
from pathlib import Path

from appliance import places
from tests.support.atlas import countries


def test_a_new_file_answers_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "country.mmdb"
    file.write_bytes(countries(MT="46.11.0.0/16"))
    locator = places.Locator(tmp_path)
    found = locator.look_up("46.11.0.7")
    assert found is not None
    assert found.country == "MT"
    newer = tmp_path / "newer"
    newer.write_bytes(countries(SG="46.11.0.0/16"))
    newer.replace(file)
    os.utime(file, ns=(1, 1))
    told = [locator.look_up("46.11.0.7") for _ in range(600)]
    assert told[-1] is not None
    assert told[-1].country == "SG"


def test_no_folder_knows_only_clouds(tmp_path: Path) -> None:
    locator = places.Locator(tmp_path / "missing")
    assert locator.look_up("192.168.1.1") is None
    assert locator.look_up("no address") is None
