"""Who runs what: organisations, their names, their families, and the suffixes of domains that are theirs.

Rule 1: a suffix matches on label boundaries and the one with most labels wins; of two as long the one without `*` does.
        `notsonos.com` is not below `sonos.com`. Each look-up is one dictionary access per label, whatever the size.
Rule 2: ownership is dated: before `parent_since` an organisation is its own family.
Rule 3: a vendor's name is matched by whole words (`daemon.classify.words`), from the surest reading to the loosest.
Rule 4: a table never changes once made, and holds no file, no clock and no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from daemon.classify.words import (
    AFFIXES,
    LEAST_AFFIXED,
    PRODUCTS,
    alternatives,
    carries,
    is_affix,
    is_telling,
    listed,
    squashed,
    windows,
    without_generic,
    without_legal,
    words,
)

MAKER = "maker"
_REGISTRY_LABELS = listed("co com net org gov edu ac or ne gen id nom web")  # `co.uk`, `com.au`


class Organisation(NamedTuple):  # a tuple, like all that is asked for with every judgement
    """One organisation as a file describes it."""

    name: str  # as people say it
    country: str | None = None  # ISO 3166-1 alpha-2 of its seat
    parent: str | None = None  # who owns it, by name in the table
    parent_since: str | None = None  # `YYYY-MM`
    aliases: tuple[str, ...] = ()
    asns: tuple[int, ...] = ()
    domains: tuple[tuple[str, str], ...] = ()  # (kind, suffix), in the order of the file
    parent_until: str | None = None  # `YYYY-MM`, the first month in which it was no longer so
    makes_for: tuple[str, ...] = ()  # whose brands its devices also carry, by name in the table

    def main_kind(self) -> str:
        """What it mostly is: `maker` where it makes devices, else the kind of most of its suffixes."""
        kinds = [kind for kind, _ in self.domains]
        if MAKER in kinds or not kinds:
            return MAKER if kinds else "other"
        return max(dict.fromkeys(kinds), key=kinds.count)

    def brand(self, label: str) -> str | None:
        """The alias that a label of a domain spells, alone or with other words; None where it spells none, or one that
        only says the name longer."""
        plain = label.replace("-", "")
        own = words(self.name)
        name = squashed(own)
        if not plain or plain == name:
            return None
        spellings = ((alias, words(alias)) for alias in self.aliases)
        others = [(alias, squashed(said)) for alias, said in spellings if not set(own).issubset(said)]
        others = [(alias, brand) for alias, brand in others if brand != name]
        spelt = (alias for alias, brand in others if brand == plain)
        return next(spelt, None) or next((alias for alias, brand in others if carries(label, brand)), None)

    def makes_devices(self) -> bool:
        """Whether it has domains that serve devices of its own."""
        return any(kind == MAKER for kind, _ in self.domains)


class Match(NamedTuple):
    """A domain's owner, and what the domain is, by the suffix that said so."""

    organisation: Organisation
    kind: str
    suffix: str


