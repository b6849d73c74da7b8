"""The organisation files in one that is quick to read, made when Homeport is built.

Rule 1: tomllib is written in Python: the files take it a few tenths of a second, on a Pi more than one. JSON takes a
        hundredth of that. The TOML files are the truth; without the quick form, or with a stale one, they are read.
Rule 2: the quick form names the digest of the files that it was made from, so it never answers for other ones.
Rule 3: only the standard library: `hatch_build.py` loads this file before anything of ours is installed.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import Any

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
    return {name: tomllib.loads(files[name].decode()).get("organisation", []) for name in sorted(files)}


def pack(files: Mapping[str, bytes]) -> bytes:
    """The quick form of these files."""
    form = {"digest": digest(files), "files": parse(files)}
    return json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(packed: bytes, files: Mapping[str, bytes]) -> Tables | None:
    """The organisations out of a quick form; None where it was not made from these files, or is damaged."""
    try:
        form = json.loads(packed)
        if form["digest"] != digest(files):
            return None
        tables: Tables = form["files"]
    except (ValueError, KeyError, TypeError):
        return None
    return tables
