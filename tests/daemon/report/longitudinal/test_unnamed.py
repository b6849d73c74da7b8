"""Why an address has no name: what the captures show, the surest sign first."""

from __future__ import annotations

import pytest

from daemon.report.longitudinal.facts import gather
from daemon.report.longitudinal.home import Home
from daemon.report.longitudinal.unnamed import (
    EARLY,
    HIDDEN,
    INCOMING,
    NO_DNS,
    PRIVATE,
    REASONS,
    SILENT,
    UNASKED,
)
from daemon.store.longitudinal import Asked, Greeting, Talk
from tests.daemon.report.longitudinal.test_facts import DEVICE, OTHER, SERVER, talk

ASKED = [Asked(0, "some.example", "A", 1, 1, 1, 2)]


def greeting(*, hidden: bool) -> Greeting:
    return Greeting(0, None, "tls", SERVER, hidden, 1, 1, 2)


@pytest.mark.parametrize(
    ("reason", "asked", "greetings", "talks"),
    [
        (INCOMING, ASKED, [], [talk(None, DEVICE, client=SERVER)]),
        (HIDDEN, ASKED, [greeting(hidden=True)], [talk(None, early=True)]),
        (EARLY, ASKED, [greeting(hidden=False)], [talk(None, early=True)]),
        (PRIVATE, [], [greeting(hidden=False)], [talk(None), talk("dns.example", OTHER, private=True)]),
        (NO_DNS, [], [greeting(hidden=False)], [talk(None)]),
        (SILENT, ASKED, [greeting(hidden=False)], [talk(None)]),
        (UNASKED, ASKED, [], [talk(None), talk(None, early=True)]),
    ],
)
def test_reason(reason: str, asked: list[Asked], greetings: list[Greeting], talks: list[Talk]) -> None:
    found = gather(Home(), asked, [], greetings, talks)
    assert [(each.address, each.reason) for each in found.unnamed] == [(SERVER, reason)]


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == {INCOMING, HIDDEN, EARLY, PRIVATE, NO_DNS, SILENT, UNASKED}
