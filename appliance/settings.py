"""What can be set, section by section.

A key is declared here, and only when some code reads it: type, default, range and what it is for, in one place. Plain
classes and not pydantic: importing pydantic takes 0.11 s of CPU, more than all the rest of a start. Nor dataclasses:
to make these takes 8 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

DEFAULT_DATABASE = Path("/var/lib/homeport/homeport.db")
OWNER_FILE = "owner.db"  # beside the database, unless it has a place of its own
DATA_FOLDER = "data"  # so, too
DEFAULT_OWNER = DEFAULT_DATABASE.with_name(OWNER_FILE)
DEFAULT_DATA = DEFAULT_DATABASE.with_name("data")
DEFAULT_CAPTURES = DEFAULT_DATABASE.with_name("captures")

_T = TypeVar("_T")


def _site_name(value: str) -> str:
    if not 1 <= len(value) <= 64 or not value.isprintable() or value != value.strip():
        return "wants 1 to 64 printable characters, without space at either end"
    return ""


def _networks(value: tuple[str, ...]) -> str:
    import ipaddress  # 5 ms that only a configured prefix is worth

    for prefix in value:
        try:
            ipaddress.ip_network(prefix)
        except ValueError as error:
            return f"wants prefixes such as 192.0.2.0/24 or 2001:db8::/56: {error}"
    return ""


def _zone(value: str) -> str:
    if not value:
        return ""
    from daemon.store.calendar import known_zone  # 10 ms that only a configured zone is worth

    return "" if known_zone(value) else "wants the IANA name of a time zone, such as Europe/Berlin"


def _megabytes(value: int) -> str:
    return "" if 16 <= value <= 1_048_576 else "wants a number of MiB from 16 to 1048576"


def _jobs(value: int) -> str:
    return "" if 1 <= value <= 64 else "wants a number from 1 to 64"


def _days(value: int) -> str:
    return "" if 1 <= value <= 3650 else "wants a number from 1 to 3650"


def _folder(value: Path) -> str:
    return "" if value.name else "wants the path of a folder"


def _files(value: tuple[str, ...]) -> str:
    return "" if all(text.strip() and "\0" not in text for text in value) else "wants paths of files"


def _database(value: Path) -> str:
    return "" if value.name else "wants the path of a file"


def _interface(value: str) -> str:
    if value and (len(value) > 15 or "/" in value or not value.isprintable() or " " in value):  # the kernel's own rules
        return "wants the name of an interface, such as wlan0"
    return ""


def _any_text(value: str) -> str:
    return "" if len(value) <= 4096 and value.isprintable() else "wants one line of at most 4096 characters"


def _snaplen(value: int) -> str:
    return "" if 64 <= value <= 262_144 else "wants a number of bytes from 64 to 262144"


def _rotate(value: int) -> str:
    return "" if 0 <= value <= 1_048_576 else "wants a number of MiB from 1 to 1048576, or 0 for never"


def _gigabytes(value: int) -> str:
    return "" if 0 <= value <= 1_048_576 else "wants a number of GiB from 1 to 1048576, or 0 for no limit"


def _room(value: int) -> str:
    return "" if 0 <= value <= 1_048_576 else "wants a number of MiB from 0 to 1048576"


def _days_or_none(value: int) -> str:
    return "" if 0 <= value <= 36_500 else "wants a number of days from 1 to 36500, or 0 for never"


def _beginnings(value: int) -> str:
    return "" if 1 <= value <= 1_048_576 else "wants a number of KiB from 1 to 1048576"


def _when_low(value: str) -> str:
    return "" if value in ("delete", "thin", "pause") else "wants delete, thin or pause"


def _ports(value: tuple[str, ...]) -> str:
    fine = all(text.isascii() and text.isdecimal() and 0 < int(text) < 65_536 for text in value)
    return "" if fine else "wants port numbers from 1 to 65535"


def _clock(value: str) -> str:
    return "" if value in ("wait", "trust") else "wants wait or trust"


def _host_names(value: tuple[str, ...]) -> str:
    fine = all(
        0 < len(text) <= 253 and text.isascii() and text.isprintable() and not set(text) & set("/:@[] *")
        for text in value
    )
    return "" if fine else "wants names such as homeport.example, without port or path"


class About(NamedTuple):
    """What the documentation and the errors say of a key, and the check: a complaint, or "" where the value is fine."""

    purpose: str
    allowed: str
    check: Callable[[Any], str]


class Declared(NamedTuple):
    """What a section's class has in place of each key's value, which only its instances have."""

    default: object
    about: About


def key(default: _T, purpose: str, allowed: str, check: Callable[[Any], str]) -> _T:
    """Declares a key; to a type checker it is the value that an instance has."""
    return cast("_T", Declared(default, About(purpose, allowed, check)))


class Section:
    """A section with the values that hold, defaults where none is given. Nobody changes them."""

    def __init__(self, **values: object) -> None:
        keys = {name: declared for name, declared in vars(type(self)).items() if isinstance(declared, Declared)}
        if values.keys() - keys.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(values.keys() - keys.keys()))}")
        vars(self).update({name: values.get(name, declared.default) for name, declared in keys.items()})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is settled")


class Site(Section):
    """The home whose traffic this is."""

    name: str = key(
        "home",
        "Name of the home. Addresses, MACs and names are evidence only inside their site.",
        "1 to 64 characters",
        _site_name,
    )
    networks: tuple[str, ...] = key(
        (),
        "Prefixes that are local in this home besides the private, link-local and announced ones.",
        "IPv4 and IPv6 prefixes",
        _networks,
    )
    time_zone: str = key(
        "",
        "Time zone in which the home's days and months are counted; empty: the machine's.",
        "IANA name such as Europe/Berlin",
        _zone,
    )


class Capture(Section):
    """What is recorded, and where it goes."""

    interface: str = key(
        "", "Interface that is recorded: the one the devices are on.", "name such as wlan0", _interface
    )
    folder: Path = key(DEFAULT_CAPTURES, "Folder of the capture files.", "path of a folder", _folder)
    filter: str = key(
        "", "What is recorded, in the words of pcap-filter(7); empty: everything.", "a filter expression", _any_text
    )
    snaplen: int = key(
        262_144,
        "Bytes of each packet that are kept; less than all of them costs names.",
        "64 to 262144 bytes",
        _snaplen,
    )
    rotate_mib: int = key(0, "Size at which a file ends, besides at midnight; 0: never.", "0 to 1048576 MiB", _rotate)
    own_ports: tuple[str, ...] = key(
        ("22", "80", "443", "8080"),
        "TCP ports at which the box itself is served (ssh, the dashboard): not recorded. An empty list records all.",
        "port numbers",
        _ports,
    )
    clock: str = key(
        "wait",
        "Whether a clock that nobody has set yet is waited for (`wait`) or taken as right (`trust`).",
        "wait or trust",
        _clock,
    )
    keep_gib: int = key(
        0, "Most that captures may take; the oldest go first. 0: no limit.", "0 to 1048576 GiB", _gigabytes
    )
    keep_days: int = key(
        0,
        "Days for which captures are kept, counted from the newest; 0: as long as there is room.",
        "0 to 36500",
        _days_or_none,
    )
    free_floor_mib: int = key(
        1024,
        "What is to stay free on the disk of the captures; of a small disk at most a tenth. 0: nothing.",
        "0 to 1048576 MiB",
        _room,
    )
    when_low: str = key(
        "delete",
        "When less is free: the oldest captures go (`delete`), only the first bytes of each packet are recorded"
        " (`thin`), or nothing is (`pause`).",
        "delete, thin or pause",
        _when_low,
    )
    ballast_mib: int = key(
        32,
        "Size of a file beside the database that is given up first when the disk is full; 0: none.",
        "0 to 1048576 MiB",
        _room,
    )
    thin_after_days: int = key(
        0,
        "Age from which a capture keeps the beginnings of its flows and the headers of the rest; 0: never.",
        "0 to 36500",
        _days_or_none,
    )
    thin_keep_kib: int = key(
        16, "How much of each flow a thinned capture keeps whole.", "1 to 1048576 KiB", _beginnings
    )


class Import(Section):
    """How `homeport import` works."""

    jobs: int = key(1, "Capture files decoded at the same time, each in a process of its own.", "1 to 64", _jobs)


class Store(Section):
    """Where facts, and the owner's words, are kept."""

    database: Path = key(
        DEFAULT_DATABASE,
        "The database of facts, for every verb that is called without `--db`.",
        "path of a file",
        _database,
    )
    owner: Path = key(
        DEFAULT_OWNER,
        f"The owner's words: names, rooms, joins. Where nothing says another place, `{OWNER_FILE}` beside the database.",
        "path of a file",
        _database,
    )


