from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import KEYS
from tests.appliance.conftest import Homeport


def test_shows_key_value_and_source(homeport: Homeport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[site]\nnetworks = ["192.0.2.0/24", "2001:db8::/56"]\n', "utf-8")
    monkeypatch.setenv("HOMEPORT_CONFIG", str(path))
    ran = homeport("config")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()[2:] if line.strip()}
    assert ran.code == 0
    assert set(rows) == set(KEYS)
    assert rows["site.networks"] == ["192.0.2.0/24,", "2001:db8::/56", str(path)]
    assert rows["import.jobs"] == ["1", "default"]


def test_describe_says_what_each_key_is_for(homeport: Homeport) -> None:
    out = homeport("config", "--describe").out
    for key in KEYS.values():
        assert f"{key.name}: {key.type}, {key.about.allowed}. {key.about.purpose}" in out


def test_broken_file_is_one_line(homeport: Homeport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.toml"
    path.write_text("import.job = 3", "utf-8")
    monkeypatch.setenv("HOMEPORT_CONFIG", str(path))
    ran = homeport("config")
    assert ran == (2, "", f"homeport config: {path}: unknown key import.job; the nearest known key is import.jobs\n")
