"""What tells whose a destination is, and in which order."""

from __future__ import annotations

import pytest

from daemon.classify.evidence import BRAND, CERTIFICATE, NAME, NETWORK, OWN, OWN_BRAND, STRANGER, SYSTEM, Gatherer
from daemon.classify.organisations import Organisation, build_table
from daemon.classify.place import Place
from daemon.classify.vocabulary import Destination, DeviceProfile

TABLE = build_table(
    [
        [
            Organisation("Google", "US", asns=(15169,), domains=(("maker", "google.example"), ("cloud", "gcloud.example"))),
            Organisation("Zorblax", "NL", aliases=("Zorb Home",), domains=(("maker", "zorblax.example"),)),
            Organisation("Carrier", "NL", asns=(64500,), domains=(("cdn", "carrier.example"), ("isp", "line.example"),
                                                                 ("cdn", "more.example"))),
            Organisation("Pressday", "NL", asns=(64501,), domains=(("content", "pressday.example"),)),
        ]
    ]
)  # fmt: skip
PLACES = {
    "192.0.2.1": Place(asn=64500, as_name="Carrier"),
    "192.0.2.2": Place(asn=64501, as_name="Pressday"),
    "192.0.2.3": Place(asn=64999, as_name="ZORBLAX B.V."),
    "192.0.2.4": Place(asn=64999, as_name="Nobody", provider="gcp"),
}


def gatherer() -> Gatherer:
    return Gatherer(TABLE, PLACES.get)


@pytest.mark.parametrize(
    ("domain", "address", "certificates", "expected"),
    [
        ("a.zorblax.example", "192.0.2.1", ("*.pressday.example",), ("Zorblax", "maker", NAME)),
        ("api.zorblaxcloud.org", "192.0.2.1", ("*.pressday.example",), ("Zorblax", "maker", OWN_BRAND)),
        ("api.pressdaymedia.org", "192.0.2.1", (), ("Pressday", "content", BRAND)),
        ("a.other.org", "192.0.2.2", ("*.carrier.example", "*.pressday.example"), ("Pressday", "content", CERTIFICATE)),
        ("a.other.org", "192.0.2.2", ("*.carrier.example",), ("Pressday", "content", NETWORK)),
        ("a.other.org", "192.0.2.1", ("*.carrier.example",), None),  # what carries it says nothing of it
        (None, "192.0.2.1", ("*.carrier.example",), ("Carrier", "cdn", CERTIFICATE)),
        (None, "192.0.2.1", (), ("Carrier", "cdn", NETWORK)),
        (None, "192.0.2.3", (), ("Zorblax", "maker", NETWORK)),
        (None, "192.0.2.4", (), ("Google", "cloud", NETWORK)),
        (None, "192.0.2.9", (), None),
        ("printer.local", "192.0.2.2", ("*.pressday.example",), None),
    ],
)
def test_the_first_that_knows_is_heard(
    domain: str | None, address: str, certificates: tuple[str, ...], expected: tuple[str, str, str] | None
) -> None:
    destination = Destination(domain, address, certificate_names=certificates)
    owner = gatherer().gather(DeviceProfile("Zorblax"), destination).owner
    assert (owner and (owner.organisation.name, owner.kind, owner.found_by)) == expected


@pytest.mark.parametrize(
    ("profile", "name", "organisation"),
    [
        (DeviceProfile("ZORBLAX B.V."), "Zorblax", "Zorblax"),  # a registry's way of writing it
        (DeviceProfile("Zorb  Home"), "Zorb Home", "Zorblax"),
        (DeviceProfile("Nobody Knows"), "Nobody Knows", None),
        (DeviceProfile("unknown", "Kitchen Zorblax"), "Zorblax", "Zorblax"),
        (DeviceProfile("Espressif Inc.", "Zorblax lamp"), "Zorblax", "Zorblax"),
        (DeviceProfile("Nobody Knows", "Kitchen Zorblax"), "Nobody Knows", None),  # what it says of itself comes first
        (DeviceProfile("Murata Manufacturing Co., Ltd."), None, None),
        (DeviceProfile(), None, None),
    ],
)
def test_the_maker(profile: DeviceProfile, name: str | None, organisation: str | None) -> None:
    case = gatherer().gather(profile, Destination("a.example.org"))
    assert (case.vendor_name, case.vendor and case.vendor.name) == (name, organisation)


@pytest.mark.parametrize(
    ("profile", "relation"),
    [
        (DeviceProfile("Google"), OWN),
        (DeviceProfile("Zorblax", kind="phone", system="Android"), SYSTEM),
        (DeviceProfile(None, kind="computer", system="chromeos"), SYSTEM),
        (
            DeviceProfile("Zorblax", kind="tv", system="android"),
            STRANGER,
        ),  # only people's devices have a system's maker
        (DeviceProfile("Zorblax", kind="phone"), STRANGER),
        (DeviceProfile("Zorblax", kind="phone", system="nothing known"), STRANGER),
    ],
)
def test_what_the_owner_is_to_the_device(profile: DeviceProfile, relation: str) -> None:
    assert gatherer().gather(profile, Destination("www.google.example")).relation == relation


def test_a_brand_speaks_for_its_own_devices() -> None:
    case = gatherer().gather(DeviceProfile("Pressday"), Destination("api.zorblaxcloud.org"))
    assert case.owner is not None
    assert (case.owner.found_by, case.relation) == (BRAND, STRANGER)