class Data(Section):
    """The databases that tell where addresses are."""

    folder: Path = key(
        DEFAULT_DATA,
        "Folder of the databases that tell countries, networks and clouds of addresses. Where nothing says another "
        f"place, `{DATA_FOLDER}` beside the database, if they lie there.",
        "path of a folder",
        _folder,
    )
    old_after_days: int = key(90, "Age from which `homeport data status` calls a database old.", "1 to 3650", _days)


class Classify(Section):
    """Whose a destination is."""

    organisations: tuple[str, ...] = key(
        (),
        "Files of organisations that extend the table that comes with Homeport, weakest first.",
        "paths of files",
        _files,
    )


class Retention(Section):
    """How long what is kept; ages count from the newest packet."""

    detail_days: int = key(35, "Days for which single flows, handshakes and DNS messages are kept.", "1 to 3650", _days)
    detail_mib: int = key(
        512, "Most that they may take of the disk; the oldest go first.", "16 to 1048576 MiB", _megabytes
    )
    traffic_days: int = key(
        92, "Days for which traffic is kept by quarter of an hour; hours and months stay.", "1 to 3650", _days
    )


class Web(Section):
    """How the dashboard is reached."""

    hosts: tuple[str, ...] = key(
        (),
        "Names by which the dashboard may be called besides its addresses, `localhost`, `homeport` and the machine's"
        " own name (both also with `.local`).",
        "host names",
        _host_names,
    )


SECTIONS: Mapping[str, type[Any]] = {
    "site": Site,
    "capture": Capture,
    "import": Import,
    "store": Store,
    "data": Data,
    "classify": Classify,
    "retention": Retention,
    "web": Web,
}
