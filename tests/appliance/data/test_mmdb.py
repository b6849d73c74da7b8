from __future__ import annotations

import importlib.util
import io
import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.data import mmdb as module
from appliance.data.mmdb import AddressRange, RangeError, Record, layered, prefix_range, write_mmdb
from tests.support.atlas import mmdb

VALUES: Mapping[str, object] = {
    "text": "Zürich",
    "short": "DE",
    "long": "x" * 300,
    "number": 15169,
    "wide": 1 << 40,
    "zero": 0,
    "half": -0.5,
    "yes": True,
    "list": ["a", "b", 1],
    "nested": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}},
}


@pytest.fixture(params=[maxminddb.MODE_MMAP_EXT, maxminddb.MODE_MEMORY], ids=["c", "python"])
def mode(request: pytest.FixtureRequest) -> int:
    if request.param == maxminddb.MODE_MMAP_EXT and importlib.util.find_spec("maxminddb.extension") is None:
        pytest.skip("maxminddb has no C extension here")
    return int(request.param)


def opened(tmp_path: Path, octets: bytes, mode: int = maxminddb.MODE_AUTO) -> maxminddb.Reader:
    path = tmp_path / "a.mmdb"
    path.write_bytes(octets)
    return maxminddb.open_database(path, mode)


def test_both_readers_read_every_type_of_value(tmp_path: Path, mode: int) -> None:
    with opened(tmp_path, mmdb({"192.0.2.0/24": VALUES, "2001:db8::/32": {"text": "Zürich"}}), mode) as reader:
        assert reader.get("192.0.2.1") == VALUES
        assert reader.get("2001:db8::1") == {"text": "Zürich"}
        assert reader.get("192.0.3.1") is None
        assert reader.get("::") is None


def test_metadata_says_what_it_is(tmp_path: Path, mode: int) -> None:
    with opened(tmp_path, mmdb({"192.0.2.0/24": {"a": 1}}, "Kind", built=1234567890), mode) as reader:
        about = reader.metadata()
    assert (about.database_type, about.build_epoch, about.ip_version, about.record_size) == ("Kind", 1234567890, 6, 24)
    assert about.description == {"en": "made by a test"}


def test_prefix_lengths_are_the_shortest_there_are(tmp_path: Path) -> None:
    halves = [prefix_range(ip_network(text), {"c": "DE"}) for text in ("192.0.2.0/25", "192.0.2.128/25")]
    with opened(tmp_path, write_mmdb(halves, "t", "d", 0)) as reader:
        assert reader.get_with_prefix_len("192.0.2.200") == ({"c": "DE"}, 24)


def test_no_ranges_make_a_database_that_knows_nothing(tmp_path: Path, mode: int) -> None:
    with opened(tmp_path, write_mmdb([], "t", "d", 0), mode) as reader:
        assert reader.get("8.8.8.8") is None


def test_one_range_may_be_everything(tmp_path: Path, mode: int) -> None:
    with opened(tmp_path, write_mmdb([AddressRange(0, (1 << 128) - 1, {"c": "X"})], "t", "d", 0), mode) as reader:
        assert reader.get("8.8.8.8") == reader.get("ffff::1") == {"c": "X"}


@pytest.mark.parametrize("bits", [28, 32])
def test_wider_records_of_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, mode: int) -> None:
    monkeypatch.setattr(module, "_record_bits", lambda *_: bits)  # what 16 million nodes would choose
    records = {f"10.{number}.0.0/16": {"n": number} for number in range(200)}
    with opened(tmp_path, mmdb(records), mode) as reader:
        assert reader.metadata().record_size == bits
        assert all(reader.get(f"10.{number}.3.4") == {"n": number} for number in range(200))


