"""Fetches newer databases: what is asked for, from its own releases or from a place that the owner names.

Rule: each database is a matter of its own. One that fails is explained and stays as it was; the others go on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from appliance.console import printable
from appliance.data.convert import ConvertError
from appliance.data.fetch import Fetcher, FetchError, MissingError, is_address
from appliance.data.install import InstallError, install, locked, origin_of
from appliance.data.sources import SOURCES, Source

_MOST_DIGEST = 1 << 16  # bytes of a file that holds a digest
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")

UPDATED, CURRENT, FAILED = "updated", "current", "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source."""

    source: Source
    state: str  # `updated`, `current` or `failed`
    said: str


def update(
    folder: Path,
    sources: Iterable[Source],
    locations: Sequence[str],
    fetcher: Fetcher,
    now: Callable[[], datetime],
    tell: Callable[[str], None],
) -> list[Outcome]:
    """Bring each source's database up to date. Raises InstallError where the folder cannot be worked in.

    `locations`: folders or addresses to look at in place of the sources' own, in order; none: the sources' own.
    """
    with locked(folder):
        outcomes = []
        for source in sources:
            tell(f"{source.name}: {source.title} ...")
            try:
                outcomes.append(_update_one(folder, source, _offers(source, locations, now()), fetcher, now()))
            except (FetchError, ConvertError, InstallError) as error:
                outcomes.append(Outcome(source, FAILED, str(error)))
        return outcomes


@dataclass(frozen=True, slots=True)
class _Offer:
    place: str | Path
    digest: str | Path | None


def _offers(source: Source, locations: Sequence[str], now: datetime) -> list[_Offer]:
    if not locations:
        return [_Offer(address, source.digest_url) for address in source.addresses(now.date())]
    names = [address.rsplit("/", 1)[1] for address in source.addresses(now.date())]
    digest = source.digest_url.rsplit("/", 1)[1] if source.digest_url else None
    return [
        _Offer(_within(location, name), _within(location, digest) if digest else None)
        for location in locations
        for name in names
    ]


def _within(location: str, name: str) -> str | Path:
    if not is_address(location):
        return Path(location) / name
    parts = urlsplit(location)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()


def _update_one(folder: Path, source: Source, offers: Sequence[_Offer], fetcher: Fetcher, now: datetime) -> Outcome:
    missing: FetchError | None = None
    for offer in offers:
        try:
            return _take(folder, source, offer, fetcher, now)
        except MissingError as error:
            missing = missing or error
    raise missing or FetchError(f"{source.name}: nowhere to be had")


def _take(folder: Path, source: Source, offer: _Offer, fetcher: Fetcher, now: datetime) -> Outcome:
    digest = _published_digest(offer, fetcher)
    installed = origin_of(folder / source.target)
    if digest and installed and digest == installed.published_sha256:
        return Outcome(source, CURRENT, f"the newest there is, built {_day(installed.built)}")
    octets = fetcher.read(offer.place, source.largest)
    where = printable(offer.place)
    if len(octets) < source.smallest:
        raise FetchError(f"{where}: {len(octets):,} bytes are too few; it has {source.smallest:,} at least")
    published = source.digest_of(octets)
    if digest and hashlib.sha256(published).hexdigest() != digest:
        raise FetchError(f"{where}: its SHA-256 is not the one that {printable(offer.digest)} tells")
    try:
        origin = install(folder, source, source.convert(octets), published, str(offer.place), int(now.timestamp()))
    except ConvertError as error:
        raise ConvertError(f"{where}: {error}") from error
    unverified = "" if digest else "; its source publishes no digest"
    return Outcome(source, UPDATED, f"built {_day(origin.built)}, {origin.size:,} bytes{unverified}")


def _published_digest(offer: _Offer, fetcher: Fetcher) -> str | None:
    """The SHA-256 that the source publishes; None where it publishes none, and where an owner's copy has none beside it."""
    if offer.digest is None:
        return None
    try:
        text = fetcher.read(offer.digest, _MOST_DIGEST).decode("utf-8", "replace")
    except MissingError:
        if isinstance(offer.place, Path):
            return None  # a file that somebody carried here
        raise
    try:
        told = str(json.loads(text)["sha256"])
    except (ValueError, TypeError, KeyError):
        told = text  # `sha256sum` writes the digest and the name
    found = _DIGEST.search(told.lower())
    if found is None:
        raise FetchError(f"{printable(offer.digest)}: holds no SHA-256")
    return found.group()


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}" if seconds else "at an unknown date"


def chosen(names: Sequence[str]) -> list[Source]:
    """The sources by name; the usual ones where none is named. Raises KeyError with the name that nobody knows."""
    if not names:
        return [source for source in SOURCES.values() if source.usual]
    return [SOURCES[name] for name in dict.fromkeys(names)]
