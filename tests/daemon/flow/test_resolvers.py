from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.resolvers import DOH_NAMES, is_doh_name


@pytest.mark.parametrize(
    "name",
    [
        "dns.google",
        "mozilla.cloudflare-dns.com",
        "cloudflare-dns.com",
        "dns.quad9.net",
        "abc123.dns.nextdns.io",
        "doh.opendns.com",
    ],
)
def test_known_resolvers(name: str) -> None:
    assert is_doh_name(name)


@pytest.mark.parametrize(
    "name", ["", "google", "notdns.google", "dns.google.example.com", "quad9.net", "com", "xcloudflare-dns.com"]
)
def test_other_names(name: str) -> None:
    assert not is_doh_name(name)


def test_names_are_in_the_form_of_the_schema() -> None:
    assert all(name == name.lower().strip(".") and "." in name for name in DOH_NAMES)


def test_no_name_stands_below_another() -> None:
    assert not [name for name in DOH_NAMES if is_doh_name(name.partition(".")[2])]


@given(st.text(alphabet="ab.", max_size=600))
def test_any_name(name: str) -> None:
    assert not is_doh_name(name)
