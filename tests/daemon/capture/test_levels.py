"""The recorder follows the list beside its captures: at once, also while it changes, and never half of one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from daemon.capture.levels import LevelsWatch
from daemon.capture.records import Batch
from daemon.capture.source import InterfaceError, LostError
from daemon.capture.status import standing
from daemon.decode.levels import NAME, Levels, format_levels
from tests.daemon.capture.test_loop import Running, Script
from tests.support.recording import FakeClock, batch, files_in, lines_of

TV, RADIO = (bytes.fromhex(f"02000000000{number}") for number in (1, 2))


def put(folder: Path, data: bytes | Levels) -> None:
    """Another list in the place of the one before, as its writer puts it there."""
    fresh = folder / "fresh"
    fresh.write_bytes(data if isinstance(data, bytes) else format_levels(data))
    fresh.replace(folder / NAME)


def test_without_a_list_everybody_is_recorded(tmp_path: Path) -> None:
    watch = LevelsWatch(tmp_path)
    assert not watch.now
    assert not watch.changed()
    put(tmp_path, Levels((TV,)))
    assert watch.changed()
    assert watch.now == Levels((TV,))
    assert not watch.changed(), "told once"


def test_a_list_that_is_gone_or_damaged_undoes_nothing_and_is_said(tmp_path: Path) -> None:
    put(tmp_path, Levels((TV,)))
    watch = LevelsWatch(tmp_path)
    (tmp_path / NAME).unlink()
    assert not watch.changed()
    put(tmp_path, b'{"format":1,"off":[]')
    assert not watch.changed()
    assert "it has no end" in watch.trouble
    assert watch.now == Levels((TV,))
    put(tmp_path, Levels((), (RADIO,)))
    assert watch.changed()
    assert watch.trouble == ""


@pytest.mark.parametrize("kind", ["damaged", "folder", "link", "pipe"])
def test_nobody_starts_with_a_list_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / NAME
    if kind == "damaged":
        path.write_bytes(b"off: all of them")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "elsewhere").write_bytes(format_levels(Levels()))
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    with pytest.raises(InterfaceError, match="nothing is recorded without it; `homeport ingest` writes it anew"):
        LevelsWatch(tmp_path)


def run(
    tmp_path: Path,
    clock: FakeClock,
    *answers: Batch,
    turns: int,
    lists: Mapping[int, Levels | bytes] = MappingProxyType({}),
) -> tuple[Script, Running]:
    """A loop that follows the list of the folder; before some turns, a fifth of a second each, another list comes."""
    running = Running(tmp_path, clock)
    source = Script(clock, list(answers))
    running.watch = LevelsWatch(tmp_path)
    running.during = {turn: partial(put, tmp_path, data) for turn, data in lists.items()}
    running.run(source, turns)
    return source, running


def test_the_loop_hands_a_new_list_to_the_source_within_a_second_and_the_sidecar_tells(tmp_path: Path) -> None:
    source, running = run(
        tmp_path, FakeClock(), turns=25, lists={5: Levels((TV,), (RADIO,)), 11: b"nonsense", 17: Levels()}
    )
    assert source.heeded == [Levels((TV,), (RADIO,)), Levels()]
    (file,) = files_in(tmp_path)
    told = [(line.more, line.monotonic_us) for line in lines_of(file) if line.event == "levels"]
    assert [more for more, _ in told] == [{"off": 1, "no_names": 1}, {"off": 0, "no_names": 0}]
    began = lines_of(file)[0].monotonic_us
    assert told[0][1] - began <= (5 * 0.2 + 1.2) * 1e6
    assert any("what was wished before holds" in sentence for sentence in running.said)


def test_every_file_says_that_somebody_is_left_out_and_names_nobody(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.step(-1)  # before midnight
    put(tmp_path, Levels((TV,)))
    run(tmp_path, clock, batch([clock.wall_us]), turns=20)
    files = files_in(tmp_path)
    assert len(files) == 2
    for file in files:
        assert [line.more for line in lines_of(file) if line.event == "levels"] == [{"off": 1, "no_names": 0}]
        assert TV.hex(":").encode() not in file.with_name(file.name + ".meta.jsonl").read_bytes()


def test_an_interface_on_which_nobody_can_be_left_out_pauses_the_recording(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    source = Script(clock, [])

    def refuse(_levels: Levels) -> None:
        raise LostError("tun0 shows no MACs")

    source.heed = refuse  # type: ignore[method-assign,assignment]  # an interface of another kind
    running.watch = LevelsWatch(tmp_path)
    running.during = {3: partial(put, tmp_path, Levels((TV,)))}
    running.run(source, turns=20)
    assert source.closed
    assert running.recorder.link_pause is not None
    assert "tun0 shows no MACs" in running.recorder.link_pause.why


def test_status_tells_numbers_and_which_list(tmp_path: Path) -> None:
    clock = FakeClock()
    running = Running(tmp_path, clock)
    levels = Levels((TV,), (RADIO,))
    said = standing(running.recorder, "wlan0", clock.read(), synced=True, levels=levels)
    assert (said.numbers["not_recorded"], said.numbers["without_names"]) == (1, 1)
    assert said.numbers["levels"] == levels.digest
    assert "as their owner wishes 1 MAC not at all, 1 without names" in said.sentence
    assert "wishes" not in standing(running.recorder, "wlan0", clock.read(), synced=True).sentence
