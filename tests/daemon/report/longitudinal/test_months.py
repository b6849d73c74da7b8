from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.longitudinal.months import Month, is_capture_name, month_of_capture, month_of_word, months_of


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("2025-07-31_23.59.59_wlan0.pcap", Month(2025, 7)),
        ("2025-07-31_23.59.59_.pcap", Month(2025, 7)),
        ("2025-07-31.pcapng.gz", Month(2025, 7)),
        ("2025-12-01T00-00-00_eth0.cap", Month(2025, 12)),
        ("2025-13-01_00.00.00_x.pcap", None),
        ("2025-07-00_00.00.00_x.pcap", None),
        ("2025-07-311.pcap", None),
        ("0000-07-31.pcap", None),
        ("٢٠٢٥-07-31.pcap", None),
        ("lab_2025-07-31.pcap", None),
        ("", None),
    ],
)
def test_month_in_a_captures_name(name: str, month: Month | None) -> None:
    assert month_of_capture(name) == month


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("a.pcap", True),
        ("A.PCAP", True),
        ("a.pcapng.gz", True),
        ("a.cap", True),
        ("a.pcap.meta.jsonl", False),
        ("a.txt", False),
    ],
)
def test_captures_by_name(name: str, is_one: bool) -> None:
    assert is_capture_name(name) == is_one


def test_words_are_english_and_lead_back() -> None:
    assert [month.word for month in months_of(2025)][:5] == ["Jan_2025", "Feb_2025", "Mar_2025", "Apr_2025", "May_2025"]
    assert all(month_of_word(month.word) == month for month in months_of(2025))
    july = Month(2025, 7)
    assert (july.dashed, july.text) == ("Jul-2025", "2025-07")
    assert month_of_word("Abc_2025") is None
    assert month_of_word("Jul_25") is None


@given(st.text())
def test_any_name_is_answered(name: str) -> None:
    month_of_capture(name)
    month_of_word(name)
    is_capture_name(name)
