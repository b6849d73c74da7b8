"""What a device said of itself, sorted by what it is good for.

Rule 1: a clue keeps where its words come from, so that every judgement can show them.
Rule 2: of equal standing the latest word counts, then the alphabet: the same hints give the same clues, in any order.
Rule 3: a device that says ever new things is heard for its latest `MOST` of each sort.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from daemon.identify.products import AGENT, CLASS, HOST, MODEL, TYPE
from daemon.identify.vocabulary import Hint

MOST = 64
MAKER, CATEGORY, SERVICE, PARAMETERS = "maker", "category", "service", "parameters"

# (source, key) of a hint -> what its words can tell. A service is a type and a service.
_USES: dict[tuple[str, str], tuple[str, ...]] = {
    ("mdns", "txt.manufacturer"): (MAKER,),
    ("mdns", "txt.mf"): (MAKER,),
    ("mdns", "txt.mfg"): (MAKER,),
    ("mdns", "txt.usb_mfg"): (MAKER,),
    ("mdns", "txt.md"): (MODEL,),
    ("mdns", "txt.model"): (MODEL,),
    ("mdns", "txt.am"): (MODEL,),
    ("mdns", "txt.rpmd"): (MODEL,),
    ("mdns", "txt.modelid"): (MODEL,),
    ("mdns", "txt.modelname"): (MODEL,),
    ("mdns", "txt.model_number"): (MODEL,),
    ("mdns", "txt.ty"): (MODEL,),
    ("mdns", "txt.usb_mdl"): (MODEL,),
    ("mdns", "txt.ci"): (CATEGORY,),
    ("mdns", "service"): (TYPE, SERVICE),
    ("mdns", "hostname"): (HOST,),
    ("mdns", "instance"): (HOST,),
    ("ssdp", "server"): (AGENT,),
    ("ssdp", "user_agent"): (AGENT,),
    ("ssdp", "nt"): (TYPE,),
    ("ssdp", "st"): (TYPE,),
    ("ssdp", "usn"): (TYPE,),
    ("http", "user_agent"): (AGENT,),
    ("dhcp", "hostname"): (HOST,),
    ("dhcp", "fqdn"): (HOST,),
    ("dhcpv6", "fqdn"): (HOST,),
    ("netbios", "name"): (HOST,),
    ("dhcp", "vendor_class"): (CLASS,),
    ("dhcp", "user_class"): (CLASS,),
    ("dhcpv6", "vendor_class"): (CLASS,),
    ("dhcp", "parameter_list"): (PARAMETERS,),
}

_PHRASES: dict[tuple[str, str], str] = {
    ("dhcp", "hostname"): "it asked for an address under the name “{}” (DHCP)",
    ("dhcp", "fqdn"): "it asked for an address under the name “{}” (DHCP)",
    ("dhcp", "client_id"): "it asked for an address as “{}” (DHCP)",
    ("dhcp", "vendor_class"): "it asked for an address as a device of the class “{}” (DHCP)",
    ("dhcp", "parameter_list"): "when it asks for an address it wants to know {} (DHCP)",
    ("dhcpv6", "fqdn"): "it asked for an IPv6 address under the name “{}” (DHCPv6)",
    ("dhcpv6", "vendor_class"): "it asked for an IPv6 address as a device of the class “{}” (DHCPv6)",
    ("mdns", "service"): "it offers “{}” to the house (mDNS)",
    ("mdns", "hostname"): "it calls itself “{}” (mDNS)",
    ("mdns", "instance"): "it announces “{}” to the house (mDNS)",
    ("netbios", "name"): "it calls itself “{}” (NetBIOS)",
    ("http", "user_agent"): "to web servers it says it is “{}” (HTTP)",
    ("dhcp", "user_class"): "it asked for an address as a device of the class “{}” (DHCP)",
    ("ssdp", "nt"): "it tells the house that it is “{}” (SSDP)",
    ("ssdp", "st"): "it looks in the house for “{}” (SSDP)",
    ("ssdp", "usn"): "it tells the house that it is “{}” (SSDP)",
    ("ssdp", "server"): "it tells the house that it runs “{}” (SSDP)",
    ("ssdp", "user_agent"): "it tells the house that it runs “{}” (SSDP)",
    ("mdns", "txt.fn"): "it tells the house that somebody named it “{}” (mDNS)",
    ("mdns", "txt.ci"): "it tells the house that it is of the sort {} of HomeKit devices (mDNS)",
    **{
        ("mdns", f"txt.{key}"): "it tells the house that its maker is “{}” (mDNS)"
        for key in ("manufacturer", "mf", "mfg", "usb_mfg")
    },
    **{
        ("mdns", f"txt.{key}"): "it tells the house that its model is “{}” (mDNS)"
        for key in ("md", "model", "am", "rpmd", "modelid", "modelname", "model_number", "ty", "usb_mdl")
    },
}


class Clue(NamedTuple):
    """Words of a device, and one thing that they can tell."""

    use: str
    source: str
    key: str
    text: str
    last_us: int

    @property
    def detail(self) -> str:
        """Where it was said, as a sentence for the owner."""
        phrase = _PHRASES.get((self.source, self.key))
        if phrase is None:
            protocol = "mDNS" if self.source == "mdns" else self.source.upper()
            phrase = f"it says {self.key.removeprefix('txt.')}: “{{}}” ({protocol})"
        return phrase.replace("{}", self.text)


def newest(hints: Iterable[Hint]) -> list[Hint]:
    """The latest first, then by their words; at most `MOST` of a source and key; the same words once."""
    counts: dict[tuple[str, str], int] = {}
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for hint in sorted(hints, key=lambda h: (-h.last_us, h.source, h.key, h.value)):
        sort = hint.source, hint.key
        if (*sort, hint.value) in seen or counts.get(sort, 0) >= MOST:
            continue
        seen.add((*sort, hint.value))
        counts[sort] = counts.get(sort, 0) + 1
        kept.append(hint)
    return kept


def gather(hints: Iterable[Hint]) -> list[Clue]:
    """The clues in the hints of one device, the latest first."""
    return [
        Clue(
            use, hint.source, hint.key, hint.value.partition(".")[0] if hint.key == "fqdn" else hint.value, hint.last_us
        )
        for hint in newest(hints)
        for use in _USES.get((hint.source, hint.key), ())
    ]
