"""The rulings of docs/classification.md, each on destinations that real devices have."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.classifier import Classifier
from daemon.classify.kinds import KINDS
from daemon.classify.names import is_address
from daemon.classify.organisation_files import load_organisations
from daemon.classify.place import Place
from daemon.classify.purposes import PURPOSES
from daemon.classify.reasons import LONGEST
from daemon.classify.resolvers import RESOLVERS
from daemon.classify.rules import RULES
from daemon.classify.vocabulary import PARTIES, Destination, DeviceProfile, Verdict

PLACES = {
    "52.94.236.248": Place(asn=16509, as_name="Amazon.com, Inc.", provider="aws", country="US", confidence="high"),
    "23.194.10.201": Place(asn=20940, as_name="Akamai International B.V.", country="IE", confidence="medium"),
    "45.57.40.1": Place(asn=2906, as_name="Netflix Streaming Services Inc.", country="US", confidence="medium"),
    "17.253.144.10": Place(asn=714, as_name="Apple Inc.", country="US", confidence="medium"),
    "91.0.0.1": Place(asn=3320, as_name="Deutsche Telekom AG", country="DE", confidence="medium"),
    "185.1.1.1": Place(asn=64999, as_name="Somebody Nobody Knows d.o.o.", country="HR", confidence="medium"),
}


@cache
def classifier() -> Classifier:
    return Classifier(load_organisations(), PLACES.get)


def judge(vendor: str | None, domain: str | None = None, *, kind: str | None = None, system: str | None = None,
          device: str | None = None, **destination: object) -> Verdict:  # fmt: skip
    profile = DeviceProfile(vendor, device, kind, system)
    return classifier().judge(profile, Destination(domain, **destination))  # type: ignore[arg-type]  # the fields' names


def short(verdict: Verdict) -> tuple[str, str | None, str]:
    return verdict.party, verdict.organisation, verdict.rule_id


def test_the_maker_of_the_device_is_first() -> None:
    verdict = judge("Philips Hue", "www.meethue.com")
    assert short(verdict) == ("first", "Signify", "own-service")
    assert verdict.reason == "meethue.com belongs to Signify, which makes this Philips Hue device."
    assert verdict.purpose == "own function"


@pytest.mark.parametrize(
    ("vendor", "domain", "owner"),
    [
        ("Ring", "device-api.amazon.com", "Amazon"),  # parent
        ("Nest", "clients3.googleapis.com", "Google"),
        ("Ring", "www.blinkforhome.com", "Blink"),  # sister
        ("Amazon", "api.ring.com", "Ring"),  # what it owns
    ],
)
def test_parents_and_sisters_are_first(vendor: str, domain: str, owner: str) -> None:
    verdict = judge(vendor, domain)
    assert (verdict.party, verdict.organisation) == ("first", owner)


def test_before_it_was_bought_a_parent_is_a_stranger() -> None:
    assert judge("Ring", "bucket.s3.amazonaws.com", month="2017-06").party == "support"
    assert judge("Ring", "bucket.s3.amazonaws.com", month="2019-06").party == "first"


@pytest.mark.parametrize(
    ("vendor", "domain"),
    [
        ("CANON INC.", "ij.start.canon"),  # its own top
        ("Seiko Epson Corporation", "epsonscan2cloud.com"),
        ("Zorblax", "api.getzorblax.io"),  # a maker of whom the table knows nothing
    ],
)
def test_a_domain_that_carries_the_makers_name_is_first(vendor: str, domain: str) -> None:
    verdict = judge(vendor, domain)
    assert (verdict.party, verdict.rule_id) == ("first", "brand-in-name")


@pytest.mark.parametrize(("vendor", "domain"), [("Ninja", "tracker.ninja"), ("Bond", "tracker.bond")])
def test_a_top_that_anybody_may_use_is_no_brand(vendor: str, domain: str) -> None:
    assert judge(vendor, domain).rule_id != "brand-in-name"


def test_who_serves_devices_under_a_name_that_nobody_knows_is_most_likely_the_maker() -> None:
    verdict = judge("Zorblax", "eu-mqtt.qvxzz.com")
    assert short(verdict)[::2] == ("first", "label-device")
    assert "most likely" in verdict.reason
    assert judge("Zorblax", "www.qvxzz.com").rule_id == "nobody-known"
    assert judge(None, "eu-mqtt.qvxzz.com").rule_id == "nobody-known-device"
    assert judge("Zorblax", "ads.qvxzz.com").rule_id == "label-advertising"


def test_advertising_at_home_is_third_also_as_a_part_of_a_label() -> None:
    assert short(judge("Roku", "osm-ads.delivery.roku.com"))[::2] == ("third", "own-advertising-label")
    assert judge("Midea", "ads.smartmidea.net").party == "first", "the table says that it serves appliances"


@pytest.mark.parametrize(
    ("vendor", "domain", "called"),
    [
        ("eQ-3", "lookup.homematic.com", "eQ-3 (Homematic)"),  # as the owner knows it
        ("Homematic", "lookup.homematic.com", "Homematic"),
        ("BSH", "prod.homeconnectegw.com", "Home Connect (BSH, Bosch)"),  # the brand that the name carries
        ("Arlo Technology", "myapi.arlo.com", "Arlo (Netgear)"),  # and who owned it once, as no month is told
    ],
)
def test_an_organisation_is_called_as_people_know_it(vendor: str, domain: str, called: str) -> None:
    assert judge(vendor, domain).called == called


def test_a_name_that_only_ends_like_a_brand_is_somebody_else() -> None:
    assert judge("Sonos", "metrics.sonos.com").party == "first"
    assert short(judge("Sonos", "notsonos.com"))[::2] == ("third", "nobody-known")


@pytest.mark.parametrize("domain", ["d1234.cloudfront.net", "s3.amazonaws.com", "ec2-1-2-3-4.compute-1.amazonaws.com"])
def test_amazon_at_its_own_cloud_is_first_everyone_else_has_support(domain: str) -> None:
    assert short(judge("Amazon", domain)) == ("first", "Amazon", "own-infrastructure")
    assert judge("Sonos", domain).party == "support"
    assert judge("Sonos", domain).organisation == "Amazon"
    assert judge(None, domain).party == "support"


@pytest.mark.parametrize(
    ("vendor", "domain"),
    [("Amazon", "aax-eu.amazon-adsystem.com"), ("Google", "ad.doubleclick.net"), ("Samsung", "config.samsungads.com")],
)
def test_the_own_advertising_network_is_third(vendor: str, domain: str) -> None:
    assert short(judge(vendor, domain))[::2] == ("third", "own-advertising")


def test_advertising_by_its_name_in_the_makers_domain_is_third() -> None:
    assert judge("Sonos", "ads.sonos.com").rule_id == "own-advertising-label"
    assert judge("Sonos", "ads.sonos.com").party == "third"
    assert judge("Sonos", "downloads.sonos.com").party == "first"
    assert judge("Sonos", "roadster.sonos.com").party == "first"


def test_the_own_content_recognition_is_third() -> None:
    verdict = judge("Samsung", "log-config.samsungacr.com")
    assert (verdict.party, verdict.rule_id, verdict.purpose) == ("third", "own-recognition", "recognition")


@pytest.mark.parametrize(
    ("domain", "purpose"),
    [
        ("0.pool.ntp.org", "time"),
        ("time.google.com", "time"),
        ("ocsp.digicert.com", "certificates"),
        ("connectivitycheck.gstatic.com", "connectivity"),
        ("dns.google", "name service"),
    ],
)
def test_time_certificates_and_connectivity_are_support(domain: str, purpose: str) -> None:
    verdict = judge("Sonos", domain)
    assert (verdict.party, verdict.purpose) == ("support", purpose)


def test_unless_the_maker_runs_them() -> None:
    assert judge("Google", "time.google.com").party == "first"
    assert judge("Apple", "captive.apple.com").party == "first"


@pytest.mark.parametrize(
    ("vendor", "domain", "owner"),
    [
        ("Merkury", "a1.tuyaus.com", "Tuya"),
        ("Sonos", "a2x.iot.us-east-1.amazonaws.com", "Amazon"),
        ("Netatmo", "hub.azure-devices.net", "Microsoft"),
        ("Sonos", "avs-alexa-4-na.amazon.com", "Amazon"),
    ],
)
def test_platforms_of_many_brands(vendor: str, domain: str, owner: str) -> None:
    assert short(judge(vendor, domain)) == ("platform", owner, "platform")


def test_a_platform_at_home_is_first() -> None:
    assert judge("Amazon", "a2x.iot.us-east-1.amazonaws.com").party == "first"
    assert judge("Tuya", "a1.tuyaus.com").party == "first"


def test_a_maker_while_nobody_knows_who_made_the_device() -> None:
    assert short(judge(None, "www.meethue.com")) == ("unknown", "Signify", "maker-unknown-device")
    assert judge("Espressif Inc.", "www.meethue.com").party == "unknown", "the name on the chip is not the brand"
    assert judge("unknown", "www.meethue.com", device="Hall Philips Hue bridge").party == "first"


def test_a_maker_for_another_makers_device_is_third() -> None:
    assert short(judge("Sonos", "www.meethue.com")) == ("third", "Signify", "other-maker")


def test_a_tenant_is_kept_beside_the_cloud() -> None:
    verdict = judge("Sonos", "tracks.s3.amazonaws.com")
    assert short(verdict) == ("support", "Amazon", "tenant")
    assert (verdict.registrable_domain, verdict.tenant) == ("amazonaws.com", "tracks.s3.amazonaws.com")


def test_a_chain_of_aliases_is_judged_by_the_name_asked_for() -> None:
    verdict = judge("Sonos", "www.sonos.com", alias_target="e1.a.akamaiedge.net", address="23.194.10.201")
    assert (verdict.party, verdict.infrastructure) == ("first", "e1.a.akamaiedge.net")
    assert (verdict.country, verdict.country_confidence, verdict.asn) == ("IE", "low", 20940)
    stranger = judge("Sonos", "www.example-things.com", alias_target="e1.a.akamaiedge.net")
    assert stranger.party == "third"


@pytest.mark.parametrize(
    ("kind", "system", "domain", "party"),
    [
        ("phone", "android", "play.googleapis.com", "first"),
        ("computer", "windows", "settings-win.data.microsoft.com", "first"),
        ("tv", "android", "www.youtube.com", "third"),
        ("phone", "android", "ad.doubleclick.net", "third"),
        ("computer", "windows", "shop.azurewebsites.net", "support"),
    ],
)
def test_the_maker_of_the_system_of_peoples_devices(kind: str, system: str, domain: str, party: str) -> None:
    assert judge("Lenovo", domain, kind=kind, system=system).party == party


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("api.sengled-iot.com", ("first", "Sengled", "brand-in-name")),
        ("sengledhome.eu", ("first", "Sengled", "brand-in-name")),
        ("adserver.example-things.com", ("third", "Example Things", "label-advertising")),
        ("telemetry.example-things.com", ("third", "Example Things", "label-analytics")),
        ("ntp2.example-things.com", ("support", "Example Things", "label-time")),
        ("ocsp.example-things.com", ("support", "Example Things", "label-certificates")),
        ("cdn3.example-things.com", ("third", "Example Things", "nobody-known")),  # its own files
        ("cdn3.example-cdn.com", ("support", "Example Cdn", "label-delivery")),
        ("www.example-things.com", ("third", "Example Things", "nobody-known")),
    ],
)
def test_names_that_the_table_does_not_know(domain: str, expected: tuple[str, str, str]) -> None:
    assert short(judge("Sengled", domain)) == expected


def test_a_brand_outside_the_table_speaks_for_itself() -> None:
    assert short(judge("Zorblax Ltd.", "api.zorblaxcloud.com")) == ("first", "Zorblax Ltd.", "brand-in-name")


@pytest.mark.parametrize(
    ("vendor", "domain", "party"),
    [
        ("Ring", "ringassets.somebody.net", "third"),  # only the registered name counts
        ("Ring", "eu.ringassets.net", "first"),
        ("Ring", "eu.ringtones.net", "third"),
        ("Sonos", "eu.ringassets.net", "third"),  # an everyday word speaks for nobody else's devices
        ("Airwings", "api.airwin.gs", "first"),  # brand and top in one
        ("Sonos", "api.airwin.gs", "third"),
    ],
)
def test_a_brand_in_the_makers_own_names(vendor: str, domain: str, party: str) -> None:
    assert judge(vendor, domain).party == party


@pytest.mark.parametrize(
    ("vendor", "domain", "called"),
    [
        ("Sonos", "api.ring.com", "Ring (Amazon)"),
        ("Roku", "apicache.vudu.com", "Vudu (Fandango, Comcast)"),
        ("Sonos", "www.sonos.com", "Sonos"),
        ("Sonos", "www.nobody-knows-this.net", "Nobody Knows This"),
    ],
)
def test_an_owner_as_people_know_it(vendor: str, domain: str, called: str) -> None:
    assert judge(vendor, domain).called == called


def test_a_guessed_organisation_is_called_one() -> None:
    verdict = judge("Sonos", "www.example-things.com")
    assert verdict.organisation == "Example Things"
    assert verdict.reason.endswith("Its name suggests Example Things.")
    assert judge(None, "www.example-things.com").party == "unknown"


def test_a_certificate_tells_where_the_name_does_not() -> None:
    verdict = judge("Sonos", "x.example-things.com", certificate_names=("*.sonos.com",))
    assert short(verdict)[:2] == ("first", "Sonos")
    assert "certificate" in verdict.reason
    assert judge("Sonos", "x.example-things.com", certificate_names=("*.cloudfront.net",)).party == "third"


@pytest.mark.parametrize(
    ("vendor", "address", "expected"),
    [
        ("Sonos", "192.168.1.1", ("local", None, "local-address")),
        ("Sonos", "ff02::fb", ("local", None, "local-address")),
        ("Sonos", "52.94.236.248", ("support", "Amazon", "network-carrier")),
        ("Amazon", "52.94.236.248", ("first", "Amazon", "own-network")),
        ("Sonos", "23.194.10.201", ("support", "Akamai", "network-carrier")),
        ("Apple", "17.253.144.10", ("first", "Apple", "own-network")),
        ("Sonos", "45.57.40.1", ("third", "Netflix", "network-owner")),
        ("Sonos", "91.0.0.1", ("unknown", "Deutsche Telekom", "network-isp")),
        ("Sonos", "185.1.1.1", ("unknown", "Somebody Nobody Knows d.o.o.", "network-unknown")),
        ("Sonos", "198.51.100.7", ("unknown", None, "no-evidence")),
    ],
)
def test_addresses_without_a_name(vendor: str, address: str, expected: tuple[str, str | None, str]) -> None:
    assert short(judge(vendor, address=address)) == expected
    assert short(judge(vendor, address)) == expected, "an address in place of a name"


@pytest.mark.parametrize(
    ("vendor", "address", "expected"),
    [
        ("Netatmo", "8.8.8.8", ("support", "Google", "dns")),
        ("Google", "8.8.4.4", ("first", "Google", "own-network")),
        ("Netatmo", "2606:4700:4700::1111", ("support", "Cloudflare", "dns")),
    ],
)
def test_public_name_servers_are_known_by_address(vendor: str, address: str, expected: tuple[str, str, str]) -> None:
    assert short(judge(vendor, address=address)) == expected
    assert judge(vendor, "www.nobody-knows-this.net", address=address).organisation == "Nobody Knows This"


def test_every_public_name_server_has_an_owner() -> None:
    table = load_organisations()
    assert [owner for owner in RESOLVERS.values() if table.by_name(owner) is None] == []
    assert all(is_address(address) for address in RESOLVERS)


def test_a_time_server_is_known_by_what_it_is_asked() -> None:
    assert short(judge("Sonos", address="198.51.100.7", service="ntp")) == ("support", None, "time-service")


@pytest.mark.parametrize(
    ("domain", "party"),
    [
        ("printer.local", "local"),
        ("wpad", "local"),
        ("7.2.0.192.in-addr.arpa", "support"),
        ("..", "unknown"),
        ("", "unknown"),
    ],
)
def test_names_that_are_nobodys(domain: str, party: str) -> None:
    assert judge("Sonos", domain).party == party


def test_nothing_at_all_is_answered() -> None:
    assert short(judge(None)) == ("unknown", None, "no-evidence")


TEXT = st.none() | st.text(max_size=300) | st.from_regex(r"[a-z0-9\\.\-]{1,200}", fullmatch=True)
NAME = TEXT | st.sampled_from(
    ["www.sonos.com", "x.s3.amazonaws.com", "ad.doubleclick.net", "a.iot.eu-west-1.amazonaws.com"]
)
VENDOR = TEXT | st.sampled_from(["Sonos", "Amazon", "Ring", "Deutsche Telekom", "A" * 200, "a {name} {0}"])


@given(
    st.builds(DeviceProfile, VENDOR, VENDOR, TEXT | st.just("phone"), TEXT | st.just("android")),
    st.builds(
        Destination, NAME, NAME | st.sampled_from(sorted(PLACES)), st.none(), NAME,
        st.lists(st.text(), max_size=3).map(tuple),
        st.none() | st.sampled_from(["2015-01", "2026-11", "x"]), st.none() | st.sampled_from(["ntp", "dns", "https"]),
    ),
)  # fmt: skip
def test_any_question_is_answered(device: DeviceProfile, destination: Destination) -> None:
    verdict = classifier().judge(device, destination)
    assert verdict.party in PARTIES
    assert verdict.rule_id in {rule.rule_id for rule in RULES}
    assert verdict.purpose in PURPOSES
    assert 10 <= len(verdict.reason) <= LONGEST
    assert verdict.reason.isprintable()
    assert verdict.reason[-1] == "."
    assert verdict == classifier().judge(device, destination)


def test_every_kind_has_a_party_for_strangers_and_for_its_own() -> None:
    for kind in KINDS.values():
        assert {kind.others, kind.own} <= set(PARTIES)
        assert kind.purpose in PURPOSES
