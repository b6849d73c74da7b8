"""What is known of a device and a destination, gathered before any rule looks at it.

Rule 1: who owns a destination is told, in this order, by its name (the table of organisations; then a brand in the
        registered name), by the server's certificate, by the network that announces the address.
Rule 2: what carries other people's services tells nothing of them: a name that we do not know is not its cloud's.
Rule 3: evidence is gathered for one device and one month: ownership is dated, and a brand speaks for its own devices.
Rule 4: what is remembered is bounded, and a function of its key alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from daemon.classify.blocks import owner_of
from daemon.classify.kinds import CARRIERS
from daemon.classify.names import ADDRESS, PUBLIC, Name, Names, stays_local
from daemon.classify.organisations import Organisation, OrganisationTable
from daemon.classify.resolvers import RESOLVERS
from daemon.classify.speaking import decided_purpose, spoken_purpose
from daemon.classify.words import (
    LEGAL,
    OPEN_TOPS,
    carries,
    in_brackets,
    is_telling,
    listed,
    names_plainly,
    says_nothing,
    squashed,
    without_generic,
    without_legal,
    words,
)

if TYPE_CHECKING:
    from daemon.classify.place import Place
    from daemon.classify.vocabulary import Destination, DeviceProfile

# How an owner was found. OWN_BRAND: the vendor's name in the domain; BRAND: somebody's, whom the table knows.
NAME, OWN_BRAND, BRAND, CERTIFICATE, NETWORK = "name", "own brand", "brand", "certificate", "network"
OWN, SYSTEM, STRANGER = "own", "system", "stranger"  # what the owner is to the device

TIME, NAME_SERVICES = "ntp", frozenset({"dns", "dot", "doq", "doh"})
TELLING = NAME_SERVICES | {TIME}  # services that tell what an address is asked for
PERSONAL = frozenset({"phone", "tablet", "computer"})
_SYSTEMS = {  # operating system, as daemon.identify says it -> who makes it
    "android": "Google", "chromeos": "Google", "chrome os": "Google", "fuchsia": "Google", "windows": "Microsoft",
    "ios": "Apple", "ipados": "Apple", "macos": "Apple", "watchos": "Apple", "tvos": "Apple", "harmonyos": "Huawei",
    "fireos": "Amazon", "fire os": "Amazon",
}  # fmt: skip
_PROVIDERS = {  # as `Place.provider` calls them -> as the table does
    "aws": "Amazon", "azure": "Microsoft", "gcp": "Google", "google": "Google", "oracle": "Oracle",
    "digitalocean": "DigitalOcean", "cloudflare": "Cloudflare",
}  # fmt: skip
# Makers of radio modules: their name is on the chip, not on the device.
_MODULES = listed(
    "espressif murata azurewave ampak realtek ralink mediatek texasinstruments liteon gainspan usi honhai foxconn wistron"
    " fnlink bilian quectel telit ublox nordic siliconlabs cypress broadcom qualcomm atheros marvell universalscientific"
    " honhaiprecision chinadragon hiflying beken winnermicro rtthread huizhougaoshengda chongqingfugui"
)
_MEMO = 4096
_new = tuple.__new__  # makes a NamedTuple in less than half the time of its own constructor; the order is the fields'
LONG_NAME = 30  # characters; longer ones are a registry's way of writing a maker
_MOST_CERTIFICATES = 64
_NETWORK_KINDS = frozenset({*CARRIERS, "isp"})


class Owner(NamedTuple):
    """Who owns a destination, what the destination is, and how that was found."""

    organisation: Organisation
    kind: str
    suffix: str  # of a domain; the text of the address where a network told
    found_by: str  # NAME, OWN_BRAND, BRAND, CERTIFICATE or NETWORK


class Case(NamedTuple):
    """One question with all its evidence. A tuple: nothing else here is made as often."""

    device: DeviceProfile
    destination: Destination
    vendor: Organisation | None  # the maker, where the table knows it
    vendor_name: str | None  # as it is shown; None where nobody knows the maker
    name: Name | None  # the domain taken apart; None for an address without a name
    address: str | None
    stays_local: bool
    place: Place | None
    owner: Owner | None
    kind: str | None  # of the owner's domain, of the organisation files
    relation: str  # OWN, SYSTEM or STRANGER
    spoken: str | None  # purpose that the labels say
    decided: str | None  # the same, where it may decide a party
    family: tuple[Organisation, ...]  # the vendor's, in that month: itself, its parent, ...
    carrier: str | None  # kind of the domain at the end of the chain of aliases
    guess: str | None  # what the owner may be called, where nobody knows: by the registered name, or by the network


class Maker(NamedTuple):
    """The maker of a device: as the table knows it, as it is shown, and as it may be written in a domain."""

    organisation: Organisation | None
    name: str | None
    brands: tuple[str, ...]
    plain: tuple[str, ...] = ()  # brands that are short or everyday words: evidence for its own devices alone


class Spot(NamedTuple):
    """All that an address tells by itself; many tell the same."""

    local: bool  # whether it stays in the house
    place: Place | None
    block: str | None  # whose it is, by the blocks that we know
    number: int  # stands for all of this, as to compare places takes long


class Gatherer:
    """Gathers evidence with one table, one list of public suffixes and one atlas."""

    def __init__(
        self, table: OrganisationTable, place: Callable[[str], Place | None] | None = None, names: Names | None = None
    ) -> None:
        self.table = table
        self._place = place
        self._names = names or Names()
        self.match = lru_cache(_MEMO)(table.match)
        self._by_brand = lru_cache(_MEMO)(table.by_brand)
        self._by_vendor = lru_cache(_MEMO)(table.by_vendor)
        self._maker = lru_cache(_MEMO)(self._find_maker)
        self._spot = lru_cache(_MEMO)(self._find_spot)
        self._era = lru_cache(_MEMO)(self._find_era)
        self._related = lru_cache(_MEMO)(self._find_related)
        self._spots: dict[Hashable, Spot] = {}
        self._last_spot = 0
        self._called: dict[tuple[str | None, ...], str] = {}

    def asked(self, destination: Destination) -> Hashable:
        """All of a destination that `gather` looks at."""
        name, address, spot = self._what(destination)
        _, _, _, alias_target, certificate_names, month, service = destination
        said = address if name is None else name.text
        where = spot.number if name is not None and spot is not None else None
        return said, name is None, where, alias_target, certificate_names, self._era(month), _telling(service)

    def _find_spot(self, address: str) -> Spot | None:
        """None for text that is no address."""
        local = _stays_local(address)
        if local is None:
            return None
        told = local, self._place(address) if self._place and not local else None, owner_of(address)
        spot = self._spots.get(told)
        if spot is None:
            if len(self._spots) >= _MEMO:
                self._spots.clear()
            self._last_spot += 1  # none is given twice
            spot = self._spots[told] = Spot(*told, self._last_spot)
        return spot

    def about(self, device: DeviceProfile) -> Hashable:
        """All of a device that `gather` looks at: its maker and, of a person's own, what it is."""
        maker = self._maker(device.vendor, device.name)
        owner = maker.organisation.name if maker.organisation else None
        person = (device.kind, device.system) if device.kind in PERSONAL else None
        return owner, maker.name, maker.brands, person

    def _find_era(self, month: str | None) -> int | None:
        """Months between which nobody was sold are one to judgements."""
        return None if month is None else bisect_right(self.table.sales, month)

    def gather(self, device: DeviceProfile, destination: Destination) -> Case:
        """All evidence about one question. Any text is accepted; text that says nothing is evidence of nothing."""
        maker = self._maker(device.vendor, device.name)
        vendor = maker.organisation
        name, address, spot = self._what(destination)
        local, place = (spot.local, spot.place) if spot is not None else (False, None)
        owner = None
        if not local and (name is None or name.sort == PUBLIC):
            owner = self._named(maker, name) if name else None
            owner = owner or self._unnamed(destination, spot, address, named=name is not None)
        kind = guess = carrier = None
        relation = STRANGER
        if owner is None:
            guess = _guess(name, place)
        else:
            kind = owner.kind
            relation = self._relation(device, vendor, owner, destination.month)
        labels = _in_front(name, owner)
        purposes = (spoken_purpose(labels), decided_purpose(labels)) if labels else (None, None)
        family = self.table.family(vendor, destination.month, ever=True) if vendor else ()
        if destination.alias_target:
            carrier = self._carrier(destination.alias_target)
        known = (device, destination, vendor, maker.name, name, address, local, place, owner)
        return _new(Case, (*known, kind, relation, *purposes, family, carrier, guess))

    def called(self, case: Case) -> str | None:
        """The owner as people know it: the brand that the name carries, the organisation, who owned it that month."""
        if case.owner is None:
            return case.guess
        organisation = case.owner.organisation
        label = case.name.labels[-1] if case.name and case.name.labels else ""
        own = case.vendor_name if organisation is case.vendor else None  # who bought an eQ-3 may not know Homematic
        key = organisation.name, label, case.destination.month, own
        known = self._called.get(key)
        if known is None:
            if len(self._called) >= _MEMO:
                self._called.clear()
            known = self._called[key] = self._find_called(organisation, *key[1:])
        return known

    def _find_called(self, organisation: Organisation, label: str, month: str | None, own: str | None) -> str:
        """`own`: what the maker of the device is called, where it is the owner."""
        chain = self.table.family(organisation, month, ever=True)
        if own is not None and squashed(words(organisation.name)) in squashed(words(own)):
            own = None
        return in_brackets(organisation.brand(label), own, *(one.name for one in chain[:2]))

    def _what(self, destination: Destination) -> tuple[Name | None, str | None, Spot | None]:
        """The name, the address and what that tells; a name that is an address is only that."""
        domain, address = destination.domain, destination.address
        name = self._names.parse(domain) if domain and domain.strip(". ") else None
        spot = self._spot(address) if address else None
        if name is not None and name.sort == ADDRESS:
            name, address, spot = (
                (None, address, spot) if spot is not None else (None, name.text, self._spot(name.text))
            )
        return name, address if spot is not None else None, spot

    def _carrier(self, alias_target: str) -> str | None:
        match = self.match(alias_target)
        return match.kind if match else None

    def _find_maker(self, vendor: str | None, device_name: str | None) -> Maker:
        if vendor and not says_nothing(vendor) and not _is_module(vendor):
            found, called = self.table.by_vendor(vendor), " ".join(vendor.split())
            if found is not None and (len(called) > LONG_NAME or not LEGAL.isdisjoint(words(called))):
                called = found.name  # a registry's way of writing it
            brands = tuple(dict.fromkeys(_brands(found, called)))
            own = {squashed(without_legal(words(text))) for text in (called, found.name if found else "")}
            return Maker(
                found,
                called,
                tuple(brand for brand in brands if is_telling(brand)),
                tuple(brand for brand in brands if brand in own and not is_telling(brand)),
            )
        found = self.table.by_device(device_name) if device_name else None
        if found is not None and _is_module(found.name):  # `esp32-airquality` tells what is inside
            found = None
        return (
            Maker(found, found.name, tuple(filter(is_telling, _brands(found, "")))) if found else Maker(None, None, ())
        )

    def _named(self, maker: Maker, name: Name) -> Owner | None:
        """The owner by the table, else by a brand in the registered name."""
        match = self.match(name.text)
        if match is not None:
            return _new(Owner, (*match, NAME))
        if not name.labels or name.registrable is None or name.registrable == name.labels[-1]:
            return None
        label = name.labels[-1]
        if maker.name is not None and _own_name(maker, label, name.registrable):
            return Owner(maker.organisation or Organisation(maker.name), "maker", name.registrable, OWN_BRAND)
        match = self._by_brand(label)
        return Owner(match.organisation, match.kind, name.registrable, BRAND) if match else None

    def _unnamed(
        self, destination: Destination, spot: Spot | None, address: str | None, *, named: bool
    ) -> Owner | None:
        """The owner by the certificate, else by the network; what only carries a named service does not count."""
        known = RESOLVERS.get(address) if address is not None and not named else None
        resolver = self.table.by_name(known) if known is not None else None
        if resolver is not None:
            return Owner(resolver, "dns", address or "", NETWORK)
        for text in destination.certificate_names[:_MOST_CERTIFICATES]:
            match = self.match(text.lower().removeprefix("*."))
            if match is not None and not (named and match.kind in _NETWORK_KINDS):
                return Owner(*match, CERTIFICATE)
        network = self._network(spot, address) if spot is not None and address is not None else None
        return None if network and named and network.kind in _NETWORK_KINDS else network

    def _network(self, spot: Spot, address: str) -> Owner | None:
        """The owner of the network: by a database of addresses, and where that says nothing by the blocks we know."""
        place = spot.place
        if place is not None and place.provider is not None:
            found = self._by_vendor(_PROVIDERS.get(place.provider, place.provider))
            if found is not None:
                return Owner(found, "cdn" if place.provider == "cloudflare" else "cloud", address, NETWORK)
        found = self.table.by_asn(place.asn) if place is not None and place.asn is not None else None
        if found is None and place is not None and place.as_name:
            found = self._by_vendor(place.as_name)
        elif found is None:
            found = self.table.by_name(spot.block) if spot.block is not None else None
        return Owner(found, _network_kind(found), address, NETWORK) if found else None

    def _relation(self, device: DeviceProfile, vendor: Organisation | None, owner: Owner, month: str | None) -> str:
        if owner.found_by == OWN_BRAND:
            return OWN
        if vendor is not None and self._related(vendor.name, owner.organisation.name, month):
            return OWN
        system = system_maker(device) if device.kind in PERSONAL else ""
        return SYSTEM if system and self._related(system, owner.organisation.name, month) else STRANGER

    def _find_related(self, one: str, other: str, month: str | None) -> bool:
        """By name: who is found by a brand that is not in the table was not found by the table."""
        first, second = self.table.by_name(one), self.table.by_name(other)
        return first is not None and second is not None and self.table.related(first, second, month)


