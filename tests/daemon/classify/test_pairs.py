"""Rows in, rows out: what came in is repeated, what cannot be understood is refused with its place."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.pairs import ADDED, PairsError, host_of, judged_rows
from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict

HEADER = ["device_vendor", "device", "domain"]


def judge(device: DeviceProfile, destination: Destination) -> Verdict:
    return Verdict("third", f"{device.vendor}/{device.name}", None, "a-rule", f"{destination.domain}.")


def test_columns_are_repeated_in_their_order_and_the_verdict_follows() -> None:
    rows = [
        ["note", "Domain ", "device_vendor", "device"],
        ["=1+1", " x.example ", "Sonos", ""],
        [],
        ["", "", "", "Echo"],
    ]
    assert list(judged_rows(rows, judge)) == [
        ["note", "Domain ", "device_vendor", "device", *ADDED],
        ["=1+1", " x.example ", "Sonos", "", "third", "Sonos/None", "", "a-rule", "x.example."],
        ["", "", "", "Echo", "third", "None/Echo", "", "a-rule", "None."],
    ]


def test_an_organisation_is_written_as_people_know_it() -> None:
    def known(device: DeviceProfile, destination: Destination) -> Verdict:
        return Verdict("third", "Fandango", None, "a-rule", "Because.", called="Vudu (Fandango, Comcast)")

    _, row = judged_rows([HEADER, ["Roku", "Express", "apicache.vudu.com"]], known)
    assert row[3:5] == ["third", "Vudu (Fandango, Comcast)"]


def test_nothing_is_read_ahead() -> None:
    endless = judged_rows((HEADER if number == 0 else ["a", "b", "c"] for number in range(10**12)), judge)
    assert len(list(islice(endless, 5))) == 5


def test_short_rows_are_filled_and_empty_ends_left_out() -> None:
    rows = list(judged_rows([HEADER, ["Sonos"], ["Sonos", "One", "x.example", "", ""]], judge))
    assert [len(row) for row in rows] == [8, 8, 8]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "is empty; wants a header"),
        ([[], []], "is empty; wants a header"),
        ([["device", "domain"]], "has no column device_vendor; wants device_vendor, device, domain"),
        ([["device_vendor;device;domain"]], "fields are separated by commas"),
        ([[*HEADER, "party"]], "has the column party already; rename it"),
        ([[*HEADER, "domain"]], "has the column domain already"),
        ([HEADER, ["a", "b", "c"], ["a", "b", "c", "d"]], "row 3 has 4 fields, the header 3"),
    ],
)
def test_what_cannot_be_understood(rows: list[list[str]], said: str) -> None:
    with pytest.raises(PairsError, match=r"^(is|has|row)") as raised:
        list(judged_rows(rows, judge))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://user@www.example.com:8443/path?x", "www.example.com"),
        ("*.example.com", "example.com"),
        (".example.com.", "example.com"),
        ("example.com:443", "example.com"),
        ("2001:db8::1", "2001:db8::1"),
        ("192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_what_people_call_a_domain(text: str, host: str) -> None:
    assert host_of(text) == host


@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=4))
def test_any_table_is_judged_or_refused(rows: list[list[str]]) -> None:
    given_rows = [[*HEADER], *rows]
    try:
        out = list(judged_rows(given_rows, judge))
    except PairsError:
        assert any(any(row[3:]) for row in rows)
    else:
        assert len(out) == 1 + sum(bool(row) for row in rows)
        assert all(len(row) == 8 for row in out)
