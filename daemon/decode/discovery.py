"""What a device says about itself: the shared word for it, and how mDNS says it.

Rule 1: a hint is the sender's own statement about itself. A question, a server's echo or a record about someone else is
        none: a wrong name is worse than no name.
Rule 2: a value is text of at most LIMIT characters; an empty value is no hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from daemon.decode.cursor import DecodeError
from daemon.decode.dns import Message, Record
from daemon.decode.dns_text import get_strings
from daemon.decode.text import free_text

LIMIT = 256  # characters of a hint's value
_MOST_HINTS = 64  # of one message
_MOST_STRINGS = 64  # of one TXT record

# TXT keys that say what a thing is or is called (RFC 6763 section 6.4: keys are case-insensitive).
_TXT_KEYS = frozenset({
    *("md", "model", "am", "ty", "modelid", "modelname", "model_number", "rpmd", "usb_mdl"),
    *("manufacturer", "mf", "mfg", "usb_mfg"),
    *("fn", "friendly_name", "name"),
    *("deviceid", "id", "bs", "serialnumber"),
    "ci",
})  # fmt: skip
# In `_raop._tcp` md lists kinds of metadata, everywhere else it is the model.
_FOREIGN = frozenset({("_raop._tcp", "md")})
_OWN = {"ci": "_hap._tcp"}  # HomeKit's category; two letters may mean anything elsewhere


class Hint(NamedTuple):
    """One statement of a device about itself."""

    source: str  # dhcp dhcpv6 mdns ssdp netbios http
    key: str
    value: str


def bounded(text: str) -> str:
    """At most LIMIT characters, never ending inside a `\\DDD` escape."""
    if len(text) <= LIMIT:
        return text
    text = text[:LIMIT]
    escape = text.rfind("\\", LIMIT - 3)
    return text if escape < 0 else text[:escape]


def hint_text(raw: bytes) -> str:
    """Bytes as a hint's value: printable UTF-8 as it is, odd bytes as `\\DDD`."""
    if len(raw) > LIMIT:
        end = LIMIT
        while end > LIMIT - 4 and raw[end] & 0xC0 == 0x80:  # RFC 3629 section 3: do not cut inside a character
            end -= 1
        raw = raw[:end]
    return bounded(free_text(raw))


def mdns_hints(message: Message) -> tuple[Hint, ...]:
    """What the sender of an mDNS answer says of itself: service, instance, hostname, `txt.<key>`; each once, in order.

    Questions are somebody's curiosity, and the answers inside a query are what it knows already (RFC 6762 section 7.1).
    A sleep proxy answers for others in the same form; nothing in the message shows it.
    """
    if not message.response:
        return ()
    found: dict[Hint, None] = {}
    for record in message.records:
        reader = _MDNS.get(record.type)
        if reader is None or record.section == "authority" or record.ttl == 0:  # section 10.1: 0 is a good-bye
            continue
        for key, value in reader(record):
            if value:
                found[Hint("mdns", key, bounded(value))] = None
        if len(found) >= _MOST_HINTS:
            break
    return tuple(found)[:_MOST_HINTS]


def _ptr_hints(record: Record) -> Iterator[tuple[str, str]]:
    if record.name == "_services._dns-sd._udp.local":  # RFC 6763 section 9
        yield "service", _service_type(record.value)
        return
    service = _service_type(record.name)
    if service:
        yield "service", service
        yield "instance", _instance(record.value)


def _srv_hints(record: Record) -> Iterator[tuple[str, str]]:
    yield "service", _service_type(record.name)
    yield "instance", _instance(record.name)
    yield "hostname", _host(record.value.rpartition(" ")[2])


def _host_hints(record: Record) -> Iterator[tuple[str, str]]:
    yield "hostname", _host(record.name)


def _txt_hints(record: Record) -> Iterator[tuple[str, str]]:
    # `_device-info._tcp` has no SRV record: its TXT record is all there is.
    yield "instance", _instance(record.name)
    service = _service_type(record.name)
    try:
        strings = get_strings(record.value)
    except DecodeError:  # the generic form of a record that broke its format: it says nothing
        return
    for string in strings[:_MOST_STRINGS]:
        key, equals, value = string.partition(b"=")
        name = key.decode("latin-1").lower()
        if equals and name in _TXT_KEYS and (service, name) not in _FOREIGN and _OWN.get(name, service) == service:
            yield f"txt.{name}", hint_text(value)


_MDNS: dict[str, Callable[[Record], Iterator[tuple[str, str]]]] = {
    "PTR": _ptr_hints,
    "SRV": _srv_hints,
    "TXT": _txt_hints,
    "A": _host_hints,
    "AAAA": _host_hints,
}


def _split(name: str) -> tuple[str, str]:
    """(instance, service type) of `<instance>.<_service>.<_tcp or _udp>.local`; "" for what is not there."""
    labels = name.split(".")  # a dot inside a label is `\046` here
    if len(labels) < 3 or labels[-1] != "local" or labels[-2] not in ("_tcp", "_udp") or labels[-3][:1] != "_":
        return "", ""
    return ".".join(labels[:-3]), f"{labels[-3]}.{labels[-2]}"


def _service_type(name: str) -> str:
    return _split(name)[1]


def _instance(name: str) -> str:
    """The instance's own words (RFC 6763 section 4.1.1: UTF-8, spaces and dots allowed)."""
    instance = _split(name)[0]
    # A subtype (section 7.1) is no instance.
    return "" if instance.startswith("_") else hint_text(_unescape(instance))


def _host(name: str) -> str:
    """A host's name without `.local`; other domains, also those of reverse look-ups, say nothing about the sender."""
    host = name.removesuffix(".local")
    return host if host != name and not host.startswith("_") else ""


def _unescape(name: str) -> bytes:
    """The bytes that `daemon.decode.text` wrote as `\\DDD`."""
    first, *rest = name.split("\\")
    return first.encode() + b"".join([bytes([int(part[:3])]) + part[3:].encode() for part in rest])
