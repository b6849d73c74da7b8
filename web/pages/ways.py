"""How a device talks: protocols, encryption and IP versions, as parts of its data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.report.scope import Scope
from daemon.store.totals import read_totals

_MOST = 8
_ENCRYPTED = {"yes": "encrypted", "no": "not encrypted", "unknown": "nobody can tell"}
Part = tuple[str, int, int, float]  # what, packets, bytes, share of the bytes


@dataclass(frozen=True, slots=True)
class Ways:
    """Each the largest first. Protocols are of all of its traffic, the others of what went to the internet."""

    protocols: list[Part]
    encryption: list[Part]
    versions: list[Part]


def ways_of(scope: Scope) -> Ways:
    """How the device of a scope talked in its span."""
    parts: Mapping[str, dict[str, list[int]]] = {name: defaultdict(lambda: [0, 0]) for name in ("way", "secret", "ip")}
    rows = read_totals(scope.db, scope.window, ("protocol", "service", "encrypted", "ip_version", "scope"))
    for protocol, service, encrypted, version, where, *counts in rows:
        packets, octets = counts[0] + counts[1], counts[2] + counts[3]
        keys = [("way", service or protocol)]
        if where == "internet":
            keys += [("secret", _ENCRYPTED.get(encrypted, encrypted)), ("ip", f"IPv{version}")]
        for kind, key in keys:
            parts[kind][key][0] += packets
            parts[kind][key][1] += octets
    return Ways(*(_largest(parts[kind]) for kind in ("way", "secret", "ip")))


def _largest(parts: Mapping[str, list[int]]) -> list[Part]:
    whole = sum(octets for _, octets in parts.values()) or 1
    found = sorted(parts.items(), key=lambda each: (-each[1][1], each[0]))
    rows: list[Part] = [(name, packets, octets, octets / whole) for name, (packets, octets) in found[:_MOST]]
    rest = found[_MOST:]
    if rest:
        packets, octets = (sum(counts[at] for _, counts in rest) for at in (0, 1))
        rows.append((f"{len(rest)} others", packets, octets, octets / whole))
    return rows
