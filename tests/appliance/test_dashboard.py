"""What the dashboard is given on this machine."""

from __future__ import annotations

from pathlib import Path

from appliance.config import load_config
from appliance.dashboard import claim_code, host_names, options_of
from daemon.store import accounts
from daemon.store.settings import SETTINGS, set_each
from tests.support.atlas import countries
from tests.support.guarded import asked, own
from tests.support.importing import NO_SETTINGS


def test_the_box_has_the_names_by_which_people_call_it() -> None:
    assert set(host_names(("box.example",), "kitchen.lan")) == {
        "box.example", "homeport", "homeport.local", "kitchen", "kitchen.local", "kitchen.lan",
    }  # fmt: skip


def test_a_box_without_an_owner_shows_a_code_and_one_with_an_owner_none(tmp_path: Path) -> None:
    config = load_config({"store.database": str(tmp_path / "h.db")}, NO_SETTINGS)
    code = claim_code(config)
    assert code is not None
    assert asked(tmp_path / "owner.db", lambda db: accounts.code_fits(db, code))
    own(tmp_path / "owner.db")
    assert claim_code(config) is None


def test_databases_and_the_values_beneath_settings_are_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "country.mmdb").write_bytes(countries(DE="203.0.113.0/24"))
    (tmp_path / "data" / "asn.mmdb").write_bytes(b"nonsense")
    asked(tmp_path / "owner.db", lambda db: set_each(db, {"retention.detail_days": "7"}, "web", 1))
    given = {"store.database": str(tmp_path / "h.db"), "data.folder": str(tmp_path / "data")}
    options = options_of(load_config(given, NO_SETTINGS), is_open=False)
    files = {file.name: file for file in options.data_files()}
    assert files["country.mmdb"].kind == "country"
    assert files["country.mmdb"].age_days is not None
    assert files["asn.mmdb"].state.startswith("unusable: ")
    assert files["cloud.mmdb"].state == "absent"
    assert set(options.configured) == {key for key, setting in SETTINGS.items() if setting.is_key}
    assert options.configured["retention.detail_days"] == "35", "what would be, had the owner said nothing"
    assert not options.open
