"""Puts a verified database in its place, so that at every instant there is a whole one.

Rule 1: the new file is written beside the old one, flushed to disk, opened and asked, and only then renamed over it.
Rule 2: the one before is kept as `NAME.previous`, and the first rename gives it that name without taking the old away.
Rule 3: what is left of an attempt that was killed has a name that nobody reads, and the next attempt removes it.
Rule 4: one process at a time, by a lock on the folder.
Rule 5: where a database came from stands beside it in `NAME.json`, with the digest of the file that it speaks of: a
        file that somebody put there by hand is not taken for another's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from appliance.console import printable
from appliance.data.sources import Source
from daemon.classify.address_files import ASN, CLOUD, AddressFile, AddressFileError, AddressRow
from daemon.store.atlas_files import open_address_file

_LOCK = ".lock"
_NEW = ".new"
PREVIOUS = ".previous"
ORIGIN = ".json"
_SAMPLES = 512  # addresses of each version, spread over the space, at which a new file is asked


class InstallError(Exception):
    """The database was not put in place, and the one before is as it was; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an installed database came from. `built` and `installed` in seconds since the epoch."""

    source: str
    title: str
    place: str
    licence: str
    attribution: str
    published_sha256: str  # of the bytes as they were published
    sha256: str  # of the installed file
    size: int
    built: int
    installed: int


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone; leftovers of killed attempts are gone. Raises InstallError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w")
    except OSError as error:
        raise InstallError(f"{printable(folder)}: {error.strerror}; nothing was changed") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InstallError(
                f"{printable(folder)}: another `homeport data` is at work; nothing was changed"
            ) from error
        for leftover in folder.glob(f".*{_NEW}"):
            leftover.unlink(missing_ok=True)
        yield


def install(folder: Path, source: Source, octets: bytes, published: bytes, place: str, now: int) -> Origin:
    """Verify a database and put it in place; call it inside `locked`. `now` in seconds. Raises InstallError."""
    target = folder / source.target
    new = folder / f".{source.target}{_NEW}"
    about = folder / f".{source.target}{ORIGIN}{_NEW}"
    try:
        _write(new, octets)
        file = verified(new, source)
        origin = Origin(
            source.name, source.title, place, source.licence, source.attribution,
            hashlib.sha256(published).hexdigest(), hashlib.sha256(octets).hexdigest(), len(octets), file.built, now,
        )  # fmt: skip
        _write(about, json.dumps(asdict(origin), indent=1).encode() + b"\n")
        _keep(target)
        new.replace(target)
        about.replace(target.with_name(target.name + ORIGIN))
        _flush(folder)
    except AddressFileError as error:
        raise InstallError(str(error).replace(str(new), printable(place))) from error
    except OSError as error:
        raise InstallError(f"{printable(error.filename or target)}: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)
        about.unlink(missing_ok=True)
    return origin


def origin_of(path: Path) -> Origin | None:
    """What stands beside a database, if it speaks of this very file."""
    try:
        said = json.loads(path.with_name(path.name + ORIGIN).read_bytes())
        origin = Origin(**{field.name: said[field.name] for field in fields(Origin)})
        same = origin.size == path.stat().st_size and origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, TypeError, KeyError):
        return None  # a note that is gone or garbled is the same as none
    return origin if same else None


def verified(path: Path, source: Source) -> AddressFile:
    """The file, opened, of the right kind and with the right answers. Raises AddressFileError."""
    file = open_address_file(path)
    if file.kind != source.kind:
        raise AddressFileError(f"{path}: holds {file.kind} and not {source.kind} records")
    wrong = []
    for address, expected in source.answers:
        row = file.find(ip_address(address))
        told = _told(row, source.kind)
        if told != expected:
            wrong.append(f"{address} is {told} and not {expected}")
    if len(wrong) * 3 > len(source.answers):
        raise AddressFileError(f"{path}: wrong answers: {'; '.join(wrong)}")
    for address_sample in _spread():
        file.find(address_sample)
    return file


def _told(row: AddressRow | None, kind: str) -> str | int | None:
    if row is None:
        return None
    return row.asn if kind == ASN else row.region if kind == CLOUD else row.country


def _spread() -> Iterator[IPv4Address | IPv6Address]:
    """Addresses all over the space, the same ones each time: where a file is damaged, some of them hit it."""
    for number in range(_SAMPLES):
        luck = hashlib.sha256(number.to_bytes(4, "big")).digest()
        yield IPv4Address(luck[:4])
        yield IPv6Address((0x2 << 124) | int.from_bytes(luck[4:20], "big") >> 4)


def _write(path: Path, octets: bytes) -> None:
    with path.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _keep(target: Path) -> None:
    """Give the file that is there a second name, `.previous`, and its note likewise."""
    for path in (target, target.with_name(target.name + ORIGIN)):
        second = path.with_name(f".{path.name}{PREVIOUS}{_NEW}")
        second.unlink(missing_ok=True)
        try:
            os.link(path, second)
        except FileNotFoundError:
            continue
        except OSError:  # a file system without hard links
            shutil.copyfile(path, second)
        second.replace(path.with_name(path.name + PREVIOUS))
        second.unlink(missing_ok=True)  # rename(2) does nothing where both names are of one file already


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
