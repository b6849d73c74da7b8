"""Which device a person means: by name, MAC, address or number; asked back where several fit."""

from __future__ import annotations

import pytest

from daemon.report.lookup import NotFoundError, described, find
from daemon.store.roster import Member, Resident, Seen

LAPTOP_WIFI, LAPTOP_CABLE, PHONE, LAMP = "02:00:00:00:00:01", "00:11:22:33:44:55", "02:00:00:00:00:02", "192.168.1.7"


def resident(number: int, name: str | None, *members: Member) -> Resident:
    nothing = (None,) * 11
    return Resident(members, number, "home", name, *nothing, 10, 10)


def member(key: str, *addresses: str, names: tuple[str, ...] = ()) -> Member:
    return Member(key, tuple(Seen(address, 1, 2) for address in addresses), names)


HOME = [
    resident(
        4,
        "Ada's laptop",
        member(LAPTOP_WIFI, "192.168.1.4", "fe80::4", names=("adas-laptop",)),
        member(LAPTOP_CABLE, "192.168.1.5", names=("adas-laptop", "dock")),
    ),
    resident(6, "Phone", member(PHONE, "192.168.1.5", "192.168.1.6", names=("Pixel",))),
    resident(7, None, member(LAMP, LAMP)),
    resident(8, "phone", member("02:00:00:00:00:08", "192.168.1.7")),
]
NAMES = {LAPTOP_CABLE: "Old laptop", LAPTOP_WIFI: "Ada's laptop"}


@pytest.mark.parametrize(
    ("word", "number", "key"),
    [
        ("Ada's laptop", 4, None),
        (" ADA'S LAPTOP ", 4, None),
        ("4", 4, None),
        ("02-00-00-00-00-01", 4, LAPTOP_WIFI),
        ("0011.2233.4455", 4, LAPTOP_CABLE),
        ("192.168.1.4", 4, LAPTOP_WIFI),
        ("FE80:0::4%wlan0", 4, LAPTOP_WIFI),
        ("adas-laptop", 4, None),  # all of its stations go by that name
        ("dock", 4, LAPTOP_CABLE),
        ("old laptop", 4, LAPTOP_CABLE),  # what the owner called it before it was joined
        ("pixel", 6, None),
        (LAMP, 7, LAMP),  # known by its address alone, though another had it once
    ],
)
def test_what_is_meant(word: str, number: int, key: str | None) -> None:
    found = find(word, HOME, NAMES)
    assert (found.resident.device_id, found.key) == (number, key)
    assert found.keys == (found.resident.keys if key is None else [key])


@pytest.mark.parametrize(
    ("word", "candidates"),
    [
        ("PHONE", ["Phone (02:00:00:00:00:02)", "phone (02:00:00:00:00:08)"]),
        ("192.168.1.5", ["Ada's laptop (00:11:22:33:44:55)", "Phone (02:00:00:00:00:02)"]),
    ],
)
def test_several_that_fit_are_listed(word: str, candidates: list[str]) -> None:
    with pytest.raises(NotFoundError) as said:
        find(word, HOME, NAMES)
    assert str(said.value) == f"{word!r} may be any of 2 devices: {'; '.join(candidates)}. Say which by its MAC or id"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("adas laptop", "did you mean"),
        ("ada's lapotp", '"Ada\'s laptop"'),
        ("02:00:00:00:00:0f", "did you mean '02:00:00:00:00:0"),
        ("toaster", f"there are Ada's laptop ({LAPTOP_WIFI}), Phone ({PHONE}), {LAMP}, phone (02:00:00:00:00:08)"),
        ("", "there are"),
        ("9" * 5000, "no device '999"),
    ],
)
def test_nothing_that_fits_names_what_there_is(word: str, words: str) -> None:
    with pytest.raises(NotFoundError) as said:
        find(word, HOME, NAMES)
    assert words in str(said.value)
    assert len(str(said.value)) < 400


def test_empty_house() -> None:
    with pytest.raises(NotFoundError, match="no device 'tv'; there are no devices yet"):
        find("tv", [], {})


def test_device_is_described_by_name_and_key() -> None:
    assert [described(each) for each in HOME[:3]] == [f"Ada's laptop ({LAPTOP_WIFI})", f"Phone ({PHONE})", LAMP]
    assert described(HOME[0], LAPTOP_CABLE) == f"Ada's laptop ({LAPTOP_CABLE})"