class OrganisationTable(NamedTuple):
    """All organisations, ready to be asked. Made by `build_table`."""

    organisations: Mapping[str, Organisation]  # by name
    suffixes: Mapping[str, Match]
    endings: Set[str]  # the suffixes alone: most look-ups find that there is none
    starred: Mapping[
        str, tuple[tuple[int, ...], ...]
    ]  # last two labels of suffixes with `*` -> labels, where stars are
    begun: Mapping[str, tuple[Match, ...]]  # suffixes with a label such as `iot-*`, by their last two labels
    deepest: int  # labels of the longest suffix
    names: Mapping[str, Organisation]  # by name and alias, squashed
    labels: Mapping[str, Match]  # by the label that is the organisation's name: `google` of `google.com`
    asns: Mapping[int, Organisation]
    heads: Mapping[str, Organisation | None]  # makers by the first word of their names, None where several begin so
    sales: tuple[str, ...]  # months (`YYYY-MM`) in which anybody was bought or sold, in order

    def match(self, domain: str) -> Match | None:
        """The owner of a domain, None where no suffix of the table covers it. Any text may be asked."""
        rest = domain.lower().strip(".")
        labels = rest.split(".")
        tail = ".".join(labels[-2:])
        for match in self.begun.get(tail, ()):
            if _begins_so(match.suffix.split("."), labels):
                return match
        if len(labels) > self.deepest:
            labels = labels[-self.deepest :]
            rest = ".".join(labels)
        shapes = self.starred.get(tail, ())
        while rest:
            if rest in self.endings:
                return self.suffixes[rest]
            if shapes:
                found = self._starred(labels, shapes)
                if found is not None:
                    return found
                labels = labels[1:]
            rest = rest.partition(".")[2]
        return None

    def _starred(self, labels: Sequence[str], shapes: Iterable[tuple[int, ...]]) -> Match | None:
        """The suffix with `*` that has as many labels as these, and fits them."""
        for length, *stars in shapes:
            if length == len(labels):
                shape = ["*" if at in stars else label for at, label in enumerate(labels)]
                found = self.suffixes.get(".".join(shape))
                if found is not None:
                    return found
        return None

    def by_name(self, name: str) -> Organisation | None:
        """The organisation of exactly this name."""
        return self.organisations.get(name)

    def by_asn(self, asn: int) -> Organisation | None:
        """The organisation whose own autonomous system this is."""
        return self.asns.get(asn)

    def by_vendor(self, text: str) -> Organisation | None:
        """The organisation that a vendor's name means, in the words of people, papers or the OUI registry."""
        found = self._by_any_words(text)
        if found is not None:
            return found
        plain = without_legal(words(text))
        return self.heads.get(plain[0]) if len(plain) == 1 else None

    def _by_any_words(self, text: str) -> Organisation | None:
        for candidate in alternatives(text):
            found = self._by_words(words(candidate))
            if found is not None:
                return found
        return None

    def by_device(self, text: str) -> Organisation | None:
        """The organisation that the name or model of a device tells: `Kitchen HomePod`. Everyday words tell nothing."""
        found = self._by_any_words(text)
        if found is not None:
            return None if _is_everyday(squashed(words(text)), found) else found
        for window in windows(words(text)):
            brand = squashed(window)
            if brand in self.names and (is_telling(brand) or (len(window) > 1 and len(brand) > LEAST_AFFIXED)):
                return self.names[brand]
        return None

    def _by_words(self, parts: tuple[str, ...]) -> Organisation | None:
        plain = without_legal(parts)
        for reading in (parts, plain):
            if reading and squashed(reading) in self.names:
                return self.names[squashed(reading)]
        core = without_generic(parts)
        brand = squashed(core)
        if brand in self.names and (is_telling(brand) or _only_products_beside(plain, core)):
            return self.names[brand]
        for length in range(len(plain) - 1, 0, -1):
            brand = squashed(plain[:length])
            if brand in self.names and is_telling(brand):
                return self.names[brand]
        return None

    def by_brand(self, label: str) -> Match | None:
        """The organisation whose name a label of a domain is, alone or with words such as `cloud` or `api` around it."""
        plain = label.replace("-", "")
        known = self.names.keys()
        if plain in known and is_telling(plain):
            return self._branded(plain, plain)
        for length in range(len(plain) - 1, LEAST_AFFIXED - 1, -1):
            brand = plain[:length]
            if brand in known and is_telling(brand) and is_affix(plain[length:]):
                return self._branded(brand, plain)
            brand = plain[-length:]
            if brand in known and is_telling(brand) and is_affix(plain[:-length]):
                return self._branded(brand, plain)
        return None

    def _branded(self, brand: str, label: str) -> Match:
        owner, twin = self.names[brand], self.labels.get(label)
        kind = twin.kind if twin is not None and twin.organisation is owner else owner.main_kind()
        return Match(owner, kind, brand)

    def family(
        self, organisation: Organisation, month: str | None = None, *, ever: bool = False
    ) -> tuple[Organisation, ...]:
        """The organisation, its parent, and so on up to the root, as owned in that month (`YYYY-MM`).

        Without a month: as owned today; `ever`: also by those who owned it once.
        """
        chain = [organisation]
        while True:
            last = chain[-1]
            if last.parent is None or not (_owned(last, month) or (ever and month is None)):
                return tuple(chain)
            parent = self.organisations.get(last.parent)
            if parent is None or parent in chain:
                return tuple(chain)
            chain.append(parent)

    def related(self, one: Organisation, other: Organisation, month: str | None = None) -> bool:
        """Whether two organisations are the same, one owns the other, both have one owner, in that month, or one makes
        devices under the other's brand.

        Without a month nobody knows when the packets went, and owners of once count too.
        """
        return (
            one.name == other.name
            or one.name in other.makes_for
            or other.name in one.makes_for
            or self.family(one, month, ever=True)[-1].name == self.family(other, month, ever=True)[-1].name
        )


def _owned(organisation: Organisation, month: str | None) -> bool:
    """Whether its parent owned it in that month; None: today."""
    since, until = organisation.parent_since, organisation.parent_until
    return until is None if month is None else (since or "") <= month and (until is None or month < until)


def _only_products_beside(plain: tuple[str, ...], core: tuple[str, ...]) -> bool:
    return bool(core) and all(word in PRODUCTS for word in plain if word not in core)


def build_table(layers: Iterable[Iterable[Organisation]]) -> OrganisationTable:
    """A table out of layers, weakest first: an organisation of a name that is there extends it; its suffixes win."""
    merged: dict[str, Organisation] = {}
    claims: dict[str, tuple[str, str]] = {}  # suffix -> (name, kind)
    for layer in layers:
        for organisation in layer:
            known = merged.get(organisation.name)
            merged[organisation.name] = organisation if known is None else _extended(known, organisation)
            claims.update({suffix: (organisation.name, kind) for kind, suffix in organisation.domains})
    suffixes = {suffix: Match(merged[name], kind, suffix) for suffix, (name, kind) in claims.items()}
    names = _names(merged.values())
    return OrganisationTable(
        organisations=merged,
        suffixes=suffixes,
        endings=suffixes.keys(),
        starred=starred_shapes(suffixes),
        begun=_begun(suffixes),
        deepest=max((suffix.count(".") + 1 for suffix in suffixes), default=0),
        names=names,
        labels=_labels(suffixes.values(), names),
        asns={asn: organisation for organisation in merged.values() for asn in organisation.asns},
        heads=_heads(merged.values()),
        sales=_sales(merged.values()),
    )


