"""Reasons: one sentence that a home owner understands, naming the organisation and what it is to the device.

Rule 1: at most LONGEST characters: where names are long they are shortened, the sentence never is.
Rule 2: names come from the network and from people; what is not printable is shown as `?`.
Rule 3: how an owner is known is part of the sentence: by the name, by a certificate, by the network.
Rule 4: an organisation that is a guess from the domain is called one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from daemon.classify.evidence import BRAND, CERTIFICATE, NAME, NETWORK, OWN_BRAND, SYSTEM, Case, Owner, system_maker

LONGEST = 160
_ROOM = re.compile(r"{(\w+)}")  # for a word
_SUBJECTS = {
    NAME: "{domain} belongs to {owner}",
    OWN_BRAND: "{domain} carries the name of {owner}",
    BRAND: "{domain} carries the name of {owner}",
    CERTIFICATE: "The server of {name} shows a certificate of {owner}",
    NETWORK: "{name} is in the network of {owner}",
}


class _Widths(NamedTuple):
    """Most characters of a destination, an organisation and a maker."""

    name: int
    owner: int
    maker: int


# From the most generous to what always fits.
_WIDTHS = tuple(
    _Widths(*widths) for widths in ((60, 40, 30), (40, 32, 24), (28, 24, 20), (20, 16, 14), (14, 12, 10), (8, 8, 8))
)


def reason_of(template: str, case: Case) -> str:
    """A rule's sentence, filled in for a case."""
    text = ""
    for widths in _WIDTHS:
        text = _filled(template, case, widths)
        if case.guess and case.name:
            text += f" Its name suggests {_short(case.guess, widths.owner)}."
        if len(text) <= LONGEST:
            break
    return text


def _filled(template: str, case: Case, widths: _Widths) -> str:
    first, rest = _parts(template)
    return first + "".join([word(case, widths) + text for word, text in rest])


@lru_cache
def _parts(template: str) -> tuple[str, tuple[tuple[_Word, str], ...]]:
    """The text before the first room, then each word with the text behind it: nothing else is looked up."""
    first, *rest = _ROOM.split(template)
    return first, tuple((_WORDS[word], text) for word, text in zip(rest[::2], rest[1::2], strict=True))


def _name(case: Case, widths: _Widths) -> str:
    name = case.name.text if case.name else case.address
    return _short(name or "this destination", widths.name)


def _domain(case: Case, widths: _Widths) -> str:
    return _short(_shown_domain(case), widths.name)


def _owner(case: Case, widths: _Widths) -> str:
    return _short(case.owner.organisation.name, widths.owner) if case.owner else ""


def _maker(case: Case, widths: _Widths) -> str:
    return _short(case.vendor_name, widths.maker) if case.vendor_name else ""


def _network(case: Case, widths: _Widths) -> str:
    return _short(case.guess or "", widths.owner)


def _device(case: Case, widths: _Widths) -> str:
    maker = _maker(case, widths)
    return f"this {maker} device" if maker else "this device"


def _subject(case: Case, widths: _Widths) -> str:
    if case.owner is None:
        return ""
    return _filled(_SUBJECTS[case.owner.found_by], case, widths)


def _relative(case: Case, widths: _Widths) -> str:
    return _kin(case, case.owner, _maker(case, widths), widths.maker) if case.owner else ""


_Word = Callable[[Case, _Widths], str]
_WORDS: Mapping[str, _Word] = {
    "name": _name, "domain": _domain, "owner": _owner, "maker": _maker, "network": _network, "device": _device,
    "subject": _subject, "kin": _relative,
}  # fmt: skip


def _shown_domain(case: Case) -> str:
    """The part of the name that is the owner's: what the table lists, or what was registered."""
    if case.name is None or case.owner is None:
        return ""
    if case.owner.found_by == NAME and "*" not in case.owner.suffix:
        return case.owner.suffix
    return case.name.registrable or case.name.text


def _kin(case: Case, owner: Owner, maker: str, wide: int) -> str:
    """What the owner of a destination is to the maker of the device, as a relative clause."""
    if case.relation == SYSTEM:
        system = system_maker(case.device)
        company = "" if owner.organisation.name == system else f"a company of {_short(system, wide)}, "
        return f"{company}which makes the operating system of this device"
    chain = [organisation.name for organisation in case.family]
    name = owner.organisation.name
    undated = case.destination.month is None
    if not chain or name == chain[0]:
        return f"which makes this {maker} device" if maker else "which makes this device"
    if name in chain:
        below = case.family[: chain.index(name)]
        owns = "once owned" if undated and any(one.parent_until for one in below) else "owns"
        return f"which {owns} {_short(chain[0], wide)}, the maker of this device"
    if owner.organisation.parent == chain[0]:
        once = "once " if undated and owner.organisation.parent_until else ""
        return f"{once}a company of {_short(chain[0], wide)}, the maker of this device"
    return f"a sister of {_short(chain[0], wide)}, the maker of this device"


def _short(text: str, wide: int) -> str:
    plain = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= wide else plain[: wide - 4] + "…" + plain[-3:]
