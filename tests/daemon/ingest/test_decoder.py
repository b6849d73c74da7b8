"""One capture, several ways to read it: thorough or by columns, by numpy or by C, in one go or stopped anywhere."""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from appliance.sample.day import write_day
from daemon.decode import columns
from daemon.flow import table as table_module
from daemon.flow.core import NATIVE, CoreName
from daemon.flow.facts import Facts
from daemon.flow.local import address_text
from daemon.ingest import decoder as decoder_module
from daemon.ingest.decoder import CaptureDecoder
from daemon.ingest.source import RollingDigest, Source
from tests.daemon.ingest.scenes import evening, write
from tests.support.packets import START_US, pcap

DATA = Path(__file__).parents[2] / "data"
CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))
RECORDED = sorted(path for path in DATA.iterdir() if ".pcap" in path.name)

needs_core = pytest.mark.skipif(not NATIVE, reason="daemon/flow/_core.c is not built")
WAYS = [
    pytest.param({"thorough": True, "core": "walk"}, id="thorough"),
    pytest.param({"core": "walk"}, id="row by row"),
    pytest.param({"core": "numpy"}, id="numpy"),
    pytest.param({"core": "c"}, id="c", marks=needs_core),
]

Said = dict[str, Any]


def tell(path: Path, *, thorough: bool = False, core: CoreName = "auto", stop: bool = False) -> Said:
    """All facts of a capture, with addresses in place of numbers; `stop`: go on from the stored state at every batch."""
    said = _empty()
    with Source.open(path) as source:
        reading = CaptureDecoder(source, thorough=thorough, core=core)
        while True:
            for batch in reading.batches():
                _add(said, batch.facts, reading, batch.undecoded)
                totals, done = batch.totals, batch.done
                if stop:
                    break
            if done:
                break
            state = reading.state()
            reading = CaptureDecoder(source, thorough=thorough, core=core)
            reading.resume(state)
        said["totals"] = totals
        said["digest"] = reading.digest()
    return _unnumbered(said)


def _empty() -> Said:
    counted: Said = {what: Counter() for what in ("slices", "dns", "undecoded", "frames")}
    return {"flows": {}, "hellos": {}, "spans": {}, **counted}


def _unnumbered(said: Said) -> Said:
    """Flows by what they are: their numbers are names, and a core may give them in another order."""
    flows = said["flows"]
    said["slices"] = Counter({(flows[key[0]], *key[1:]): value for key, value in said["slices"].items()})
    said["hellos"] = {(flows[key[0]], key[1]): hello for key, hello in said["hellos"].items()}
    said["flows"] = Counter(flows.values())
    return said


def _add(said: Said, facts: Facts, reading: CaptureDecoder, undecoded: dict[str, tuple[int, int]]) -> None:
    ends = [(mac, address_text(version, address)) for mac, version, address in reading.endpoints.keys]
    for flow in facts.flows:
        said["flows"][flow.number] = (ends[flow.client], ends[flow.server], flow.kind, *flow[4:])
    for piece in facts.slices:
        for place, value in enumerate(piece[2:]):
            said["slices"][piece.number, piece.slot_us, place] += value
    for hello in facts.hellos:
        said["hellos"][hello.number, hello.place] = (ends[hello.client], ends[hello.server], *hello[2:3], *hello[7:])
    said["dns"].update((ends[m.client], ends[m.resolver], m.seen_us, *m[3:]) for m in facts.dns)
    for key, (packets, size) in facts.frames.items():
        said["frames"][key, "packets"] += packets
        said["frames"][key, "bytes"] += size
    for reason, (packets, size) in undecoded.items():
        said["undecoded"][reason, "packets"] += packets
        said["undecoded"][reason, "bytes"] += size
    seen = {ends[end]: span[:2] for end, span in facts.seen.items()}
    for spans in (facts.hints, facts.networks, facts.routers, seen):
        for what, (first, last) in spans.items():
            before = said["spans"].get(what, (first, last))
            said["spans"][what] = min(first, before[0]), max(last, before[1])


def unlike(left: Said, right: Said) -> list[str]:
    """What two readings say differently."""
    return [f"{what}: {one} / {other}"[:600] for what in left if (one := left[what]) != (other := right[what])]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("day") / "day.pcap"
    write_day(path, seed=11, packets=30_000)  # crosses an epoch
    assert path.stat().st_size > decoder_module.EPOCH
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("capture", RECORDED, ids=lambda path: path.name)
def test_every_way_says_the_same_of_recorded_captures(capture: Path, way: dict[str, Any]) -> None:
    assert unlike(tell(capture), tell(capture, **way)) == []


