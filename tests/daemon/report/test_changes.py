"""News between months, as rows and sentences."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from daemon.report.changes import BEGINS, CHANGED, GONE, KINDS, NEW, changes_report
from daemon.report.table import MOST_SHOWN
from daemon.report.turnover import find
from daemon.store.contact_months import Owner
from daemon.store.months import Known
from tests.support.plain_changes import Met, in_columns, plain_changes

JUNE, JULY, AUGUST = 2025 * 12 + 5, 2025 * 12 + 6, 2025 * 12 + 7
RADIO = 1
DEVICES = {RADIO: Known(RADIO, 1, "Radio", "Sonos", 2)}


def met(
    month: int, destination: str | None, party: str | None = "first", size: int = 100, *, organisation: str | None = None,
    country: str | None = "DE", sure: str | None = "high", device: int = RADIO,
) -> Met:  # fmt: skip
    return Met(month, device, destination, Owner(party or "unknown", organisation, country, sure), size)


def news(*contacts: Met, since: int = JULY, newest: int = AUGUST) -> list[tuple[int, str, str, str | None]]:
    """(month, kind, destination, what it was)"""
    found = find(in_columns(contacts), since, newest)
    called = found.places.texts(found.place.tolist())
    return [
        (int(found.month[row]), KINDS[int(found.kind[row])], called[int(found.place[row])], found.before(row))
        for row in range(found.many)
    ]


def kinds(*contacts: Met, since: int = JULY, newest: int = AUGUST) -> list[tuple[int, str, str]]:
    return [told[:3] for told in news(*contacts, since=since, newest=newest)]


def said(*contacts: Met, since: int = JULY, newest: int = AUGUST) -> tuple[str, ...]:
    return changes_report(in_columns(contacts), DEVICES, since, newest).sentences


def test_new_gone_and_stayed() -> None:
    months = [met(JUNE, "a.example"), met(JUNE, "b.example"), met(JULY, "a.example"), met(JULY, "c.example", "third")]
    assert kinds(*months) == [(JULY, NEW, "c.example"), (JULY, GONE, "b.example")]
    assert said(*months) == ("July 2025, Radio: 1 new third party (c.example); no longer contacted: b.example.",)


def test_first_month_is_a_beginning() -> None:
    months = [met(JULY, "a.example", "first"), met(JULY, "b.example", "third"), met(JULY, "c.example", "third")]
    assert {kind for _, kind, _ in kinds(*months)} == {BEGINS}
    assert said(*months) == (
        "July 2025, Radio: seen for the first time, with 2 third parties and 1 destination of its maker.",
    )


def test_nothing_is_gone_from_a_month_that_is_not_over() -> None:
    months = [met(JUNE, "a.example"), met(JUNE, "b.example"), met(JULY, "a.example")]
    assert kinds(*months, newest=JULY) == []
    assert said(*months, newest=JULY) == ("Nothing changed between these months.",)
    report = changes_report(in_columns(months), DEVICES, JULY, JULY)
    assert report.notes == ("July 2025 may not be over: what has not been contacted yet is not called gone.",)


def test_device_that_was_away_for_a_month() -> None:
    """It is compared with the last month in which it was seen, and the month without it is no news."""
    months = [met(JUNE, "a.example"), met(AUGUST, "a.example"), met(AUGUST, "b.example")]
    assert kinds(*months, newest=AUGUST + 1) == [(AUGUST, NEW, "b.example")]


def test_party_country_and_organisation_that_change() -> None:
    months = [
        met(JUNE, "a.example", "first"), met(JULY, "a.example", "third"),
        met(JUNE, "b.example", country="DE"), met(JULY, "b.example", country="US"),
        met(JUNE, "c.example", organisation="One"), met(JULY, "c.example", organisation="Two"),
    ]  # fmt: skip
    assert {destination: (kind, before) for _, kind, destination, before in news(*months)} == {
        "a.example": (CHANGED, "party first"),
        "b.example": (CHANGED, "country DE"),
        "c.example": (CHANGED, "organisation One"),
    }


def test_countries_that_are_guesses_are_no_news() -> None:
    months = [met(JUNE, "a.example", country="DE"), met(JULY, "a.example", country="US", sure="low")]
    assert kinds(*months) == []


def test_hosts_of_one_domain_are_one_destination_by_most_of_its_bytes() -> None:
    months = [
        met(JUNE, "a.example", country="DE", size=900), met(JUNE, "a.example", country="US", size=10),
        met(JULY, "a.example", country="DE", size=800), met(JULY, "a.example", country="FR", size=10),
    ]  # fmt: skip
    assert kinds(*months) == []
    (june, *_) = changes_report(in_columns(months[:2]), DEVICES, JUNE, JULY).rows
    assert june[-1] == 910


def test_months_without_names_are_told_by_their_organisations() -> None:
    """What a person's device did is compared as far as it is kept."""
    months = [
        met(JUNE, None, "third", organisation="Ads"), met(JULY, None, "third", organisation="Ads"),
        met(JULY, None, "third", organisation="Trackers"), met(JULY, None, "unknown"),
    ]  # fmt: skip
    assert {destination for _, kind, destination in kinds(*months) if kind == NEW} == {
        "Trackers",
        "destinations that are not named any more",
    }
    assert "1 new third party (Trackers)" in said(*months)[0]


