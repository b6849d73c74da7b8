"""What to call a device.

Rule 1: strongest first: the owner's name; the folder that its captures lie in; a name somebody gave it, heard in DHCP,
        DHCPv6, mDNS, SSDP, NetBIOS, in this order; the name it came with, in the same order; its brand with model or kind.
Rule 2: a wrong name is worse than no name. Words that every device of a sort says (`localhost`, `android-1a2b...`,
        addresses, serial numbers, names of modules) name nothing.
Rule 3: a name that a product came with (`Philips-hue`) tells the product, not which one. It comes behind what a person
        called it (`fn=Family Room speaker`), and never joins two devices.
Rule 4: a brand alone, and a product's name with a whole hardware address in it, say less than any other name; brand and
        model say more than the latter. What programs call themselves among each other (`amzn.dmgr.7d19...`) is no name.
Rule 5: DNS has lost the capitals (the schema wants lower case); they are taken from whoever wrote the same name with
        them, else each word begins with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from daemon.identify.clues import Clue, newest
from daemon.identify.kinds import NOUNS
from daemon.identify.models import Traits
from daemon.identify.products import HOST, recognise
from daemon.identify.systems import SYSTEMS
from daemon.identify.vendors import BRANDS, judge
from daemon.identify.vocabulary import Evidence, Hint

GIVEN, PRODUCT, NOTHING = "given", "product", "nothing"

# (source, key) of hints that can name a device, strongest first.
_ORDER: tuple[tuple[str, str], ...] = (
    ("dhcp", "hostname"),
    ("dhcp", "fqdn"),
    ("dhcp", "client_id"),
    ("dhcpv6", "fqdn"),
    ("mdns", "txt.fn"),
    ("mdns", "txt.friendly_name"),
    ("mdns", "txt.name"),
    ("mdns", "instance"),
    ("mdns", "hostname"),
    ("ssdp", "friendly_name"),
    ("netbios", "name"),
)
_RANKS = {sort: rank for rank, sort in enumerate(_ORDER)}
_INSTANCE, _HOSTNAME = ("mdns", "instance"), ("mdns", "hostname")
_DOMAIN_KEYS = frozenset({("dhcp", "fqdn"), ("dhcpv6", "fqdn")})
_LOWERED = frozenset({("mdns", "instance"), ("mdns", "hostname")})

_SAYS_NOTHING = frozenset({
    "localhost", "none", "null", "unknown", "default", "undefined", "noname", "nohostname", "hostname",
    "myhost", "host", "client", "device", "user", "admin", "root", "guest", "test", "linux", "unix", "debian",
    "ubuntu", "fedora", "buildroot", "busybox", "openwrt", "lede", "ddwrt", "router", "gateway", "accesspoint",
    "android", "tizen", "windows", "win", "pc", "computer", "laptop", "desktop", "notebook", "workstation",
    "phone", "mobile", "smartphone", "tablet", "tv", "smarttv", "camera", "ipcamera", "ipcam", "webcam", "dvr",
    "nvr", "printer", "plug", "bulb", "light", "lamp", "switch", "sensor", "speaker", "hub", "bridge", "esp",
    "esp32", "esp8266", "espressif", "lwip", "lwip0", "wiznet", "freertos", "rtos", "tuya", "tuyasmart",
    "module", "wifi", "wlan", "wlan0", "eth0", "hflpb100", "hflpb", "rtl8710", "rtl", "realtek", "ralink",
    "mtk", "mediatek", "amlogic", "rockchip", "allwinner", "generic", "network", "dhcp", "dhcpclient", "udhcpc",
    "dhcpcd", "googlerpc", "airplay", "homekit", "httpserver", "webserver", "http", "ssh", "sftp", "smb",
    "raop", "spotifyconnect", "dlinkhnapservice",
})  # fmt: skip
_WORTHLESS = re.compile(
    r"""^(
        (android|amazon)[-_][0-9a-f]{6,}
      | (esp|esp32|esp8266|espressif|tasmota|gainspan|hf|rtl\w{0,5}|lwip|tuya\w{0,6}|wlan|wifi|mt\d{4})[-_]?[0-9a-f]{4,12}
      | (host|ip|client|dhcp|pc|node|device|user|station)[-_]?\d+([-_.]\d+)*
      | [0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}.*
      | ([0-9a-f]{2}[:-]){5}[0-9a-f]{2}.*
      | [0-9a-f]{10,}([-_]\d+)?
      | [\d.:_-]+
    )$""",
    re.IGNORECASE | re.VERBOSE,
)  # fmt: skip
_LABELLED = re.compile(
    r"^((sonos-)?[0-9a-f]{12}@|\d\d-\d\d-\d\d-\d\d(\.\d+)? )", re.IGNORECASE
)  # AirPlay audio, Sonos; sleep proxy
_ADDRESS_TAIL = re.compile(
    r" \[([0-9a-f]{2}:){5}[0-9a-f]{2}\]$", re.IGNORECASE
)  # as `_workstation._tcp` tells hosts apart
_NUMBERED = re.compile(r"[0-9a-f]{12}\]?$", re.IGNORECASE)
_MODEL_CODE = re.compile(r"[a-z]{1,3}\d+[a-z]*")  # qe55, s21
_LONG_HEX_TAIL = re.compile(r"[-_ ][0-9a-f]{12,}$", re.IGNORECASE)
_SERIAL = re.compile(r"^(?=.{10,}$)(?=(.*\d){4})(?=.*[a-z])[a-z0-9]+$", re.IGNORECASE)
_SHORT_WORDS = frozenset(
    {"a", "and", "by", "de", "del", "der", "des", "di", "die", "du", "for", "im", "in", "of", "the", "von"}
)
_SPELLED = {
    word.lower(): word
    for word in ("iPhone", "iPad", "iMac", "iPod", "MacBook", "HomePod", "AirPort", "TV", "LG", "HP", "HK", "PC", "NAS",
                 "USB", "BRAVIA", "QNAP", "QLED", "OLED", "UHD", "LED", "DVD")
}  # fmt: skip
_WINDOWS = re.compile(r"(desktop|laptop)-[0-9a-z]{7}$")  # as Windows calls a computer
_TOKENS = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_VARIANTS = re.compile(r"(ultra|plus|fe|5g|lite|pro|max|se|xl|mini|\d{1,2})*")


class Name(NamedTuple):
    """A name, by which evidence it is known, and that evidence in words."""

    text: str
    source: str
    detail: str


def worth(text: str, macs: Iterable[int] = ()) -> str:
    """GIVEN if somebody chose these words, PRODUCT if the device came with them, NOTHING if they name nothing."""
    plain = text.strip()
    if len(letters(plain)) < 2 or letters(plain) in _SAYS_NOTHING or _WORTHLESS.match(plain):
        return NOTHING
    stem = _without_address(plain, macs)
    if stem != plain:
        return PRODUCT if worth(stem) != NOTHING and judge(stem).brand else NOTHING
    if _SERIAL.match(plain):
        return NOTHING
    product = recognise(HOST, plain)
    anchored = product is not None and product.pattern.startswith("^")
    return PRODUCT if product is not None and (anchored or _only_product(plain, product.model)) else GIVEN


def letters(text: str) -> str:
    """A name without what separates its words: two spellings of one name are equal so."""
    return "".join([character for character in text.lower() if character.isalnum()])


def _only_product(text: str, model: str | None) -> bool:
    """`iPhone`, `MacBook Pro (2)`, `Galaxy-S21-Ultra`: a model, a variant, a number."""
    said, made = letters(text), letters(model or "")
    return bool(made) and said.startswith(made) and _VARIANTS.fullmatch(said[len(made) :]) is not None


def _without_address(text: str, macs: Iterable[int]) -> str:
    """The text before a tail that repeats the device's own hardware address, or before a long number."""
    stem = _LONG_HEX_TAIL.sub("", text.rstrip("])"))
    for mac in macs:
        digits = f"{mac:012x}"
        for count in (12, 8, 6, 5, 4):
            if mac >= 0 and stem.lower().endswith(digits[-count:]):
                return stem[:-count].rstrip("-_ :([")
    return stem if stem != text.rstrip("])") else text


