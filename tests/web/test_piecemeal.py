"""A file is on its way while the rest of it is made; what goes wrong is said, or breaks it off."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

import pytest
from starlette.responses import PlainTextResponse, Response

from web.piecemeal import Piecemeal, on_its_way

_LONG_S = 60  # nothing waits for so long, unless it never comes


class BrokenError(Exception):
    pass


def _file(pieces: Iterator[bytes]) -> Iterator[Response | bytes]:
    answer = Piecemeal(pieces, {"x-of": "a test"}, "text/csv")
    yield answer
    yield from answer.pieces


def _asked(make: Callable[[], Iterator[Response | bytes]], got: Callable[[bytes], None]) -> Response:
    async def ask() -> Response:
        answer = await on_its_way(make)
        if isinstance(answer, Piecemeal):
            async for piece in cast("AsyncIterator[bytes]", answer.body_iterator):
                got(piece)
        return answer

    return asyncio.run(ask())


def test_the_first_piece_is_sent_before_the_next_is_made() -> None:
    sent = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert sent.wait(_LONG_S)
        yield b"second"

    got: list[bytes] = []

    def take(piece: bytes) -> None:
        got.append(piece)
        sent.set()

    answer = _asked(lambda: _file(pieces()), take)
    assert got == [b"first", b"second"]
    assert answer.headers["x-of"] == "a test"
    assert "content-length" not in answer.headers


def test_all_of_it_is_made_in_one_thread_that_is_not_the_loops() -> None:
    threads = set[int]()

    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            threads.add(threading.get_ident())
            yield b"piece"

    _asked(lambda: _file(pieces()), lambda _: None)
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_page_in_the_place_of_a_file_is_given_as_it_is() -> None:
    page = PlainTextResponse("nothing here", 404)
    assert _asked(lambda: iter([page]), lambda _: None) is page


def test_what_goes_wrong_before_the_answer_is_raised_in_its_place() -> None:
    def make() -> Iterator[Response | bytes]:
        raise BrokenError

    with pytest.raises(BrokenError):
        _asked(make, lambda _: None)


def test_what_goes_wrong_later_breaks_the_file_off() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise BrokenError

    got: list[bytes] = []
    with pytest.raises(BrokenError):
        _asked(lambda: _file(pieces()), got.append)
    assert got == [b"first"]
