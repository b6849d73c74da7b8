from __future__ import annotations

from ipaddress import ip_address

import pytest

from daemon.classify.spread import is_spread


@pytest.mark.parametrize(
    ("address", "asn", "provider", "region", "expected"),
    [
        ("104.16.1.1", 13335, None, None, True),
        ("151.101.1.1", 54113, None, None, True),
        ("23.32.1.1", 20940, None, None, True),
        ("8.8.8.8", None, None, None, True),
        ("2620:fe::fe", None, None, None, True),
        ("13.224.0.1", 16509, "aws", "GLOBAL", True),
        ("104.16.1.1", None, "cloudflare", None, True),
        ("54.72.0.1", 16509, "aws", "eu-west-1", False),
        ("78.46.0.1", 24940, None, None, False),
        ("8.8.9.8", 3356, None, None, False),
        ("2a01:4f8::1", 24940, None, None, False),
    ],
)
def test_who_answers_from_many_places(
    address: str, asn: int | None, provider: str | None, region: str | None, expected: bool
) -> None:
    assert is_spread(ip_address(address), asn, provider, region) is expected
