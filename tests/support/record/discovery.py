"""Recipes of devices that announce themselves: mDNS, SSDP with its description, LLMNR, NetBIOS; and DHCPv6."""

from __future__ import annotations

import shlex
import socket
import time
from pathlib import Path

from tests.support.lab import CLIENT_MAC, CLIENT_V4, OTHER_MAC, OTHER_V4, LabError, Namespace, wait_until
from tests.support.record.names import dnsmasq
from tests.support.record.studio import Recipe, Take

AVAHI = """[server]
host-name=kitchen-speaker
enable-dbus=no
use-ipv6=yes
ratelimit-interval-usec=0
[publish]
publish-workstation=no
publish-hinfo=no
[rlimits]
"""
SERVICE = """<?xml version="1.0" standalone='no'?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>Kitchen Speaker</name>
<service><type>_googlecast._tcp</type><port>8009</port>
<txt-record>id=0123456789abcdef</txt-record><txt-record>md=Vendor Speaker 42</txt-record>
<txt-record>fn=Kitchen</txt-record></service>
<service><type>_http._tcp</type><subtype>_printer._sub._http._tcp</subtype><port>80</port>
<txt-record>path=/status</txt-record></service>
</service-group>
"""


def _own_folders(mounts: dict[str, Path], *command: str) -> list[str]:
    """A command that sees `mounts` (path -> folder) in a mount namespace of its own.

    Missing mount points are made in a tmpfs /run.
    """
    steps = [f"mkdir -p {there} && mount --bind {here} {there}" for there, here in mounts.items()]
    return [
        "unshare",
        "-m",
        "sh",
        "-ec",
        "mount -t tmpfs none /run; " + "; ".join([*steps, "exec " + shlex.join(command)]),
    ]


def _avahi(take: Take, machine: Namespace) -> None:
    folder, run = take.lab.folder / "services", take.lab.folder / "run"
    folder.mkdir()
    run.mkdir()
    (folder / "speaker.service").write_text(SERVICE)
    config = take.lab.folder / "avahi.conf"
    config.write_text(AVAHI)
    mounts = {"/etc/avahi/services": folder, "/run/avahi-daemon": run}
    daemon = machine.start(
        *_own_folders(mounts, "avahi-daemon", "-f", str(config), "--no-drop-root", "--no-chroot", "--no-rlimits")
    )
    wait_until(
        lambda: (
            'Service "Kitchen Speaker" (/etc/avahi/services/speaker.service) successfully established'
            in machine.output(daemon)
        ),
        "avahi's announcement",
    )


def _mdns(take: Take) -> None:
    asked = (("kitchen-speaker.local", "A"), ("_googlecast._tcp.local", "PTR"), ("kitchen-speaker.local", "AAAA"))
    with take.rolling(only="udp port 5353"):
        _avahi(take, take.lab.other)
        time.sleep(1.2)  # the second announcement (RFC 6762 section 8.3)
        for name, kind in asked:
            take.lab.client.run("dig", "+time=1", "+tries=1", "-p", "5353", "@224.0.0.251", name, kind, check=False)
    take.expect(
        "dns_queries",
        "transport client_address name type",
        [("mdns", CLIENT_V4, *q) for q in asked],
        match="some",
        why="dig asks from a port of its own (RFC 6762 section 6.7), and distrusts the answer from another address",
    )
    instance = "kitchen\\032speaker._googlecast._tcp.local"
    take.expect(
        "dns_answers",
        "transport name type value",
        [("mdns", "kitchen-speaker.local", "A", OTHER_V4), ("mdns", "_googlecast._tcp.local", "PTR", instance)],
        match="some",
    )
    take.expect(
        "device_hints",
        "mac source value",
        [(OTHER_MAC, "mdns", "Vendor Speaker 42"), (OTHER_MAC, "mdns", "Kitchen")],
        match="some",
    )
    take.expect("traffic", "service scope", [("mdns", "chatter")], match="some")


def _ssdp(take: Take) -> None:
    folder = take.lab.folder / "media"
    for name in ("files", "db", "log"):
        (folder / name).mkdir(parents=True)
    config = take.lab.folder / "minidlna.conf"
    config.write_text(
        f"port=8200\nmedia_dir={folder}/files\ndb_dir={folder}/db\nlog_dir={folder}/log\n"
        "friendly_name=Attic Media\ninotify=no\nnotify_interval=60\nmodel_name=Vendor NAS 7\n"
        "serial=123\nuuid=4d696e69-444c-164e-9d41-00175850aa30\nnetwork_interface=eth0\n"
    )
    with take.rolling(only="udp port 1900 or tcp port 8200"):
        machine = take.lab.other
        machine.serve(8200, "minidlnad", "-S", "-f", str(config), "-P", str(take.lab.folder / "minidlna.pid"))
        time.sleep(0.5)
        take.lab.client.run("upnpc", "-m", "eth0", "-s", check=False)
        page = take.lab.client.run(
            "curl", "-sS", "-w", "%{local_port}", f"http://{OTHER_V4}:8200/rootDesc.xml", "-A", "VendorTV UPnP/1.0"
        )
        if "Attic Media" not in page:
            raise LabError("no description")
    take.expect(
        "device_hints",
        "mac source",
        [(OTHER_MAC, "ssdp")],
        match="some",
        why="minidlna's NOTIFY and answers carry SERVER",
    )
    take.expect(
        "hellos",
        "server_address server_port name method",
        [[OTHER_V4, 8200, f"{OTHER_V4}:8200", "GET"]],
        match="some",
        where={"source": "http"},
    )
    take.expect("traffic", "service scope", [("ssdp", "chatter")], match="some")


