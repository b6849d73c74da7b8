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
    recording: str  # full, no-names or off, as its owner says
    recording_since_us: int | None


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


class DeviceHit(BaseModel):
    """A device that was found, and the word of it that has the text."""

    key: str
    name: str
    found_by: str
    vendor: str | None
    kind: str | None
    room: str | None
    owner: str | None
    last_us: int | None


class Hit(BaseModel):
    """A company, a domain or an address; `last_month` (`2026-05`) is the newest in which it was judged, None: not told."""

    text: str
    organisation: str | None
    party: str | None
    last_month: str | None


class CountryHit(BaseModel):
    """A country with which the home exchanged data."""

    code: str
    name: str


class SearchAnswer(BaseModel):
    """What has a text in its name, at most `limit` of each kind; `more` are the kinds of which there are others."""

    devices: list[DeviceHit]
    companies: list[Hit]
    domains: list[Hit]
    addresses: list[Hit]
    countries: list[CountryHit]
    more: list[str]
