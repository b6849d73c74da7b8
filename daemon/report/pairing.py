"""Which stations a person means to join, or to keep apart. Pure.

Rule 1: joining two devices says that one station of each belongs to one device, and overrules every earlier split between
        any two of theirs, since the last word about a pair holds.
Rule 2: splitting names every pair across the cut, so that no other pair holds the device together.
Rule 3: what is ambiguous is asked back, never guessed: a device of three stations does not fall apart by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from daemon.report.lookup import Found, NotFoundError, described

Pair = tuple[str, str]


def pairs_to_join(first: Found, second: Found, splits: Collection[Pair]) -> list[Pair]:
    """The pairs of station keys to call one device. `splits` are those that now hold. Raises NotFoundError."""
    if first.resident is second.resident:
        raise NotFoundError(f"{described(first.resident)} is one device already; nothing was changed")
    ours, theirs = first.resident.keys, second.resident.keys
    kept_apart = [pair for pair in product(ours, theirs) if tuple(sorted(pair)) in splits]
    own = first.key or ours[0], second.key or theirs[0]
    return [own, *(pair for pair in kept_apart if pair != own)]


def pairs_to_split(first: Found, second: Found | None) -> list[Pair]:
    """The pairs of station keys to keep apart. Raises NotFoundError."""
    if second is None:
        return _pairs_of_one(first)
    if first.resident is not second.resident:
        return list(product(first.keys, second.keys))
    # Of one device: a part and the rest, or two parts.
    left = [key for key in first.keys if first.key or key != second.key]
    right = [key for key in second.keys if second.key or key != first.key]
    if first.key == second.key or not left or not right:
        raise NotFoundError(_which(first))
    return list(product(left, right))


def _pairs_of_one(found: Found) -> list[Pair]:
    keys = found.resident.keys
    part = found.key or (keys[0] if len(keys) == 2 else None)
    if len(keys) == 1 or part is None:
        raise NotFoundError(_which(found))
    return [(part, key) for key in keys if key != part]


def _which(found: Found) -> str:
    keys = found.resident.keys
    if len(keys) == 1:
        return f"{described(found.resident)} has one MAC or address only; there is nothing to split"
    return f"{described(found.resident)} consists of {', '.join(keys)}; say which of them to split off"
