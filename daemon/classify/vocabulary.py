"""The words of this room: what is asked about a destination, and what is answered.

A party is a statement about (device, destination, month), never about a domain alone (DESIGN.md, "Classify").
"""

from __future__ import annotations

from typing import NamedTuple

FIRST, SUPPORT, THIRD, PLATFORM, LOCAL, UNKNOWN = "first", "support", "third", "platform", "local", "unknown"
PARTIES = (FIRST, SUPPORT, THIRD, PLATFORM, LOCAL, UNKNOWN)


class DeviceProfile(NamedTuple):
    """What a judgement may know of the device; None where nobody knows."""

    vendor: str | None = None  # brand or maker, in whatever words: the OUI registry's, an owner's, a paper's
    name: str | None = None  # what it is called; a last resort, as it may tell the brand
    kind: str | None = None  # daemon.identify's kinds: `phone`, `speaker`, ...
    system: str | None = None  # operating system: `android`, `windows`, `ios`, ...


class Destination(NamedTuple):  # a tuple, as many thousand are asked about at a time
    """Where packets went. One of `domain` and `address` at least; names as the public schema writes them."""

    domain: str | None = None
    address: str | None = None
    name_source: str | None = None
    alias_target: str | None = None  # end of the CNAME chain by which the name was reached
    certificate_names: tuple[str, ...] = ()
    month: str | None = None  # `YYYY-MM`; ownership and rulings are dated
    service: str | None = None  # of `daemon.flow.services`: tells a time server without a name


class Verdict(NamedTuple):  # likewise
    """A judgement with its reason. `rule_id` is stable; `reason` is a sentence for a home owner."""

    party: str
    organisation: str | None
    purpose: str | None
    rule_id: str
    reason: str
    registrable_domain: str | None = None  # by the ICANN section of the public suffix list
    tenant: str | None = None  # by its private section, where that tells more: the bucket on a shared cloud
    infrastructure: str | None = None  # what carries it: the end of a chain of aliases
    asn: int | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, of the place and not of the organisation
    country_confidence: str | None = None  # `high`, `medium` or `low`
    called: str | None = None  # the organisation as people know it: `Ring (Amazon)`, `Vudu (Fandango, Comcast)`
