"""What a service says while nobody looks: one sentence, how serious it is, and fields to search by.

Where systemd-python is installed and the journal listens, the fields go along (`journalctl HOMEPORT_INTERFACE=wlan0`);
under systemd without it, the sentence goes to standard error with its priority in front (sd-daemon(3)); at a terminal it
is a note. The sentence is the same everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import IO

from appliance.console import note, printable

ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6  # of syslog(3)

Journal = Callable[[int, str, Mapping[str, object]], None]
"""(priority, sentence, fields): field names are lower case, without `homeport_` in front."""


def journal(identifier: str, environ: Mapping[str, str], stream: IO[str] | None = None) -> Journal:
    """Where this process's sentences go. `stream` is its standard error."""
    out = sys.stderr if stream is None else stream
    if not _is_journal(environ.get("JOURNAL_STREAM", ""), out):
        return lambda _priority, sentence, _fields: note(printable(sentence))
    return _structured(identifier) or (lambda priority, sentence, _fields: note(f"<{priority}>{printable(sentence)}"))


def field_names(fields: Mapping[str, object]) -> dict[str, str]:
    """The names that the journal takes: upper case, digits and underscores, with our own word in front."""
    kept = {name: value for name, value in fields.items() if value is not None}
    return {
        f"HOMEPORT_{''.join(c if c.isalnum() and c.isascii() else '_' for c in name).upper()}": str(value)
        for name, value in kept.items()
    }


def _structured(identifier: str) -> Journal | None:
    try:
        from systemd.journal import send  # the extra `systemd`; on Debian the package python3-systemd
    except ImportError:
        return None

    def write(priority: int, sentence: str, fields: Mapping[str, object]) -> None:
        send(printable(sentence), PRIORITY=str(priority), SYSLOG_IDENTIFIER=identifier, **field_names(fields))

    return write


def _is_journal(announced: str, stream: IO[str] | None) -> bool:
    """Whether the stream is the very pipe that the manager connected to the journal (systemd.exec(5))."""
    if not announced or stream is None:
        return False
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or not a file at all
        return False
    return announced == f"{there.st_dev}:{there.st_ino}"
