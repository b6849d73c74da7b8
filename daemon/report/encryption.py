"""How much of what leaves the house can be read on the way, and which devices send it so.

Rule 1: encrypted is what was seen to be (a handshake, an encrypted protocol's signature), not what a port promises; where
        neither was seen the answer is `uncategorised`, with its bytes.
Rule 2: traffic to the internet alone: what stays in the house nobody outside can read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from daemon.flow.services import NO, UNKNOWN, YES
from daemon.report.scope import Scope
from daemon.report.sums import NOTHING, Sum, Sums, added, narrowed, read_wide
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import listed, share_words

_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("encrypted", "Encrypted", SIZE),
    Column("open", "Not encrypted", SIZE),
    Column("uncategorised", "Uncategorised", SIZE),
    Column("share_open", "Share not encrypted", SHARE),
    Column("open_packets", "Packets not encrypted", COUNT),
    Column("open_services", "In the open"),
)
_MOST_NAMED = 3
_SUPPORT = frozenset({"dns", "ntp", "icmp", "icmpv6", "stun"})  # always in the open, and not what devices have to say


def report(scope: Scope) -> Report:
    """One row a device, those that send and receive most in the open first."""
    return report_of(scope, read_wide(scope))


def report_of(scope: Scope, wide: Sums) -> Report:
    """The same of sums that were read before."""
    sums = narrowed(wide, ("device", "encrypted", "service", "protocol"), only="internet")
    if not sums:
        return Report("Encryption", _COLUMNS, (), ("Nothing went to the internet in this time.",))
    devices: dict[int, dict[str, Sum]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    services: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for (device, encrypted, service, protocol), total in sums.items():
        number = int(device)
        devices[number][str(encrypted)] = added((devices[number][str(encrypted)], total))
        if encrypted == NO:
            services[number][str(service or protocol)] += total.bytes
    order = sorted(devices, key=lambda device: (-devices[device][NO].bytes, scope.called(device)))
    rows = tuple(_row(scope, device, devices[device], services[device]) for device in order)
    return Report("Encryption", _COLUMNS, rows, tuple(_sentences(scope, devices, services)), _NOTES)


_NOTES = (
    (
        "Names asked for in the open (DNS) and the time (NTP) are not encrypted by their nature; encrypted handshakes still"
        " tell the name of the server, unless they hide it (ECH)."
    ),
)


def _row(scope: Scope, device: int, kinds: Mapping[str, Sum], services: Mapping[str, int]) -> tuple[object, ...]:
    whole = sum(each.bytes for each in kinds.values())
    names = sorted(services, key=lambda name: (-services[name], name))
    return (
        device, scope.called(device), kinds[YES].bytes, kinds[NO].bytes, kinds[UNKNOWN].bytes,
        kinds[NO].bytes / whole if whole else 0.0, kinds[NO].packets, listed(names, _MOST_NAMED) if names else None,
    )  # fmt: skip


def _sentences(
    scope: Scope, devices: Mapping[int, Mapping[str, Sum]], services: Mapping[int, Mapping[str, int]]
) -> list[str]:
    kinds = {kind: sum(each[kind].bytes for each in devices.values()) for kind in (YES, NO, UNKNOWN)}
    whole = sum(kinds.values()) or 1
    parts = [f"{share_words(kinds[YES] / whole)} was encrypted", f"{share_words(kinds[NO] / whole)} was not"]
    if kinds[UNKNOWN]:
        parts.append(f"of {share_words(kinds[UNKNOWN] / whole)} nobody can tell")
    said = [f"Of the data to and from the internet {listed(parts, len(parts))}."]
    telling = {
        device: sum(number for name, number in each.items() if name not in _SUPPORT)
        for device, each in services.items()
    }
    most = [device for device in sorted(telling, key=lambda device: (-telling[device], device)) if telling[device]]
    if most:
        names = listed([scope.called(device) for device in most], _MOST_NAMED)
        said.append(f"Besides names and time, {names} sent or received in the open.")
    else:
        said.append("Besides names and time, nothing was sent in the open.")
    return said