def candidates(hints: Iterable[Hint], macs: Sequence[int]) -> list[tuple[str, Name]]:
    """(worth, name) of all that the device calls itself, best first; what says nothing is left out."""
    said = newest(hints)
    doubtful, capitals = _doubtful(said, macs), _capitals(said)
    found = []
    for hint in said:
        sort = hint.source, hint.key
        text = _cleaned(hint) if sort in _RANKS else ""
        value = worth(text, macs)
        if value == NOTHING:
            continue
        shown = _with_capitals(text, capitals) if sort in _LOWERED else text
        detail = Clue("", hint.source, hint.key, hint.value, hint.last_us).detail
        came_with = value == PRODUCT or sort == _HOSTNAME or (sort == _INSTANCE and letters(text) in doubtful)
        found.append((came_with, _RANKS[sort], Name(shown, hint.source, detail)))
    if all(came_with and rank >= _RANKS[_HOSTNAME] for came_with, rank, _ in found):
        found = [(worth(name.text, macs) == PRODUCT, rank, name) for _, rank, name in found]
    found.sort(key=lambda each: (each[0], each[0] and _says_little(each[2].text), each[1]))
    return [(PRODUCT if came_with else GIVEN, name) for came_with, _, name in found]


def _says_little(text: str) -> bool:
    """Whether a name that a product came with is a brand alone, or has a whole hardware address in it."""
    return text.lower() in BRANDS or _NUMBERED.search(text) is not None


