"""The inner walks in C (`_walk.c`), where they were built; where not, their numpy twins do the same, slower."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple


class Native(NamedTuple):
    """The functions of `_walk`; their arguments are described there."""

    scan_pcap: Callable[..., tuple[int, int, int]]
    decode: Callable[..., int]
    mark: Callable[..., None]
    pack: Callable[..., bytes]
    survey: Callable[..., tuple[int, int, int, int, int, int]]


def load() -> Native | None:
    """The compiled module; None where it was not built for this machine."""
    try:
        module = import_module("daemon.decode._walk")
    except ImportError:
        return None
    return Native(module.scan_pcap, module.decode, module.mark, module.pack, module.survey)


NATIVE = load()
