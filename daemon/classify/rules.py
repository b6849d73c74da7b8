"""The rules: which party, and why. One table, read from the top; the first rule that holds decides.

Rule 1: a `rule_id` is stable: reports and exports keep it. docs/classification.md lists every one, and a test compares.
Rule 2: a rule looks at gathered evidence only (`daemon.classify.evidence`); it computes nothing that is kept.
Rule 3: some rule always holds: the last one asks for nothing.

In reasons `{subject}` says whose the destination is and how that is known, `{kin}` what its owner is to the device's
maker, `{device}` is the device, `{name}` the name or address, `{maker}` the device's maker, `{network}` what a
network calls itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from daemon.classify.evidence import BRAND, NAME_SERVICES, NETWORK, OWN, OWN_BRAND, STRANGER, SYSTEM, TIME, Case
from daemon.classify.kinds import CARRIERS, INFRASTRUCTURE
from daemon.classify.names import LOCAL as LOCAL_NAME
from daemon.classify.names import REVERSE
from daemon.classify.speaking import serves_devices
from daemon.classify.vocabulary import FIRST, LOCAL, PLATFORM, SUPPORT, THIRD, UNKNOWN

_ADVERTISING = ("advertising", "recognition")


class Rule(NamedTuple):
    """One ruling. `purpose` None: by kind and labels. Where it can hold at all: `kind`, for this kind of domain; `near`,
    where the owner is the device's maker, kin of it, or the maker of its operating system; `owned`, where an owner is known;
    `named`, where there is a name, or none."""

    rule_id: str
    party: str
    when: Callable[[Case], bool]
    reason: str
    purpose: str | None = None
    kind: str | None = None
    near: bool = False
    owned: bool = False
    named: bool | None = None


def _kind(rule_id: str, party: str, kind: str, what: str) -> Rule:
    """A rule for somebody else's domain of one kind."""
    return Rule(rule_id, party, lambda c: c.kind == kind, "{subject}, " + what, kind=kind)


def _own(case: Case) -> bool:
    return case.relation == OWN


def _near(case: Case) -> bool:
    return case.relation in (OWN, SYSTEM)


def _other_trade(case: Case) -> bool:
    return case.kind is not None and case.kind not in INFRASTRUCTURE


def _says_advertising(case: Case) -> bool:
    """Whether a label says so, also as a part of it: at home `osm-ads` is no accident, and the purpose says the same."""
    return case.decided in _ADVERTISING or (case.spoken == "advertising" and case.decided is None)


def _asks_for_names(case: Case) -> bool:
    return case.destination.service in NAME_SERVICES


def _network(case: Case) -> bool:
    return case.owner is not None and case.owner.found_by == NETWORK and case.name is None


_PLACES = (
    Rule(
        "local-address", LOCAL, lambda c: c.stays_local,
        "{name} is an address of your own house: this stays inside.", "local",
    ),
    Rule(
        "local-name", LOCAL, lambda c: c.name is not None and c.name.sort == LOCAL_NAME,
        "{name} is a name that only holds inside your house.", "local",
    ),
    Rule(
        "reverse-name", SUPPORT, lambda c: c.name is not None and c.name.sort == REVERSE,
        "{name} is a question for the name of an address, answered by the name service.", "name service",
    ),
)  # fmt: skip

