"""The capture files as a table: what the files are, not what the database says of itself."""

from __future__ import annotations

from pathlib import Path

from daemon.report import captures
from tests.daemon.ingest.scenes import DAY, SECOND, lookup, write
from tests.support.asking import asked
from tests.support.importing import imported
from tests.support.packets import START_US


def test_one_row_a_file_the_newest_first(tmp_path: Path) -> None:
    frames = [
        [each for at in range(day + 1) for each in lookup(START_US + day * DAY + at * SECOND, f"n{day}.example")]
        for day in range(3)
    ]
    files = [write(tmp_path / f"day{day}.pcap", of) for day, of in enumerate(frames)]
    database = imported(tmp_path / "h.db", *files)
    with asked(database, START_US - DAY, START_US + 5 * DAY) as scope:
        table = captures.report(scope)
    found = [dict(zip(table.keys, row, strict=True)) for row in table.rows]
    assert [row["file"] for row in found] == ["day2.pcap", "day1.pcap", "day0.pcap"]
    assert [row["packets"] for row in found] == [len(of) for of in reversed(frames)]
    assert [row["size"] for row in found] == [file.stat().st_size for file in reversed(files)]
    assert {row["lost"] for row in found} == {None}, "nobody counted"
    assert table.sentences[0].startswith(f"3 files with {sum(map(len, frames))} packets, ")
    with asked(database, START_US + 10 * DAY, START_US + 11 * DAY) as scope:
        assert captures.report(scope).sentences == ("Nothing was recorded in this time.",)
