"""What is known of the machine and its records before anybody judges it. None: nobody could tell."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.status import Status

SERVICES = ("capture", "ingest")  # those that say how they are
UNITS = (
    "homeport-capture.service",
    "homeport-ingest.service",
    "homeport-web.service",
    "homeport-retain.timer",
)


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """The interface that is to be recorded, as the kernel has it."""

    name: str
    exists: bool
    up: bool = False
    carrier: bool | None = None
    others: tuple[str, ...] = ()  # the interfaces there are, without loopback


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """Wall clock, microseconds since the epoch; `synced`: whether the kernel says that somebody set it."""

    now_us: int
    synced: bool | None
    zone: str


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """The file system on which captures or databases lie. Bytes."""

    folder: str
    exists: bool
    total: int = 0
    free: int = 0
    writable: bool = False
    captures: int | None = None  # bytes of capture files in the folder
    budget: int | None = None  # bytes that they may take
    floor: int | None = None  # bytes that are to stay free
    ballast: int | None = None  # bytes of the file that is given up first
    ballast_wanted: int | None = None


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """One unit, in systemd's own words."""

    name: str
    load: str  # loaded, not-found, masked
    active: str  # active, inactive, failed, activating
    sub: str  # running, waiting, dead, auto-restart
    enabled: str  # enabled, disabled, ""
    restarts: int
    result: str  # success, exit-code, watchdog, oom-kill, signal


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What a service says of itself; `error` where its file cannot be read."""

    name: str
    status: Status | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class SidecarFacts:
    """The last line that the recorder wrote beside the newest capture."""

    file: str
    event: str
    time_us: int
    synced: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database of facts."""

    path: str
    exists: bool
    error: str = ""  # why it cannot be opened, as a sentence
    mode: int = 0  # permission bits
    group: str = ""
    version: int = 0
    size: int = 0  # bytes, with the log beside it
    detail: int | None = None  # bytes of flows, handshakes and DNS
    damage: tuple[str, ...] = ()  # what SQLite's quick_check found
    checked: bool = True  # False: it took too long, what was checked is fine
    packets: int = 0
    lost: int = 0  # kernel and interface drops of the captures of the last day that has packets
    lately: int = 0  # packets of those captures
    last_us: int | None = None
    broken: tuple[str, ...] = ()  # captures that could not be read to their end, newest first


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """The owner's words."""

    path: str
    exists: bool
    error: str = ""
    mode: int = 0  # permission bits
    group: str = ""
    damage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """The list by which the recorder leaves devices out; `error`: why it cannot be followed."""

    off: int = 0  # MACs
    no_names: int = 0
    digest: str = ""  # as the recorder says it of the list that it follows
    wished: int = 0  # stations that the owner does not want recorded in full
    error: str = ""


@dataclass(frozen=True, slots=True)
class BacklogFacts:
    """What lies in the folder and is not in the database yet."""

    behind: int  # bytes
    files: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything about the box."""

    appliance: bool  # whether this is a box that records at all: a unit is installed, or a service has run
    group: bool  # whether the group `homeport` exists: the services share their files
    interface: InterfaceFacts
    net_raw: bool
    clock: ClockFacts
    disk: DiskFacts
    systemd: bool  # whether systemd runs here
    units: tuple[UnitFacts, ...]
    capture: ServiceFacts
    ingest: ServiceFacts


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """The databases that tell countries and networks of addresses: name and state (`in use`, `old`, `unusable`,
    `absent`), and the age of the oldest in days."""

    states: tuple[tuple[str, str], ...]
    oldest_days: int | None


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that was recorded."""

    database: DatabaseFacts
    owner: OwnerFacts
    sidecar: SidecarFacts | None
    backlog: BacklogFacts | None
    addresses: AddressFacts
    levels: LevelFacts | None = None  # None: there is no list, and nobody wished any