@pytest.mark.parametrize("way", WAYS)
def test_every_way_says_the_same_of_a_day(day: Path, way: dict[str, Any]) -> None:
    assert unlike(tell(day), tell(day, **way)) == []


def _without_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where `_walk.c` could not be compiled."""
    monkeypatch.setattr(columns, "NATIVE", None)


def test_day_without_the_walks_in_c(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_c = tell(day)
    _without_walks(monkeypatch)
    assert unlike(with_c, tell(day)) == []


@pytest.mark.parametrize("core", ["numpy", pytest.param("c", marks=needs_core)])
def test_size_of_chunks_and_commits_does_not_show(day: Path, monkeypatch: pytest.MonkeyPatch, core: CoreName) -> None:
    whole = tell(day, core=core)
    monkeypatch.setattr(decoder_module, "_ROWS", 300)
    monkeypatch.setattr(decoder_module, "_LEAST", 1 << 14)
    monkeypatch.setattr(decoder_module, "_BATCH", 2000)
    assert unlike(whole, tell(day, core=core)) == []
    assert unlike(whole, tell(day, core=core, stop=True)) == []


def test_where_a_full_table_lets_go_does_not_depend_on_chunks(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood fills the table within an epoch; what is let go is a matter of the bytes of the file alone."""
    roomy = tell(day)
    for module in (decoder_module, table_module):
        monkeypatch.setattr(module, "OPEN", 120)
    monkeypatch.setattr(table_module, "_KEEP", 60)
    monkeypatch.setattr(decoder_module, "STEP", 1 << 18)
    whole = tell(day)
    assert unlike(roomy, whole) != []
    monkeypatch.setattr(decoder_module, "_ROWS", 40)
    monkeypatch.setattr(decoder_module, "_LEAST", 1 << 14)
    monkeypatch.setattr(decoder_module, "_BATCH", 500)
    assert unlike(whole, tell(day)) == []
    assert unlike(whole, tell(day, stop=True)) == []


def test_forgotten_endpoints_are_numbered_anew(day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tell(day)
    monkeypatch.setattr(decoder_module, "_ROWS", 300)
    monkeypatch.setattr(decoder_module, "_LEAST", 1 << 14)
    monkeypatch.setattr(decoder_module, "_BATCH", 2000)
    monkeypatch.setattr(decoder_module, "_ENDPOINTS", 50)
    said, renumbered = _empty(), 0
    with Source.open(day) as source:
        reading = CaptureDecoder(source)
        for batch in reading.batches():
            _add(said, batch.facts, reading, batch.undecoded)
            renumbered += reading.forget_endpoints() is not None
        said["totals"], said["digest"] = batch.totals, reading.digest()
    assert renumbered > 1
    assert unlike(whole, _unnumbered(said)) == []


def test_state_is_plain_and_small(tmp_path: Path) -> None:
    path = write(tmp_path / "day.pcap", evening())
    with Source.open(path) as source:
        reading = CaptureDecoder(source)
        list(reading.batches())
        state = reading.state()
    assert len(state) < 20_000
    for line in zlib.decompress(state).splitlines():
        json.loads(line)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
@pytest.mark.parametrize("way", [WAYS[0], WAYS[3]])
def test_every_way_says_the_same_of_the_corpus(way: dict[str, Any]) -> None:
    wrong = {}
    for path in sorted((CORPUS / "pcaps").iterdir()):
        if path.stat().st_size < 3_000_000:
            with Source.open(path) as source:
                readable = source.head(4)
            if readable and (said := unlike(tell(path, core="numpy"), tell(path, **way))):
                wrong[path.name] = said
    assert not wrong


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_digest_is_that_of_the_bytes_up_to_the_cursor(damaged: bool, tmp_path: Path) -> None:
    """Bytes are hashed as they are read, which is further than the last record where records are long, or broken."""
    sizes = [250_000, 60, 1514] * 30
    frames = [
        (START_US + at, bytes.fromhex("020000000001 020000000002 88b5") + bytes([at]) * (size - 14))
        for at, size in enumerate(sizes)
    ]
    octets = bytearray(pcap(frames))
    if damaged:
        octets[1_500_000:1_900_000] = bytes(400_000)
    path = tmp_path / "long.pcap"
    path.write_bytes(octets)
    stood = set()
    with Source.open(path) as source:
        reading = CaptureDecoder(source)
        for batch in reading.batches(lambda: True):
            digest = RollingDigest()
            digest.update(octets[: batch.totals.cursor])
            assert reading.digest() == digest.hexdigest()
            stood.add(batch.totals.cursor)
    assert len(stood) > 3
    assert max(stood) == len(octets)
    assert bool(batch.totals.damage) == damaged
