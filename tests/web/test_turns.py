"""One answer at a time, as long as that takes nobody too long."""

from __future__ import annotations

import threading

from web.turns import Turns


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(60), [0], [0]
    guard = threading.Lock()

    def work() -> None:
        with turns.taken() as alone:
            assert alone
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with guard:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_who_waited_for_long_goes_on_and_takes_no_turn_of_others() -> None:
    turns = Turns(0.01)
    with turns.taken() as first:
        with turns.taken() as second:
            assert (first, second) == (True, False)
        with turns.taken() as third:
            assert not third, "the first is still at it"
    with turns.taken() as last:
        assert last