_OWN_HOUSE = (
    Rule(
        "own-advertising", THIRD, lambda c: _near(c) and c.kind == "advertising",
        "{subject}, {kin}; but this part of it serves advertisements.",
    ),
    Rule(
        "own-recognition", THIRD, lambda c: _near(c) and c.kind == "recognition",
        "{subject}, {kin}; it recognises what you watch, for advertisements.",
    ),
    Rule(
        "own-advertising-label", THIRD,
        lambda c: _near(c) and c.kind not in INFRASTRUCTURE and _says_advertising(c),
        "{subject}, {kin}; but by its name it is there for advertisements.",
    ),
    Rule(
        "own-analytics-sold", THIRD,
        lambda c: _near(c) and c.kind == "analytics" and c.owner is not None and not c.owner.organisation.makes_devices(),
        "{subject}, {kin}; it sells measurements to anyone, it does not run the device.",
    ),
    Rule(
        "brand-in-name", FIRST,
        lambda c: _own(c) and c.owner is not None and c.owner.found_by in (OWN_BRAND, BRAND),
        "{subject}, {kin}.",
    ),
    Rule("own-name-service", FIRST, lambda c: _own(c) and _network(c) and _asks_for_names(c),
         "{subject}, {kin}; it is asked which address belongs to a name.", "name service"),
    Rule("own-network", FIRST, lambda c: _own(c) and _network(c), "{subject}, {kin}.", "own function"),
    Rule("own-platform", FIRST, lambda c: _own(c) and c.kind == "platform", "{subject}, {kin}."),
    Rule(
        "own-infrastructure", FIRST, lambda c: _own(c) and c.kind in INFRASTRUCTURE,
        "{subject}, {kin}: infrastructure of its own.",
    ),
    Rule("own-analytics", FIRST, lambda c: _own(c) and c.kind == "analytics", "{subject}, {kin} and measures its use."),
    Rule("own-service", FIRST, _own, "{subject}, {kin}."),
    Rule(
        "system-infrastructure", SUPPORT, lambda c: c.relation == SYSTEM and c.kind in CARRIERS,
        "{subject}, {kin}; here it carries anybody's services.",
    ),
    Rule("system-maker", FIRST, lambda c: c.relation == SYSTEM, "{subject}, {kin}."),
)  # fmt: skip

_SERVICES = (
    Rule("time-service", SUPPORT, lambda c: c.destination.service == TIME and c.kind not in INFRASTRUCTURE,
         "{name} is asked for the time of day.", "time"),
    Rule("name-service", SUPPORT, lambda c: c.name is None and _asks_for_names(c),
         "{name} is asked which address belongs to a name.", "name service"),
)  # fmt: skip

_NETWORKS = (
    Rule("network-carrier", SUPPORT, lambda c: _network(c) and c.kind in CARRIERS,
         "{subject}, which carries services for others; no name tells whose this is.", "cloud"),
    Rule("network-isp", UNKNOWN, lambda c: _network(c) and c.kind == "isp",
         "{subject}, which connects homes and companies: nothing tells who this is.", "other"),
    Rule("network-maker", UNKNOWN, lambda c: _network(c) and c.vendor_name is None and c.kind == "maker",
         "{subject}; nobody knows who made this device, so it could be its own maker."),
    Rule("network-owner", THIRD, lambda c: _network(c) and c.kind not in INFRASTRUCTURE and c.kind != "platform",
         "{subject}, which has no tie to {device}."),
)  # fmt: skip

_STRANGERS = (
    _kind("platform", PLATFORM, "platform", "which runs device services for many brands; {device} uses them."),
    Rule("maker-time", SUPPORT, lambda c: _other_trade(c) and c.decided == "time",
         "{subject}; by its name it tells the time of day.", "time"),
    Rule("maker-certificates", SUPPORT, lambda c: _other_trade(c) and c.decided == "certificates",
         "{subject}; by its name it says whether certificates still hold.", "certificates"),
    Rule("maker-unknown-device", UNKNOWN, lambda c: c.kind == "maker" and c.vendor_name is None,
         "{subject}, which makes devices; nobody knows yet who made this one."),
    Rule("tenant", SUPPORT, lambda c: c.kind in CARRIERS and c.name is not None and c.name.tenant is not None,
         "{subject}, which rents it to somebody: {device} uses their infrastructure."),
    _kind("cloud", SUPPORT, "cloud", "whose computers anybody can rent: infrastructure under the service."),
    _kind("cdn", SUPPORT, "cdn", "which delivers files for others from close by: infrastructure under the service."),
    _kind("hosting", SUPPORT, "hosting", "which rents servers to others: infrastructure under the service."),
    _kind("dns", SUPPORT, "dns", "which turns names into addresses."),
    _kind("time", SUPPORT, "time", "which tells devices the time of day."),
    _kind("certificates", SUPPORT, "certificates", "which vouches for servers; {device} checks a certificate there."),
    _kind("connectivity", SUPPORT, "connectivity", "where devices test whether they are online."),
    _kind("update", SUPPORT, "update", "where many programs get their updates."),
    _kind("isp", SUPPORT, "isp", "which connects homes to the Internet."),
    _kind("advertising", THIRD, "advertising", "which deals in advertising."),
    _kind("recognition", THIRD, "recognition", "which recognises what is watched, for advertisers."),
    _kind("analytics", THIRD, "analytics", "which measures for others how people use things."),
    _kind("other-maker", THIRD, "maker", "which did not make {device}."),
    _kind("content", THIRD, "content", "which offers things to watch, hear, read or play; it did not make {device}."),
    _kind("social", THIRD, "social", "a social network."),
    _kind("search", THIRD, "search", "a search engine or portal; it did not make {device}."),
    _kind("shop", THIRD, "shop", "a shop."),
    _kind("messaging", THIRD, "messaging", "which carries messages between people or to apps."),
    _kind("payment", THIRD, "payment", "which handles payments."),
    _kind("security", THIRD, "security", "which sells protection; it did not make {device}."),
    _kind("office", THIRD, "office", "which offers tools for work; it did not make {device}."),
    _kind("registry", THIRD, "registry", "a registry of names or addresses."),
    _kind("other-organisation", THIRD, "other", "which has no tie to {device} that we know."),
)  # fmt: skip

