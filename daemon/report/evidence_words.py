"""Words for what a device said of itself, and for what is judged by it: keys of `device_hints` and `device_reasons`.

Rule 1: a word tells what was said and on what occasion, not which protocol's field it stood in; the field's name stands
        beside it for those who know it.
Rule 2: what has no word here is shown as it is, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping

ABOUT: Mapping[str, str] = {
    "name": "Name",
    "vendor": "Maker",
    "parts": "Network card",
    "model": "Model",
    "kind": "Kind of device",
    "system": "Operating system",
    "join": "One device with",
}
OCCASIONS: Mapping[str, str] = {
    "dhcp": "when it asked for an address",
    "dhcpv6": "when it asked for an IPv6 address",
    "mdns": "announcing itself to the house",
    "ssdp": "announcing itself to media players and apps",
    "netbios": "in the Windows network",
    "http": "to web servers, unencrypted",
    "oui": "by its hardware address",
    "mac": "by its hardware address",
    "ra": "to all in the house, as a router",
    "traffic": "by whom it talks to",
    "folder": "by the folder of its captures",
    "owner": "you said so",
    "name": "by its name",
}
_KEYS: Mapping[str, str] = {
    "hostname": "its name",
    "fqdn": "its full name",
    "client_id": "its number",
    "duid": "its number",
    "vendor_class": "what sort of program asks",
    "user_class": "what sort of device it is",
    "parameter_list": "what it wants to know",
    "resolver": "DNS server that it tells others",
    "service": "what it offers",
    "instance": "name of what it offers",
    "name": "its name",
    "user_agent": "which program it uses",
    "server": "which program answers",
    "nt": "what it is",
    "st": "what it looks for",
    "usn": "its number",
    "location": "where it describes itself",
    "fn": "its name, as somebody set it",
    "md": "its model",
    "model": "its model",
    "modelid": "its model",
    "modelname": "its model",
    "model_number": "its model",
    "am": "its model",
    "rpmd": "its model",
    "ty": "its model",
    "usb_mdl": "its model",
    "manufacturer": "its maker",
    "mf": "its maker",
    "mfg": "its maker",
    "usb_mfg": "its maker",
    "id": "its number",
    "deviceid": "its number",
    "ci": "what sort of device it is",
}


def about_words(about: str) -> str:
    """What a piece of evidence is about."""
    return ABOUT.get(about, about)


def occasion_words(source: str) -> str:
    """When, or to whom, it was said."""
    return OCCASIONS.get(source, source)


def key_words(key: str) -> str:
    """What was said."""
    plain = key.removeprefix("txt.")
    return _KEYS.get(plain) or (f"a note that it calls “{plain}”" if plain != key else key)
