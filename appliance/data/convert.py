"""Turns what sources publish into MaxMind DB files of Homeport's own: lists of networks, lists of clouds' ranges.

Rule 1: input is somebody else's: bounded in size before it gets here, and each row is checked. A row that makes no
        sense is counted; more than one in a hundred means that the format has changed, and nothing is made of it.
Rule 2: the same input gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from appliance.data.mmdb import AddressRange, RangeError, Record, layered, write_mmdb

MOST_UNPACKED = 256 << 20  # bytes: the largest source today has 33 MB
_GLOBAL = "global"


class ConvertError(Exception):
    """The input is not what it should be; the message says in what way."""


def unpacked(octets: bytes, most: int = MOST_UNPACKED) -> bytes:
    """The contents of a gzip file, of at most `most` bytes. Raises ConvertError."""
    inflate = zlib.decompressobj(wbits=31)
    try:
        out = inflate.decompress(octets, most + 1)
    except zlib.error as error:
        raise ConvertError(f"not a gzip file, or damaged ({error})") from error
    if len(out) > most:
        raise ConvertError(f"holds more than {most} bytes")
    if not inflate.eof:
        raise ConvertError("ends in the middle of the gzip data")
    return out


def networks_mmdb(tables: Iterable[bytes], built: int) -> bytes:
    """Autonomous systems: CSV of first address, last address (as numbers), number, name; one table a version.

    Raises ConvertError.
    """
    ranges, wrong = [], 0
    records: dict[tuple[str, str], Record] = {}
    for table in tables:
        for row in csv.reader(io.TextIOWrapper(io.BytesIO(table), "utf-8", errors="replace", newline="")):
            try:
                ranges.append(_network(row, records))
            except ValueError:
                wrong += 1
    _few(wrong, len(ranges))
    ranges.sort(key=_wider_first)
    return _written(ranges, "asn ipvAll", "IP to autonomous system", built)


def _network(row: Sequence[str], records: dict[tuple[str, str], Record]) -> AddressRange:
    """A row's range; equal records are one object. Raises ValueError."""
    first, last, asn, name = row
    if not 0 <= int(first) <= int(last):
        raise ValueError(row)
    record = records.get((asn, name))
    if record is None:
        record = records[asn, name] = {
            "autonomous_system_number": int(asn),
            "autonomous_system_organization": name[:200],
        }
    return AddressRange(int(first), int(last), record)


def clouds_mmdb(packed: bytes) -> tuple[bytes, int]:
    """Clouds' ranges, from cloudip-db's MessagePack (unpacked): the file and when the list was built, in seconds.

    Raises ConvertError.
    """
    ranges, built = cloud_ranges(packed)
    return _written(ranges, "Homeport-Cloud", "Ranges that cloud providers publish", built), built


def cloud_ranges(packed: bytes) -> tuple[Iterator[AddressRange], int]:
    """The same as ranges, sorted, wider before narrower. Raises ConvertError."""
    import msgpack

    try:
        table = msgpack.unpackb(packed)
        providers, rows = table["providers"], table["ranges"]
        built = int(table.get("build_time", 0))
        total = len(rows)
    except (ValueError, TypeError, KeyError, AttributeError, msgpack.UnpackException) as error:
        raise ConvertError(f"not the list of clouds' ranges that it should be ({error!r})") from error
    ranges, wrong = [], 0
    for row in rows:
        try:
            network = ip_network(row["cidr"])
            first, last = int(network.network_address), int(network.broadcast_address)
            ranges.append(AddressRange(first, last, _cloud(providers[row["p"]], row.get("r"))))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            wrong += 1
    _few(wrong, total - wrong)
    # Of several rows for one prefix the one that names a region comes last, because the last one answers.
    ranges.sort(key=lambda found: (*_wider_first(found), _tells(found.record), *found.record.values()))
    return _inherited(ranges), built


def _cloud(provider: str, region: str | None) -> dict[str, str]:
    record = {"provider": str(provider)}
    if region:
        record["region"] = str(region)
    return record


def _tells(record: Mapping[str, Any]) -> int:
    """How much a row says of the place: no region, a region that is no place, a place."""
    region = record.get("region")
    return 0 if not region else 1 if region.lower() == _GLOBAL else 2


def _inherited(ranges: Iterable[AddressRange]) -> Iterator[AddressRange]:
    """A range without a region that lies within one of the same provider's with a region has that region.

    Azure publishes each of its prefixes once with its region, and parts of it again, by service, without.
    """
    around: list[AddressRange] = []
    for found in ranges:
        while around and around[-1].last < found.first:
            around.pop()
        if "region" not in found.record:
            for outer in reversed(around):
                if outer.record["provider"] == found.record["provider"] and _tells(outer.record) == 2:
                    found = found._replace(record=outer.record)  # noqa: PLW2901 - the same range, better described
                    break
        around.append(found)
        yield found


def _wider_first(found: AddressRange) -> tuple[int, int]:
    return found.first, -found.last


def _few(wrong: int, good: int) -> None:
    if not good or wrong * 100 > good:
        raise ConvertError(f"{wrong:,} of {wrong + good:,} rows make no sense: not the format that was expected")


def _written(ranges: Iterable[AddressRange], database_type: str, description: str, built: int) -> bytes:
    try:
        return write_mmdb(layered(ranges), database_type, description, built)
    except RangeError as error:
        raise ConvertError(str(error)) from error
