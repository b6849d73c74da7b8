"""The reader of common DNS messages in C (`_dns.c`), where it was built; where not, `dns` reads them all, slower."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from daemon.decode.dns_svcb import service_text
from daemon.decode.dns_types import RCODES, TYPES


def load(message: type[Any], question: type[Any], record: type[Any]) -> Callable[[bytes], Any] | None:
    """A function that gives the message in a buffer, made of these three classes of `dns`, or None.

    None from it means that the message is out of the common, or not one at all, which only `dns` can tell. None instead
    of it means that it was not compiled for this machine.
    """
    try:
        module = import_module("daemon.decode._dns")
    except ImportError:
        return None
    reader: Callable[[bytes], Any] = module.bind(message, question, record, TYPES, RCODES, service_text)
    return reader
