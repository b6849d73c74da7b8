"""Files that know addresses: MaxMind DB files (mmdb), opened and read in one shape, whatever their schema.

Rule 1: MaxMind's own schema is read by geoip2, flat schemas (ip-location-db, IPinfo, Homeport's own) by maxminddb.
Rule 2: a file that cannot be used is a sentence in `refused`, never an error: Homeport works without any of them.
Rule 3: an owner's own files come before those that Homeport brings; then files of countries before files of cities, and
        else the order of their names.
Rule 4: files are mapped, not loaded; one that is replaced by a rename goes on being read until it is opened again.
Rule 5: nothing walks a file from end to end: one that refers to itself in circles costs no more than any other.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.classify import clouds
from daemon.classify.address_files import (
    ASN,
    CITY,
    CLOUD,
    COUNTRY,
    Address,
    AddressFile,
    AddressFileError,
    AddressFiles,
    AddressRow,
    Refused,
)
from daemon.classify.place import Atlas

if TYPE_CHECKING:
    import maxminddb

_CLOUDS = "cloud.mmdb"
OWN_NAMES = (
    _CLOUDS,
    "country.mmdb",
    "city.mmdb",
    "asn.mmdb",
)  # those that Homeport brings; every other is the owner's
MOST_FILES = 16

# Well-known addresses by which a file without a telling type shows what it knows.
_PROBES = tuple(
    ip_address(text) for text in ("8.8.8.8", "193.0.6.139", "52.95.112.1", "130.61.166.170", "2001:4860:4860::8888")
)


def open_atlas(folder: Path) -> Atlas:
    """The atlas of a folder's `*.mmdb` files; what could not be used stands in its `problems`."""
    return Atlas(open_address_files(folder))


def open_country_file(path: Path) -> Atlas:
    """The atlas of one file that somebody named. Raises AddressFileError where it cannot be used."""
    return Atlas(AddressFiles((open_address_file(path),)))


def with_our_clouds(files: AddressFiles, ours: Path = clouds.FILE) -> AddressFiles:
    """The same, and the clouds' ranges that come with Homeport: last, as what was fetched is newer."""
    if any(file.path.name == _CLOUDS for file in files.usable):
        return files
    try:
        table = clouds.open_clouds(ours)
    except (OSError, ValueError) as error:
        return AddressFiles(files.usable, (*files.refused, Refused(ours, str(error))))
    return files if table is None else AddressFiles((*files.usable, table), files.refused)


