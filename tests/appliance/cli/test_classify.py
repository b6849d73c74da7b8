"""`homeport classify --input`: labels for pairs, without any capture."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest

from tests.appliance.conftest import Homeport

PAIRS = """device_vendor,device,domain,note
Sonos,Sonos One,conn-i-0.ws.sonos.com,=1+1
Sonos,Sonos One,s3.amazonaws.com,"a,b"
Sonos,Sonos One,ad.doubleclick.net,
,Echo Dot,x.iot.us-east-1.amazonaws.com,
Sonos,Sonos One,x.iot.us-east-1.amazonaws.com,
,,printer.local,
,,nobody-knows.example,
"""


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    path.write_text(PAIRS, "utf-8")
    return path


def test_every_pair_gets_its_label(homeport: Homeport, pairs: Path, tmp_path: Path) -> None:
    output = tmp_path / "labels.csv"
    ran = homeport("classify", "--input", pairs, "--output", output)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("7 pairs labelled: first 2, ")
    rows = list(csv.DictReader(output.read_text("utf-8").splitlines()))
    assert ",".join(rows[0]) == "device_vendor,device,domain,note,party,organisation,purpose,rule_id,reason"
    assert [row["note"] for row in rows[:2]] == ["=1+1", "a,b"]
    assert [(row["party"], row["organisation"]) for row in rows[:6]] == [
        ("first", "Sonos"),
        ("support", "Amazon"),
        ("third", "Google"),
        ("first", "Amazon"),
        ("platform", "Amazon"),
        ("local", ""),
    ]
    assert rows[0]["reason"] == "sonos.com belongs to Sonos, which makes this Sonos device."
    assert rows[6]["party"] == "unknown"


def test_without_a_file_the_labels_go_to_standard_output(homeport: Homeport, pairs: Path) -> None:
    pairs.write_bytes(
        b"\xef\xbb\xbfdevice_vendor,device,domain\r\nSonos,,www.sonos.com\r\n"
    )  # as a spreadsheet saves it
    ran = homeport("classify", "--input", pairs)
    assert ran.code == 0
    assert next(csv.DictReader(io.StringIO(ran.out)))["rule_id"] == "own-service"


def test_a_users_file_of_organisations(homeport: Homeport, pairs: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[[organisation]]\nname = "Sonos"\ndomains = {maker = ["nobody-knows.example"]}\n', "utf-8")
    pairs.write_text("device_vendor,device,domain\nSonos,,www.nobody-knows.example\n", "utf-8")
    assert ",third," in homeport("classify", "--input", pairs).out
    assert ",first,Sonos," in homeport("classify", "--input", pairs, "--organisations", mine).out
    settings = Path(os.environ["HOMEPORT_CONFIG"])
    settings.write_text(f'[classify]\norganisations = ["{mine}"]\n', "utf-8")
    assert ",first,Sonos," in homeport("classify", "--input", pairs).out


def test_a_bad_file_of_organisations_is_explained(homeport: Homeport, pairs: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[[organisation]]\nname = "Sonos"\ndomains = {makers = ["a.example"]}\n', "utf-8")
    ran = homeport("classify", "--input", pairs, "--organisations", mine)
    assert (ran.code, ran.out) == (3, "")
    assert "mine.toml: organisation 'Sonos': unknown kind of domain 'makers'; did you mean 'maker'" in ran.err
    assert homeport("classify", "--input", pairs, "--organisations", tmp_path / "no.toml").code == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; wants a header"),
        (b"vendor,domain\n", "has no column device_vendor"),
        (b"device_vendor,device,domain\nSonos,caf\xe9,x.example\n", "is not UTF-8 text"),
        (b'device_vendor,device,domain\nSonos,"a"b,x.example\n', "is not CSV, near line 2"),
        (b"device_vendor,device,domain\na,b,c,d\n", "row 2 has 4 fields, the header 3"),
        (b"device_vendor,device,domain\na,b," + b"x" * 200_000 + b"\n", "is not CSV"),
    ],
)
def test_a_table_that_cannot_be_understood_leaves_no_labels(
    homeport: Homeport, pairs: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    pairs.write_bytes(content)
    ran = homeport("classify", "--input", pairs, "--output", tmp_path / "labels.csv")
    assert ran.code == 3
    assert said in ran.err
    assert "pairs.csv" in ran.err
    assert not (tmp_path / "labels.csv").exists()


def test_a_file_that_is_not_there(homeport: Homeport, tmp_path: Path) -> None:
    ran = homeport("classify", "--input", tmp_path / "no.csv", "--output", tmp_path / "labels.csv")
    assert ran.code == 3
    assert "no.csv cannot be read: No such file or directory" in ran.err
    assert homeport("classify", "--input", tmp_path).code == 3
    assert homeport("classify", "--input", "a\nb").err.count("\n") == 1


def test_a_place_where_nothing_can_be_written(homeport: Homeport, pairs: Path, tmp_path: Path) -> None:
    ran = homeport("classify", "--input", pairs, "--output", tmp_path / "no" / "labels.csv")
    assert ran.code == 3
    assert "labels.csv cannot be written" in ran.err


def test_nothing_asked(homeport: Homeport) -> None:
    ran = homeport("classify")
    assert ran.code == 2
    assert "--input" in ran.err
