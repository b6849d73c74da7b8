"""What a device is: brand, model, kind and operating system, each with the evidence for it, strongest first.

Rule 1: what exists to tell something (a model in a TXT record) counts more than what tells it by the way (a User-Agent),
        and that more than a name that anybody can give. The orders below are the whole rule.
Rule 2: once the brand is known, a product of another brand tells nothing of model, kind and system: a telephone's app
        that speaks of a lamp does not make the telephone a lamp.
Rule 3: an address of the hardware registry is evidence of a brand only if it is no made-up one and its holder is no maker
        of parts. Traffic to a maker's own servers comes last, and not for people's devices: people visit everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from daemon.identify import kinds
from daemon.identify.clues import CATEGORY, MAKER, PARAMETERS, SERVICE, Clue
from daemon.identify.products import AGENT, CLASS, HOST, MODEL, TYPE, Product, recognise
from daemon.identify.systems import SYSTEMS, by_parameters
from daemon.identify.vendors import Maker, brand_of
from daemon.identify.vocabulary import Evidence

_VENDOR_ORDER = (MAKER, MODEL, TYPE, "oui", AGENT, CLASS, HOST, PARAMETERS, "traffic")
_MODEL_ORDER = (MODEL, TYPE, HOST, AGENT, CLASS)
_KIND_ORDER = (
    MODEL,
    CATEGORY,
    TYPE,
    CLASS,
    PARAMETERS,
    HOST,
    AGENT,
    SERVICE,
    "agent-system",
    "registry",
    "brand",
    "habit",
)
_SYSTEM_ORDER = (MODEL, TYPE, AGENT, HOST, CLASS, PARAMETERS, "agent-system", "host-system", "class-system")

_LEAST_TRAFFIC = 2_000  # bytes with makers' own domains, below which they tell nothing
_DOMINATES = 0.6  # share of them that one maker must have
_APPLE_SYSTEMS = frozenset({"ios", "macos", "tvos"})
_PHONE_SYSTEMS = frozenset({"android", "ios"})
_PHONE_BRANDS = frozenset({"Samsung", "Huawei", "LG", "HTC"})  # brands whose Android devices are telephones or tablets
_LONGEST_MODEL = 48
_MOST_EVIDENCE = 6  # of each sort


class Hardware(NamedTuple):
    """What the addresses of a device's network cards tell."""

    makers: tuple[Maker, ...]  # of burned-in addresses, in order of stations
    random: bool  # there are only made-up ones


class Traits(NamedTuple):
    """What a device is; None for what nobody knows. `evidence` has the reason for each value first."""

    vendor: str | None
    model: str | None
    kind: str | None
    system: str | None
    evidence: tuple[Evidence, ...]

    def source(self, about: str) -> str | None:
        """By which evidence a trait is known."""
        return next((each.source for each in self.evidence if each.about == about), None)


class _Found(NamedTuple):
    """A candidate. `use` gives its rank."""

    use: str
    value: str
    source: str
    detail: str


def tell(clues: Sequence[Clue], hardware: Hardware, traffic: Iterable[tuple[str, int]]) -> Traits:
    """What the clues, the cards and the traffic (maker, bytes with its own domains) tell together."""
    products = [(clue, product) for clue in clues if (product := recognise(clue.use, clue.text))]
    vendors = [*_vendors(clues, products, hardware)]
    if not vendors and not _is_people(_ranked(_kinds(clues, products, hardware, None), _KIND_ORDER)):
        vendors = [*_by_traffic(traffic)]
    vendors = _ranked(vendors, _VENDOR_ORDER)
    vendor = vendors[0].value if vendors else None
    own = [(clue, product) for clue, product in products if _fits(product, vendor)]
    models = _ranked(_models(clues, own), _MODEL_ORDER)
    kind_found = _ranked(_kinds(clues, own, hardware, vendor), _KIND_ORDER)
    systems = _ranked(_systems(clues, own), _SYSTEM_ORDER)
    found = {"vendor": vendors, "model": models, "kind": kind_found, "system": systems}
    evidence = [
        Evidence(about, each.value, each.source, each.detail)
        for about, ranked in found.items()
        for each in ranked[:_MOST_EVIDENCE]
    ]
    evidence += [
        Evidence("parts", maker.registered, "oui",
                 f"its network card is by {maker.registered}, a maker of parts for many brands")
        for maker in hardware.makers
        if maker.brand is None
    ]  # fmt: skip
    first = {about: ranked[0].value if ranked else None for about, ranked in found.items()}
    return Traits(first["vendor"], first["model"], first["kind"], first["system"], tuple(evidence))


def _ranked(found: Iterable[_Found], order: Sequence[str]) -> list[_Found]:
    """By standing, then as they came (the latest word first); each value once, with its best reason."""
    kept: dict[str, _Found] = {}
    for each in sorted(found, key=lambda f: order.index(f.use)):
        kept.setdefault(each.value.lower(), each)
    return list(kept.values())


def _is_people(found: Sequence[_Found]) -> bool:
    return bool(found) and found[0].value in kinds.PEOPLE