def test_traffic_of_no_device_and_devices_nobody_knows() -> None:
    report = changes_report(in_columns([met(JULY, "a.example", device=0)]), DEVICES, JULY, AUGUST)
    assert report.rows[0][1:3] == (None, "Traffic of no device")


def test_long_lists_are_shortened() -> None:
    months = [met(JUNE, "z.example"), met(JULY, "z.example"), *(met(JULY, f"{n}.example", "third") for n in range(6))]
    assert said(*months) == ("July 2025, Radio: 6 new third parties (0.example, 1.example, 2.example and 3 more).",)


CONTACTS = st.builds(
    met,
    st.integers(JUNE, AUGUST),
    st.sampled_from(["a.example", "b.example", None]),
    st.sampled_from(["first", "third", None]),
    st.integers(0, 1000),
    organisation=st.sampled_from(["One", "Two", None]),
    country=st.sampled_from(["DE", "US", None]),
    sure=st.sampled_from(["high", "low", None]),
    device=st.integers(0, 2),
)


@given(st.lists(CONTACTS, max_size=14), st.sampled_from([JUNE, JULY]), st.sampled_from([JULY, AUGUST]))
def test_columns_say_what_rows_say(contacts: list[Met], since: int, newest: int) -> None:
    _agree(contacts, since, newest)


@given(st.lists(CONTACTS, max_size=7), st.lists(st.integers(0, 1 << 60), min_size=7, max_size=7))
def test_more_bytes_than_can_be_sorted_together_with_months(contacts: list[Met], sizes: list[int]) -> None:
    _agree([each._replace(bytes=size) for each, size in zip(contacts, sizes, strict=False)], JUNE, AUGUST)


def test_more_rows_than_are_looked_at_at_once() -> None:
    """Devices one after the other, and what has many rows by itself."""
    chance = random.Random(7)
    parties, owners, countries = ("first", "third", None), ("One", "Two", None), ("DE", "US", None)
    contacts = [
        met(
            month, f"{chance.randrange(900)}.example", chance.choice(parties), chance.randrange(5000),
            organisation=chance.choice(owners), country=chance.choice(countries), device=device,
        )
        for device, many in ((1, 6000), (2, 18_000), (3, 900), (4, 5100))
        for month in (JUNE, JULY, AUGUST)
        for _ in range(many // 3)
    ]  # fmt: skip
    chance.shuffle(contacts)
    _agree(contacts, JUNE, AUGUST)


def _agree(contacts: list[Met], since: int, newest: int) -> None:
    report = changes_report(in_columns(contacts), DEVICES, since, newest)
    told = [
        (month, device, kind, destination, party, organisation, country, before, octets)
        for month, device, _, kind, destination, organisation, party, country, before, octets in report.rows
    ]
    assert told == [
        (f"{month // 12}-{month % 12 + 1:02}", device or None, *rest)
        for month, device, *rest in plain_changes(contacts, since, newest)
    ]
    assert report.sentences
    assert len(set(report.weighty or ())) == min(len(told), MOST_SHOWN)


def test_of_too_much_news_that_with_most_traffic_is_shown() -> None:
    months = [met(JULY, f"{n}.example", size=n % 1000, device=1 + n // 1000) for n in range(3000)]
    report = changes_report(in_columns(months), DEVICES, JULY, AUGUST)
    shown = report.shown(30)
    assert {row[-1] for row in shown} == set(range(990, 1000))
    assert len(shown) == 30
    assert [row[1] for row in shown] == [1] * 10 + [2] * 10 + [3] * 10
    assert report.shown(5000) == report.rows[:] == tuple(report.rows)
