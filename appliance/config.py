"""One typed object that says how this box is set up, read once at start.

Rule 1: keys are declared in `appliance.settings`, and nowhere else.
Rule 2: the stronger layer wins, key by key: flag > owner's setting > drop-in > file > default.
Rule 3: each key remembers which layer it came from, so that "why is it so?" has an answer: `homeport config`.
Rule 4: a key nobody knows is an error that names the file and the nearest known key; a misspelt limit must not pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from appliance.settings import (
    DATA_FOLDER,
    OWNER_FILE,
    SECTIONS,
    About,
    Capture,
    Classify,
    Data,
    Declared,
    Import,
    Retention,
    Site,
    Store,
    Web,
)

DEFAULT_FILE = Path("/etc/homeport/homeport.toml")
VARIABLE = "HOMEPORT_CONFIG"  # environment: another file in place of DEFAULT_FILE
_BESIDE = "beside store.database"  # source of what nobody set
OWNERS = "owner's settings"  # source of what was set on the dashboard


class ConfigError(Exception):
    """The configuration says something that cannot be; the message names the place, the key and what is wanted."""


class UnreadableConfigError(ConfigError):
    """A configuration file that should be there cannot be read."""


class Key(NamedTuple):
    """One declared key: its name as in the file ("section.key"), its type in words, default, and what is said of it."""

    name: str
    type: str
    default: object
    about: About


_TYPES = {"str": "text", "int": "number", "tuple[str, ...]": "list of texts", "Path": "path"}


def _declared() -> dict[str, Key]:
    keys = {}
    for section, holder in SECTIONS.items():
        for name, declared in vars(holder).items():
            if isinstance(declared, Declared):
                key = f"{section}.{name}"
                keys[key] = Key(key, _TYPES[holder.__annotations__[name]], declared.default, declared.about)
    return keys


KEYS: Mapping[str, Key] = _declared()


class Layer(NamedTuple):
    """Values from one place, by key name, raw as the place gave them."""

    source: str  # what a person calls the place: "/etc/homeport/homeport.toml", "--db"
    values: Mapping[str, object]


_FIELDS = {"import": "imports"}  # sections whose name is a word of Python


class Config(NamedTuple):
    """The settled configuration; `sources` maps each key name to the place its value came from."""

    site: Site
    capture: Capture
    imports: Import
    store: Store
    data: Data
    classify: Classify
    retention: Retention
    web: Web
    sources: Mapping[str, str]
    beneath: Mapping[str, object] = MappingProxyType({})  # what would hold if the owner had set nothing

    def value(self, key: str) -> object:
        """The value of a key by the name it has in the file."""
        section, _, name = key.partition(".")
        return getattr(getattr(self, _FIELDS.get(section, section)), name)


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
    if sources["store.database"] != "default":
        _look_beside(_path(values["store.database"]), values, sources)
    held: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for key, value in values.items():
        section, _, name = key.partition(".")
        held[section][name] = value
    made = {_FIELDS.get(section, section): holder(**held[section]) for section, holder in SECTIONS.items()}
    return Config(**made, sources=sources)


def _look_beside(database: Path, values: dict[str, object], sources: dict[str, str]) -> None:
    """What lies beside a database of its own belongs to it: labels made with a country file must not be made without it."""
    if sources["store.owner"] == "default":
        values["store.owner"], sources["store.owner"] = database.with_name(OWNER_FILE), _BESIDE
    folder = database.with_name(DATA_FOLDER)
    if sources["data.folder"] == "default" and any(folder.glob("*.mmdb")):
        values["data.folder"], sources["data.folder"] = folder, _BESIDE


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
    flag = Layer("command line", given)
    plain = settle([*files, flag])
    owners = owner_layer(plain.store.owner)
    if not owners.values:
        return plain
    return settle([*files, owners, flag])._replace(beneath={key: plain.value(key) for key in owners.values})


def owner_layer(path: Path) -> Layer:
    """What the owner set on the dashboard, as far as it is a key. A file that cannot be read sets nothing, and is told."""
    if not path.exists():
        return Layer(OWNERS, {})
    from daemon.store.errors import StoreError  # with SQLite 10 ms that only a box with an owner pays
    from daemon.store.settings import SETTINGS, settings_at

    try:
        said = settings_at(path)
    except StoreError as error:  # a damaged file must not stop whoever has no other need of it
        from appliance.console import note, printable

        note(f"{printable(error)} The settings made on the dashboard do not hold meanwhile.")
        said = {}
    return Layer(OWNERS, {key: value for key, value in said.items() if SETTINGS[key].is_key})
