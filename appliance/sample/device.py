"""The vocabulary of the sample home: devices, their habits, their announcements. Nothing here runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """Something a device does: `kind` over a day `times` times, with so many bytes up and down each time.

    `to` is a name of `places.PLACES`; one that begins with `@` is an address that is never asked for, and `=key` is
    another device of the home. `hours` are UTC; `minutes` is how long a large transfer takes. `newest` restricts it to
    the home's newest so many days, `days` to days of a month. What is `told` belongs to the story: it happens exactly
    `times` times, however quiet the home is made.
    """

    to: str
    kind: str
    times: float
    up: int = 600
    down: int = 2500
    hours: tuple[int, int] = (0, 24)
    minutes: int = 1
    newest: int = 0
    days: tuple[int, ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """A DNS-SD service as mDNS announces it: instance, service type, port, TXT strings joined by `|`."""

    instance: str
    service: str
    port: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `mac` is fixed, so that two runs of any seed show the same home; `stack` is a key of `tls.STACKS`.

    `newest` and `days` say on which days it is there at all, as those of a `Habit` do; `present` at which hours, UTC.
    """

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
    newest: int = 0
    days: tuple[int, ...] = ()
    windows: bool = False


def mac(text: str) -> bytes:
    """The six bytes of `aa:bb:cc:dd:ee:ff`."""
    return bytes.fromhex(text.replace(":", ""))
