"""A box on which all is well; a test breaks one thing of it."""

from __future__ import annotations

from appliance.doctor.facts import (
    UNITS,
    AddressFacts,
    BacklogFacts,
    ClockFacts,
    DatabaseFacts,
    DiskFacts,
    InterfaceFacts,
    Machine,
    OwnerFacts,
    Records,
    ServiceFacts,
    SidecarFacts,
    UnitFacts,
)
from appliance.status import Status

NOW_US = 1_790_000_000_000_000
GIB = 1 << 30


def said(name: str, state: str, sentence: str, ago: int = 2, **numbers: object) -> ServiceFacts:
    """What a service said some seconds ago."""
    return ServiceFacts(name, Status(name, 77, 0, NOW_US - ago * 1_000_000, state, sentence, numbers))


def unit(name: str, **other: object) -> UnitFacts:
    usual: dict[str, object] = {
        "load": "loaded",
        "active": "active",
        "sub": "running",
        "enabled": "enabled",
        "restarts": 0,
        "result": "success",
    }
    return UnitFacts(name, **{**usual, **other})  # type: ignore[arg-type]  # names and types are the dataclass's own


WELL = Machine(
    appliance=True,
    group=True,
    interface=InterfaceFacts("wlan0", exists=True, up=True, carrier=True, others=("eth0", "wlan0")),
    net_raw=False,
    clock=ClockFacts(NOW_US, synced=True, zone="Europe/Berlin"),
    disk=DiskFacts(
        "/var/lib/homeport/captures", exists=True, total=32 * GIB, free=20 * GIB, writable=True, captures=GIB
    ),
    systemd=True,
    units=tuple(unit(name) for name in UNITS),
    capture=said(
        "capture", "capturing", "Records wlan0.", synced=True, kernel_drops=0, interface_drops=0, levels="followed"
    ),
    ingest=said("ingest", "following", "Follows 1 file."),
)

SIDECAR = SidecarFacts("2026-09-21_00.00.00_wlan0.pcap", "sample", NOW_US - 4_000_000, synced=True)

KEPT = Records(
    database=DatabaseFacts(
        "/var/lib/homeport/homeport.db",
        exists=True,
        mode=0o660,
        group="homeport",
        version=5,
        size=GIB,
        detail=GIB // 2,
        packets=10**6,
        lately=10**5,
    ),
    owner=OwnerFacts("/var/lib/homeport/owner.db", exists=True, mode=0o660, group="homeport"),
    sidecar=SIDECAR,
    backlog=BacklogFacts(0, 0),
    addresses=AddressFacts((("country.mmdb", "in use"), ("cloud.mmdb", "in use")), 12),
)
