from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.config import (
    KEYS,
    ConfigError,
    Layer,
    UnreadableConfigError,
    file_layers,
    load_config,
    read_file,
    settle,
)
from appliance.settings import DEFAULT_DATA, DEFAULT_DATABASE, DEFAULT_OWNER, Site


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def environ(path: Path) -> dict[str, str]:
    return {"HOMEPORT_CONFIG": str(path)}


def test_defaults_need_no_file(tmp_path: Path) -> None:
    assert file_layers({}, default=tmp_path / "absent" / "homeport.toml") == []
    config = settle([])
    assert config.site.name == "home"
    assert config.site.networks == ()
    assert config.imports.jobs == 1
    assert config.store.database == DEFAULT_DATABASE
    assert set(config.sources.values()) == {"default"}


def test_each_layer_beats_the_one_below(tmp_path: Path) -> None:
    main = write(tmp_path / "homeport.toml", '[site]\nname = "file"\n[import]\njobs = 2\n[store]\ndatabase = "a.db"\n')
    first = write(tmp_path / "conf.d" / "10-a.toml", "import.jobs = 3\nsite.name = 'ten'\n")
    second = write(tmp_path / "conf.d" / "20-b.toml", "[import]\njobs = 4\n")
    write(tmp_path / "conf.d" / "30-c.txt", "nonsense")
    config = load_config({"store.database": "flag.db"}, environ(main))
    assert (config.site.name, config.imports.jobs, config.store.database) == ("ten", 4, Path("flag.db"))
    assert config.sources == dict.fromkeys(KEYS, "default") | {
        "site.name": str(first),
        "import.jobs": str(second),
        "store.database": "command line",
        "store.owner": "beside store.database",
    }


def test_owner_file_is_beside_the_database_unless_it_has_a_place_of_its_own(tmp_path: Path) -> None:
    nowhere = environ(write(tmp_path / "c.toml", ""))
    assert load_config({}, nowhere).store.owner == DEFAULT_OWNER == DEFAULT_DATABASE.parent / "owner.db"
    assert load_config({"store.database": "x/home.db"}, nowhere).store.owner == Path("x/owner.db")
    config = load_config({"store.database": "x/home.db", "store.owner": "y/mine.db"}, nowhere)
    assert (config.store.owner, config.sources["store.owner"]) == (Path("y/mine.db"), "command line")


def test_databases_of_places_are_those_beside_the_database_if_they_lie_there(tmp_path: Path) -> None:
    """Else who renames a device of the sample home with `homeport serve` would take the countries from all labels."""
    nowhere = environ(write(tmp_path / "c.toml", ""))
    beside, flag = tmp_path / "data", {"store.database": str(tmp_path / "home.db")}
    beside.mkdir()
    assert load_config(flag, nowhere).data.folder == DEFAULT_DATA, "a folder of that name may hold anything"
    (beside / "country.mmdb").write_bytes(b"")
    config = load_config(flag, nowhere)
    assert (config.data.folder, config.sources["data.folder"]) == (beside, "beside store.database")
    assert load_config({}, nowhere).data.folder == DEFAULT_DATA
    assert load_config({**flag, "data.folder": "other"}, nowhere).data.folder == Path("other")


def test_flag_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    main = write(tmp_path / "homeport.toml", '[site]\nname = "file"\nnetworks = ["192.0.2.0/24"]\n')
    config = load_config({"site.name": None, "site.networks": ()}, environ(main))
    assert (config.site.name, config.site.networks) == ("file", ("192.0.2.0/24",))


def test_value_by_key_name() -> None:
    config = settle([Layer("test", {"import.jobs": 7})])
    assert {name: config.value(name) for name in KEYS}["import.jobs"] == 7


def test_section_has_defaults_and_no_other_keys_and_nobody_changes_it() -> None:
    site = Site(name="attic")
    assert (site.name, site.networks, site.time_zone) == ("attic", (), "")
    with pytest.raises(TypeError, match="Site has no colour"):
        Site(colour="blue")
    with pytest.raises(AttributeError, match=r"Site\.name is settled"):
        site.name = "cellar"


def test_unknown_key_names_file_key_and_nearest(tmp_path: Path) -> None:
    main = write(tmp_path / "homeport.toml", '[site]\nnmae = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load_config({}, environ(main))
    assert str(caught.value) == f"{main}: unknown key site.nmae; the nearest known key is site.name"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import.jobs = '2'", "import.jobs wants a number (1 to 64), not '2'"),
        ("import.jobs = true", "import.jobs wants a number (1 to 64), not True"),
        ("import.jobs = 0", "import.jobs wants a number from 1 to 64, not 0"),
        ("import.jobs = 65", "import.jobs wants a number from 1 to 64, not 65"),
        ("site.name = ''", "site.name wants 1 to 64 printable characters"),
        ("site.name = ' a'", "without space at either end"),
        ('site.name = "a\\u001bb"', "site.name wants 1 to 64 printable characters"),
        ("site.name = 5", "site.name wants a text"),
        ("site.networks = '10.0.0.0/8'", "site.networks wants a list of texts"),
        ("site.networks = [10]", "site.networks wants a list of texts"),
        ("site.networks = ['10.0.0.1/8']", "10.0.0.1/8 has host bits set"),
        ("store.database = ''", "store.database wants the path of a file"),
        ("data.folder = ''", "data.folder wants the path of a folder"),
        ("data.old_after_days = 0", "data.old_after_days wants a number from 1 to 3650, not 0"),
        ("site = 3", "unknown key site"),
        ("site.name = ", "not TOML"),
    ],
)
def test_bad_value_is_one_line_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    main = write(tmp_path / "homeport.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config({}, environ(main))
    assert str(caught.value).startswith(f"{main}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "homeport.toml"
    path.write_bytes(b'site.name = "\xff"')
    with pytest.raises(ConfigError, match="not TOML"):
        read_file(path)


def test_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfigError, match=r"absent\.toml: No such file"):
        load_config({}, environ(tmp_path / "absent.toml"))


def test_flag_out_of_range_names_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^command line: import\.jobs wants"):
        load_config({"import.jobs": 99}, environ(write(tmp_path / "c.toml", "")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "c.toml", "")
    path.chmod(0)
    with pytest.raises(UnreadableConfigError, match="Permission denied"):
        load_config({}, environ(path))
