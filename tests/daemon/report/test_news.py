"""News: what was never there before is told, what was is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.report import news
from daemon.report.picture import read_picture
from daemon.report.scope import Span
from tests.daemon.ingest.scenes import DAY, HOUR
from tests.daemon.report.test_network import keyed
from tests.support.asking import asked
from tests.support.newweek import MIDNIGHT, SPAN, UNTIL, chatter, home, local, octets, told

Home = tuple[Path, Path]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return home(tmp_path_factory.mktemp("news"))


def test_a_new_device_and_a_new_company(week: Home) -> None:
    frames = told(week[1])
    with asked(week[0], SPAN, UNTIL) as scope:
        report = news.report(scope)
    rows = keyed(report, "what")
    assert rows["device"]["device"] == "bobs-tablet"
    assert rows["device"]["first_us"] == SPAN + 13 * HOUR
    friends = [each for each in frames if "203.0.113.30" in (each.sender, each.receiver)]
    company = rows["company"]
    assert (company["device"], company["organisation"], company["party"]) == ("adas-laptop", "Meta (Facebook)", "third")
    assert (company["bytes"], company["in_house"]) == (octets(friends), "yes")
    assert report.sentences == ("1 new device: bobs-tablet.", "adas-laptop met 1 new company: Meta (Facebook).")


def test_what_a_new_device_meets_is_no_news_of_its_own(week: Home) -> None:
    with asked(week[0], SPAN, UNTIL) as scope:
        assert len(news.report(scope).rows) == 2  # neither the tablet's advertiser nor its DNS servers


def test_what_was_there_in_the_days_before_is_no_news(week: Home) -> None:
    with asked(week[0], SPAN + DAY, UNTIL) as scope:
        report = news.report(scope)
    assert report.rows == ()
    assert report.sentences == ("Nothing is new: no device, no company and no country that was not there before.",)


def test_before_recording_began_nothing_was_known(week: Home) -> None:
    with asked(week[0], MIDNIGHT, UNTIL) as scope:
        picture = read_picture(scope)
        assert news.find_news(scope, picture) is None
        assert "nothing can be called new yet" in news.report(scope).sentences[0]
        later = scope.over(Span(SPAN, UNTIL))
        assert news.find_news(later, read_picture(later)) is not None


def test_the_picture_adds_up_to_what_went_outside(week: Home) -> None:
    frames = [each for each in told(week[1]) if not local(each) and not chatter(each)]
    with asked(week[0], SPAN, UNTIL) as scope:
        picture = read_picture(scope)
        devices = {scope.called(device): sum(parties.values()) for device, parties in picture.devices.items()}
    assert picture.bytes == octets(frames)
    assert sum(devices.values()) == octets(frames)
    google = picture.companies["Google"]
    assert sum(google.devices.values()) == google.bytes
    video, ads, friends = (
        octets([each for each in frames if address in (each.sender, each.receiver)])
        for address in ("203.0.113.10", "203.0.113.20", "203.0.113.30")
    )
    assert video + ads <= google.bytes
    assert picture.companies["Meta (Facebook)"].bytes == friends
    assert picture.top_companies(1)[0].name == "Google"
    assert picture.top_countries(3) == []  # no database of places
