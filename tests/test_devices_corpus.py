"""Who the devices in real captures are: the table of them, and what must be in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from daemon.identify.devices import identify
from daemon.identify.oui import open_table
from daemon.identify.vocabulary import Device, OwnerWords
from tests.support.importing import ROOT, homeport
from tests.support.stations import stations

CORPUS = Path(os.environ.get("HOMEPORT_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (HOMEPORT_CORPUS names another)"),
    pytest.mark.skipif(open_table() is None, reason="no table of hardware makers: python hatch_build.py makes it"),
]

# Own domains of makers that are not seen in any other way. All others must be told without.
MAKERS = {"fitbit.com": "Fitbit", "amazon.com": "Amazon", "google.com": "Google"}


class Wanted(NamedTuple):
    """A device that is in a capture, as the capture tells it; None where it does not."""

    mac: str
    vendor: str | None
    name: str | None
    source: str | None
    kind: str | None


WANTED: dict[str, tuple[Wanted, ...]] = {
    "Aria__Setup-A-1-STA.pcap": (Wanted("20:f8:5e:ca:91:52", "Fitbit", "Fitbit health device", "traffic", "health"),),
    "D-LinkHomeHub__Setup-A-1-STA.pcap": (
        Wanted("1c:5f:2b:aa:fd:4e", "D-Link", "DCH-G020", "dhcp", "hub"),
        Wanted("38:0b:40:ef:85:41", "Samsung", "Samsung phone", "oui", "phone"),
    ),
    "EdimaxPlug1101W__Setup-A-1-STA.pcap": (Wanted("74:da:38:4a:76:49", "Edimax", "Edimax device", "oui", None),),
    "HueBridge__Setup-A-1-STA.pcap": (
        Wanted("00:17:88:24:76:ff", "Philips Hue", "Philips-hue", "dhcp", "hub"),
        Wanted("38:0b:40:ef:85:41", "Samsung", "Samsung SM-N7505", "http", "phone"),
    ),
    "Lightify__Setup-C-1-STA.pcap": (Wanted("84:18:26:7b:5f:6b", "Osram", "Lightify-7B5F6B", "dhcp", "hub"),),
    "TP-LinkPlugHS100__Setup-A-1-STA.pcap": (Wanted("50:c7:bf:00:fc:a3", "TP-Link", "HS100(EU)", "dhcp", "plug"),),
    "tplink-plug.pcap": (Wanted("50:c7:bf:5a:2e:a0", "TP-Link", "HS110", "dhcp", "plug"),),
    "WeMoInsightSwitch__Setup-A-1-STA.pcap": (
        Wanted("94:10:3e:41:c2:05", "Belkin", "Belkin Wemo Insight", "ssdp", "plug"),
    ),
    "wemo-plug.pcap": (
        Wanted("14:91:82:b4:4b:5f", "Belkin", "wemo", "dhcp", "plug"),
        Wanted("24:fd:5b:04:1b:75", "SmartThings", "SmartThings hub", "oui", "hub"),
        Wanted("00:17:88:68:5f:61", "Philips Hue", "Philips Hue Bridge", "ssdp", "hub"),
    ),
    "Withings__Setup-A-1-STA.pcap": (
        Wanted("00:24:e4:24:80:2a", "Withings", "Withings health device", "oui", "health"),
    ),
    "amcrest-cam-wired0.pcap": (Wanted("9c:8e:cd:0a:33:1b", "Amcrest", "Amcrest camera", "oui", "camera"),),
    "echospot0.pcap": (Wanted("00:71:47:c0:91:93", "Amazon", "Amazon Echo Spot", "http", "voice-assistant"),),
    "fridge.pcap": (Wanted("70:2c:1f:3b:36:53", "Samsung", "Samsung device", "dhcp", None),),
    "google-home-mini3.pcap": (
        Wanted("44:07:0b:60:f2:e5", "Google", "Family Room speaker", "mdns", "voice-assistant"),
    ),
    "homepod.pcap": (Wanted("d4:a3:3d:6b:1e:97", "Apple", "Living-Room", "dhcp", "voice-assistant"),),
    "invoke.pcap": (Wanted("d8:f7:10:c3:34:e4", "Harman Kardon", "HK Invoke_C334E4", "dhcp", "voice-assistant"),),
    "nest-tstat.pcap": (Wanted("18:b4:30:c8:d8:28", "Google Nest", "Google Nest device", "oui", None),),
    "roku-tv.pcap": (Wanted("88:de:a9:08:03:b9", "Roku", "RokuPremiere", "dhcp", "tv"),),
    "schlage-lock-01.pcap": (Wanted("78:db:2f:db:43:48", "Schlage", "Schlage", "dhcp", "lock"),),
    "sonos.pcapng": (
        Wanted("34:7e:5c:ff:a2:6e", "Sonos", "Sonos speaker (a2:6e)", "oui", "speaker"),
        Wanted("48:a6:b8:ef:36:26", "Sonos", "Sonos speaker (36:26)", "oui", "speaker"),
    ),
    "t-philips-hub.pcap": (
        Wanted("00:17:88:68:5f:61", "Philips Hue", "Philips-hue", "dhcp", "hub"),
        Wanted("24:fd:5b:04:1b:75", "SmartThings", "SmartThings hub", "oui", "hub"),
        Wanted("00:71:47:c0:91:93", "Amazon", "Amazon device", "oui", None),
    ),
    "yi_camera_sample.pcap": (
        Wanted("b0:d5:9d:b9:f0:b4", None, None, None, None),  # a factory's address, and no name is asked for
        Wanted("64:bc:0c:6a:81:f3", "LG", "LG phone", "oui", "phone"),
    ),
    "alexa-app.pcapng": (Wanted("78:f8:82:d3:fb:c2", "LG", "LGLS751", "http", "phone"),),
    "android.pcap": (
        Wanted("4c:6a:f6:9f:f6:27", "Nokia", "Nokia 2.2", "http", "phone"),
        Wanted("d8:30:62:56:00:1c", "Apple", "Lucas-iMac", "dhcp", "computer"),
    ),
    "netflix.pcap": (Wanted("e4:98:d6:1f:bd:14", "Apple", "Apple iPhone", "http", "phone"),),
    "wechat.pcap": (
        Wanted("b8:78:2e:e2:da:07", "Apple", "iPhonediMonica", "dhcp", "phone"),
        Wanted("d0:27:88:17:70:04", None, "GIOVANNI-PC", "netbios", "computer"),
    ),
    "dnssd.pcap": (
        Wanted("14:20:5e:57:ec:a6", "Apple", "Martins-iPhone", "mdns", "phone"),
        Wanted("0c:96:e6:24:b9:b1", None, "DESKTOP-M3JAMSQ", "mdns", "computer"),
    ),
    "Teredo.pcap": (
        Wanted("00:1a:e9:9d:53:b7", "Nintendo", "Wii", "dhcp", "console"),
        Wanted("00:16:cf:41:9c:20", None, "ESURNIR-LAPTOP", "netbios", "computer"),
    ),
}

# Nobody in these lives in a house: whoever sends does so from an address of the internet.
PUBLIC = (
    "LINKTYPE_IPV6.pcap", "LINKTYPE_RAW_ipv6.pcap", "dns-invalid-chars.pcap", "dns_fragmented.pcap", "ech.pcap",
    "http-vlan-0.pcap", "http_ipv6.pcap", "quic-27.pcap", "quic-39264-rand.pcap", "quic_handshake.pcap",
    "tcp-handshake-nano.pcap", "tls_ech.pcapng", "nsd-live.raw.pcap",
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with each capture as a site of its own."""
    database = tmp_path_factory.mktemp("devices") / "h.db"
    for name in (*WANTED, *PUBLIC):
        assert homeport("import", CORPUS / name, "--db", database, "--site", name, "--jobs", "1") in (0, 1), name
    return database