def _doubtful(said: Sequence[Hint], macs: Sequence[int]) -> frozenset[str]:
    """Instances of a device that announces several, but those that it is called in other places, too.

    A sleep proxy announces the services of computers that sleep (RFC 6762 has no mark for it), a bridge those of cameras.
    """
    own = {letters(_cleaned(hint)) for hint in said if (hint.source, hint.key) in _RANKS and hint.key != "instance"}
    texts = [_cleaned(hint) for hint in said if (hint.source, hint.key) == _INSTANCE]
    given = {letters(text) for text in texts if worth(text, macs) == GIVEN}
    return frozenset(given - own) if len(given) > 1 else frozenset()


def _cleaned(hint: Hint) -> str:
    sort, text = (hint.source, hint.key), hint.value.strip()
    if sort == ("dhcp", "client_id") and text[2:3] == ":":
        return ""  # bytes and not words
    if sort in _DOMAIN_KEYS:
        return text.partition(".")[0]
    if sort == _INSTANCE and "." in text and " " not in text:
        return ""
    return _ADDRESS_TAIL.sub("", _LABELLED.sub("", text))


def _capitals(said: Iterable[Hint]) -> dict[str, str]:
    """Names as they are written where capitals are kept, by their letters; the latest of each."""
    found: dict[str, str] = {}
    for hint in said:
        sort = hint.source, hint.key
        kept = sort not in _LOWERED and (sort in _RANKS or hint.key.startswith("txt."))
        if kept and hint.value != hint.value.lower():
            found.setdefault(letters(hint.value), hint.value)
    return found


def _with_capitals(text: str, capitals: Mapping[str, str]) -> str:
    """The text with the capitals of the same name elsewhere; without one, with those that people would write."""
    known = capitals.get(letters(text), "")
    written = [character for character in known if character.isalnum()]
    if known and len(written) == sum(1 for character in text if character.isalnum()):
        following = iter(written)
        return "".join([next(following) if character.isalnum() else character for character in text])
    return text.upper() if _WINDOWS.match(text) else _TOKENS.sub(lambda match: _capital(match.group()), text)


def _capital(word: str) -> str:
    if word in _SHORT_WORDS or not word[0].isalpha():
        return word
    return _SPELLED.get(word) or (word.upper() if _MODEL_CODE.fullmatch(word) else word[0].upper() + word[1:])


@lru_cache(maxsize=4096)
def given_names(hints: tuple[Hint, ...], macs: tuple[int, ...]) -> frozenset[str]:
    """What somebody called the device, comparable: the names that tell it from all others."""
    return frozenset([letters(name.text) for value, name in candidates(hints, macs) if value == GIVEN])


def by_traits(traits: Traits) -> Name | None:
    """Brand with model, or with kind; None where not even the brand or system is known."""
    vendor, model = traits.vendor, traits.model
    noun = NOUNS.get(traits.kind, traits.kind) if traits.kind else None
    if vendor and model:
        text = model if letters(model).startswith(letters(vendor)) else f"{vendor} {model}"
        return Name(text, traits.source("model") or "", "nobody named it: this is its brand and model")
    if vendor:
        text = f"{vendor} {noun or 'device'}"
        return Name(text, traits.source("vendor") or "", "nobody named it: this is its brand and what it is")
    if traits.system and noun:
        text = f"{SYSTEMS.get(traits.system, traits.system)} {noun}"
        return Name(text, traits.source("system") or "", "nobody named it: this is its operating system and what it is")
    return None


def choose(owner: str | None, folder: str | None, found: Sequence[tuple[str, Name]], traits: Traits) -> Name | None:
    """The best name; None where nothing names the device."""
    if owner:
        return Name(owner, "owner", "the owner called it so")
    if folder:
        return Name(folder, "folder", f"its captures were imported as those of “{folder}”")
    told = by_traits(traits)
    if found and not (told and traits.model and found[0][0] == PRODUCT and _NUMBERED.search(found[0][1].text)):
        return found[0][1]
    return told


def evidence(chosen: Name | None, found: Sequence[tuple[str, Name]]) -> list[Evidence]:
    """The reason for the name, then what else the device calls itself; each wording once."""
    names = ([chosen] if chosen else []) + [name for _, name in found]
    kept: dict[tuple[str, str], Evidence] = {}
    for name in names:
        kept.setdefault((name.text.lower(), name.source), Evidence("name", name.text, name.source, name.detail))
    return list(kept.values())[:6]
