"""The vocabulary of the sample home: devices, their habits, their announcements. Nothing here runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """Something a device does: `kind` over a day `times` times, with so many bytes up and down each time.

    `to` is a name of `places.PLACES`; one that begins with `@` is an address that is never asked for, and `=key` is
    another device of the home. `hours` are UTC. `last` restricts it to the last month, `days` to days of a month.
    """

    to: str
    kind: str
    times: float
    up: int = 600
    down: int = 2500
    hours: tuple[int, int] = (0, 24)
    last: bool = False
    days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Announcement:
    """A DNS-SD service as mDNS announces it: instance, service type, port, TXT strings joined by `|`."""

    instance: str
    service: str
    port: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `mac` is fixed, so that two runs of any seed show the same home; `stack` is a key of `tls.STACKS`."""

    key: str
    mac: bytes
    host: int
    stack: str
    habits: tuple[Habit, ...]
    hostname: str = ""
    vendor_class: str = ""
    options: tuple[int, ...] = (1, 3, 6, 15, 28, 42)
    ip6: str = ""  # `eui64`, `private` or none
    agent: str = ""
    mdns: tuple[Announcement, ...] = ()
    mdns_host: str = ""
    ssdp: tuple[str, str] = ("", "")  # SERVER and type of its NOTIFYs
    searches: str = ""
    resolver: str = ""  # a hard-coded one, instead of the gateway
    present: tuple[int, int] = (0, 24)
    windows: bool = False
