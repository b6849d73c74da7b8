"""Layouts of headers, as dpkt has them, loaded when the first frame needs one.

dpkt loads all its protocols at once, which takes longer than decoding a small capture. Most captures hold no frame that
needs the slow path, or only fragments and options of the usual headers: the layout of those may be given, as dpkt has it
(a test compares), so that it need not be loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from struct import Struct
from typing import Any


class Layout:
    """The fixed part of a header, with the names of `struct.Struct`; `header` is a class of the dpkt module.

    `usual`: its layout as text, for headers that are in most captures.
    """

    def __init__(self, module: str, header: str, usual: str = "") -> None:
        self.module, self.header, self.usual = module, header, usual

    @cached_property
    def _struct(self) -> Struct:
        return Struct(self.usual or getattr(import_module(f"dpkt.{self.module}"), self.header).__hdr_fmt__)

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return self._struct.size

    @cached_property
    def unpack_from(self) -> Callable[..., tuple[Any, ...]]:
        """The fields at the beginning of a buffer; struct.error where it is shorter."""
        return self._struct.unpack_from
