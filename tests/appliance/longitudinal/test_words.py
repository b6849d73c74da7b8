from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.console import CannotDoError
from appliance.longitudinal.tree import device_folders, read_tree
from appliance.longitudinal.words import Step, Year, folder_name
from daemon.report.longitudinal.months import Month


@click.command(cls=Step)
@click.argument("rest", nargs=-1)
@click.option("--years", "--year", multiple=True, type=Year())
@click.option("--device")
def step(rest: tuple[str, ...], years: tuple[int, ...], device: str | None) -> None:
    click.echo(f"{rest} {years} {device}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--years 2023 2024 2025", "() (2023, 2024, 2025) None"),
        ("--years 2023 --years 2024", "() (2023, 2024) None"),
        ("--years=2023 2024 --device tv", "() (2023, 2024) tv"),
        ("--device tv --year 2023 2024", "() (2023, 2024) tv"),
        ("here --device tv there", "('here', 'there') () tv"),
    ],
)
def test_several_years_after_one_flag(words: str, said: str) -> None:
    assert CliRunner().invoke(step, words.split()).output.strip() == said


@pytest.mark.parametrize("year", ["25", "0000", "20255", "٢٠٢٥", "x", "-2025"])
def test_year_has_four_digits(year: str) -> None:
    assert CliRunner().invoke(step, ["--years", year]).exit_code == 2


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\0b", "x" * 256])
def test_device_is_one_folder(name: str) -> None:
    with pytest.raises(CannotDoError):
        folder_name(name)
    assert folder_name("tv .1") == "tv .1"


def test_tree_of_captures(tmp_path: Path) -> None:
    folder = tmp_path / "by-name" / "tv"
    names = [
        "2025-07-02_x.pcap",
        "2025-07-01_x.pcapng.gz",
        "2024-12-31_x.cap",
        ".2025-07-03_x.pcap",
        "old.pcap",
        "a.txt",
    ]
    for name in names:
        path = folder / ("deep/er" if name.startswith("2024") else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "deep" / "round").symlink_to(folder)
    tree = read_tree(device_folders(tmp_path))
    found = {month: [path.name for path in paths] for month, paths in tree.groups["tv"].items()}
    assert found == {
        Month(2024, 12): ["2024-12-31_x.cap"],
        Month(2025, 7): ["2025-07-01_x.pcapng.gz", "2025-07-02_x.pcap"],
    }
    assert [Path(what).name for what, _ in tree.problems] == ["old.pcap"]
    assert list(read_tree(device_folders(tmp_path), [2024]).groups["tv"]) == [Month(2024, 12)]
