"""Files that are on their way while they are made: nobody waits for the last of a year's rows to see the first.

Rule 1: one thread makes the whole answer, while the facts are open and as quickly as it can: who takes it slowly delays
        nobody, and what waits for him is packed.
Rule 2: what goes wrong before the first piece is a page that says so. Later there is nothing left but to break off, which
        tells a browser that the file is not whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse


class Piecemeal(StreamingResponse):
    """A file, and its pieces, which are made when they are asked for."""

    def __init__(self, pieces: Iterator[bytes], headers: Mapping[str, str], media_type: str) -> None:
        super().__init__((), headers=headers, media_type=media_type)
        self.pieces = pieces


async def on_its_way(make: Callable[[], Iterator[Response | bytes]]) -> Response:
    """The answer that `make` gives first; if it is piecemeal, what `make` gives afterwards are its pieces."""
    loop, made = asyncio.get_running_loop(), asyncio.Queue[Response | bytes | None]()

    def produce() -> None:
        try:
            for each in make():
                loop.call_soon_threadsafe(made.put_nowait, each)
        finally:
            loop.call_soon_threadsafe(made.put_nowait, None)

    making = asyncio.ensure_future(run_in_threadpool(produce))
    answer = await made.get()
    if isinstance(answer, Piecemeal):
        answer.body_iterator = _rest(made, making)
        return answer
    await making
    assert isinstance(answer, Response)  # noqa: S101  `make` gives one first, or has raised
    return answer


async def _rest(made: asyncio.Queue[Response | bytes | None], making: asyncio.Future[None]) -> AsyncIterator[bytes]:
    while isinstance(piece := await made.get(), bytes):
        yield piece
    await making  # what went wrong there goes wrong here
