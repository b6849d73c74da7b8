"""How a program asks: what it may say in an address, how an answer is cut into pages, what stands in for a page's error."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import HTTPException, Path, Query, Request

from daemon.report.scope import Span
from daemon.store.errors import StoreError
from web.reading import TooLongError
from web.security.gate import Session
from web.visit import NotHereError, NothingYetError, Visit, visiting

T = TypeVar("T")

FEW, MOST = 200, 5000  # rows of a page: where nothing is said, and ever
_LONGEST = 1 << 53
_TIMES = "24h, 7d, 2026-05, 2026-05-03 or 2026-05-01..2026-05-09"

RangeText = Annotated[
    str | None, Query(alias="range", description="24h, 7d (default), 30d, 2026-05, 2026-05-03, 2026-05-01..2026-05-09")
]
SiteText = Annotated[str | None, Query(description="name of the home; default: the box's own")]
DeviceText = Annotated[str | None, Query(description="one device: its MAC, or its address where it has none")]
PartyText = Annotated[str | None, Query(description="one kind of company: first, support, platform, third, unknown")]
CountryText = Annotated[
    str | None, Query(description="of one country alone: its two letters, `-` where nobody knows it")
]
CompanyText = Annotated[str | None, Query(description="of one company alone, `-` where nobody knows whose it is")]
DestinationText = Annotated[
    str | None, Query(description="a name, with all below it, or an address: for `destination`")
]
ReportName = Annotated[str, Path(description="name of a report, as /api/v1/reports lists them")]
DeviceKey = Annotated[str, Path(description="the device: its MAC, or its address where it has none")]
LimitNumber = Annotated[int, Query(ge=1, le=MOST, description="rows of a page")]
CursorText = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]


def said_narrowing(
    party: PartyText = None,
    country: CountryText = None,
    company: CompanyText = None,
    destination: DestinationText = None,
) -> None:
    """What a report about companies and places can be narrowed by: for the documentation, a visit reads the address."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after how many rows, of an answer about which span."""

    offset: int
    span: Span

    def written(self) -> str:
        """As a program gets it."""
        text = f"{self.offset}.{self.span.since_us}.{self.span.until_us}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(cursor: str | None, span: Span) -> Place:
    """The place that a cursor names, the beginning without one. A later page is about the first one's span."""
    if cursor is None:
        return Place(0, span)
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        offset, since_us, until_us = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error):
        raise HTTPException(400, "this cursor is none that was given out") from None
    if not (0 <= offset < _LONGEST and 0 <= since_us < until_us < _LONGEST):
        raise HTTPException(400, "this cursor is none that was given out")
    return Place(offset, Span(since_us, until_us))


def page_of(rows: Sequence[T], place: Place, limit: int) -> tuple[Sequence[T], str | None]:
    """The rows of one page, and the cursor of the next; None where it is the last."""
    end = place.offset + limit
    return rows[place.offset : end], Place(end, place.span).written() if end < len(rows) else None


def asked(request: Request, answer: Callable[[Visit], T]) -> T:
    """What `answer` says of a visit. Raises HTTPException with the sentence that a page would show."""
    try:
        with visiting(request, Session("program"), {}) as visit:
            if visit.misread:
                raise HTTPException(400, f"{visit.misread} is no time; write {_TIMES}")
            return answer(visit)
    except NothingYetError:
        raise HTTPException(404, "nothing was captured yet") from None
    except NotHereError as error:
        raise HTTPException(404, str(error)) from error
    except TooLongError as error:
        raise HTTPException(503, str(error)) from error
    except StoreError as error:
        raise HTTPException(500, str(error)) from error