_NOBODY = (
    Rule("label-advertising", THIRD, lambda c: c.decided in ("advertising", "recognition"),
         "We do not know who runs {name}; by its name it is there for advertisements."),
    Rule("label-analytics", THIRD, lambda c: c.decided == "analytics",
         "We do not know who runs {name}; by its name it measures or tracks."),
    Rule("label-time", SUPPORT, lambda c: c.decided == "time",
         "We do not know who runs {name}; by its name it tells the time of day."),
    Rule("label-certificates", SUPPORT, lambda c: c.decided == "certificates",
         "We do not know who runs {name}; by its name it says whether certificates still hold."),
    Rule("label-connectivity", SUPPORT, lambda c: c.decided == "connectivity",
         "We do not know who runs {name}; by its name devices learn there whether and from where they are online."),
    Rule("label-dns", SUPPORT, lambda c: c.decided == "name service",
         "We do not know who runs {name}; by its name it turns names into addresses."),
    Rule("label-delivery", SUPPORT, lambda c: c.decided == "content delivery",
         "We do not know who runs {name}; by its name it delivers files for somebody."),
    Rule("label-device", FIRST, lambda c: c.name is not None and c.vendor_name is not None and serves_devices(c.name.labels),
         "We do not know who runs {name}; by its name it serves devices, most likely those of {maker}."),
    Rule("nobody-known", THIRD, lambda c: c.name is not None and c.vendor_name is not None,
         "Nobody that we know runs {name}; nothing ties it to {maker}, the maker of this device."),
    Rule("nobody-known-device", UNKNOWN, lambda c: c.name is not None,
         "We know neither who runs {name} nor who made this device."),
)  # fmt: skip

_NOTHING = (
    Rule("network-unknown", UNKNOWN, lambda c: c.name is None and c.guess is not None,
         "{name} is in the network of {network}, of which we know no more."),
    Rule("no-evidence", UNKNOWN, lambda c: c.name is None,  # and in words that hold for no address either
         "Nothing tells whose {name} is: it was never asked for by name."),
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    *_PLACES,
    *(rule._replace(near=True, owned=True) for rule in _OWN_HOUSE),
    *_SERVICES,
    *(rule._replace(named=False, owned=True) for rule in _NETWORKS),
    *(rule._replace(owned=True) for rule in _STRANGERS),
    *(rule._replace(named=True) for rule in _NOBODY),
    *(rule._replace(named=False) for rule in _NOTHING),
)


@lru_cache(None)  # kinds are few; a tenth of all rules, for most questions
def _possible(kind: str | None, near: bool, named: bool) -> tuple[Rule, ...]:
    """The rules that can hold; an owner always has a kind."""
    return tuple(
        rule
        for rule in RULES
        if rule.kind in (None, kind)
        and near >= rule.near
        and (kind is not None) >= rule.owned
        and rule.named in (None, named)
    )


def decide(case: Case) -> Rule:
    """The first rule that holds."""
    for rule in _possible(case.kind, case.relation != STRANGER, case.name is not None):
        if rule.when(case):
            return rule
    return RULES[-1]