def _telling(service: str | None) -> str | None:
    return service if service in TELLING else None


def _in_front(name: Name | None, owner: Owner | None) -> tuple[str, ...]:
    """The labels of which the table says nothing yet, and the registered one: `ads.example.com` may be listed as no ads."""
    if name is None or owner is None or owner.found_by != NAME:
        return name.labels if name else ()
    public = name.text.count(".") + 1 - len(name.labels)
    said = max(owner.suffix.count(".") + 1 - public, 1)
    return (*name.labels[:-said], *name.labels[-1:])


def _own_name(maker: Maker, label: str, registrable: str) -> bool:
    """Whether a registered name is its maker's brand: in its label, with its top (`airthin.gs`), or its own top.

    Who has a brand for a top (`start.canon`) has all names below it.
    """
    top = registrable.rpartition(".")[2]
    return (
        any(carries(label, brand) for brand in maker.brands)
        or registrable.replace(".", "") in maker.brands
        or (top in (*maker.brands, *maker.plain) and top not in OPEN_TOPS)
        or any(names_plainly(label, brand) for brand in maker.plain)
    )


def _stays_local(text: str) -> bool | None:
    """Whether an address stays in the house; None for text that is none."""
    if ":" not in text and not text[-1:].isdigit():  # told so for a fraction of an exception
        return None
    try:
        return stays_local(text)
    except ValueError:
        return None


