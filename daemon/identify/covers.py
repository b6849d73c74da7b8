"""Names that stand in front of others: is the name in a hello the true one, where an encrypted hello came along?

A client that knows a server's ECH configuration writes the configuration's public name into the open part of its hello
(RFC 9849 section 6.1). One that knows none sends GREASE, which looks the same beside the true name (section 6.2), so the
extension itself proves nothing.

Rule 1: a name is a cover where the device was told of a configuration with this public name for another service, as long
        as that answer holds, or where operators are known to use the name for nothing else (`KNOWN`).
Rule 2: it is the true name nevertheless where the device's own answers say that it had asked for it by this name.
Rule 3: what the rest of the house was told is no evidence: what is one site's cover may be another's shop window.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.ech import public_names
from daemon.identify.answers import holds_until

# Public names that lead to nothing of their own: of Cloudflare's customers, of the tests at tls-ech.dev and defo.ie.
KNOWN = frozenset({"cloudflare-ech.com", "public.tls-ech.dev", "cover.defo.ie"})

_LONGEST = 8192  # of a parameter as text; a configuration has some seventy bytes


class Told(NamedTuple):
    """A device was told that this service is reached behind this public name."""

    seen_us: int
    ttl_s: int
    asker: int
    service: str
    public_name: str


def offered_names(value: str) -> tuple[str, ...]:
    """The public names in an HTTPS or SVCB record, as text; none where there is no configuration that can be used."""
    for part in value.split(" ")[2:]:
        key, _, text = part.partition("=")
        if key == "ech" and len(text) <= _LONGEST:
            try:
                return public_names(b64decode(text.strip('"'), validate=True))
            except (Error, ValueError, DecodeError):
                return ()
    return ()


class CoverBook:
    """What devices were told of configurations within some stretch of time."""

    def __init__(self, told: Iterable[Told]) -> None:
        self._told: dict[tuple[int, str], list[Told]] = defaultdict(list)
        for each in told:
            if each.service != each.public_name:
                self._told[each.asker, each.public_name].append(each)

    def services(self, asker: int, public_name: str, time_us: int) -> frozenset[str]:
        """What this device knew to be behind a public name then."""
        return frozenset(
            each.service
            for each in self._told.get((asker, public_name), ())
            if each.seen_us <= time_us <= holds_until(each.seen_us, each.ttl_s)
        )
