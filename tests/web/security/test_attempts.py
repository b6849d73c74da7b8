"""Tries are counted by address and all together, one after the other, in bounded memory."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.guarded import Clock
from web.security import attempts
from web.security.attempts import ALL, FREE, LONGEST_S, Attempts, TooOftenError

RIGHT, WRONG = (lambda: True), (lambda: False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tries(clock: Clock) -> Attempts:
    return Attempts(clock.monotonic)


def wait(tries: Attempts, address: str) -> int:
    """For how long nothing may be tried from there."""
    with pytest.raises(TooOftenError) as refused:
        tries.try_it(address, RIGHT)
    return refused.value.wait_s


def test_waits_double_up_to_an_hour_and_are_forgiven_when_it_is_quiet(tries: Attempts, clock: Clock) -> None:
    waits = []
    for _ in range(FREE):
        assert not tries.try_it("192.168.1.9", WRONG)
    for _ in range(10):
        waits.append(wait(tries, "192.168.1.9"))
        clock.later(waits[-1])
        assert not tries.try_it("192.168.1.9", WRONG)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    clock.later(2 * LONGEST_S + 1)
    assert [tries.try_it("192.168.1.9", WRONG) for _ in range(FREE)] == [False] * FREE, "as if nothing had been"
    assert wait(tries, "192.168.1.9") == 60


def test_the_right_one_forgives_at_once(tries: Attempts) -> None:
    for _ in range(FREE - 1):
        tries.try_it("192.168.1.9", WRONG)
    assert tries.try_it("192.168.1.9", RIGHT)
    for _ in range(FREE):
        assert not tries.try_it("192.168.1.9", WRONG)
    assert wait(tries, "192.168.1.9") == 60


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("fd00::1", "fd00::2:3:4:5", True),
        ("fe80::1%wlan0", "fe80::2%eth0", True),
        ("fd00:0:0:1::1", "fd00:0:0:2::1", False),
        ("192.168.1.1", "192.168.1.2", False),
        ("::ffff:192.168.1.1", "192.168.1.1", True),
        ("a unix socket", "another one", False),
    ],
)
def test_what_counts_as_one_address(tries: Attempts, one: str, other: str, same: bool) -> None:
    for _ in range(FREE):
        tries.try_it(one, WRONG)
    if same:
        assert wait(tries, other) == 60
    else:
        assert tries.try_it(other, RIGHT)


def test_all_together_have_a_bound_that_ends_after_a_minute(tries: Attempts, clock: Clock) -> None:
    for number in range(ALL):
        assert not tries.try_it(f"10.0.0.{number}", WRONG)
    clock.later(20)
    assert wait(tries, "10.9.9.9") == 40
    clock.later(40)
    assert tries.try_it("10.9.9.9", RIGHT)


def test_memory_is_bounded(tries: Attempts, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_REMEMBERED", 50)
    for number in range(200):
        clock.later(10)
        tries.try_it(f"10.0.{number // 100}.{number % 100}", WRONG)
    assert len(tries._callers) == 50


def test_few_wait_and_the_others_are_told_to_come_again(tries: Attempts) -> None:
    going, begun = threading.Event(), threading.Barrier(2)
    outcomes: list[object] = []

    def slow() -> bool:
        begun.wait(30)
        going.wait(30)
        return True

    def attempt(fits: object, number: int) -> None:
        outcomes.append(tries.try_it(f"10.0.0.{number}", fits))  # type: ignore[arg-type]  # one of the two here

    threads = [threading.Thread(target=attempt, args=(slow, 1))]
    threads[0].start()
    begun.wait(30)
    threads += [threading.Thread(target=attempt, args=(RIGHT, number)) for number in (2, 3)]
    for thread in threads[1:]:
        thread.start()
    limit = time.monotonic() + 30
    while tries._places._value and time.monotonic() < limit:  # until both wait for their turn
        threads[1].join(0.01)
    assert wait(tries, "10.0.0.4") == 3
    going.set()
    for thread in threads:
        thread.join(30)
    assert outcomes == [True] * 3
    assert tries.try_it("10.0.0.4", RIGHT)
