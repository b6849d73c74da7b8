"""IPv4 against IPv6: how much of each, and which devices use the new one."""

from __future__ import annotations

from collections import defaultdict

from daemon.report.scope import Scope
from daemon.report.sums import NOTHING, Sum, Sums, added, narrowed, read_wide
from daemon.report.table import COUNT, SHARE, SIZE, Column, Report
from daemon.report.words import listed, share_words

_COLUMNS = (
    Column("device_id", "number"),
    Column("device", "Device"),
    Column("ipv4", "IPv4", SIZE),
    Column("ipv6", "IPv6", SIZE),
    Column("share_ipv6", "Share of IPv6", SHARE),
    Column("packets_ipv4", "IPv4 packets", COUNT),
    Column("packets_ipv6", "IPv6 packets", COUNT),
    Column("internet_ipv6", "IPv6 to the internet", SIZE),
)
_MOST_NAMED = 5


def report(scope: Scope) -> Report:
    """One row a device, those with most IPv6 first; what is no IP is not counted here, chatter is."""
    return report_of(scope, read_wide(scope))


def report_of(scope: Scope, wide: Sums) -> Report:
    """The same of sums that were read before."""
    devices: dict[int, dict[int, Sum]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    outside: dict[int, int] = defaultdict(int)
    for (device, version, where), total in narrowed(wide, ("device", "ip_version", "scope")).items():
        kinds = devices[int(device)]
        kinds[int(version)] = added((kinds[int(version)], total))
        if version == 6 and where == "internet":
            outside[int(device)] += total.bytes
    rows = tuple(
        (
            device, scope.called(device), kinds[4].bytes, kinds[6].bytes,
            kinds[6].bytes / (kinds[4].bytes + kinds[6].bytes), kinds[4].packets, kinds[6].packets, outside[device],
        )
        for device, kinds in sorted(devices.items(), key=lambda each: (-each[1][6].bytes, scope.called(each[0])))
        if kinds[4].bytes + kinds[6].bytes
    )  # fmt: skip
    if not rows:
        return Report("IPv4 and IPv6", _COLUMNS, (), ("Nothing was recorded in this time.",))
    old, new = (sum(each[kind].bytes for each in devices.values()) for kind in (4, 6))
    users = [device for device in devices if device and outside[device]]
    sentences = [f"{share_words(new / (old + new))} of the data went over IPv6, the rest over IPv4."]
    lives = sum(1 for device in devices if device)
    if users:
        names = listed([scope.called(device) for device in sorted(users, key=lambda each: -outside[each])], _MOST_NAMED)
        sentences.append(f"{len(users)} of {lives} devices reached the internet over IPv6: {names}.")
    elif lives:
        sentences.append("No device reached the internet over IPv6.")
    return Report("IPv4 and IPv6", _COLUMNS, rows, tuple(sentences))
