from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.report.longitudinal.comparison import DomainList, NotAListError, as_csv, compare, read_list


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ('["b.example", "a.example"]', {"a.example": "", "b.example": ""}),
        ('{"a.example": {"count": 3}}', {"a.example": ""}),
        ("a.example\n\n# a remark\nB.Example.\r\n", {"a.example": "", "b.example": ""}),
        (
            "\ufeffDomain,Category\na.example,Third-party\na.example,First-party\n",
            {"a.example": "First-party; Third-party"},
        ),
        ("Name,Domain\nx,a.example\n", {"a.example": ""}),
        ("", {}),
    ],
)
def test_every_form_of_a_list(text: str, domains: dict[str, str]) -> None:
    assert dict(read_list(text).domains) == domains


@pytest.mark.parametrize("text", ["[1]", "[", '{"a": ', "two words\n", 'Domain\n"never closed\n', "\x07\n"])
def test_what_is_no_list_is_said(text: str) -> None:
    with pytest.raises(NotAListError):
        read_list(text)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    with suppress(NotAListError):  # the only error there is
        read_list(text)


def test_comparison_says_where_each_name_is() -> None:
    lines = compare(
        DomainList({"a.example": "First-party", "b.example": ""}), DomainList({"b.example": "", "c.example": ""})
    )
    assert as_csv(lines) == (
        "Domain,In,Category A,Category B\na.example,only in A,First-party,\nb.example,both,,\nc.example,only in B,,\n"
    )
