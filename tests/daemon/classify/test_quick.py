"""The table that was made when Homeport was built is the one that its files say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.classify import organisation_files, quick
from daemon.classify.compact import COMPACT, digest, parse
from daemon.classify.organisation_files import load_organisations, our_files
from daemon.classify.organisations import OrganisationTable, build_table

FILES = our_files()


@pytest.fixture(scope="module")
def opened() -> OrganisationTable:
    table = quick.open_table(quick.pack(FILES), digest(FILES))
    assert table is not None
    return table


def test_every_look_up_is_the_same(opened: OrganisationTable) -> None:
    built = build_table([[quick.as_organisation(raw) for found in parse(FILES).values() for raw in found]])
    for name in OrganisationTable._fields:
        told, known = getattr(opened, name), getattr(built, name)
        if isinstance(known, Mapping):
            assert list(told) == list(known), name
            assert dict(told) == known, name
        else:
            assert told == known, name


def test_what_is_asked_for_twice_is_one_thing(opened: OrganisationTable) -> None:
    match = opened.match("www.example.com")
    assert match is not None
    assert match.organisation is opened.by_name(match.organisation.name)
    assert opened.names.get("nobody is called so") is None
    assert "nobody is called so" not in opened.names
    assert len(opened.organisations) == len(list(opened.organisations))


def test_two_entries_of_one_name_have_no_quick_form() -> None:
    entry = b'[[organisation]]\nname = "A"\n'
    with pytest.raises(ValueError, match="two files"):
        quick.pack({"a.toml": entry, "b.toml": entry})


def test_another_form_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.toml": b'[[organisation]]\nname = "A"\n'}
    packed = quick.pack(files)
    assert quick.open_table(packed, digest(files)) is not None
    monkeypatch.setattr(quick, "_FORM", 1)
    assert quick.open_table(packed, digest(files)) is None


def test_a_name_that_would_end_a_column_has_no_quick_form() -> None:
    with pytest.raises(ValueError, match="in it"):
        quick.pack({"a.toml": b'[[organisation]]\nname = "A|B"\n'})


def test_it_is_opened_instead_of_being_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'[[organisation]]\nname = "A"\n[organisation.domains]\nmaker = ["a.example"]\n')
    monkeypatch.setattr(organisation_files, "OURS", tmp_path)
    slow = load_organisations()
    (tmp_path / COMPACT).write_bytes(quick.pack(our_files()))
    monkeypatch.setattr(organisation_files, "build_table", None)
    assert load_organisations().match("www.a.example") == slow.match("www.a.example")
    (tmp_path / "a.toml").write_bytes(b"")
    with pytest.raises(TypeError):  # built, as the files are others
        load_organisations()
