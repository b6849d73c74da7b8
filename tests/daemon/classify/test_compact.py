"""The quick form of the organisation files never answers for other files than those it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.classify import compact, organisation_files
from daemon.classify.compact import parse, unpack
from daemon.classify.quick import pack

ENTRY = b"""[[organisation]]
name = "A"
country = "NL"
parent = "B\xc3\xa9"
parent_since = "2020-01"
aliases = ["C"]
asns = [64512]
[organisation.domains]
maker = ["a.example", "iot.*.b.example", "iot-*.b.example"]
cdn = ["c.example"]
"""
FILES = {"a.toml": ENTRY, "b.toml": '[[organisation]]\nname = "Bé"\n'.encode()}


def test_it_gives_what_the_files_give() -> None:
    assert unpack(pack(FILES), FILES) == parse(FILES)


@pytest.mark.parametrize(
    "changed",
    [
        {**FILES, "a.toml": FILES["a.toml"] + b"#"},
        {**FILES, "c.toml": b""},
        {"a.toml": FILES["a.toml"]},
        {"b.toml": FILES["a.toml"], "a.toml": FILES["b.toml"]},
    ],
)
def test_it_is_silent_about_other_files(changed: dict[str, bytes]) -> None:
    assert unpack(pack(FILES), changed) is None


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b"\xff", pack(FILES)[:-3]])
def test_damage_is_no_answer(damaged: bytes) -> None:
    assert unpack(damaged, FILES) is None


def test_with_and_without_it_the_table_is_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / organisation_files.FOLDER
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr(organisation_files, "OURS", folder)
    slow = organisation_files.read_ours()
    (folder / compact.COMPACT).write_bytes(pack(FILES))
    monkeypatch.setattr(organisation_files, "parse", None)  # the files themselves must not be parsed any more
    assert organisation_files.read_ours() == slow