def system_maker(device: DeviceProfile) -> str:
    """Who makes the operating system of a device, by its name in the table; "" where nobody knows."""
    return _SYSTEMS.get((device.system or "").lower(), "")


def _network_kind(organisation: Organisation) -> str:
    """What an organisation's network mostly is: what it carries for others, else what the organisation is."""
    kinds = [kind for kind, _ in organisation.domains if kind in _NETWORK_KINDS]
    return max(dict.fromkeys(kinds), key=kinds.count) if kinds else organisation.main_kind()


def _guess(name: Name | None, place: Place | None) -> str | None:
    """The registered name as a word: `example-foo.com` is perhaps Example Foo's. Without a name, the network's."""
    if name is None:
        return place.as_name if place else None
    if name.sort != PUBLIC or not name.labels or name.registrable == name.labels[-1]:
        return None
    text = name.labels[-1].replace("-", " ").replace("_", " ").strip()
    return text.title() if any(c.isalpha() for c in text) and "\\" not in text else None


def _is_module(vendor: str) -> bool:
    parts = words(vendor)
    return squashed(without_legal(parts)) in _MODULES or squashed(without_generic(parts)) in _MODULES


def _brands(vendor: Organisation | None, vendor_name: str) -> Iterator[str]:
    """How the vendor may be written in a domain."""
    for text in (vendor_name, *((vendor.name, *vendor.aliases) if vendor else ())):
        parts = words(text)
        yield squashed(without_legal(parts))
        if vendor is None:
            yield squashed(without_generic(parts))
            yield from (part for part in parts if is_telling(part))
