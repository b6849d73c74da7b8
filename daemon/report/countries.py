"""In which countries the computers stand that data goes to and comes from, and how sure that is.

Rule 1: a country is that of the address, not that of the company; where a network answers from many places at once, any
        country is one of several, and the row says how much of it is such a guess.
Rule 2: what lies nobody knows where is a row without a country.
"""

from __future__ import annotations

from collections.abc import Sequence

from daemon.classify.countries import COUNTRIES
from daemon.classify.place import LOW
from daemon.report.contacts import Tally, share_sums
from daemon.report.destinations import count_devices
from daemon.report.scope import Scope
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import counted, in_a_sentence, listed, share_words

_COLUMNS = (
    Column("country", "Country"),
    Column("name", "Name"),
    Column("companies", "Companies", COUNT),
    Column("devices", "Devices", COUNT),
    Column("bytes_up", "Sent", SIZE),
    Column("bytes_down", "Received", SIZE),
    Column("share", "Share", SHARE),
    Column("unsure", "Of it a guess", SHARE),
)


def report(scope: Scope) -> Report:
    """One row a country."""
    sums = share_sums(scope, lambda label: label.country)
    whole = sum(each.bytes for each in sums)
    rows = tuple(
        (
            each.key, country_name(each.key), len(each.companies.keys() - {None}), count_devices(each), each.bytes_up,
            each.bytes_down, each.bytes / whole if whole else 0.0, unsure(each),
        )
        for each in sums
    )  # fmt: skip
    return Report("Countries", _COLUMNS, rows, (_sentence(sums, whole),))


def country_name(code: str | None) -> str | None:
    """`Germany` of `DE`"""
    found = COUNTRIES.get(code) if code else None
    return found.name if found else code


def unsure(each: Tally[str | None]) -> float:
    """The part of a country's bytes that may as well be elsewhere."""
    return each.confidences.get(LOW, 0) / each.bytes if each.bytes else 0.0


def _sentence(sums: Sequence[Tally[str | None]], whole: int) -> str:
    known = [each for each in sums if each.key is not None]
    if not whole:
        return "Nothing went to the internet in this time."
    if not known:
        return "Nobody here knows the countries of these addresses: there is no database of countries."
    named = [
        f"{in_a_sentence(country_name(each.key) or str(each.key))} ({share_words(each.bytes / whole)})"
        for each in known[:3]
    ]
    guess = sum(each.confidences.get(LOW, 0) for each in known) / whole
    text = f"Data was exchanged with {counted(len(known), 'country', 'countries')}, most with {listed(named, 3)}."
    return (
        f"{text} Of {share_words(guess)} of it the country is a guess: those networks answer from many places."
        if guess
        else text
    )
