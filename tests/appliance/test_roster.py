"""Devices in writing: what fits into a window, and what a word says."""

from __future__ import annotations

import pytest

from appliance.roster import Clock, list_table, word_text
from daemon.store.roster import Member, Resident, Seen
from daemon.store.words import Word

MAC = "02:00:00:00:00:10"
MEMBERS = (Member(MAC, (Seen("192.168.1.10", 5, 9), Seen("fe80::1", 5, 8), Seen("fd00::1", 1, 2)), ()),)
RADIO = Resident(
    MEMBERS, 3, "home", "Radio", "owner", None, "Kitchen", MAC, 1, "Sonos", None, "speaker", None,
    1_719_999_000_000_000, 1_720_000_000_000_000, 1500, 2_500_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (None, ""),
        (400, ""),
        (160, "first seen"),
        (100, "first seen, named by, addresses, mac"),
        (60, "first seen, named by, addresses, mac, room, vendor"),
    ],
)
def test_list_fits_the_window(capsys: pytest.CaptureFixture[str], width: int | None, left_out: str) -> None:
    list_table([RADIO], "home", Clock("UTC"), width)
    title, head, row, *_ = capsys.readouterr().out.splitlines()
    hint = f"; a wider window shows {left_out}" if left_out else ""
    assert title == f"Devices of site home (1; times in UTC{hint})"
    assert ("192.168.1.10 fe80::1 +1" in row) == ("addresses" not in left_out)
    assert "owner" not in head.replace("named by", "").split()  # nobody has said any
    for column, words in (("mac", f"{MAC} (random)"), ("vendor", "Sonos")):
        assert (words in row) == (column not in left_out)
    for words in ("Radio", "1.5 kB", "2.5 MB", "2024-07-03"):
        assert words in row
    assert len(row) <= (width or 400)


def test_only_further_macs_are_counted_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    members = (*MEMBERS, *(Member(key, (), ()) for key in ("02:00:00:00:00:11", "fd00::7", "folder:Hall: lamp")))
    list_table([RADIO._replace(members=members)], "home", Clock("UTC"))
    assert f"{MAC} (random) +1 " in capsys.readouterr().out


def test_times_are_those_of_the_house() -> None:
    assert Clock("UTC").text(1_720_000_000_000_000) == "2024-07-03 09:46"
    assert Clock("Europe/Berlin").text(1_720_000_000_000_000) == "2024-07-03 11:46"
    assert Clock("UTC").text(None) == ""


@pytest.mark.parametrize(
    ("about", "value", "text"),
    [
        ("name", "Radio", f'name of {MAC}: "Radio"'),
        ("room", None, f"room of {MAC}: taken back"),
        ("join", "fe80::7", f"{MAC} and fe80::7 are one device"),
        ("split", "fe80::7", f"{MAC} and fe80::7 are two devices"),
    ],
)
def test_word_as_a_sentence(about: str, value: str | None, text: str) -> None:
    assert word_text(Word(1, 1, "home", MAC, about, value, 0, "web")) == text


def test_a_long_name_folds_before_what_a_device_moved_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """On 80 columns, what nobody can do without: who, when, how much. Who has no name has the end of its MAC."""
    nobody = RADIO._replace(name=None, name_source=None)
    list_table([RADIO._replace(name="A radio with a rather long name " * 2), nobody], "home", Clock("UTC"), 80)
    out = capsys.readouterr().out
    assert "last seen" in out
    assert all(words in out for words in ("1.5 kB", "2.5 MB", "(no name, 00:10)", "a wider window shows"))
