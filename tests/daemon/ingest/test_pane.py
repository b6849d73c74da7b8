"""Windows of a stream, mapped and copied; and files that are cut while they are mapped."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pytest
import xxhash

from appliance.sample.day import write_day
from daemon.decode.columns import SPARE
from daemon.decode.records import Buffer, Records
from daemon.ingest import streams
from daemon.ingest.capture_file import Task, import_file
from daemon.ingest.decoder import EPOCH, CaptureDecoder
from daemon.ingest.pane import Pane
from daemon.ingest.source import Source
from daemon.store.database import open_database
from tests.daemon.ingest.test_decoder import tell, unlike

_mapped = pytest.importorskip("daemon.ingest._mapped", reason="daemon/ingest/_mapped.c is not built")

SIZE = 3 << 20
DATA = random.Random(5).randbytes(SIZE)
PAGE = os.sysconf("SC_PAGESIZE")
TREE = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    path.chmod(0o644)
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("day") / "day.pcap"
    write_day(path, seed=11, packets=30_000)
    path.chmod(0o644)
    return path


def is_mapped(pane: Pane) -> bool:
    return not isinstance(pane.view.obj, bytearray)


def read_only_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_mappable", lambda _status, _limit: 0)


# --- windows


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("mapped", [True, False])
def test_any_windows_show_the_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compressed: bool, mapped: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(DATA, 1) if compressed else DATA)
    path.chmod(0o644)
    if not mapped:
        read_only_copies(monkeypatch)
    chance, most, seen, begin = random.Random(7), 2 << 20, set(), 0
    with Source.open(path) as source:
        pane = Pane(source, most)
        while begin < SIZE:
            size = chance.choice((1, 100, PAGE, 600_000, most))
            steps = list(pane.fill(begin, size))
            assert bytes(pane.view[: pane.filled]) == DATA[begin : begin + pane.filled]
            assert all(one < other for one, other in pairwise(steps))
            assert not steps or steps[-1] == pane.filled
            assert begin + pane.filled == SIZE if pane.ended else pane.filled >= size
            assert len(pane.view) >= pane.filled + SPARE
            pane.check()
            seen.add(is_mapped(pane))
            begin += chance.randint(1, max(pane.filled, 1))
    assert seen == ({True, False} if mapped and not compressed else {False})


def test_only_what_nobody_else_may_write_is_mapped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mapped(limit: int | None = None, offset: int = 0, size: int = 1000) -> bool:
        with Source.open(path, limit) as source:
            return source.mapped(offset, size) is not None

    assert mapped()
    assert mapped(limit=1000)
    assert not mapped(limit=999)
    assert mapped(offset=SIZE - 1000)
    assert not mapped(offset=SIZE - 999)
    for mode in (0o664, 0o646):
        path.chmod(mode)
        assert not mapped()
    path.chmod(0o600)
    assert mapped()
    status = list(path.stat())
    for owner, expected in ((0, True), (os.geteuid(), True), (os.geteuid() + 1, False)):
        status[4] = owner
        assert streams._mappable(os.stat_result(status), None) == (SIZE if expected else 0)
    with Path(os.devnull).open("rb") as device:
        assert streams._mappable(os.fstat(device.fileno()), None) == 0


def test_where_nothing_can_be_mapped_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_arguments: int) -> None:
        raise OSError

    monkeypatch.setattr(_mapped, "Stretch", none_left)
    with Source.open(path) as source:
        pane = Pane(source, 1 << 20)
        assert list(pane.fill(5, 1000)) == [1000]
        assert not is_mapped(pane)
        assert bytes(pane.view[:1000]) == DATA[5:1005]


def test_a_day_says_the_same_mapped_and_copied(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped, stopped = tell(day), tell(day, stop=True)
    read_only_copies(monkeypatch)
    assert unlike(tell(day), mapped) == []
    assert unlike(tell(day), stopped) == []


# --- the file is cut


def test_what_is_cut_off_is_noticed_and_survived(path: Path) -> None:
    with Source.open(path) as source:
        pane = Pane(source, 1 << 20)
        list(pane.fill(PAGE, 1 << 20))
        os.truncate(path, 10 * PAGE + 7)
        assert bytes(pane.view[: 9 * PAGE + 7]) == DATA[PAGE : 10 * PAGE + 7]
        pane.check()
        digest = xxhash.xxh3_128(pane.view[: 1 << 20]).digest()  # outside the GIL
        assert digest == xxhash.xxh3_128(DATA[PAGE : 10 * PAGE + 7] + bytes((1 << 20) - 9 * PAGE - 7)).digest()
        with pytest.raises(OSError, match="it was cut"):
            pane.check()
        list(pane.fill(0, PAGE))  # what is left of it can be read
        assert bytes(pane.view[: pane.filled]) == DATA[:PAGE]
        pane.check()


def test_a_capture_that_is_cut_while_it_is_read(day: Path, tmp_path: Path) -> None:
    """Nothing that was not in the file gets into the database; what stood before the cut does, and the rest follows."""
    path, whole = tmp_path / "day.pcap", day.read_bytes()
    path.write_bytes(whole)
    path.chmod(0o644)

    def hurry() -> bool:
        os.truncate(path, 2 * EPOCH + 1234)
        return True

    with open_database(tmp_path / "cut.db") as db:
        outcome = import_file(db, tmp_path / "cut.db", Task(path, "home"), hurry=hurry)
        assert outcome.status == "unreadable"
        assert outcome.message.startswith("it was cut")
        ((cursor,),) = db.execute("SELECT cursor FROM captures")
        assert 0 < cursor <= 2 * EPOCH + 1234
        path.write_bytes(whole)
        import_file(db, tmp_path / "cut.db", Task(path, "home"))
        again = told(db.execute)
    with open_database(tmp_path / "clean.db") as db:
        import_file(db, tmp_path / "clean.db", Task(day, "home"))
        assert told(db.execute) == again


def test_a_cut_between_decoding_and_hashing_is_noticed(
    day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, take = tmp_path / "day.pcap", CaptureDecoder._take
    path.write_bytes(day.read_bytes())
    path.chmod(0o644)

    def cut_behind(self: CaptureDecoder, buf: Buffer, records: Records) -> None:
        take(self, buf, records)
        os.truncate(path, PAGE)

    monkeypatch.setattr(CaptureDecoder, "_take", cut_behind)
    with Source.open(path) as source, pytest.raises(OSError, match="it was cut"):
        list(CaptureDecoder(source).batches())


def told(execute: Callable[[str], Iterable[object]]) -> list[list[str]]:
    flows = (
        "client_address, client_port, server_address, server_port, first_seen_us, last_seen_us, bytes_up, bytes_down"
    )
    asked = ("SELECT cursor, packets, bytes, status FROM captures", f"SELECT {flows} FROM flows")  # noqa: S608  names of this file
    return [sorted(map(repr, execute(question))) for question in asked]


# --- other faults

FAULTS = {
    "a file of somebody else": "os.truncate(sys.argv[1], 0); other[5 * PAGE]",
    "sent": "os.kill(os.getpid(), signal.SIGBUS)",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("handler", ["", "faulthandler.enable()", "stretch(); faulthandler.enable()"])
def test_other_faults_end_a_process_as_ever(path: Path, handler: str, fault: str) -> None:
    program = f"""