def test_pointers_of_every_size(tmp_path: Path, mode: int) -> None:
    # The names are repeated after enough other data for each of the four sizes of a pointer but the last.
    filler: dict[str, Record] = {
        f"10.0.{number}.0/24": {"filler": f"{number:03}" + "x" * 60_000} for number in range(12)
    }
    first: dict[str, Record] = {"9.0.0.0/24": {"a name to point at": "a text to point at"}}
    last: dict[str, Record] = {"11.0.0.0/24": {"a name to point at": "a text to point at", "n": 1}}
    between: dict[str, Record] = {
        "9.0.1.0/24": {"filler": "y" * 3000},
        "9.0.2.0/24": {"a name to point at": "a text to point at", "n": 2},
    }
    with opened(tmp_path, mmdb({**first, **between, **filler, **last}), mode) as reader:
        assert reader.get("9.0.0.1") == first["9.0.0.0/24"]
        assert reader.get("9.0.2.1") == between["9.0.2.0/24"]
        assert reader.get("11.0.0.1") == last["11.0.0.0/24"]


def test_equal_records_are_stored_once() -> None:
    one = mmdb({"10.0.0.0/24": {"name": "n" * 5000}})
    two = mmdb({"10.0.0.0/24": {"name": "n" * 5000}, "10.9.0.0/24": {"name": "n" * 5000}})
    assert len(two) - len(one) < 500


@pytest.mark.parametrize(
    "ranges",
    [
        [(5, 9), (9, 12)],
        [(5, 9), (1, 2)],
        [(9, 5)],
        [(-1, 5)],
        [(0, 1 << 128)],
    ],
    ids=["overlap", "unsorted", "backwards", "below", "above"],
)
def test_ranges_that_make_no_sense_are_refused(ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(RangeError):
        write_mmdb([AddressRange(first, last, {}) for first, last in ranges], "t", "d", 0)


def test_the_longest_prefix_answers() -> None:
    nested = [(0, 100, "a"), (10, 50, "b"), (20, 30, "c"), (60, 60, "d"), (90, 120, "e")]
    flat = layered(AddressRange(first, last, {"v": name}) for first, last, name in nested)
    assert [(found.first, found.last, found.record["v"]) for found in flat] == [
        (0, 9, "a"), (10, 19, "b"), (20, 30, "c"), (31, 50, "b"), (51, 59, "a"), (60, 60, "d"), (61, 89, "a"),
        (90, 120, "e"),
    ]  # fmt: skip


SPACES = st.sampled_from([0, 0x0A00_0000, 0xFFFF_FF00, 0x2001_0DB8 << 96, ((1 << 128) - 64)])
SPANS = st.lists(st.tuples(SPACES, st.integers(0, 63), st.integers(0, 63), st.integers(0, 3)), max_size=12)


@given(SPANS)
def test_every_address_gets_the_answer_of_its_range(spans: list[tuple[int, int, int, int]]) -> None:
    ranges = sorted((base + min(low, high), -(base + max(low, high)), value) for base, low, high, value in spans)
    answers: dict[int, int] = {}  # by brute force: the range that begins last, and of those the narrower one
    for first, minus_last, value in ranges:
        answers.update(dict.fromkeys(range(first, -minus_last + 1), value))
    found = write_mmdb(
        layered(AddressRange(first, -minus_last, {"v": value}) for first, minus_last, value in ranges), "t", "d", 0
    )
    reader = Walker(found)
    for base in (0, 0x0A00_0000, 0xFFFF_FF00, 0x2001_0DB8 << 96, (1 << 128) - 64):
        for address in range(base, base + 64):
            assert reader.get(address) == ({"v": answers[address]} if address in answers else None)


class Walker:
    """maxminddb's reader in Python, over bytes."""

    def __init__(self, octets: bytes) -> None:
        self._reader = maxminddb.open_database(io.BytesIO(octets), maxminddb.MODE_FD)

    def get(self, number: int) -> Record | None:
        address = IPv4Address(number) if number < 1 << 32 else IPv6Address(number)
        record = self._reader.get(address)
        assert record is None or isinstance(record, dict)
        return record


def test_it_is_what_the_format_says() -> None:
    # One /1 in a tree of one node, by hand: left record to the data (1 + 16 + 0), right record to nothing (1).
    octets = write_mmdb([AddressRange(0, (1 << 127) - 1, {"c": "DE"})], "t", "d", 0)
    assert octets[:6] == struct.pack(">I", 17)[1:] + struct.pack(">I", 1)[1:]
    assert octets[6:22] == bytes(16)
    assert octets[22:28] == b"\xe1\x41c\x42DE"
    assert octets[28:42] == b"\xab\xcd\xefMaxMind.com"
