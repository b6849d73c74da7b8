"""Long lists on pages: which order, which page of them, and the addresses of the others.

Rule: what is asked for lives in the address; an order or a page that does not exist is the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from web.visit import Visit

T = TypeVar("T")
PAGE = 40
Orders = Mapping[str, tuple[str, Callable[[Any], Any]]]  # word of the address -> (what people read, key to sort by)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A page of a list. `first` counts from 1; `before` and `after` are addresses, None where there is no page."""

    rows: Sequence[T]
    count: int
    first: int
    sort: str
    orders: Sequence[tuple[str, str, str]]  # word, what people read, address
    before: str | None
    after: str | None

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1


def listing(
    visit: Visit, rows: Sequence[T], orders: Orders, address: Callable[..., str], most: int = PAGE
) -> Listing[T]:
    """The page of `rows` that is asked for. `address(sort=, page=)` makes links; the first order is the usual one."""
    usual = next(iter(orders))
    sort = visit.query("sort") if visit.query("sort") in orders else usual
    assert sort is not None  # noqa: S101  the usual order is one
    ordered = sorted(rows, key=orders[sort][1])
    pages = max(1, -(-len(ordered) // most))
    asked = visit.query("page") or "1"
    page = min(int(asked), pages) if asked.isascii() and asked.isdecimal() and len(asked) < 7 and int(asked) else 1
    kept = None if sort == usual else sort
    return Listing(
        rows=ordered[(page - 1) * most : page * most],
        count=len(ordered),
        first=(page - 1) * most + 1,
        sort=sort,
        orders=[
            (word, said, address(sort=None if word == usual else word, page=None)) for word, (said, _) in orders.items()
        ],
        before=address(sort=kept, page=None if page == 2 else str(page - 1)) if page > 1 else None,
        after=address(sort=kept, page=str(page + 1)) if page < pages else None,
    )
