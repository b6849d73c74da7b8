from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.identify import oui, oui_build
from daemon.identify.oui import OuiTable, is_random, open_table

LINES = (
    "# a comment",
    "",
    "00:17:88\t\tPhilips Lighting BV",
    "8C:1F:64\t\tIEEE Registration Authority",
    "8C:1F:64:00:00:00/36\tSuzhou Something Co.,Ltd.",
    "00:55:DA\t\tIEEE Registration Authority",
    "00:55:DA:10:00:00/28\tKoolPOS  Inc.",
    "00:55:DA:20:00:00/28\tPrivate",
    "70:B3:D5\tNews\tLarge Block",
    "70:B3:D5:12:30:00/36\tSmall Block ä",
    "FF:FF\t\tCut",
    "00:00:00:00/99\tOdd",
)


def table(*lines: str) -> OuiTable:
    return OuiTable(oui_build.pack(dict(oui_build.parse(lines))))


@pytest.mark.parametrize(
    ("mac", "maker"),
    [
        (0x001788123456, "Philips Lighting BV"),
        (0x8C1F64000FFF, "Suzhou Something Co.,Ltd."),
        (0x8C1F64001000, None),  # sold in parts, and this part to nobody
        (0x0055DA1FFFFF, "KoolPOS Inc."),
        (0x0055DA200000, None),
        (0x70B3D5123FFF, "Small Block ä"),
        (0x70B3D5124000, "Large Block"),
        (0x021788123456, None),  # locally administered
        (0x011788123456, None),  # a group
        (0x001789000000, None),
        (-1, None),
    ],
)
def test_the_longest_block_decides(mac: int, maker: str | None) -> None:
    assert table(*LINES).maker(mac) == maker


@given(st.dictionaries(st.integers(0, 0xFFFFFF), st.text(min_size=1).filter(lambda t: t.strip()), max_size=40))
def test_every_block_is_found(blocks: dict[int, str]) -> None:
    made = OuiTable(oui_build.pack({(24, prefix): maker for prefix, maker in blocks.items()}))
    for prefix, maker in blocks.items():
        personal = prefix << 24 & ~(0b11 << 40)
        assert made.maker(prefix << 24 | 7) == (maker if personal == prefix << 24 else None)


@given(st.binary(max_size=200))
def test_no_file_is_too_odd(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a table of hardware makers"):
        OuiTable(data)
    try:
        made = OuiTable(oui.MAGIC + data)
    except ValueError:
        return
    assert made.maker(0x001788123456) is None  # enough zeros make an empty table


def test_a_cut_file_is_refused() -> None:
    whole = oui_build.pack(dict(oui_build.parse(LINES)))
    for length in range(len(whole)):
        with pytest.raises(ValueError, match="hardware makers"):
            OuiTable(whole[:length])


def test_without_the_file_nothing_is_known(tmp_path: Path) -> None:
    assert open_table(tmp_path / "oui.bin") is None


def test_it_reads_what_the_build_wrote(tmp_path: Path) -> None:
    if oui_build.find_source() is None:
        pytest.skip("pymanuf is missing: `make setup` installs it")
    (tmp_path / oui_build.TARGET).parent.mkdir(parents=True)
    assert oui_build.build(tmp_path) is None
    path = tmp_path / oui_build.TARGET
    made = open_table(path)
    assert made is not None
    assert made.maker(0x001788000001) == "Philips Lighting BV"
    assert made.maker(0x8C1F64000001) not in (None, "IEEE Registration Authority")
    assert path.stat().st_size < 5_000_000
    assert [each.name for each in path.parent.iterdir()] == ["oui.bin"]


def test_a_table_that_cannot_be_made_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / oui_build.TARGET
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")
    short = tmp_path / "manuf.txt"
    short.write_text("\n".join(LINES), "utf-8")
    monkeypatch.setattr(oui_build, "find_source", lambda: short)
    assert oui_build.build(tmp_path) == "manuf.txt of pymanuf has only 5 blocks"
    monkeypatch.setattr(oui_build, "find_source", lambda: None)
    assert oui_build.build(tmp_path) == "the package pymanuf is missing: pip install pymanuf"
    assert path.read_bytes() == b"old"


def test_made_up_addresses() -> None:
    assert is_random(0xDA0000000001)
    assert not is_random(0x001788000001)
    assert not is_random(-1)