@pytest.fixture(scope="module")
def found(house: Path) -> dict[str, dict[str, Device]]:
    """Site -> key of the first station -> device; printed as a table, which `pytest -rP` shows."""
    oui = open_table()
    table: dict[str, dict[str, Device]] = {}
    for site in (*WANTED, *PUBLIC):
        present = stations(house, site, MAKERS)
        keys = {station.station_id: station.key for station in present}
        table[site] = {keys[device.stations[0]]: device for device in identify(present, OwnerWords(), oui)}
    return table


def test_the_table(found: dict[str, dict[str, Device]]) -> None:
    lines = [
        f"{key:17}  {d.vendor or '-':14}  {d.name or '-':26}  {d.name_source or '-':8}  {d.kind or '-':16}  {site}"
        for site, devices in found.items()
        for key, d in devices.items()
    ]
    print("\n".join(lines))  # noqa: T201  # the table is what this test is for: pytest -rP
    assert len(lines) >= sum(len(wanted) for wanted in WANTED.values())


@pytest.mark.parametrize("site", WANTED)
def test_devices_are_who_they_are(found: dict[str, dict[str, Device]], site: str) -> None:
    devices = found[site]
    seen = [
        Wanted(w.mac, devices[w.mac].vendor, devices[w.mac].name, devices[w.mac].name_source, devices[w.mac].kind)
        for w in WANTED[site]
    ]
    assert seen == list(WANTED[site])


def test_every_judgement_has_its_evidence(found: dict[str, dict[str, Device]]) -> None:
    for devices in found.values():
        for device in devices.values():
            reasons = {(each.about, each.value) for each in device.evidence}
            about = {"name": device.name, "vendor": device.vendor, "model": device.model, "kind": device.kind}
            assert {(word, value) for word, value in about.items() if value} <= reasons


@pytest.mark.parametrize("site", PUBLIC)
def test_captures_on_public_addresses_invent_no_devices(found: dict[str, dict[str, Device]], site: str) -> None:
    assert found[site] == {}