import faulthandler, mmap, os, signal, sys
from daemon.ingest._mapped import Stretch
PAGE = {PAGE}
file = open(sys.argv[1], "rb")
stretch = lambda: Stretch(file.fileno(), 0, 100)
{handler}
one = stretch()
other = mmap.mmap(file.fileno(), 9 * PAGE, prot=mmap.PROT_READ)
{fault}
print("alive")
"""
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=TREE, capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.returncode, run.stdout) == (-signal.SIGBUS, "")
    assert run.stderr.count("Fatal Python error: Bus error") == (1 if handler else 0)


# --- the module


def test_a_stretch_stays_as_long_as_somebody_looks_at_it(path: Path) -> None:
    with path.open("rb") as file:
        views = [memoryview(_mapped.Stretch(file.fileno(), offset, 100)) for offset in range(0, 90_000, 3001)]
    assert all(bytes(view) == DATA[at : at + 100] for view, at in zip(views, range(0, 90_000, 3001), strict=True))
    assert all(view.readonly and view.format == "B" for view in views)


def test_stretches_are_let_go(path: Path) -> None:
    def mappings() -> int:
        return Path("/proc/self/maps").read_text("utf-8").count(str(path))

    with path.open("rb") as file:
        for _ in range(1000):
            memoryview(_mapped.Stretch(file.fileno(), 1, 100)).release()
        assert mappings() == 0
        held: list[object] = []
        with pytest.raises(OSError, match="too many"):
            held.extend(_mapped.Stretch(file.fileno(), 0, PAGE + 1) for _ in range(1000))
        assert 0 < mappings() <= 32
        held.clear()
        assert mappings() == 0


@pytest.mark.parametrize("arguments", [(0, -1, 5), (0, 0, 0), (0, 0, -1), (0, 0, sys.maxsize), (0, 1 << 70, 5), (0, 5)])
def test_arguments_that_are_no_stretch_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, OverflowError, TypeError)):
        _mapped.Stretch(*arguments)
    with pytest.raises(OSError, match="descriptor"):
        _mapped.Stretch(-1, 0, 5)
    with pytest.raises(TypeError, match="keywords"):
        _mapped.Stretch(0, 0, 5, size=5)
