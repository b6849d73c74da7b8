"""The table that comes with Homeport, looked over for what a reviewer would not see."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from daemon.classify.compact import parse
from daemon.classify.countries import COUNTRIES
from daemon.classify.kinds import KINDS
from daemon.classify.names import Names, is_address
from daemon.classify.organisation_files import our_files, read_organisation
from daemon.classify.organisations import Organisation, build_table
from daemon.classify.words import squashed, without_legal, words

MOST_LINES = 400
MACHINE = re.compile(r"[A-Za-z]:\\|/(home|tmp|work|usr)/")


@cache
def everyone() -> tuple[Organisation, ...]:
    """From the files themselves, each entry checked; not from the quick form."""
    return tuple(read_organisation(raw, name) for name, found in parse(our_files()).items() for raw in found)


def repeated(items: list[str]) -> list[str]:
    return sorted(item for item, times in Counter(items).items() if times > 1)


def test_it_is_large_enough_to_be_of_use() -> None:
    assert len(everyone()) >= 250
    kinds = Counter(kind for organisation in everyone() for kind in {kind for kind, _ in organisation.domains})
    assert kinds["maker"] >= 120, "device makers come first: no public list covers them"
    assert set(KINDS) - set(kinds) == set(), "a kind that nothing is of"


@pytest.mark.parametrize("name", sorted(our_files()))
def test_files_stay_short(name: str) -> None:
    text = our_files()[name].decode()
    assert len(text.splitlines()) <= MOST_LINES
    assert max(map(len, text.splitlines())) <= 125
    assert text.startswith("#"), "a file says what belongs into it"
    assert MACHINE.search(text) is None


def test_names_are_unique() -> None:
    assert repeated([organisation.name.casefold() for organisation in everyone()]) == []


def test_a_name_or_alias_means_one_organisation() -> None:
    owners: dict[str, set[str]] = {}
    for organisation in everyone():
        for text in (organisation.name, *organisation.aliases):
            owners.setdefault(squashed(without_legal(words(text))), set()).add(organisation.name)
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


def test_no_alias_twice_and_none_empty() -> None:
    for organisation in everyone():
        assert repeated(list(organisation.aliases)) == [], organisation.name
        assert organisation.name not in organisation.aliases
        assert all(words(text) for text in (organisation.name, *organisation.aliases)), organisation.name


def test_suffixes_belong_to_one_organisation() -> None:
    assert repeated([suffix for organisation in everyone() for _, suffix in organisation.domains]) == []


def test_suffixes_are_lower_case_domains() -> None:
    for organisation in everyone():
        for _, suffix in organisation.domains:
            assert suffix == suffix.lower().strip("."), organisation.name
            assert not is_address(suffix), organisation.name


def test_no_suffix_is_public() -> None:
    names = Names()
    suffixes = [suffix for organisation in everyone() for _, suffix in organisation.domains if "*" not in suffix]
    assert [suffix for suffix in suffixes if names.is_public_suffix(suffix)] == []


def test_countries_exist() -> None:
    assert {o.name: o.country for o in everyone() if o.country not in COUNTRIES} == {}


def test_parents_exist_and_nobody_owns_itself() -> None:
    table = build_table([everyone()])
    for organisation in everyone():
        assert organisation.parent is None or organisation.parent in table.organisations, organisation.name
        assert all(brand in table.organisations for brand in organisation.makes_for), organisation.name
        chain = table.family(organisation)
        assert chain[-1].parent is None or chain[-1].parent_until, f"{organisation.name}: {[one.name for one in chain]}"


def test_ownership_is_dated_within_reason() -> None:
    dates = [organisation.parent_since for organisation in everyone() if organisation.parent_since]
    assert dates
    assert all("1950-01" <= date <= "2026-12" for date in dates)


def test_networks_belong_to_one_organisation() -> None:
    assert repeated([str(asn) for organisation in everyone() for asn in organisation.asns]) == []


def test_every_organisation_can_be_found() -> None:
    idle = [o.name for o in everyone() if not o.domains and not o.asns and not o.aliases]
    assert idle == []
