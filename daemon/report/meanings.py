"""What the columns of reports mean, for people who read no manuals: one text a column, where its heading does not say it.

Rule 1: a key means the same in every report; where it cannot, the report stands beside it in `_IN`.
Rule 2: what a heading says by itself (`Device`, `First seen`) has no text: a note on everything is a note on nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SENT = "What devices gave away; whole packets, with their wrapping."
_RECEIVED = "What devices got; whole packets, with their wrapping."
_PLAIN = frozenset(  # headings that say it
    {
        "address", "application", "countries", "country", "device", "device_id", "devices", "domain", "error", "file",
        "first_seen_us", "first_us", "from_us", "id", "last_seen_us", "last_us", "latitude", "longitude", "month",
        "name", "organisation", "owner", "packets", "packets_down", "packets_up", "reason", "room", "sentence",
        "status", "time_us", "to_us", "what",
    }
)  # fmt: skip
_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "asn": "The number of the network that announces the address to the internet (AS).",
        "before": "What it was in the month before: whose, or what kind of company.",
        "brands": "Names under which people know the company's things.",
        "busiest_hour": "The hour of the day in which it most often did something with the internet.",
        "busy": "Of the hours in which it was watched, those in which it did something with the internet.",
        "busy_at_night": "The same for the hours of the night, which you set.",
        "bytes": "Sent and received together; whole packets, with their wrapping.",
        "bytes_before": "Sent and received together in the earlier month.",
        "bytes_down": _RECEIVED,
        "bytes_up": _SENT,
        "change": "New: not met in the months before. Gone: met then, and not since. More, less: twice or half as much.",
        "companies": "How many different companies are behind it.",
        "confidence": "Low: the network answers from many places at once, and the country is a guess.",
        "connections": "How often a connection was opened.",
        "connections_per_hour": "Connections opened in an hour, in the mean of the time asked about.",
        "destination": "The name that was asked for, or the address where no name is known.",
        "destinations": "How many different names, and addresses without a name.",
        "detail": "The same in a few words more.",
        "device_queries": "How many of the questions came from that device.",
        "dns_queries": "How often it was asked where a name lives.",
        "encrypted": "Nobody on the way can read the content.",
        "finding": "What kind of thing was found; Findings explains each.",
        "first_bytes": "With the makers of the devices.",
        "flows": "How many conversations between two programs: one page or app opens many.",
        "heard": "Of the hours in which it was watched, those in which anything was heard of it, also within the house.",
        "hours": "How many hours of the time asked about were recorded.",
        "how": "Where the name was seen, or why there is none.",
        "in_house": "Yes: no other device had met it before either.",
        "internet_ipv6": "Sent and received over IPv6 with computers outside the house.",
        "ip_version": "The old (4) or the new (6) way of giving addresses.",
        "ipv4": "Sent and received the old way (IPv4).",
        "ipv6": "Sent and received the new way (IPv6).",
        "kind": "What sort of device it is, by what it says of itself or what you said.",
        "kinds": "What the company does on the internet, most of it first.",
        "key": "The field's own name, for those who know it.",
        "last_slot_us": "When the last quarter of an hour began in which there was something.",
        "local_bytes": "Sent to and received from other devices of the house.",
        "lost": "Packets that the recorder could not take in time; empty where nobody counted them.",
        "located": "How the place is known: a cloud's region, a city, or only the middle of the country.",
        "longest_silence": "How many hours in a row nothing was heard of it.",
        "mean_length": "Bytes of a packet, in the mean. On the way none is longer than about 1.5 kB: where there is more, "
        "the computer that recorded had already joined several into one. The data is right; packets were more.",
        "most": "Questions for names and connections together, in the busiest minute.",
        "most_us": "When that minute began.",
        "name_source": "How the name of the computer at the other end became known.",
        "named": "Yes: a name is known for it. No: only an address is.",
        "named_by": "How the name of the computer at the other end became known.",
        "network": "Who announces the address to the internet.",
        "new": "Yes: not met in the time before, as far as it was recorded.",
        "occasion": "On what occasion, or to whom.",
        "open": "Everybody on the way can read the content.",
        "open_packets": "Packets whose content everybody on the way can read.",
        "open_services": "What it speaks that is not encrypted, most of it first.",
        "owners": "Who owns the owner, and so on.",
        "owns": "Companies that belong to it.",
        "packets_ipv4": "Packets sent and received the old way (IPv4).",
        "packets_ipv6": "Packets sent and received the new way (IPv6).",
        "parent": "The company that owns it.",
        "parent_since": "Since when it belongs to it.",
        "party": "What the company is to the device: its maker's own, infrastructure, an IoT platform, a third party.",
        "party_before": "What the company was in the earlier month.",
        "pattern": "Always on, on most of the time, or only when it is used: by the hours in which it did something.",
        "platform_bytes": "With IoT platforms, which run devices of many brands.",
        "protocol": "The language of the packets on their way: tcp and udp carry nearly everything.",
        "purpose": "What the computer at the other end is for, by its name and its owner.",
        "queries": "How often was asked where a name lives; devices remember answers for a while.",
        "queries_per_hour": "Questions for names in an hour, in the mean of the time asked about.",
        "rank": "Place among the sources of this device, by data.",
        "rank_bytes": "1 has most data.",
        "rank_length": "1 has the longest packets.",
        "rank_packets": "1 has most packets.",
        "region": "The cloud's own name for the place, such as eu-central-1.",
        "resolver": "Who was asked where names live, and so learns them.",
        "run_by": "Whose that server is.",
        "said_as": "What the text stands for, in plain words.",
        "scope": "With the internet, within the home, or only to find each other (discovery and control).",
        "series": "The network interface, or the folder, that the files are of.",
        "service": "What the packets are for, where that can be told: https is pages and apps, dns questions for names.",
        "severity": "Worth a look, or only good to know.",
        "share": "Its part of all that this table counts.",
        "share_ipv6": "Of the device's data, what went or came over IPv6.",
        "share_open": "Of the device's data with the internet, what everybody on the way can read.",
        "size": "Bytes of the file on the disk.",
        "sisters": "Companies with the same owner.",
        "source": "The protocol in which it was said.",
        "station": "The number of the network card (MAC), by which the house tells devices apart.",
        "support_bytes": "With infrastructure: clouds, time and name services that somebody rents or shares.",
        "third_bytes": "With everybody else, from films to advertising and tracking.",
        "transport": "In the open (udp, tcp), or hidden (DoH, DoT, DoQ).",
        "undecoded": "Packets that were recorded but mean nothing to Homeport.",
        "uncategorised": "Nothing in it tells whether it is encrypted.",
        "unknown_bytes": "With computers of which nobody knows whose they are.",
        "unsure": "Of the country's data, what may as well have gone elsewhere: its networks answer from many places.",
        "value": "The text as it was sent; nobody checked whether it is true.",
        "vendor": "Who made the device, or the chip in it.",
        "version": "IPv4 or IPv6; link-local addresses work within the house only.",
        "where": "The file, the network or the device in question.",
    }
)
_IN: Mapping[tuple[str, str], str] = MappingProxyType(  # (report, key)
    {
        ("families", "country"): "Where the company has its seat; its computers may stand elsewhere.",
        ("changes", "bytes"): "Of the month; of what is gone, of the month before.",
        ("company-devices", "share"): "Of all that went to or came from this company.",
        ("device-sources", "destination"): "The name or address that data came from.",
        ("device-sources", "share"): "Of all that the device received from the internet.",
        ("encryption", "encrypted"): "Sent and received with the internet, so that nobody on the way can read it.",
        ("encryption", "open"): "Sent and received with the internet, so that everybody on the way can read it.",
        ("findings", "kind"): "The same for programs.",
        ("months", "share"): "Of all that was exchanged with the internet in that month.",
        ("names", "device"): "The device that asked most often.",
        ("names", "share"): "Of all questions for names in this time.",
        ("names-by-device", "share"): "Of the device's own questions for names.",
        ("resolvers", "how"): "Given by the home, or the device's own choice (hard-coded).",
        (
            "watching",
            "bytes",
        ): "Sent and received together, with servers for advertising, analytics and recognising the screen.",
        ("sources", "destination"): "The name or address that data came from.",
    }
)


def meaning(report: str, key: str) -> str | None:
    """What the column of a report means; None where its heading says it."""
    return _IN.get((report, key)) or (None if key in _PLAIN else _MEANINGS.get(key))


def is_told(report: str, key: str) -> bool:
    """Whether somebody thought of this column: it has a text, or needs none."""
    return key in _PLAIN or meaning(report, key) is not None
