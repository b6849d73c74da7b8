"""Luck that repeats: every random choice of the sample home comes from a generator named by words.

Rules: no module-level state, no clock; the words are the seed, so that a day does not depend on the days before it.
"""

from __future__ import annotations

import random


def chance(*words: object) -> random.Random:
    """A generator that yields the same numbers for the same words, on every machine and Python 3.11 or newer."""
    return random.Random("/".join(str(word) for word in words))  # noqa: S311  must repeat; it protects nothing