def _fits(product: Product, vendor: str | None) -> bool:
    """Brands of one house begin alike: Google and Google Nest."""
    if product.brand is None or vendor is None:
        return True
    return product.brand.split()[0].lower() == vendor.split()[0].lower()


def _vendors(clues: Sequence[Clue], products: list[tuple[Clue, Product]], hardware: Hardware) -> Iterable[_Found]:
    for clue in clues:
        if clue.use == MAKER and clue.text.strip():
            yield _Found(MAKER, brand_of(clue.text.strip()), clue.source, clue.detail)
        elif clue.use == PARAMETERS and (told := by_parameters(clue.text)) and told[0] in _APPLE_SYSTEMS:
            yield _Found(PARAMETERS, "Apple", clue.source, clue.detail)
    for clue, product in products:
        if product.brand:
            yield _Found(clue.use, product.brand, clue.source, clue.detail)
    for maker in hardware.makers:
        if maker.brand:
            yield _Found("oui", maker.brand, "oui", f"its hardware address is one of {maker.registered}")


def _by_traffic(traffic: Iterable[tuple[str, int]]) -> Iterable[_Found]:
    totals: dict[str, int] = {}
    for maker, size in traffic:
        totals[maker] = totals.get(maker, 0) + size
    total = sum(totals.values())
    if total < _LEAST_TRAFFIC:
        return
    maker, size = max(totals.items(), key=lambda item: (item[1], item[0]))
    if size >= total * _DOMINATES:
        share = f"{size * 100 // total} % of what it exchanges with makers' own servers goes to {maker}"
        yield _Found("traffic", maker, "traffic", share)


def _models(clues: Sequence[Clue], products: list[tuple[Clue, Product]]) -> Iterable[_Found]:
    for clue, product in products:
        if product.model:
            yield _Found(clue.use, product.model, clue.source, clue.detail)
    for clue in clues:
        text = clue.text.strip()
        if clue.use == MODEL and 2 <= len(text) <= _LONGEST_MODEL and recognise(MODEL, text) is None:
            yield _Found(MODEL, text, clue.source, clue.detail)


def _kinds(
    clues: Sequence[Clue], products: list[tuple[Clue, Product]], hardware: Hardware, vendor: str | None
) -> Iterable[_Found]:
    for clue, product in products:
        if product.kind:
            use = "agent-system" if clue.use == AGENT and not product.brand else clue.use
            yield _Found(use, product.kind, clue.source, clue.detail)
    tables = {CATEGORY: kinds.CATEGORIES, SERVICE: kinds.SERVICES}
    for clue in clues:
        if kind := tables.get(clue.use, {}).get(clue.text):
            yield _Found(clue.use, kind, clue.source, clue.detail)
        elif clue.use == TYPE and (kind := kinds.DEVICE_TYPES.get(_device_type(clue.text))):
            yield _Found(SERVICE, kind, clue.source, clue.detail)
        elif clue.use == PARAMETERS and (told := by_parameters(clue.text)) and told[1]:
            yield _Found(PARAMETERS, told[1], clue.source, clue.detail)
    for maker in hardware.makers:
        for start, kind in kinds.REGISTERED:
            if maker.registered.startswith(start):
                yield _Found("registry", kind, "oui", f"its hardware address is one of {maker.registered}")
    if vendor in kinds.BRANDS:
        yield _Found("brand", kinds.BRANDS[vendor], "vendor", f"nearly all devices of {vendor} that go online are that")
    yield from _habits(clues, products, hardware, vendor)


def _habits(
    clues: Sequence[Clue], products: list[tuple[Clue, Product]], hardware: Hardware, vendor: str | None
) -> Iterable[_Found]:
    """What telephones do: make up their address, or run a telephone's system under a telephone maker's name."""
    system = next((each.value for each in _ranked(_systems(clues, products), _SYSTEM_ORDER)), None)
    if system in _PHONE_SYSTEMS and hardware.random:
        reason = f"it runs {SYSTEMS[system]} and makes up its hardware address, as telephones and tablets do"
        yield _Found("habit", "phone", "mac", reason)
    elif system == "android" and vendor in _PHONE_BRANDS:
        yield _Found("habit", "phone", "vendor", f"Android devices of {vendor} are telephones or tablets")


def _device_type(urn: str) -> str:
    """`basic` of `urn:schemas-upnp-org:device:basic:1`."""
    parts = urn.lower().split(":")
    return parts[-2] if len(parts) >= 5 and parts[-3] == "device" else ""


def _systems(clues: Sequence[Clue], products: list[tuple[Clue, Product]]) -> Iterable[_Found]:
    for clue, product in products:
        if product.system:
            # A brand's own product is a better witness than words about the system alone.
            use = clue.use if product.brand or clue.use == CLASS else f"{clue.use}-system"
            if clue.use == CLASS and product.system == "linux":
                use = "class-system"
            yield _Found(use, product.system, clue.source, clue.detail)
    for clue in clues:
        if clue.use == PARAMETERS and (told := by_parameters(clue.text)):
            yield _Found(PARAMETERS, told[0], clue.source, clue.detail)
