"""What the API's answers are made of. Sizes in bytes, shares as fractions of 1, times in microseconds since 1970, UTC."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Page(BaseModel):
    """An answer that may go on; `next_cursor` gives the rest, None: this is all."""

    next_cursor: str | None


class Home(BaseModel):
    """A home of this database."""

    name: str
    time_zone: str


class Homes(BaseModel):
    """All homes."""

    sites: list[Home]


class ReportKind(BaseModel):
    """A report that can be asked for."""

    name: str
    title: str
    question: str


class ReportKinds(BaseModel):
    """All reports."""

    reports: list[ReportKind]


class ColumnAbout(BaseModel):
    """A column of a report; `form` is text, count, size, share, time or another that says how it is meant."""

    key: str
    heading: str
    form: str


class ReportAnswer(Page):
    """A report about a span: the same in sentences and in rows by column key."""

    title: str
    since_us: int
    until_us: int
    sentences: list[str]
    notes: list[str]
    columns: list[ColumnAbout]
    total_rows: int
    rows: list[dict[str, Any]]


class Device(BaseModel):
    """A device; `key` names it in addresses. None where nobody knows."""

    key: str
    name: str
    name_source: str | None
    owner: str | None
    room: str | None
    mac: str | None
    mac_random: bool | None
    vendor: str | None
    model: str | None
    kind: str | None
    system: str | None
    first_us: int | None
    last_us: int | None


class Devices(Page):
    """Devices, those with most traffic lately first."""

    devices: list[Device]


class Evidence(BaseModel):
    """Why a device is taken for what it is."""

    about: str
    value: str
    source: str
    detail: str


class Address(BaseModel):
    """An address that a device had."""

    address: str
    first_us: int
    last_us: int


class DeviceAnswer(Device):
    """A device with its addresses, the stations (MACs, or addresses) it is made of, and the evidence."""

    stations: list[str]
    addresses: list[Address]
    evidence: list[Evidence]


class Capture(BaseModel):
    """A capture file, as in the view `captures`."""

    capture_id: int
    file: str
    series: str
    status: str
    size: int
    packets: int
    bytes: int
    undecoded_packets: int
    first_us: int
    last_us: int
    kernel_drops: int | None
    interface_drops: int | None
    clock_offset_us: int
    error: str | None


class Captures(Page):
    """Capture files of a span, the newest first."""

    captures: list[Capture]


class Service(BaseModel):
    """What a service of the box said last of itself."""

    name: str
    running: bool
    state: str
    sentence: str
    silent_seconds: float


class Status(BaseModel):
    """How the box is."""

    version: str
    newest_packet_us: int | None
    services: list[Service]
