from __future__ import annotations

import pytest

from daemon.report.longitudinal.home import Home

HOME = Home(["2001:db8:1::/64", "203.0.113.0/29"], ["2001:db8:7::7"])


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("198.51.100.1", True),
        ("203.0.113.9", True),
        ("203.0.113.5", False),  # a prefix of the home
        ("192.168.1.1", False),
        ("172.20.0.1", False),
        ("172.32.0.1", True),
        ("192.1.168.1", True),  # not everything that looks like 192.168 is
        ("224.0.0.251", False),
        ("127.0.0.1", False),
        ("2001:db8:1::99", False),
        ("2001:db8:2::99", True),
        ("2001:db8:7::7", False),  # a device had it
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::fb", False),
        ("speaker.local", False),
        ("", False),
    ],
)
def test_elsewhere(address: str, elsewhere: bool) -> None:
    assert HOME.is_elsewhere(address) == elsewhere
    assert HOME.is_elsewhere(address) == elsewhere  # also when asked again


def test_far_end_is_the_server_unless_that_is_at_home() -> None:
    assert HOME.remote("192.168.1.5", "198.51.100.1") == "198.51.100.1"
    assert HOME.remote("198.51.100.1", "192.168.1.5") == "198.51.100.1"
    assert HOME.remote("198.51.100.1", "198.51.100.2") == "198.51.100.2"  # recorded out in the world
    assert HOME.remote("192.168.1.5", "192.168.1.1") is None
