from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from daemon.capture.names import dated, is_of, is_undated, plain, undated
from tests.support.recording import BOOT, SECOND

BERLIN = ZoneInfo("Europe/Berlin")


def first(number: int, names: Iterator[str]) -> list[str]:
    return list(itertools.islice(names, number))


def test_names_are_in_local_time_and_count_on() -> None:
    names = dated(1_767_222_000 * SECOND + 999_999, BERLIN, "wlan0")
    assert first(3, names) == [
        "2026-01-01_00.00.00_wlan0.pcap",
        "2026-01-01_00.00.00_wlan0_2.pcap",
        "2026-01-01_00.00.00_wlan0_3.pcap",
    ]


def test_names_before_the_clock_is_set_hold_no_time() -> None:
    assert first(2, undated(BOOT, "wlan0")) == ["unsynced-0a1b2c3d-1_wlan0.pcap", "unsynced-0a1b2c3d-2_wlan0.pcap"]


def test_a_file_is_recognised_as_of_its_interface() -> None:
    names = [next(dated(0, BERLIN, "wlan0")), *first(2, dated(0, BERLIN, "wlan0")), *first(1, undated(BOOT, "wlan0"))]
    assert all(is_of(name, "wlan0") for name in names)
    assert not any(is_of(name, other) for name in names for other in ("wlan", "wlan01", "eth0", ".*"))
    assert not is_of("holiday_wlan0.pcap", "wlan0")
    assert is_undated(names[-1], BOOT, "wlan0")
    assert not is_undated(names[-1], "ffffffff-0", "wlan0")
    assert not is_undated(names[0], BOOT, "wlan0")


@given(st.text(min_size=1, max_size=15))
def test_a_hostile_interface_stays_in_its_folder(interface: str) -> None:
    name = next(dated(0, BERLIN, interface))
    assert re.fullmatch(r"[A-Za-z0-9.@_-]+\.pcap", name)
    assert "/" not in name
    assert is_of(name, interface)
    assert plain(interface) in name
