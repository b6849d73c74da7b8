"""Who lives in the house: local addresses, gateways, devices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.flow.facts import DAY_US
from daemon.flow.local import address_number, scope_of
from daemon.identify.house import Announcement, DeviceKey, End, House, furnish
from tests.support.flows import NOBODY

LAMP, PHONE, ROUTER = 0x020000000010, 0x020000000020, 0x020000000001
NOW = 1_700_000_000_000_000
HOUR = 3_600_000_000


def end(
    mac: int, address: str, *, sent: bool = True, first_us: int | None = NOW, last_us: int | None = NOW + HOUR
) -> tuple[int, str, bool, int | None, int | None]:
    return mac, address, sent, first_us, last_us


def house(
    *ends: tuple[int, str, bool, int | None, int | None],
    announcements: Sequence[Announcement] = (),
    routers: Sequence[tuple[int, str]] = (),
) -> House:
    """Ends numbered in their order."""
    made = []
    for number, (mac, address, sent, first_us, last_us) in enumerate(ends):
        version, value = address_number(address)
        made.append(End(number, mac, version, address, scope_of(version, value), first_us, last_us, sent))
    return furnish(made, announcements, routers)


def announced(
    prefix: str, source: str = "ra", *, first_us: int = NOW, last_us: int = NOW, lifetime_s: int = 3600
) -> Announcement:
    return Announcement(prefix, source, first_us, last_us, lifetime_s)


# --- gateways


def test_mac_that_sends_from_several_places_of_the_internet() -> None:
    found = house(end(LAMP, "192.168.1.10"), end(ROUTER, "192.168.1.1"), end(ROUTER, "8.8.8.8"), end(ROUTER, "9.9.9.9"))
    assert found.gateways == {ROUTER}
    assert found.devices == {0: DeviceKey(LAMP, "")}
    assert found.local == {0, 1}


def test_what_is_sent_to_does_not_make_a_gateway() -> None:
    """An unanswered packet says only where its sender meant it to go."""
    ends = [end(PHONE, address, sent=False) for address in ("8.8.8.8", "9.9.9.9", "203.0.113.5")]
    assert house(end(PHONE, "192.168.1.20"), *ends).gateways == set()


def test_one_public_address_is_no_gateway() -> None:
    assert house(end(PHONE, "198.51.100.7"), end(PHONE, "192.168.1.20")).gateways == set()


def test_addresses_of_one_site_prefix_are_no_gateway() -> None:
    """A computer has several temporary addresses (RFC 8981), which may come from several /64 of the house's /48."""
    own = [end(PHONE, f"2001:db8:1:{net}::{host}") for net in (1, 2) for host in (1, 2, 3)]
    assert house(*own, end(PHONE, "fe80::2"), end(PHONE, "192.168.1.20")).gateways == set()
    assert house(*own, end(PHONE, "2001:db8:2::1")).gateways == {PHONE}


def test_announced_local_addresses_are_no_places_of_the_internet() -> None:
    ends = [end(PHONE, "2001:db8:1::1"), end(PHONE, "198.51.100.7")]
    assert house(*ends).gateways == {PHONE}
    assert house(*ends, announcements=[announced("2001:db8:1::/64")]).gateways == set()


def test_router_by_its_advertisement() -> None:
    found = house(end(ROUTER, "fe80::1"), end(LAMP, "fe80::10"), routers=[(ROUTER, "fe80::1")])
    assert found.gateways == {ROUTER}
    assert found.devices == {1: DeviceKey(LAMP, "")}


def test_router_by_dhcp() -> None:
    """An option names an address; its MAC is who sends from it."""
    found = house(end(ROUTER, "192.168.1.1"), end(LAMP, "192.168.1.10"), routers=[(-1, "192.168.1.1")])
    assert found.gateways == {ROUTER}
    assert found.devices == {1: DeviceKey(LAMP, "")}


def test_addresses_behind_a_gateway_are_not_its_own() -> None:
    """A second router in the house hides what is behind it: its MAC owns none of these addresses."""
    behind = [end(ROUTER, address) for address in ("8.8.8.8", "9.9.9.9", "10.0.0.7", "192.168.1.77", "fd00::7")]
    found = house(*behind, end(LAMP, "192.168.1.10"))
    assert found.devices == {5: DeviceKey(LAMP, "")}


# --- local addresses


@pytest.mark.parametrize("address", ["192.168.1.10", "10.1.1.1", "172.16.0.1", "169.254.3.4", "fe80::10", "fd00:1::10"])
def test_addresses_that_are_always_local(address: str) -> None:
    found = house(end(LAMP, address, first_us=None, last_us=None))
    assert found.local == {0}
    assert found.devices == {0: DeviceKey(LAMP, "")}


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:db8:1::10", "224.0.0.251", "ff02::fb", "255.255.255.255", "127.0.0.1"]
)
def test_addresses_that_are_not(address: str) -> None:
    found = house(end(LAMP, address))
    assert not found.local
    assert not found.devices


@pytest.mark.parametrize("source", ["ra", "dhcp", "dhcpv6"])
@pytest.mark.parametrize(
    ("prefix", "address"), [("2001:db8:1::/64", "2001:db8:1::10"), ("198.51.100.0/24", "198.51.100.7")]
)
def test_announced_prefix(prefix: str, address: str, source: str) -> None:
    said = [announced(prefix, source)]
    found = house(end(LAMP, address), announcements=said)
    assert found.local == {0}
    assert found.devices == {0: DeviceKey(LAMP, "")}
    outside = "2001:db8:1:1::10" if ":" in address else "198.51.101.7"
    assert house(end(LAMP, outside), announcements=said).local == set()


