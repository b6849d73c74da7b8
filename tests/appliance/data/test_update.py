from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgpack
import pytest

from appliance.data.fetch import Fetcher
from appliance.data.install import InstallError, locked, origin_of
from appliance.data.sources import CLOUD_ANSWERS, COUNTRY_ANSWERS, SOURCES, Source
from appliance.data.update import CURRENT, FAILED, UPDATED, Outcome, update
from daemon.store.atlas_files import open_atlas
from tests.support.atlas import BUILT, Server, maxmind_country, mmdb, serving

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRUTH: Mapping[str, str] = {address: str(country) for address, country in COUNTRY_ANSWERS}


def country_file(answers: Mapping[str, str] = TRUTH, built: int = BUILT) -> bytes:
    return mmdb({address: {"country_code": code} for address, code in answers.items()}, built=built)


GOOD = country_file()
NEWER = country_file(built=BUILT + 86400)


def digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).hexdigest().encode() + b"  server-country.mmdb\n"


def source_at(address: str, name: str = "country", **others: object) -> Source:
    """One of the table's, at another place and as small as a test's file."""
    source = SOURCES[name]
    there = replace(source, url=f"{address}/{source.file_name}", smallest=100, largest=1 << 20)
    if source.digest_url:
        there = replace(there, digest_url=f"{address}/{source.digest_url.rsplit('/', 1)[1]}")
    return replace(there, **others)  # type: ignore[arg-type]  # names and values are the test's business


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/server-country.mmdb": GOOD, "/server-country.mmdb.sha256": digest(GOOD)}) as web:
        yield web


def run(folder: Path, source: Source, *locations: str) -> Outcome:
    (outcome,) = update(folder, [source], locations, Fetcher(patience=5), lambda: NOW, lambda _: None)
    return outcome


