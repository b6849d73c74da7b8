"""The table of our own organisations as `hatch_build.py` makes it: every look-up ready, an organisation read when asked for.

Rule 1: it answers what `build_table` over our files answers (a test compares all of it), for exactly those files.
Rule 2: no file, no clock, no network: bytes in, a table out; what does not fit is None, and the table is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, KeysView, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from daemon.classify import compact
from daemon.classify.kinds import KINDS
from daemon.classify.organisations import Match, Organisation, OrganisationTable, build_table

_K = TypeVar("_K")
_V_co = TypeVar("_V_co", covariant=True)
_KINDS = tuple(sorted(KINDS))
_KIND_BITS = 6
_FORM = 3  # of what is packed: an older one is not read
_BETWEEN = "|"  # what stands in columns; JSON would take three times as long


def pack(files: Mapping[str, bytes]) -> bytes:
    """The quick form of our files, with what look-ups need. Raises ValueError."""
    entries = [raw for found in compact.parse(files).values() for raw in found]
    ours = [as_organisation(raw) for raw in entries]
    table = build_table([ours])
    if [one.name for one in ours] != list(table.organisations):
        raise ValueError("an organisation stands in two files")
    at = {name: place for place, name in enumerate(table.organisations)}
    index = {
        "form": _FORM,
        "kinds": _KINDS,
        "organisations": _columns(at),
        "suffixes": _columns({
            suffix: at[match.organisation.name] << _KIND_BITS | _KINDS.index(match.kind)
            for suffix, match in table.suffixes.items()
        }),
        "starred": table.starred,
        "begun": {tail: [match.suffix for match in matches] for tail, matches in table.begun.items()},
        "deepest": table.deepest,
        "names": _columns({name: at[one.name] for name, one in table.names.items()}),
        "labels": _columns({label: match.suffix for label, match in table.labels.items()}),
        "asns": _columns({str(asn): at[one.name] for asn, one in table.asns.items()}),
        "heads": _columns({word: -1 if one is None else at[one.name] for word, one in table.heads.items()}),
        "sales": table.sales,
    }  # fmt: skip
    return compact.pack(files, index)


def _columns(known: Mapping[str, object]) -> tuple[str, str]:
    """Words, and what is said of each."""
    texts = [*known, *map(str, known.values())]
    if any(_BETWEEN in text for text in texts):
        raise ValueError(f"a name has a {_BETWEEN} in it")
    return _BETWEEN.join(texts[: len(known)]), _BETWEEN.join(texts[len(known) :])


def _rows(columns: Sequence[str]) -> dict[str, str]:
    words, said = columns
    return dict(zip(words.split(_BETWEEN), said.split(_BETWEEN), strict=True)) if words else {}


def _numbered(columns: Sequence[str]) -> dict[int, str]:
    return {int(number): said for number, said in _rows(columns).items()}


def open_table(packed: bytes, made_from: str) -> OrganisationTable | None:
    """The table out of the quick form; None where that was not made from files with this digest, or is damaged."""
    form = compact.opened(packed, made_from)
    if form is None or form.look_ups.get("form") != _FORM or tuple(form.look_ups["kinds"]) != _KINDS:
        return None
    index, entries = form.look_ups, form.entries
    made: dict[int, Organisation] = {}

    def organisation(place: int) -> Organisation:
        one = made.get(place)
        if one is None:
            one = made[place] = as_organisation(json.loads(entries[place]))
        return one

    def of_place(_: object, place: str) -> Organisation:
        return organisation(int(place))

    def match(suffix: str, said: str) -> Match:
        place, kind = divmod(int(said), 1 << _KIND_BITS)
        return Match(organisation(place), _KINDS[kind], suffix)

    suffixes = _Lazy(partial(_rows, index["suffixes"]), match)
    return OrganisationTable(
        organisations=_Lazy(partial(_rows, index["organisations"]), of_place),
        suffixes=suffixes,
        endings=suffixes.keys(),
        starred={tail: tuple(map(tuple, shapes)) for tail, shapes in index["starred"].items()},
        begun={tail: tuple(suffixes[suffix] for suffix in some) for tail, some in index["begun"].items()},
        deepest=index["deepest"],
        names=_Lazy(partial(_rows, index["names"]), of_place),
        labels=_Lazy(partial(_rows, index["labels"]), lambda _, suffix: suffixes[suffix]),
        asns=_Lazy(partial(_numbered, index["asns"]), of_place),
        heads=_Lazy(
            partial(_rows, index["heads"]), lambda _, place: None if place == "-1" else organisation(int(place))
        ),
        sales=tuple(index["sales"]),
    )


def as_organisation(raw: Mapping[str, Any]) -> Organisation:
    """An entry of ours, whose files were checked before the quick form was made: a third of the time of checking."""
    domains: Mapping[str, list[str]] = raw.get("domains", {})
    return Organisation(
        raw["name"],
        raw.get("country"),
        raw.get("parent"),
        raw.get("parent_since"),
        tuple(raw.get("aliases", ())),
        tuple(raw.get("asns", ())),
        tuple([(kind, suffix) for kind, suffixes in domains.items() for suffix in suffixes]),
        raw.get("parent_until"),
        tuple(raw.get("makes_for", ())),
    )


class _Lazy(Mapping[_K, _V_co]):
    """A mapping that is read when it is first asked, and whose values are made when they are asked for."""

    def __init__(self, read: Callable[[], dict[_K, str]], make: Callable[[_K, str], _V_co]) -> None:
        self._read, self._make = read, make
        self._made: dict[_K, _V_co] = {}

    @cached_property
    def known(self) -> dict[_K, str]:
        """What is said of each key."""
        return self._read()

    def __getitem__(self, key: _K) -> _V_co:
        made = self._made.get(key)
        if made is None:  # for the first time, or so said
            made = self._made[key] = self._make(key, self.known[key])
        return made

    def get(self, key: _K, default: None = None) -> _V_co | None:  # type: ignore[override]  # nobody here wants another
        """As of any mapping; most answers are None, without the exception by which others find out."""
        return self[key] if key in self.known else default

    def __contains__(self, key: object) -> bool:
        return key in self.known

    def keys(self) -> KeysView[_K]:
        """Those of what is said: to look for one there takes no call of ours."""
        return self.known.keys()

    def __iter__(self) -> Iterator[_K]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