@pytest.mark.parametrize(
    ("first_us", "last_us", "local"),
    [
        (NOW, NOW, True),
        (NOW + HOUR, NOW + 2 * HOUR, True),  # the prefix lives for an hour
        (NOW + HOUR + 1, NOW + 2 * HOUR, False),
        (NOW - DAY_US, NOW - DAY_US, True),  # the capture began between two advertisements
        (NOW - 2 * DAY_US, NOW - DAY_US - 1, False),
        (NOW - 9 * DAY_US, NOW + 9 * DAY_US, True),
        (None, None, False),
    ],
)
def test_announced_prefix_counts_around_its_time(first_us: int | None, last_us: int | None, local: bool) -> None:
    found = house(
        end(LAMP, "2001:db8:1::10", first_us=first_us, last_us=last_us), announcements=[announced("2001:db8:1::/64")]
    )
    assert found.local == ({0} if local else set())


def test_prefix_changes_over_night() -> None:
    """The provider gives another one each day: yesterday's prefix is somebody else's next week."""
    week = 7 * DAY_US
    said = [announced("2001:db8:1::/64"), announced("2001:db8:2::/64", first_us=NOW + week, last_us=NOW + week)]
    old, new = "2001:db8:1::10", "2001:db8:2::10"
    found = house(
        end(LAMP, old), end(LAMP, new, first_us=NOW + week, last_us=NOW + week),
        end(ROUTER, old, first_us=NOW + week, last_us=NOW + week), end(ROUTER, new),
        announcements=said,
    )  # fmt: skip
    assert found.local == {0, 1}


def test_configured_prefix_counts_always() -> None:
    said = [announced("198.51.100.0/24", "configured", first_us=0, last_us=0, lifetime_s=0)]
    assert house(end(LAMP, "198.51.100.7"), announcements=said).local == {0}


def test_prefix_with_host_bits() -> None:
    assert house(end(LAMP, "2001:db8:1::10"), announcements=[announced("2001:db8:1::ffff/64")]).local == {0}


# --- devices


def test_addresses_of_one_mac_are_one_device() -> None:
    ends = [end(PHONE, address) for address in ("192.168.1.20", "fe80::20", "2001:db8:1::20", NOBODY, "::")]
    found = house(*ends, announcements=[announced("2001:db8:1::/64")])
    assert found.devices == dict.fromkeys(range(5), DeviceKey(PHONE, ""))


def test_one_address_behind_two_macs_is_two_devices() -> None:
    found = house(end(LAMP, "192.168.1.20"), end(PHONE, "192.168.1.20"))
    assert found.devices == {0: DeviceKey(LAMP, ""), 1: DeviceKey(PHONE, "")}


@pytest.mark.parametrize("mac", [0, 0xFFFFFFFFFFFF, 0x01005E0000FB, 0x333300000001])
def test_macs_that_are_nobodys(mac: int) -> None:
    assert house(end(mac, "192.168.1.20")).devices == {}


def test_without_macs_a_local_address_is_a_device() -> None:
    found = house(end(-1, "192.168.1.20"), end(-1, "8.8.8.8"), end(-1, "9.9.9.9"), end(-1, "fe80::1"))
    assert found.devices == {0: DeviceKey(-1, "192.168.1.20"), 3: DeviceKey(-1, "fe80::1")}
    assert found.gateways == set()


def test_without_macs_who_never_sends_is_no_device() -> None:
    assert house(end(-1, "192.168.1.20", sent=False)).devices == {}


def test_without_macs_a_named_router_is_no_device() -> None:
    assert house(end(-1, "192.168.1.1"), routers=[(-1, "192.168.1.1")]).devices == {}


@pytest.mark.parametrize("mac", [-1, LAMP])
def test_capture_of_public_addresses_invents_no_devices(mac: int) -> None:
    ends = [end(mac, f"198.51.100.{host}") for host in range(1, 9)] + [end(mac, "2001:db8::1"), end(mac, "224.0.0.1")]
    found = house(*ends)
    assert found.devices == {}
    assert found.local == set()


ENDS = st.lists(
    st.builds(
        end,
        st.sampled_from((-1, LAMP, PHONE, ROUTER)),
        st.sampled_from(("192.168.1.10", "192.168.1.1", "8.8.8.8", "9.9.9.9", "2001:db8:1::1", "2001:db8:2::1", "fe80::1",
                         NOBODY, "224.0.0.251")),
        sent=st.booleans(),
    ),
    max_size=9,
    unique_by=lambda each: each[:2],
)  # fmt: skip


@given(
    ENDS, st.sampled_from(([], [announced("2001:db8:1::/64")])), st.sampled_from(([], [(-1, "192.168.1.1")])), st.data()
)
def test_order_does_not_matter_and_rules_hold(
    ends: list[tuple[int, str, bool, int | None, int | None]],
    announcements: list[Announcement],
    routers: list[tuple[int, str]],
    data: st.DataObject,
) -> None:
    found = house(*ends, announcements=announcements, routers=routers)
    order = data.draw(st.permutations(range(len(ends))))
    again = house(*[ends[i] for i in order], announcements=announcements, routers=routers)
    assert again.gateways == found.gateways
    assert {order[i]: key for i, key in again.devices.items()} == found.devices
    for number, key in found.devices.items():
        assert key.mac not in found.gateways
        assert ends[number][1] not in ("8.8.8.8", "9.9.9.9", "224.0.0.251")