def offer(server: Server, octets: bytes) -> None:
    server.files.update({"/server-country.mmdb": octets, "/server-country.mmdb.sha256": digest(octets)})


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_a_good_database_is_fetched_checked_and_put_in_place(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    outcome = run(folder, source_at(server.address))
    assert (outcome.state, outcome.said) == (UPDATED, f"built 2026-06-17, {len(GOOD):,} bytes")
    assert names(folder) == {"country.mmdb", "country.mmdb.json"}
    assert (folder / "country.mmdb").read_bytes() == GOOD
    place = open_atlas(folder).look_up("129.132.19.216")
    assert place is not None
    assert place.country_name == "Switzerland"
    origin = origin_of(folder / "country.mmdb")
    assert origin is not None
    assert (origin.source, origin.licence, origin.built, origin.installed) == (
        "country", "PDDL 1.0", BUILT, int(NOW.timestamp()),
    )  # fmt: skip
    assert origin.place == f"{server.address}/server-country.mmdb"


def test_what_is_the_newest_already_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    run(tmp_path, source_at(server.address))
    server.asked.clear()
    assert run(tmp_path, source_at(server.address)).state == CURRENT
    assert server.asked == ["/server-country.mmdb.sha256"]


def test_the_one_before_is_kept(server: Server, tmp_path: Path) -> None:
    run(tmp_path, source_at(server.address))
    offer(server, NEWER)
    assert run(tmp_path, source_at(server.address)).state == UPDATED
    assert (tmp_path / "country.mmdb").read_bytes() == NEWER
    assert (tmp_path / "country.mmdb.previous").read_bytes() == GOOD
    assert json.loads((tmp_path / "country.mmdb.json.previous").read_text())["built"] == BUILT


def test_a_file_changed_by_hand_is_fetched_again_and_kept_as_the_previous_one(server: Server, tmp_path: Path) -> None:
    run(tmp_path, source_at(server.address))
    (tmp_path / "country.mmdb").write_bytes(NEWER)
    assert origin_of(tmp_path / "country.mmdb") is None
    assert run(tmp_path, source_at(server.address)).state == UPDATED
    assert (tmp_path / "country.mmdb.previous").read_bytes() == NEWER


def wrong(count: int) -> dict[str, str]:
    return {address: "FR" if number < count else code for number, (address, code) in enumerate(TRUTH.items())}


def test_one_or_two_answers_may_change(server: Server, tmp_path: Path) -> None:
    offer(server, country_file(wrong(2)))
    assert run(tmp_path, source_at(server.address)).state == UPDATED


CITY = mmdb({address: {"latitude": 1.0, "longitude": 2.0} for address in TRUTH}, "city ipv4")
BROKEN = bytearray(GOOD)
BROKEN[GOOD.index(b"country_code") - 1] = 0x7F


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (GOOD[: len(GOOD) // 2], "not a MaxMind DB file"),
        (b"<html>Sign in to continue</html>" * 20, "not a MaxMind DB file"),
        (b"", "0 bytes are too few"),
        (b"x" * 99, "99 bytes are too few"),
        (b"x" * ((1 << 20) + 1), "more than the 1,048,576 that it may have"),
        (country_file(wrong(3)), "wrong answers: 193.0.6.139 is FR and not NL; "),
        (mmdb({"9.9.9.9": {"country_code": "US"}}), "wrong answers: 193.0.6.139 is None and not NL"),
        (mmdb({"8.8.8.8": {"autonomous_system_number": 15169}}, "asn ipvAll"), "holds asn and not country records"),
        (CITY, "holds city and not country records"),
        (bytes(BROKEN), "damaged|not a MaxMind DB file|wrong answers"),
    ],
    ids=["half", "html", "empty", "small", "large", "wrong", "empty-handed", "networks", "cities", "damaged"],
)
def test_what_does_not_pass_changes_nothing(server: Server, tmp_path: Path, octets: bytes, words: str) -> None:
    run(tmp_path, source_at(server.address))
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    offer(server, octets)  # with a digest that is right: these are the publisher's mistakes
    outcome = run(tmp_path, source_at(server.address))
    assert outcome.state == FAILED
    assert re.search(words, outcome.said), outcome.said
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before
    assert ".new" not in outcome.said


def test_a_wrong_digest_changes_nothing(server: Server, tmp_path: Path) -> None:
    server.files["/server-country.mmdb.sha256"] = digest(NEWER)
    outcome = run(tmp_path, source_at(server.address))
    assert outcome.state == FAILED
    assert "its SHA-256 is not the one that" in outcome.said
    server.files["/server-country.mmdb.sha256"] = b"soon"
    assert "holds no SHA-256" in run(tmp_path, source_at(server.address)).said
    del server.files["/server-country.mmdb.sha256"]
    assert "404" in run(tmp_path, source_at(server.address)).said
    assert names(tmp_path) == set()


def test_what_is_missing_torn_circular_or_offline_changes_nothing(server: Server, tmp_path: Path) -> None:
    source = source_at(server.address)
    run(tmp_path, source)
    offer(server, NEWER)
    server.torn.add("/server-country.mmdb")
    assert "the connection broke after" in run(tmp_path, source).said
    server.torn.clear()
    server.redirects["/server-country.mmdb"] = "/server-country.mmdb"
    assert "redirect" in run(tmp_path, source).said
    server.redirects.clear()
    del server.files["/server-country.mmdb"]
    assert "404" in run(tmp_path, source).said
    assert "Connection refused" in run(tmp_path, source_at("http://127.0.0.1:1")).said
    assert (tmp_path / "country.mmdb").read_bytes() == GOOD
    assert names(tmp_path) == {"country.mmdb", "country.mmdb.json"}


def test_one_that_fails_does_not_keep_the_others_away(server: Server, tmp_path: Path) -> None:
    sources = [source_at(server.address, "asn"), source_at(server.address)]
    outcomes = update(tmp_path, sources, (), Fetcher(patience=5), lambda: NOW, lambda _: None)
    assert [outcome.state for outcome in outcomes] == [FAILED, UPDATED]


def test_a_folder_may_take_the_place_of_the_network(tmp_path: Path) -> None:
    stick, folder = tmp_path / "stick", tmp_path / "data"
    stick.mkdir()
    (stick / "server-country.mmdb").write_bytes(GOOD)
    assert "publishes no digest" in run(folder, SOURCES_SMALL, str(stick)).said
    (stick / "server-country.mmdb.sha256").write_bytes(digest(NEWER))
    assert "SHA-256" in run(folder, SOURCES_SMALL, str(stick)).said


SOURCES_SMALL = replace(SOURCES["country"], smallest=100)


def test_locations_are_tried_in_order(server: Server, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    outcome = run(tmp_path / "data", SOURCES_SMALL, str(empty), f"{server.address}/nothing", server.address)
    assert outcome.state == UPDATED, outcome.said


def test_clouds_are_converted_and_their_digest_is_of_the_unpacked_list(server: Server, tmp_path: Path) -> None:
    ranges = [
        {"cidr": f"{address}/{128 if ':' in address else 32}", "p": 0, "r": region} for address, region in CLOUD_ANSWERS
    ]
    packed = msgpack.packb({"build_time": BUILT, "providers": ["aws"], "ranges": ranges})
    server.files["/cloudip.msgpack.gz"] = gzip.compress(packed)
    server.files["/version.json"] = json.dumps({"sha256": hashlib.sha256(packed).hexdigest()}).encode()
    source = source_at(server.address, "cloud")
    assert run(tmp_path, source).state == UPDATED
    place = open_atlas(tmp_path).look_up("3.122.0.1")
    assert place is not None
    assert (place.country, place.confidence) == ("DE", "high")
    assert run(tmp_path, source).state == CURRENT
    server.files["/cloudip.msgpack.gz"] = gzip.compress(packed + b"\0")
    server.files["/version.json"] = json.dumps({"sha256": hashlib.sha256(packed + b"\0").hexdigest()}).encode()
    failed = run(tmp_path, source)
    assert failed.state == FAILED
    assert "not the list of clouds" in failed.said


def test_a_monthly_release_that_is_not_out_yet_is_the_one_of_the_month_before(server: Server, tmp_path: Path) -> None:
    source = replace(SOURCES["country-dbip"], smallest=100, url=f"{server.address}/dbip-{{month}}.mmdb.gz")
    server.files["/dbip-2026-10.mmdb.gz"] = gzip.compress(maxmind_country(TRUTH, "DBIP-Country-Lite"))
    outcome = run(tmp_path, source)
    assert outcome.state == UPDATED, outcome.said
    assert server.asked == ["/dbip-2026-11.mmdb.gz", "/dbip-2026-10.mmdb.gz"]
    assert source.addresses(date(2027, 1, 1))[1].endswith("dbip-2026-12.mmdb.gz")


def test_only_one_update_at_a_time(server: Server, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(InstallError, match="is at work; nothing was changed"):
        run(tmp_path, source_at(server.address))


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InstallError, match="nothing was changed"):
        run(tmp_path / "file" / "data", SOURCES_SMALL)


def test_a_full_disk_changes_nothing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, source_at(server.address))
    offer(server, NEWER)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    outcome = run(tmp_path, source_at(server.address))
    assert outcome.state == FAILED
    assert "No space left on device" in outcome.said
    assert (tmp_path / "country.mmdb").read_bytes() == GOOD
    assert names(tmp_path) == {"country.mmdb", "country.mmdb.json"}


KILLED = """
import os, signal, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from appliance.data import install, update
from appliance.data.fetch import Fetcher
from appliance.data.sources import SOURCES

folder, stick, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
left = [steps]

def dying(step):
    def call(*arguments, **options):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return step(*arguments, **options)
    return call

Path.replace, os.link, os.fsync = dying(Path.replace), dying(os.link), dying(os.fsync)
source = replace(SOURCES["country"], smallest=100)
(outcome,) = update.update(folder, [source], [stick], Fetcher(), lambda: datetime.now(UTC), lambda _: None)
print(outcome.state)
"""


def test_killed_at_any_step_there_is_a_whole_database_and_the_next_attempt_succeeds(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    for steps in range(20):
        folder = tmp_path / f"data{steps}"
        (stick / "server-country.mmdb").write_bytes(GOOD)
        run(folder, SOURCES_SMALL, str(stick))
        (stick / "server-country.mmdb").write_bytes(NEWER)
        command = [sys.executable, "-c", KILLED, str(folder), str(stick), str(steps)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert (folder / "country.mmdb").read_bytes() in (GOOD, NEWER)
        assert open_atlas(folder).problems == []
        if ran.returncode == 0:
            assert ran.stdout.strip() == UPDATED
            break
        assert ran.returncode == -9, ran.stderr
        run(folder, SOURCES_SMALL, str(stick))
        assert (folder / "country.mmdb").read_bytes() == NEWER
        assert not [name for name in names(folder) if name.endswith(".new")]
    assert 5 <= steps < 20


def test_every_source_says_what_it_owes() -> None:
    for source in SOURCES.values():
        assert source.url.startswith("https://")
        assert source.digest_url is None or source.digest_url.startswith("https://")
        assert source.smallest < source.largest <= 256 << 20
        assert len(source.answers) >= 5
        assert source.licence
        assert source.attribution
    assert [name for name, source in SOURCES.items() if source.usual] == ["country", "asn", "cloud"]
