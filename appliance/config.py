"""One typed object that says how this box is set up, read once at start.

Rule 1: a key is declared here, and only when some code reads it: type, default, range and what it is for, in one place.
Rule 2: the stronger layer wins, key by key: flag > drop-in > file > default. (The owner's settings, made on the
        dashboard, will be one more `Layer` between flag and drop-in.)
Rule 3: each key remembers which layer it came from, so that "why is it so?" has an answer: `homeport config`.
Rule 4: a key nobody knows is an error that names the file and the nearest known key; a misspelt limit must not pass.

Plain dataclasses and not pydantic: importing pydantic takes 0.11 s of CPU, more than all the rest of a start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

DEFAULT_FILE = Path("/etc/homeport/homeport.toml")
DEFAULT_DATABASE = Path("/var/lib/homeport/homeport.db")
VARIABLE = "HOMEPORT_CONFIG"  # environment: another file in place of DEFAULT_FILE


class ConfigError(Exception):
    """The configuration says something that cannot be; the message names the place, the key and what is wanted."""


class UnreadableConfigError(ConfigError):
    """A configuration file that should be there cannot be read."""


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


def _jobs(value: int) -> str:
    return "" if 1 <= value <= 64 else "wants a number from 1 to 64"


def _database(value: Path) -> str:
    return "" if value.name else "wants the path of a file"


@dataclass(frozen=True, slots=True)
class About:
    """What the documentation and the errors say of a key, and the check: a complaint, or "" where the value is fine."""

    purpose: str
    allowed: str
    check: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Site:
    """The home whose traffic this is."""

    name: Annotated[
        str,
        About(
            "Name of the home. Addresses, MACs and names are evidence only inside their site.",
            "1 to 64 characters",
            _site_name,
        ),
    ] = "home"
    networks: Annotated[
        tuple[str, ...],
        About(
            "Prefixes that are local in this home besides the private, link-local and announced ones.",
            "IPv4 and IPv6 prefixes",
            _networks,
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """How `homeport import` works."""

    jobs: Annotated[
        int,
        About("Capture files decoded at the same time, each in a process of its own.", "1 to 64", _jobs),
    ] = 1


@dataclass(frozen=True, slots=True)
class Store:
    """Where facts are kept."""

    database: Annotated[
        Path,
        About("The database of facts, for every verb that is called without `--db`.", "path of a file", _database),
    ] = DEFAULT_DATABASE


SECTIONS: Mapping[str, type] = {"site": Site, "import": Import, "store": Store}


@dataclass(frozen=True, slots=True)
class Key:
    """One declared key: its name as in the file ("section.key"), its type in words, default, and what is said of it."""

    name: str
    type: str
    default: object
    about: About


_TYPES = {str: "text", int: "number", tuple[str, ...]: "list of texts", Path: "path"}


def _declared() -> dict[str, Key]:
    keys = {}
    for section, holder in SECTIONS.items():
        hints = get_type_hints(holder, include_extras=True)
        for f in fields(holder):
            kind, about = get_args(hints[f.name])
            keys[f"{section}.{f.name}"] = Key(f"{section}.{f.name}", _TYPES[kind], f.default, about)
    return keys


KEYS: Mapping[str, Key] = _declared()


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place, by key name, raw as the place gave them."""

    source: str  # what a person calls the place: "/etc/homeport/homeport.toml", "--db"
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Config:
    """The settled configuration; `sources` maps each key name to the place its value came from."""

    site: Site
    imports: Import
    store: Store
    sources: Mapping[str, str]

    def value(self, key: str) -> object:
        """The value of a key by the name it has in the file."""
        section, _, name = key.partition(".")
        holder = {"site": self.site, "import": self.imports, "store": self.store}[section]
        return getattr(holder, name)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _number(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise TypeError
    return raw


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, (list, tuple)):
        raise TypeError
    return tuple(_text(item) for item in raw)


def _path(raw: object) -> Path:
    return raw if isinstance(raw, Path) else Path(_text(raw))


_READ: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "number": _number,
    "list of texts": _texts,
    "path": _path,
}


def _accept(key: Key, raw: object, source: str) -> object:
    try:
        value = _READ[key.type](raw)
    except TypeError:
        raise ConfigError(f"{source}: {key.name} wants a {key.type} ({key.about.allowed}), not {raw!r}") from None
    complaint = key.about.check(value)
    if complaint:
        raise ConfigError(f"{source}: {key.name} {complaint}, not {raw!r}")
    return value


def _unknown(name: str, source: str) -> ConfigError:
    from difflib import get_close_matches  # 5 ms that only a mistake is worth

    near = get_close_matches(name, KEYS, n=1, cutoff=0.0)
    return ConfigError(f"{source}: unknown key {name}; the nearest known key is {near[0]}")


def settle(layers: Iterable[Layer]) -> Config:
    """One configuration out of layers, weakest first. Raises ConfigError."""
    values: dict[str, object] = {name: key.default for name, key in KEYS.items()}
    sources = dict.fromkeys(KEYS, "default")
    for layer in layers:
        for name, raw in layer.values.items():
            if name not in KEYS:
                raise _unknown(name, layer.source)
            values[name] = _accept(KEYS[name], raw, layer.source)
            sources[name] = layer.source
    site, imports, store = (
        holder(**{f.name: values[f"{section}.{f.name}"] for f in fields(holder)})
        for section, holder in SECTIONS.items()
    )
    return Config(site, imports, store, sources)


def _flatten(table: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _unreadable(error: OSError) -> UnreadableConfigError:
    return UnreadableConfigError(f"{error.filename}: {error.strerror}: the configuration; nothing was done")


def read_file(path: Path) -> Layer:
    """The layer that a TOML file is. Raises ConfigError."""
    import tomllib  # 19 ms that only a box with a configuration file pays

    try:
        return Layer(str(path), _flatten(tomllib.loads(path.read_text("utf-8"))))
    except OSError as error:
        raise _unreadable(error) from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both
        raise ConfigError(f"{path}: not TOML: {error}") from error


def file_layers(environ: Mapping[str, str], default: Path = DEFAULT_FILE) -> list[Layer]:
    """The file and its drop-ins (`conf.d/*.toml` beside it, in name order), weakest first. Raises ConfigError.

    The default file may be missing; one that HOMEPORT_CONFIG names may not.
    """
    named = environ.get(VARIABLE, "")
    main = Path(named) if named else default
    try:
        drop_ins = sorted(path for path in (main.parent / "conf.d").iterdir() if path.suffix == ".toml")
    except (FileNotFoundError, NotADirectoryError):
        drop_ins = []
    except OSError as error:
        raise UnreadableConfigError(
            f"{error.filename}: {error.strerror}; the configuration was not read, nothing was done"
        ) from error
    first = [main] if named or main.exists() else []
    return [read_file(path) for path in (*first, *drop_ins)]


def load_config(flags: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of this run, with the flags of the command line by key name. Raises ConfigError.

    A flag of None or () was not given. `environ` is the process's environment unless another is passed.
    """
    files = file_layers(os.environ if environ is None else environ)
    given = {key: value for key, value in (flags or {}).items() if value not in (None, ())}
    return settle([*files, Layer("command line", given)])
