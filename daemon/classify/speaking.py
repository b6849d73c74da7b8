"""Labels that say what a host is for: `ads.example.com`, `ntp2.example.org`.

Rule 1: a label speaks as a whole, or as a whole part of it between hyphens; digits at its end count hosts and are left
        aside. `roadster` says nothing of ads.
Rule 2: the leftmost label that speaks is heard: `metrics.cdn.example.com` measures.
Rule 3: whose the domain is says more than what it is called: labels decide a party only where `daemon.classify.rules`
        lets them, but always help to say the purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from daemon.classify.words import listed


class Word(NamedTuple):
    """What a label says: the purpose, and whether it also says so as the registered name itself (`adserver.com`)."""

    purpose: str
    registered: bool


_SPOKEN = {
    "advertising": "ads ad adserver adservers adservice adserving adsrv adx adtech adsystem advertising advert adverts"
    " adnetwork pagead smartads smartad vast vpaid prebid openrtb rtb dsp ssp",
    "recognition": "acr",
    "analytics": "metrics metric telemetry analytics analytic stats stat statistics track tracker tracking pixel pixels"
    " beacon beacons collector collect collection crash crashes crashlog crashreport crashreports crashlytics sentry"
    " log logs logger logging logcollector logupload rum insights usage events event eventlog diagnostics diag"
    " monitor monitoring apm datacollect datacollection report reporting reports",
    "time": "ntp sntp time timeserver timesync timeservice clock",
    "certificates": "ocsp crl crls pki cacerts certs",
    "connectivity": "connectivity connectivitycheck captive captiveportal conntest connecttest netcheck whatismyip myip"
    " checkip ipecho",
    "name service": "dns doh dot resolver nameserver ns",
    "content delivery": "cdn edge edgecast akamai static assets img images image media dl download downloads",
    "updates": "ota update updates firmware fw fota upgrade upgrades swupdate softwareupdate",
    "push": "push notify notification notifications apns fcm gcm mqtt mqtts mqttbroker broker xmpp im msg",
    "voice": "voice avs alexa assistant speech asr tts",
    "remote access": "p2p relay stun turn rendezvous tunnel vpn",
    "shop": "shop store checkout cart",
    "search": "search",
    "security": "safebrowsing",
}
_REGISTERED = listed("ads adserver adservers adservice adx adtech adnetwork analytics metrics telemetry ntp crl ocsp")
# Also a shop has events, reports and logs: purpose, but no evidence of whose business it is.
_WEAK = listed(
    "log logs logger logging events event eventlog usage report reports reporting monitor monitoring collection crash"
    " crashes insights stat stats statistics diag diagnostics certs clock dot ssp dsp vast ns"
)
_LABELS: Mapping[str, Word] = {
    word: Word(purpose, word in _REGISTERED) for purpose, spoken in _SPOKEN.items() for word in spoken.split()
}
_DIGITS = "0123456789"


# What ends or begins a registered name and says the same there: `example-ads.com`, `examplecdn.net`, `cdn77.org`.
class _Affix(NamedTuple):
    """How a registered name ends, how it ends but for its digits, how it begins."""

    ends: tuple[str, ...]
    ends_counted: tuple[str, ...]
    begins: tuple[str, ...]
    purpose: str


_AFFIXED = (
    _Affix(("-ads", "adserver"), (), ("ads-",), "advertising"),
    _Affix(("-metrics", "-tracking", "-telemetry", "-stats", "analytics"), (), (), "analytics"),
    _Affix((), ("cdn",), ("cdn",), "content delivery"),
    _Affix((), ("-ntp",), ("ntp-",), "time"),  # `ntp` itself is a word of its own
)

# What a label decides where that is another thing than what it says: a STUN server tells from where one is online.
_DECIDES = {"stun": "connectivity", "turn": "connectivity"}
# Patterns as text, which `re` compiles when they are first needed, and remembers.
_TIME_PART = r"^s?ntps?\d*-|-s?ntp\d*$|^time\d*-\w{1,2}$"

DECIDING = frozenset(  # purposes that decide a party where nobody is known to own the domain
    {"advertising", "recognition", "analytics", "time", "certificates", "connectivity", "name service"}
)

# What only those name a host who serve devices: neither a tracker nor a film is called `ota` or `ipcam`.
_DEVICES = listed(
    "appliance appliances bulb cam camera cameras cams device devices doorbell dvr firmware fota fw fwupdate inverter iot"
    " ipc ipcam lock mqtt mqtts nvr ocpp ota p2p plug provisioning robot robots smarthome thermostat vacuum"
)
_DEVICE_NAME = r"^(iot|ipc|smarthome|camera|mqtt)|(-iot|-cam|ipcam|camera|smarthome|dvr|nvr)\d*$"


def serves_devices(labels: Sequence[str]) -> bool:
    """Whether a name says that devices are served there: `ota.example`, `eu-mqtt.example`, `example-iot`."""
    parts = (part for label in labels[:-1] for part in label.split("-"))
    return any(part.rstrip(_DIGITS) in _DEVICES or part in _DEVICES for part in parts) or (
        bool(labels) and re.search(_DEVICE_NAME, labels[-1]) is not None
    )


def spoken_purpose(labels: Sequence[str]) -> str | None:
    """What the labels in front of a public suffix say, None where they say nothing. The last is the registered one."""
    for label in labels[:-1]:
        word = _heard(label)
        if word is not None:
            return word.purpose
    return _registered(labels[-1]) if labels else None


@lru_cache(4096)  # a domain has many hosts
def _registered(label: str) -> str | None:
    """What the label says that somebody registered."""
    stem = label.rstrip(_DIGITS)
    word = _LABELS.get(stem)
    if word is not None and word.registered:
        return word.purpose
    for affix in _AFFIXED:
        if label.endswith(affix.ends) or stem.endswith(affix.ends_counted) or label.startswith(affix.begins):
            return affix.purpose
    return None


def decided_purpose(labels: Sequence[str]) -> str | None:
    """The same where it may decide a party: only whole and strong labels.

    `cdn.example.com` delivers what is Example's and has Example's party; `examplecdn.net` delivers for others.
    """
    for label in labels[:-1]:
        stem = label.rstrip(_DIGITS)
        word = _LABELS.get(stem)
        purpose = _DECIDES.get(stem) or (word.purpose if word is not None and stem not in _WEAK else None)
        if purpose in DECIDING:
            return purpose
        if ("ntp" in label or label.startswith("time")) and re.search(_TIME_PART, label):
            return "time"
    last = _registered(labels[-1]) if labels else None
    return last if last in DECIDING or last == "content delivery" else None


def _heard(label: str) -> Word | None:
    for part in (label, *label.split("-")) if "-" in label else (label,):
        word = _LABELS.get(part.rstrip(_DIGITS))
        if word is not None:
            return word
    return None
