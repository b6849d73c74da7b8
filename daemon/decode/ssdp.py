"""SSDP, the discovery of UPnP (UPnP Device Architecture 2.0, section 1): HTTP headers in a datagram.

Rule 1: NOTIFY and answers describe their sender. M-SEARCH asks for others: only its user agent and the name of the
        control point say who asks.
Rule 2: the start line must be whole, else DecodeError. A header line without colon is passed over, one that the end of
        the datagram cuts is dropped.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.discovery import Hint, hint_text

_MOST_HEADERS = 32
_LONGEST_NAME = 64

_METHODS = {
    b"NOTIFY * HTTP/1.": "notify",
    b"M-SEARCH * HTTP/1.": "m-search",
    b"HTTP/1.": "response",
}

# Header -> key; in M-SEARCH ST names what is looked for, HOST and MAN say nothing.
_SELF = {
    "server": "server",
    "usn": "usn",
    "nt": "nt",
    "st": "st",
    "location": "location",
    "user-agent": "user_agent",
    "x-user-agent": "user_agent",
    "cpfn.upnp.org": "friendly_name",  # section 1.3.2: control point friendly name
    "cpuuid.upnp.org": "control_point",
    "hue-bridgeid": "bridge_id",
}
_ASKING = frozenset({"user-agent", "cpfn.upnp.org", "cpuuid.upnp.org"})


class Ssdp(NamedTuple):
    """One message. Header names are lower case; the first of equal headers comes first."""

    method: str  # notify, m-search, response
    headers: tuple[tuple[str, str], ...]
    hints: tuple[Hint, ...]


@lru_cache(maxsize=256)  # a device says the same few things of itself every half hour, three times each
def parse_ssdp(buf: bytes) -> Ssdp:
    """One message from a UDP payload (port 1900)."""
    method = next((name for start, name in _METHODS.items() if buf.startswith(start)), "")
    line_end = buf.find(b"\n")
    if not method or line_end < 0:
        raise DecodeError("not an SSDP start line")
    if method == "response" and b" 200" not in buf[:line_end]:
        raise DecodeError("an answer that is not 200 describes nobody")
    headers = _headers(buf, line_end + 1)
    told = [(_SELF[name], value) for name, value in headers if name in _SELF]
    if method == "m-search":
        told = [(_SELF[name], value) for name, value in headers if name in _ASKING]
    hints = dict.fromkeys([Hint("ssdp", key, value) for key, value in told if value])
    return Ssdp(method, headers, tuple(hints))


def _headers(buf: bytes, position: int) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    while len(headers) < _MOST_HEADERS:
        end = buf.find(b"\n", position)
        line = buf[position:end].rstrip(b"\r")
        if end < 0 or not line:  # an empty line ends the headers; what no line end follows was cut
            break
        position = end + 1
        name, colon, value = line.partition(b":")
        if colon and len(name) <= _LONGEST_NAME:
            headers.append((hint_text(name.strip()).lower(), hint_text(value.strip())))
    return tuple(headers)