def open_address_files(folder: Path) -> AddressFiles:
    """Every `*.mmdb` of a folder that can be used. A folder that is not there holds nothing."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".mmdb" and not path.name.startswith("."))
    except FileNotFoundError:
        return AddressFiles()
    except OSError as error:
        return AddressFiles(refused=(Refused(folder, error.strerror or str(error)),))
    paths.sort(key=lambda path: path.name not in OWN_NAMES)  # a crowd of others must not keep Homeport's own away
    usable, refused = [], [Refused(path, f"more than {MOST_FILES} files") for path in paths[MOST_FILES:]]
    for path in paths[:MOST_FILES]:
        try:
            usable.append(open_address_file(path))
        except AddressFileError as error:
            refused.append(Refused(path, str(error).removeprefix(f"{path}: ")))
    order = tuple(kind for kind, _, _ in _KINDS)
    usable.sort(key=lambda file: (file.path.name in OWN_NAMES, order.index(file.kind), file.path.name))
    return AddressFiles(tuple(usable), tuple(refused))


def open_address_file(path: Path) -> AddressFile:
    """One file. Raises AddressFileError with the reason for which it cannot be used."""
    import maxminddb  # noqa: PLC0415  0.1 s of CPU, that only those pay who have such a file

    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise AddressFileError(f"{path}: not a regular file")
        with path.open("rb"):
            pass  # for the system's own words about permissions; maxminddb's are vaguer
        reader = maxminddb.open_database(path)
    except maxminddb.InvalidDatabaseError as error:
        raise AddressFileError(f"{path}: not a MaxMind DB file, or a damaged one") from error
    except OSError as error:
        raise AddressFileError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, MemoryError, RecursionError, AttributeError) as error:
        raise AddressFileError(f"{path}: damaged ({error})") from error
    return _described(path, about.st_size, reader)


def _described(path: Path, size: int, reader: maxminddb.Reader) -> AddressFile:
    try:
        metadata = reader.metadata()
        database_type, built = str(metadata.database_type)[:80], _date(metadata.build_epoch)
        versions = (4, 6) if metadata.ip_version == 6 else (4,)
    except (ValueError, TypeError, AttributeError) as error:
        raise AddressFileError(f"{path}: its description is damaged ({error})") from error
    method = next((name for word, name in _GEOIP2_METHODS if word in database_type), None)
    if method is None:
        schema, find = "flat", _flat(path, reader, versions)
    else:
        reader.close()
        schema, find = "maxmind", _maxmind(path, method, versions)
    kind = _kind(path, database_type, find)
    return AddressFile(path, kind, schema, database_type, built, size, versions, find)


def _date(seconds: object) -> int:
    """Seconds since the epoch; 0 for what cannot be the date of a build (readers do not accept a 0 in the file)."""
    return seconds if isinstance(seconds, int) and 10**8 < seconds < 1 << 34 else 0


def _kind(path: Path, database_type: str, find: Callable[[Address], AddressRow | None]) -> str:
    """By the type that the file declares, else by what it answers for well-known addresses."""
    declared = database_type.lower()
    rows = [row for row in map(find, _PROBES) if row is not None]
    for kind, words, holds in _KINDS:
        if any(word in declared for word in words):
            if rows and not any(map(holds, rows)):
                raise AddressFileError(f"{path}: type {database_type!r}, but its records hold no {kind}")
            return kind
    for kind, _, holds in _KINDS:
        if any(map(holds, rows)):
            return kind
    raise AddressFileError(f"{path}: type {database_type!r} tells neither country, city, AS nor cloud")


_KINDS: tuple[tuple[str, tuple[str, ...], Callable[[AddressRow], bool]], ...] = (
    (CLOUD, ("cloud",), lambda row: row.provider is not None),
    (COUNTRY, ("country",), lambda row: row.country is not None),
    (CITY, ("city", "enterprise"), lambda row: row.latitude is not None or row.country is not None),
    (ASN, ("asn", "isp"), lambda row: row.asn is not None),
)


# What a file's type contains -> the method of geoip2.database.Reader that reads it; geoip2 checks the same words.
_GEOIP2_METHODS = (
    ("GeoLite2-ASN", "asn"),
    ("GeoIP2-ISP", "isp"),
    ("Enterprise", "enterprise"),
    ("City", "city"),
    ("Country", "country"),
)


def _maxmind(path: Path, method: str, versions: tuple[int, ...]) -> Callable[[Address], AddressRow | None]:
    import geoip2.database  # noqa: PLC0415  slow to import, and few have such a file
    from geoip2.errors import AddressNotFoundError  # noqa: PLC0415  as above

    try:
        ask = getattr(geoip2.database.Reader(path), method)
    except _DAMAGE as error:  # it was whole a moment ago
        raise AddressFileError(f"{path}: {error}") from error

    def find(address: Address) -> AddressRow | None:
        if address.version not in versions:
            return None
        try:
            return _model_row(ask(address))
        except AddressNotFoundError:
            return None
        except _DAMAGE as error:
            raise AddressFileError(f"{path}: damaged, or not the schema that its type promises ({error})") from error

    return find


# What the readers raise on bytes that are not what they should be; InvalidDatabaseError is a RuntimeError.
_DAMAGE = (RuntimeError, ValueError, TypeError, AttributeError, KeyError, MemoryError, OSError)


def _model_row(model: Any) -> AddressRow:  # noqa: ANN401 - geoip2's models share no base that tells what they hold
    country, location = getattr(model, "country", None), getattr(model, "location", None)
    traits = getattr(model, "traits", None)
    return AddressRow(
        country=_code(getattr(country, "iso_code", None)),
        asn=_asn(getattr(model, "autonomous_system_number", None)),
        as_name=_name(getattr(model, "autonomous_system_organization", None)),
        latitude=_degrees(getattr(location, "latitude", None), 90),
        longitude=_degrees(getattr(location, "longitude", None), 180),
        anycast=getattr(traits, "is_anycast", None) is True,
    )


def _flat(path: Path, reader: maxminddb.Reader, versions: tuple[int, ...]) -> Callable[[Address], AddressRow | None]:
    def find(address: Address) -> AddressRow | None:
        if address.version not in versions:
            return None
        try:
            record = reader.get(address)
        except _DAMAGE as error:
            raise AddressFileError(f"{path}: damaged ({error})") from error
        return _record_row(record) if isinstance(record, Mapping) else None

    return find


def _record_row(record: Mapping[str, Any]) -> AddressRow:
    """A flat record, in the words of ip-location-db, of IPinfo or of Homeport."""
    nested = record.get("country")
    country = nested.get("iso_code") if isinstance(nested, Mapping) else record.get("country_code", nested)
    return AddressRow(
        country=_code(country),
        asn=_asn(record.get("autonomous_system_number", record.get("asn"))),
        as_name=_name(record.get("autonomous_system_organization", record.get("as_name"))),
        provider=_name(record.get("provider")),
        region=_name(record.get("region")) if "provider" in record else None,
        latitude=_degrees(record.get("latitude"), 90),
        longitude=_degrees(record.get("longitude"), 180),
        anycast=record.get("is_anycast") is True,
    )


def _code(value: object) -> str | None:
    return value.upper() if isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha() else None


def _asn(value: object) -> int | None:
    """A number, `"15169"` or `"AS15169"`; RFC 6793: 32 bits, and 0 is nobody (RFC 7607)."""
    if isinstance(value, str):
        digits = value.upper().removeprefix("AS")
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None
    return value if isinstance(value, int) and 0 < value < 1 << 32 else None


def _name(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _degrees(value: object, most: int) -> float | None:
    try:
        degrees = float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        return None
    return degrees if degrees is not None and -most <= degrees <= most else None
