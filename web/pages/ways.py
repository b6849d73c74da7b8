"""How a device talks: protocols, encryption and IP versions, as parts of its data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from daemon.report.contacts import NOBODY
from daemon.report.scope import Scope
from daemon.store.totals import read_totals

_MOST = 8
_ENCRYPTED = {"yes": "encrypted", "no": "not encrypted", "unknown": "nobody can tell"}
Part = tuple[str, int, int, float, Mapping[str, str]]  # what, packets, bytes, share of the bytes, its packets' words
_NO_WORDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ways:
    """Each the largest first. Protocols are of all of its traffic, the others of what went to the internet."""

    protocols: list[Part]
    encryption: list[Part]
    versions: list[Part]


def ways_of(scope: Scope) -> Ways:
    """How the device of a scope talked in its span."""
    parts: Mapping[str, dict[str, list[int]]] = {name: defaultdict(lambda: [0, 0]) for name in ("way", "secret", "ip")}
    words: dict[tuple[str, str], Mapping[str, str]] = {}
    rows = read_totals(scope.db, scope.window, ("protocol", "service", "encrypted", "ip_version", "scope"))
    for protocol, service, encrypted, version, where, *counts in rows:
        packets, octets = counts[0] + counts[1], counts[2] + counts[3]
        keys = {
            ("way", service or protocol): {"service": service} if service else {"protocol": protocol, "service": NOBODY}
        }
        if where == "internet":
            keys["secret", _ENCRYPTED.get(encrypted, encrypted)] = {"scope": where, "encrypted": encrypted}
            keys["ip", f"IPv{version}"] = {"scope": where, "ip_version": str(version)}
        words.update(keys)
        for kind, key in keys:
            parts[kind][key][0] += packets
            parts[kind][key][1] += octets
    return Ways(*(_largest(kind, parts[kind], words) for kind in ("way", "secret", "ip")))


def _largest(
    kind: str, parts: Mapping[str, list[int]], words: Mapping[tuple[str, str], Mapping[str, str]]
) -> list[Part]:
    whole = sum(octets for _, octets in parts.values()) or 1
    found = sorted(parts.items(), key=lambda each: (-each[1][1], each[0]))
    rows: list[Part] = [
        (name, packets, octets, octets / whole, words[kind, name]) for name, (packets, octets) in found[:_MOST]
    ]
    rest = found[_MOST:]
    if rest:
        packets, octets = (sum(counts[at] for _, counts in rest) for at in (0, 1))
        rows.append((f"{len(rest)} others", packets, octets, octets / whole, _NO_WORDS))
    return rows
