"""What a judgement depends on: who asks the same question gets the same answer, so that it is judged once."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from daemon.classify.classifier import Classifier
from daemon.classify.organisation_files import load_organisations
from daemon.classify.place import Place
from daemon.classify.vocabulary import Destination, DeviceProfile, Verdict

IRELAND = Place(asn=16509, as_name="Amazon.com, Inc.", provider="aws", country="IE", confidence="high")
PLACES = {"52.94.236.248": IRELAND, "52.94.236.249": IRELAND, "17.253.144.10": Place(asn=714, country="US")}
DEVICES = st.builds(
    DeviceProfile,
    vendor=st.sampled_from((None, "Sonos", "Apple", "Espressif Inc.", "unknown")),
    name=st.sampled_from((None, "Kitchen", "Hall", "Philips-hue", "esp32-air")),
    kind=st.sampled_from((None, "phone", "speaker", "computer")),
    system=st.sampled_from((None, "android", "windows")),
)
DESTINATIONS = st.builds(
    Destination,
    domain=st.sampled_from(
        (None, "ws.sonos.com", "WS.sonos.com.", "www.meethue.com", "time.windows.com", "a.lan", "17.0.0.1")
    ),
    address=st.sampled_from((None, *PLACES, "192.168.1.7", "nonsense")),
    name_source=st.sampled_from((None, "dns", "tls")),
    alias_target=st.sampled_from((None, "e1.akamaiedge.net")),
    month=st.sampled_from((None, "2026-05")),
    service=st.sampled_from((None, "https", "ntp", "dns")),
)  # fmt: skip


@cache
def classifier() -> Classifier:
    return Classifier(load_organisations(), PLACES.get)


@given(st.lists(st.tuples(DEVICES, DESTINATIONS), min_size=2, max_size=40))
def test_the_same_question_has_the_same_answer(asked: list[tuple[DeviceProfile, Destination]]) -> None:
    answers: dict[Hashable, Verdict] = {}
    for device, destination in asked:
        verdict = classifier().judge(device, destination)
        assert answers.setdefault(classifier().question(device, destination), verdict) == verdict


def test_devices_whose_maker_nobody_knows_ask_the_same() -> None:
    destination = Destination("www.meethue.com", "52.94.236.248")
    other = Destination("www.meethue.com", "52.94.236.249")
    kitchen, hall, hue = (DeviceProfile(name=name) for name in ("Kitchen", "Hall", "Philips-hue"))
    assert classifier().question(kitchen, destination) == classifier().question(hall, other)
    assert classifier().question(kitchen, destination) != classifier().question(hue, destination)
