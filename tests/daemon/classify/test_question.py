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
    vendor=st.sampled_from((None, "Sonos", "Apple", "Espressif Inc.", "Fitbit", "unknown")),
    name=st.sampled_from((None, "Kitchen", "Hall", "Philips-hue", "esp32-air")),
    kind=st.sampled_from((None, "phone", "speaker", "computer")),
    system=st.sampled_from((None, "android", "windows")),
)
DESTINATIONS = st.builds(
    Destination,
    domain=st.sampled_from(
        (None, "ws.sonos.com", "WS.sonos.com.", "www.meethue.com", "time.windows.com", "api.fitbit.com", "www.google.com",
         "a.lan", "17.0.0.1")
    ),
    address=st.sampled_from((None, *PLACES, "192.168.1.7", "nonsense")),
    name_source=st.sampled_from((None, "dns", "tls")),
    alias_target=st.sampled_from((None, "e1.akamaiedge.net")),
    month=st.sampled_from((None, "2020-12", "2021-01", "2026-04", "2026-05")),
    service=st.sampled_from((None, "https", "ntp", "dns")),
)  # fmt: skip


@cache
def classifier() -> Classifier:
    return Classifier(load_organisations(), PLACES.get)


def question(device: DeviceProfile, destination: Destination) -> Hashable:
    return classifier().about(device), classifier().asked(destination)


@given(st.lists(st.tuples(DEVICES, DESTINATIONS), min_size=2, max_size=40))
def test_the_same_question_has_the_same_answer(asked: list[tuple[DeviceProfile, Destination]]) -> None:
    answers: dict[Hashable, Verdict] = {}
    for device, destination in asked:
        verdict = classifier().judge(device, destination)
        assert answers.setdefault(question(device, destination), verdict) == verdict


@given(DEVICES, st.lists(DESTINATIONS, max_size=20))
def test_many_at_once_are_answered_as_one_by_one(device: DeviceProfile, destinations: list[Destination]) -> None:
    assert classifier().judge_all(device, destinations) == [classifier().judge(device, each) for each in destinations]


def test_devices_whose_maker_nobody_knows_ask_the_same() -> None:
    destination = Destination("www.meethue.com", "52.94.236.248")
    other = Destination("www.meethue.com", "52.94.236.249")
    kitchen, hall, hue = (DeviceProfile(name=name) for name in ("Kitchen", "Hall", "Philips-hue"))
    assert question(kitchen, destination) == question(hall, other)
    assert question(kitchen, destination) != question(hue, destination)


def test_months_ask_the_same_unless_somebody_was_sold_between_them() -> None:
    fitbit, to_google = DeviceProfile(vendor="Fitbit"), ("www.google.com", "142.250.1.1")
    before, then, later, today = (
        question(fitbit, Destination(*to_google, month=month)) for month in ("2020-12", "2021-01", "2026-04", "2026-05")
    )
    assert before != then
    assert later == today
