"""What the pages are told of companies: our table with the owner's, as its files are now."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from appliance.config import load_config
from appliance.families import portraits_of

TABLE = """
[[organisation]]
name = "Grandfather's Lamps"
country = "CH"
parent = "Signify"
domains = {{ maker = ["{domain}"] }}
"""


def test_owners_table_is_followed_and_a_broken_one_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine = tmp_path / "mine.toml"
    known = portraits_of(load_config({"classify.organisations": [str(mine)]}))
    with caplog.at_level(logging.WARNING):
        assert known("Ring") is not None  # the file is not there
    assert "mine.toml" in caplog.text
    assert known("Grandfather's Lamps") is None
    mine.write_text(TABLE.format(domain="lamps.example"))
    found = known("Grandfather's Lamps")
    assert found is not None
    assert (found.country, found.owners[0].name) == ("CH", "Signify")
    mine.write_text("[[organisation]]\nname = 7\n")
    assert known("Grandfather's Lamps") is None
    assert known("Ring") is not None