def _windows(take: Take) -> None:
    client, other, folder = take.lab.client, take.lab.other, take.lab.folder
    for name in ("lock", "state", "cache", "private", "pid", "ncalrpc"):
        (folder / name).mkdir()
    config = folder / "smb.conf"
    config.write_text(
        "[global]\nnetbios name = OFFICE-PC\nworkgroup = HOME\nserver string = Office\ninterfaces = eth0\nbind "
        "interfaces only = yes\n"
        f"lock directory = {folder}/lock\nstate directory = {folder}/state\ncache directory = {folder}/cache\n"
        f"private dir = {folder}/private\npid directory = {folder}/pid\nncalrpc dir = {folder}/ncalrpc\nlog "
        f"file = {folder}/log.nmbd\n"
    )
    with take.rolling(only="udp port 137 or udp port 138 or udp port 5355"):
        # llmnrd answers for its host name, which is the whole machine's: it gets one of its own in a UTS namespace
        other.start("unshare", "-u", "sh", "-c", "hostname office-pc && exec llmnrd -6 -i eth0")
        wait_until(lambda: other.listening(5355, kind=socket.SOCK_DGRAM), "llmnrd")
        asked = [("office-pc", "ANY")]
        client.run("llmnr-query", "-c", "1", "-t", "ANY", "-I", "eth0", "office-pc")
        other.serve(
            137, "nmbd", "-F", "--debug-stdout", "--no-process-group", "-s", str(config), kind=socket.SOCK_DGRAM
        )
        wait_until(
            lambda: (
                "OFFICE-PC"
                in client.run("nmblookup", "-s", str(config), "-B", "192.168.50.255", "OFFICE-PC", check=False)
                and OTHER_V4
                in client.run("nmblookup", "-s", str(config), "-B", "192.168.50.255", "OFFICE-PC", check=False)
            ),
            "nmbd",
        )
        time.sleep(4)
    take.expect(
        "dns_queries", "client_address name type", [(CLIENT_V4, *q) for q in asked], where={"transport": "llmnr"}
    )
    take.expect("dns_answers", "transport name type value", [("llmnr", "office-pc", "A", OTHER_V4)], match="some")
    take.expect(
        "device_hints",
        "mac source value",
        [(OTHER_MAC, "netbios", "OFFICE-PC")],
        match="some",
        why="nmbd registers its name",
    )


def _dhcpv6(take: Take) -> None:
    lab, folder = take.lab, take.lab.folder
    dnsmasq(
        lab.ap,
        "interface=wlan0",
        "bind-dynamic",
        "enable-ra",
        f"dhcp-leasefile={folder}/leases.dnsmasq",
        "dhcp-range=2001:db8:50::100,2001:db8:50::1ff,64,12h",
        "domain=home.example",
    )
    config = folder / "dhclient.conf"
    config.write_text(
        'send fqdn.fqdn "bedroom-tablet.home.example.";\nsend fqdn.encoded on;\nsend dhcp6.vendor-class 40712 '
        '11 "Vendor Tab1";\n'
    )
    script = folder / "dhclient.sh"
    script.write_text(
        '#!/bin/sh\n[ -n "$new_ip6_address" ] && ip -6 address replace "$new_ip6_address/64" dev "$interface" '
        "nodad\nexit 0\n"
    )
    script.chmod(0o755)
    options = ("-6", "-v", "-cf", str(config), "-lf", str(folder / "leases6"), "-pf", str(folder / "dhclient.pid"))
    with take.rolling():
        wait_until(
            lambda: "fe80::" in lab.client.run("ip", "-6", "address", "show", "dev", "eth0", "scope", "link"),
            "a link-local address",
        )
        lab.client.run("dhclient", "-1", *options, "-sf", str(script), "eth0")
        lab.client.run("dhclient", "-r", *options, "-sf", str(script), "eth0")
    take.expect(
        "device_hints", "mac source value", [(CLIENT_MAC, "dhcpv6", "bedroom-tablet.home.example")], match="some"
    )
    take.expect("local_networks", "prefix", [("2001:db8:50::/64",)], match="some")
    take.expect("traffic", "service scope", [("dhcpv6", "chatter")], match="some")


RECIPES = (
    Recipe(
        "mdns",
        "avahi-daemon announces a speaker with two services; dig asks the multicast group.",
        _mdns,
        ("avahi-daemon", "dig"),
    ),
    Recipe(
        "ssdp",
        "minidlna announces itself; upnpc searches; curl fetches the description.",
        _ssdp,
        ("minidlnad", "upnpc", "curl"),
    ),
    Recipe(
        "windows",
        "llmnrd answers llmnr-query; nmbd registers a name and nmblookup asks for it.",
        _windows,
        ("llmnrd", "llmnr-query", "nmbd", "nmblookup"),
    ),
    Recipe(
        "dhcpv6",
        "dhclient -6 takes and gives back an address from dnsmasq.",
        _dhcpv6,
        ("dnsmasq", "dhclient"),
        configure_clients=False,
    ),
)
