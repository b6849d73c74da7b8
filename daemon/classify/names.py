"""Names of destinations, taken apart: whose registration a name is under, and whose tenant it is on a shared cloud.

Rule 1: names are those of the public schema: lower case, no final dot, odd bytes as `\\DDD`. Others are accepted and
        brought to that form; any text is answered, nothing raises.
Rule 2: `registrable` follows the ICANN section of the public suffix list, so that `x.s3.amazonaws.com` is Amazon's;
        `tenant` follows its private section, and is None where that says the same.
Rule 3: the list is the one inside tldextract: no download, no cache on disk (`daemon.classify.suffixes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from daemon.classify.suffixes import PublicSuffixes, public_suffixes
from daemon.classify.words import listed
from daemon.flow.local import GLOBAL, address_number, scope_of

PUBLIC, ADDRESS, LOCAL, REVERSE = "public", "address", "local", "reverse"

MEMO = 16384  # names that are remembered; a home has some thousand
LONGEST = 1100  # characters: 255 octets, each written as `\DDD`
# RFC 6761, 6762, 8375, ICANN's .internal, and what routers call the house of their own accord.
_LOCAL_TOPS = listed(
    "local localhost localdomain lan home internal intranet private corp domain workgroup invalid test"
)
_LOCAL_TAILS = (("home", "arpa"), ("fritz", "box"), ("speedport", "ip"), ("easy", "box"))
_REVERSE_TAILS = (("in-addr", "arpa"), ("ip6", "arpa"))
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
_PLAIN = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class Name(NamedTuple):
    """A name taken apart. `labels` are those in front of the public suffix, the registrable one last."""

    text: str
    sort: str  # PUBLIC, ADDRESS, LOCAL or REVERSE
    registrable: str | None = None
    tenant: str | None = None
    labels: tuple[str, ...] = ()


class Names:
    """Takes names apart, and remembers the latest of them."""

    __slots__ = ("_list", "parse")

    def __init__(self) -> None:
        self._list: PublicSuffixes | None = None
        self.parse: Callable[[str], Name] = lru_cache(MEMO)(self._parse)

    def _parse(self, text: str) -> Name:
        """A name taken apart; text that is an address, or in any form a name, likewise."""
        name = text[:LONGEST].strip().lower().strip(".")
        if is_address(name.strip("[]")):
            return Name(name.strip("[]"), ADDRESS)
        labels = name.split(".")
        if "" in labels:
            labels = [label for label in labels if label]
            name = ".".join(labels)
        tail = tuple(labels[-2:])
        if tail in _REVERSE_TAILS:
            return Name(name, REVERSE)
        if len(labels) < 2 or labels[-1] in _LOCAL_TOPS or tail in _LOCAL_TAILS:
            return Name(name, LOCAL)
        suffix, private = self._suffix_labels(labels)
        if suffix >= len(labels):  # the name is a public suffix itself
            return Name(name, PUBLIC, name, None, tuple(labels[:1]))
        registrable = ".".join(labels[-suffix - 1 :])
        tenant = ".".join(labels[-private - 1 :]) if suffix < private < len(labels) else None
        return _new(Name, (name, PUBLIC, registrable, tenant, tuple(labels[:-suffix])))

    def is_public_suffix(self, suffix: str) -> bool:
        """Whether anybody can register names right below (ICANN section)."""
        labels = suffix.split(".")
        return self._suffix_labels(labels)[0] >= len(labels)

    def _suffix_labels(self, labels: list[str]) -> tuple[int, int]:
        """How many labels at the end are public suffix, by the ICANN section and by the whole list: at least one, as the
        list's own default rule says."""
        if self._list is None:  # read when the first name comes
            self._list = public_suffixes()
        if not _PLAIN.fullmatch(".".join(labels)):  # an escaped byte is no part of any suffix
            labels = [label if _PLAIN.fullmatch(label) else "x" for label in labels]
        return self._list.lengths(labels)


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    if ":" not in text and not text[-1:].isdigit():  # nearly every name, and told so for a fraction of an exception
        return False
    try:
        address_number(text)
    except ValueError:
        return False
    return True


def stays_local(address: str) -> bool:
    """Whether an address can only stand for something in the house. ValueError if it is none."""
    return scope_of(*address_number(address)) != GLOBAL
