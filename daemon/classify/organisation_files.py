"""Organisation files, ours and a user's: read, checked, explained.

Rule 1: one format for both; a user's file is read after ours, extends organisations of the same name, and wins.
Rule 2: whatever is wrong with a file is said with the file, the organisation and what is wanted; nothing is guessed and
        nothing is left out silently.
Rule 3: a user's file is bounded and may hold anything; the only exception that leaves this module is OrganisationsError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from daemon.classify import quick
from daemon.classify.compact import COMPACT, digest, parse, unpack
from daemon.classify.kinds import KINDS
from daemon.classify.organisations import Organisation, OrganisationTable, build_table

FOLDER = "organisations"
OURS = Path(__file__).with_name(FOLDER)  # importlib.resources would take 10 ms to load
LARGEST = 4 * 1024 * 1024  # bytes of a user's file
KEYS = ("name", "country", "parent", "parent_since", "parent_until", "makes_for", "aliases", "asns", "domains")
# As text: `re` remembers what it has compiled, and where no file has to be checked none of them is needed.
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?|[a-z0-9_][a-z0-9_-]{2,61}\*|\*"
_PLAIN_SUFFIX = r"(?:[a-z0-9][a-z0-9-]{0,61}[a-z0-9]\.)+[a-z]{2,63}"
_MONTH = r"[12]\d{3}-(0[1-9]|1[0-2])"
_COUNTRY = r"[A-Z]{2}"
_MOST_ASN = 2**32 - 1

Complain = Callable[[str], "OrganisationsError"]


class OrganisationsError(Exception):
    """A file says something that cannot be; the message names the file, the organisation and what is wanted."""


def load_organisations(
    paths: Sequence[Path] = (), is_public_suffix: Callable[[str], bool] | None = None, made_from: str | None = None
) -> OrganisationTable:
    """Our table with the user's files, weakest first, laid over it. Raises OrganisationsError.

    `is_public_suffix` (`daemon.classify.names.Names.is_public_suffix`) lets a user's `co.uk` be refused. `made_from`: what
    `organisations_digest` said of these files, where somebody has asked already: it reads all of them.
    """
    if not paths and (OURS / COMPACT).is_file():
        table = quick.open_table((OURS / COMPACT).read_bytes(), made_from or organisations_digest())
        if table is not None:
            return table
    ours = read_ours()
    layers = [(path, read_user_file(path, is_public_suffix)) for path in paths]
    table = build_table([ours, *(layer for _, layer in layers)])
    for path, layer in layers:
        for organisation in layer:
            _check_family(table, organisation, partial(_complaint, str(path), organisation.name))
    return table


def our_files() -> dict[str, bytes]:
    """The TOML files of the table that comes with Homeport: name -> content."""
    return {entry.name: entry.read_bytes() for entry in OURS.iterdir() if entry.name.endswith(".toml")}


def organisations_digest(paths: Sequence[Path] = ()) -> str:
    """What tells one state of our files and the user's from another. Raises OrganisationsError."""
    files = our_files()
    for number, path in enumerate(paths):
        try:
            files[f"user {number}"] = path.read_bytes()
        except OSError as error:
            raise OrganisationsError(f"{path}: {error.strerror}: a file of organisations was wanted") from error
    return digest(files)


def read_ours() -> list[Organisation]:
    """The organisations that come with Homeport. Raises OrganisationsError."""
    files = our_files()
    compact = OURS / COMPACT
    tables = unpack(compact.read_bytes(), files) if compact.is_file() else None
    if tables is not None:
        return [quick.as_organisation(raw) for found in tables.values() for raw in found]
    try:
        return [read_organisation(raw, name) for name, found in parse(files).items() for raw in found]
    except ValueError as error:
        raise OrganisationsError(f"the organisation files of Homeport are damaged: {error}") from error