def _extended(known: Organisation, new: Organisation) -> Organisation:
    told = {suffix for _, suffix in new.domains}
    return known._replace(
        country=new.country or known.country,
        parent=new.parent or known.parent,
        parent_since=new.parent_since if new.parent else known.parent_since,
        parent_until=new.parent_until if new.parent else known.parent_until,
        makes_for=tuple(dict.fromkeys((*known.makes_for, *new.makes_for))),
        aliases=tuple(dict.fromkeys((*known.aliases, *new.aliases))),
        asns=tuple(dict.fromkeys((*known.asns, *new.asns))),
        domains=(*(d for d in known.domains if d[1] not in told), *new.domains),
    )


def _is_everyday(name: str, found: Organisation) -> bool:
    """Whether a device's whole name is a word of the house before it is a brand: `TV`, `Switch`, `Gateway`; not `Nest`."""
    return name in AFFIXES or not (is_telling(name) or found.makes_devices())


def _begins_so(suffix: list[str], labels: list[str]) -> bool:
    """Whether the labels end as the suffix says; `*` at the end of one of its labels stands for any rest of it."""
    if len(labels) < len(suffix):
        return False
    pairs = zip(suffix, labels[-len(suffix) :], strict=True)
    return all(label.startswith(said[:-1]) if said.endswith("*") else label == said for said, label in pairs)


def _begun(suffixes: Mapping[str, Match]) -> dict[str, tuple[Match, ...]]:
    found: dict[str, tuple[Match, ...]] = {}
    for suffix, match in suffixes.items():
        if "*" in suffix and any(label.endswith("*") and label != "*" for label in suffix.split(".")):
            tail = ".".join(suffix.split(".")[-2:])
            found[tail] = (*found.get(tail, ()), match)
    return found


def starred_shapes(suffixes: Iterable[str]) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Of suffixes with labels that are `*` (never one of the last two), by their last two labels: how many labels they
    have, and the places of the stars, each once."""
    found: dict[str, dict[tuple[int, ...], None]] = {}
    for suffix in suffixes:
        if "*" in suffix:
            labels = suffix.split(".")
            stars = [at for at, label in enumerate(labels) if label == "*"]
            if stars:
                found.setdefault(".".join(labels[-2:]), {})[len(labels), *stars] = None
    return {tail: tuple(shapes) for tail, shapes in found.items()}


def _spellings(name: str) -> Iterator[str]:
    if name.isascii() and name.isalnum():  # one word, as most aliases are
        yield name.lower()
        return
    parts = words(name)
    yield squashed(parts)
    plain = without_legal(parts)
    if plain is not parts:
        yield squashed(plain)


def _names(organisations: Iterable[Organisation]) -> dict[str, Organisation]:
    """Names first, so that nobody's alias hides an organisation; of two with one alias the first keeps it."""
    everyone = list(organisations)
    index: dict[str, Organisation] = {}
    for organisation in everyone:
        for spelling in _spellings(organisation.name):
            index.setdefault(spelling, organisation)
    for organisation in everyone:
        for alias in organisation.aliases:
            for spelling in _spellings(alias):
                index.setdefault(spelling, organisation)
    index.pop("", None)
    return index


def _heads(organisations: Iterable[Organisation]) -> dict[str, Organisation | None]:
    """Makers by the first word of a longer name: `Octopus` is Octopus Energy while nobody else is called so."""
    index: dict[str, Organisation | None] = {}
    for organisation in organisations:
        if organisation.makes_devices():
            parts = words(organisation.name)
            if len(parts) > 1 and is_telling(parts[0]):
                index[parts[0]] = organisation if index.get(parts[0], organisation) is organisation else None
    return index


def _sales(organisations: Iterable[Organisation]) -> tuple[str, ...]:
    months = {month for one in organisations for month in (one.parent_since, one.parent_until) if month is not None}
    return tuple(sorted(months))


def _labels(matches: Iterable[Match], names: Mapping[str, Organisation]) -> dict[str, Match]:
    index: dict[str, Match] = {}
    for match in matches:
        label, _, rest = match.suffix.partition(".")
        top = rest.split(".")
        if len(top) > 2 or (len(top) == 2 and top[0] not in _REGISTRY_LABELS):
            continue  # a host's name, not the domain itself
        plain = label.replace("-", "")
        if names.get(plain) is match.organisation:
            index.setdefault(plain, match)
    return index
