"""Months as the longitudinal tree writes them, and the month that a capture's name tells.

Rule: names of months are English whatever the locale is: they are names of folders that other programs look for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WORDS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CAPTURE = re.compile(r".*\.(?:pcap|pcapng|cap)(?:\.gz)?", re.IGNORECASE | re.DOTALL)
_DATED = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)", re.ASCII)
_WORD = re.compile(r"([A-Z][a-z]{2})_(\d{4})", re.ASCII)


class Month(NamedTuple):
    """One calendar month; `number` from 1."""

    year: int
    number: int

    @property
    def word(self) -> str:
        """`Jul_2025`, in names of files and folders."""
        return f"{_WORDS[self.number - 1]}_{self.year:04}"

    @property
    def dashed(self) -> str:
        """`Jul-2025`, in the CSV."""
        return f"{_WORDS[self.number - 1]}-{self.year:04}"

    @property
    def text(self) -> str:
        """`2025-07`, as everywhere else in Homeport."""
        return f"{self.year:04}-{self.number:02}"


def months_of(year: int) -> list[Month]:
    """The twelve months of a year."""
    return [Month(year, number) for number in range(1, 13)]


def is_capture_name(name: str) -> bool:
    """Whether a file is named like a capture, dated or not."""
    return _CAPTURE.fullmatch(name) is not None


def month_of_capture(name: str) -> Month | None:
    """The month in `YYYY-MM-DD_HH.MM.SS_<anything>.pcap`; None where the name begins with no date.

    The rest of the name is not looked at: it is the first ten characters by which people have always sorted them.
    """
    match = _DATED.match(name)
    if match is None:
        return None
    year, number, day = map(int, match.groups())
    return Month(year, number) if year and 1 <= number <= 12 and 1 <= day <= 31 else None


def month_of_word(word: str) -> Month | None:
    """The month that a folder `Jul_2025` stands for; None where it is another folder."""
    match = _WORD.fullmatch(word)
    return Month(int(match[2]), _WORDS.index(match[1]) + 1) if match and match[1] in _WORDS else None