def read_user_file(path: Path, is_public_suffix: Callable[[str], bool] | None = None) -> list[Organisation]:
    """The organisations of a user's file. Raises OrganisationsError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise OrganisationsError(f"{path}: {error.strerror}: a file of organisations was wanted") from error
    except ValueError as error:  # a name that no file can have
        raise OrganisationsError(f"{path!r}: {error}") from error
    if len(content) > LARGEST:
        raise OrganisationsError(f"{path}: larger than {LARGEST // 1024 // 1024} MiB; split it into several files")
    import tomllib  # noqa: PLC0415  5 ms that only a user's file is worth

    try:
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise OrganisationsError(f"{path}: not a TOML file in UTF-8: {error}") from error
    found = table.pop("organisation", None)
    if table or not isinstance(found, list):
        raise OrganisationsError(
            f"{path}: wants [[organisation]] entries and nothing else"
            + (f", not {_nearest(next(iter(table)), ['organisation'])}" if table else "")
        )
    organisations = [read_organisation(raw, str(path)) for raw in found]
    _check_together(organisations, str(path), is_public_suffix)
    return organisations


def read_organisation(raw: object, place: str) -> Organisation:
    """One entry of a file, checked. Raises OrganisationsError, which says `place`."""
    if not isinstance(raw, Mapping):
        raise OrganisationsError(f"{place}: wants [[organisation]] entries, not {_shown(raw)}")
    name = raw.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 100 or not name.isprintable() or name != name.strip():
        raise OrganisationsError(f"{place}: an organisation wants a name of 1 to 100 characters, not {_shown(name)}")
    wrong = partial(_complaint, place, name)
    for key in raw:
        if key not in KEYS:
            raise wrong(f"unknown key {_nearest(key, KEYS)}")
    since = _matching(raw, "parent_since", _MONTH, "a month such as 2018-04", wrong)
    parent = _text(raw, "parent", wrong)
    until = _matching(raw, "parent_until", _MONTH, "a month such as 2018-04", wrong)
    if (since or until) and not parent:
        raise wrong("parent_since or parent_until without a parent")
    if since and until and until <= since:
        raise wrong("parent_until is not later than parent_since")
    return Organisation(
        name=name,
        country=_matching(raw, "country", _COUNTRY, "two capital letters such as NL", wrong),
        parent=parent,
        parent_since=since,
        aliases=tuple(_list(raw, "aliases", str, "texts", wrong)),
        asns=tuple(_asn(asn, wrong) for asn in _list(raw, "asns", int, "numbers", wrong)),
        domains=_domains(raw.get("domains", {}), wrong),
        parent_until=until,
        makes_for=tuple(_list(raw, "makes_for", str, "names of organisations", wrong)),
    )


def _complaint(place: str, name: str, what: str) -> OrganisationsError:
    return OrganisationsError(f"{place}: organisation {name!r}: {what}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake is worth its import

    near = get_close_matches(word, list(known), n=1)
    return _shown(word) + (f"; did you mean {near[0]!r}?" if near else "")


def _text(raw: Mapping[str, Any], key: str, wrong: Complain) -> str | None:
    value = raw.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise wrong(f"{key} wants a text, not {_shown(value)}")
    return value


def _matching(raw: Mapping[str, Any], key: str, pattern: str, wanted: str, wrong: Complain) -> str | None:
    value = _text(raw, key, wrong)
    if value is not None and not re.fullmatch(pattern, value):
        raise wrong(f"{key} wants {wanted}, not {_shown(value)}")
    return value


def _list(raw: Mapping[str, Any], key: str, of: type, wanted: str, wrong: Complain) -> list[Any]:
    value = raw.get(key, [])
    if not isinstance(value, list) or any(not isinstance(item, of) or isinstance(item, bool) for item in value):
        raise wrong(f"{key} wants a list of {wanted}, not {_shown(value)}")
    return value


def _asn(value: int, wrong: Complain) -> int:
    if not 1 <= value <= _MOST_ASN:
        raise wrong(f"asns wants numbers of autonomous systems, not {value}")
    return value


def _domains(raw: object, wrong: Complain) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, Mapping):
        raise wrong(f"domains wants a table of kinds, not {_shown(raw)}")
    found: dict[str, str] = {}
    for kind in raw:
        if kind not in KINDS:
            raise wrong(f"unknown kind of domain {_nearest(str(kind), KINDS)}; the kinds are {', '.join(KINDS)}")
        for item in _list(raw, kind, str, "domain suffixes", wrong):
            suffix = _suffix(item, wrong)
            if suffix in found:
                raise wrong(f"{suffix} stands in it twice, as {found[suffix]} and as {kind}")
            found[suffix] = kind
    return tuple((kind, suffix) for suffix, kind in found.items())


def _suffix(text: str, wrong: Complain) -> str:
    if re.fullmatch(_PLAIN_SUFFIX, text):  # nearly all of them
        return text
    suffix = text.lower().strip(".")
    if not suffix.isascii():
        try:
            suffix = suffix.encode("idna").decode()
        except UnicodeError:
            raise wrong(f"{_shown(text)} is no domain") from None
    labels = suffix.split(".")
    plain = [label for label in labels if label != "*"]
    if (
        len(plain) < 2
        or any("*" in label for label in labels[-2:])
        or labels[-1].isdigit()
        or not all(re.fullmatch(_LABEL, label) for label in labels)
    ):
        raise wrong(f"{_shown(text)} is no domain suffix such as example.com or iot.*.example.com")
    return suffix


def _check_together(
    organisations: Sequence[Organisation], place: str, is_public_suffix: Callable[[str], bool] | None
) -> None:
    names: set[str] = set()
    owners: dict[str, str] = {}
    for organisation in organisations:
        wrong = partial(_complaint, place, organisation.name)
        if organisation.name in names:
            raise wrong("stands in the file twice")
        names.add(organisation.name)
        for _, suffix in organisation.domains:
            if suffix in owners:
                raise wrong(f"{suffix} belongs to {owners[suffix]!r} in the same file")
            if is_public_suffix is not None and is_public_suffix(suffix):
                raise wrong(f"{suffix} is a public suffix, under which anybody can have a domain")
            owners[suffix] = organisation.name


def _check_family(table: OrganisationTable, organisation: Organisation, wrong: Complain) -> None:
    for brand in organisation.makes_for:
        if brand not in table.organisations:
            raise wrong(f"no organisation is called {_nearest(brand, table.organisations)} (makes_for)")
    seen = [organisation.name]
    parent = organisation.parent
    while parent is not None:
        if parent not in table.organisations:
            raise wrong(f"no organisation is called {_nearest(parent, table.organisations)} (its parent)")
        if parent in seen:
            raise wrong(f"owns itself: {' - '.join([*seen, parent])}")
        seen.append(parent)
        parent = table.organisations[parent].parent
