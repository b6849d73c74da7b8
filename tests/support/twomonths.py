"""A house of two devices in two months of spring 2024: known companies in several countries, news in May, a hostile name.

In April both devices watch Netflix, in the United States and in Malta. In May the tablet meets Meta in Ireland (a cloud's
region), the laptop a server without a name in Singapore and one whose name is a script; Netflix grows.
"""

from __future__ import annotations

from pathlib import Path

from daemon.classify.place import Atlas
from daemon.ingest.knowledge import Knowledge
from daemon.ingest.relabel import relabel_site
from tests.daemon.ingest.scenes import DAY, HOUR, SECOND, TABLET, TABLET_MAC, Frame, dhcp_request, lookup, talk, write
from tests.support.atlas import atlas_of, countries, mmdb
from tests.support.counted import Packet
from tests.support.importing import imported
from tests.support.packets import HOST, HOST_MAC

APRIL, MAY, JUNE = 1_711_929_600_000_000, 1_714_521_600_000_000, 1_717_200_000_000_000  # UTC
LAPTOP_MAC = HOST_MAC
RANGE = "range=2024-05-01..2024-05-31"
NASTY = "<script>alert(1)</script>.example"
NETFLIX, META, UNNAMED, SCRIPT = ("45.57.0.5", "46.11.0.7"), "31.13.64.35", "103.6.84.9", "81.2.69.142"
ADDRESSES = {"Netflix": {*NETFLIX}, "Meta (Facebook)": {META}}  # of companies
COUNTRIES = {"US": {NETFLIX[0]}, "MT": {NETFLIX[1]}, "IE": {META}, "SG": {UNNAMED}, "GB": {SCRIPT}}


def frames() -> list[Frame]:
    """All of it, in order of time."""
    out: list[Frame] = []
    for month, pad in ((APRIL, 3000), (MAY, 900_000)):
        at = month + 10 * DAY
        out.append(dhcp_request(at, "adas-laptop"))
        out.append(dhcp_request(at + SECOND, "bobs-tablet", TABLET_MAC))
        out += _met(at + HOUR, "www.netflix.com", NETFLIX[0], HOST, LAPTOP_MAC, pad)
        out += _met(at + 2 * HOUR, "www.netflix.com", NETFLIX[1], TABLET, TABLET_MAC, pad // 2)
    at = MAY + 11 * DAY
    out += _met(at, "graph.facebook.com", META, TABLET, TABLET_MAC, 20_000)
    out += talk(at + HOUR, server=UNNAMED, port=40700, reply=7000)
    out += _met(at + 2 * HOUR, NASTY, SCRIPT, HOST, LAPTOP_MAC, 4000)
    return sorted(out)


def _met(at: int, name: str, address: str, client: str, mac: str, reply: int) -> list[Frame]:
    port = 41000 + at // HOUR % 1000
    return [
        *lookup(at, name, address, client=client, mac=mac, port=port),
        *talk(at + SECOND, name, client=client, mac=mac, server=address, port=port, reply=reply),
    ]


def atlas(folder: Path) -> Atlas:
    """Where the addresses of this house are: countries for all of them, a cloud's region for Meta's."""
    folder.mkdir(exist_ok=True)
    cloud = mmdb({"31.13.64.0/24": {"provider": "aws", "region": "eu-west-1"}}, "Homeport-Cloud")
    places = countries(US="45.57.0.0/16", MT="46.11.0.0/16", IE="31.13.64.0/24", SG="103.6.84.0/24", GB="81.2.69.0/24")
    return atlas_of(folder, country=places, cloud=cloud)


def home(folder: Path) -> tuple[Path, Path]:
    """The database, judged with these places, and the capture that it was made of."""
    capture = write(folder / "months.pcap", frames())
    database = imported(folder / "home.db", capture)
    atlas(folder / "data")
    relabel_site(database, None, "home", Knowledge(data=folder / "data", zone="UTC"))
    return database, capture


def moved(told: list[Packet], addresses: set[str], since_us: int, until_us: int, mac: str = "") -> tuple[int, int]:
    """(sent, received) bytes of frames between the house, or one MAC of it, and these addresses."""
    inside = [each for each in told if since_us <= each.time_us < until_us]
    up = sum(each.size for each in inside if each.receiver in addresses and mac in ("", each.source))
    down = sum(each.size for each in inside if each.sender in addresses and mac in ("", each.target))
    return up, down
