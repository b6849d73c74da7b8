"""Configurations of Encrypted Client Hello, as HTTPS records carry them (RFC 9849 section 4): the names that hellos show.

Rule: a list is read as far as it is whole. A configuration of another version is passed over (section 4: clients ignore
what they do not know), and a list that breaks off is DecodeError, since a client would not use it either.
"""

from __future__ import annotations

from daemon.decode.cursor import Cursor, DecodeError
from daemon.decode.text import name_text

_VERSION = 0xFE0D
_MOST_CONFIGS = 16  # a real list has one or two


def public_names(config_list: bytes) -> tuple[str, ...]:
    """The public names of an ECHConfigList, each once, in its order. Raises DecodeError."""
    whole = Cursor(config_list)
    configs = whole.limit(whole.get_uint16())
    if whole.remaining:
        raise DecodeError("bytes behind a list of ECH configurations")
    names: dict[str, None] = {}
    for _ in range(_MOST_CONFIGS):
        if not configs.remaining:
            break
        version = configs.get_uint16()
        contents = configs.limit(configs.get_uint16())
        if version == _VERSION:
            names.setdefault(_public_name(contents))
    return tuple(name for name in names if name)


def _public_name(config: Cursor) -> str:
    """ECHConfigContents: the key, how long names may be, the public name; its extensions say nothing about names."""
    config.skip(3)  # config_id, kem_id
    config.get_counted(2)  # public_key
    config.get_counted(2)  # cipher_suites
    config.skip(1)  # maximum_name_length
    return name_text(config.get_counted(1))
