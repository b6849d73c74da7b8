"""The organisation files in one that is quick to read, made when Homeport is built.

Rule 1: tomllib is written in Python: the files take it a few tenths of a second, on a Pi more than one. JSON takes a
        hundredth of that. The TOML files are the truth; without the quick form, or with a stale one, they are read.
Rule 2: the quick form names the digest of the files that it was made from, so it never answers for other ones.
Rule 3: only the standard library: `hatch_build.py` needs it before anything else is installed.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

COMPACT = "organisations.json"  # in the folder of the TOML files

Tables = dict[str, list[dict[str, Any]]]  # file name -> its organisations, as TOML gives them


def digest(files: Mapping[str, bytes]) -> str:
    """What tells one set of files (name -> content) from another."""
    total = hashlib.blake2b(digest_size=16)
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode())
        total.update(files[name])
    return total.hexdigest()


def parse(files: Mapping[str, bytes]) -> Tables:
    """The organisations of TOML files that are known to be good. Raises ValueError for anything else."""
    import tomllib  # noqa: PLC0415  its patterns take 5 ms, and the quick form needs none of them

    return {name: tomllib.loads(files[name].decode()).get("organisation", []) for name in sorted(files)}


def pack(files: Mapping[str, bytes], index: Mapping[str, Any]) -> bytes:
    """The quick form of these files, a line each: what it was made from, an index, then every organisation."""
    tables = parse(files)
    index = {"files": {name: len(found) for name, found in tables.items()}, **index}
    body = b"\n".join([_json(index), *(_json(raw) for found in tables.values() for raw in found)])
    return _head(digest(files), body) + b"\n" + body


def _head(made_from: str, body: bytes) -> bytes:
    return f"{made_from} {zlib.crc32(body)}".encode()  # against damage, and nobody's wiles


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class Opened(NamedTuple):
    """A quick form: what look-ups need, and a line of JSON for each organisation."""

    look_ups: Mapping[str, Any]
    entries: list[bytes]


def opened(packed: bytes, made_from: str) -> Opened | None:
    """A quick form; None where it was not made from files with this digest, or is damaged."""
    head, _, body = packed.partition(b"\n")
    if head != _head(made_from, body):
        return None
    index, _, entries = body.partition(b"\n")
    return Opened(json.loads(index), entries.split(b"\n"))


def unpack(packed: bytes, files: Mapping[str, bytes]) -> Tables | None:
    """The organisations out of a quick form; None where it was not made from these files, or is damaged."""
    form = opened(packed, digest(files))
    if form is None:
        return None
    entries = iter(form.entries)
    return {name: [json.loads(next(entries)) for _ in range(many)] for name, many in form.look_ups["files"].items()}
